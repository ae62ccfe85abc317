"""Points in a plane, with a line, a curve or residuals."""

from typing import Any

from workbench.render.visualizations.curves import sigmoid
from workbench.render.visualizations.plot import Plot


def draw_scatter(data: dict[str, Any], width: int, height: int) -> str:
    """Draw points `x`, `y`; if `w` and `b` are given, also the line y = w x + b and the residuals."""
    x, y, w, b = data["x"], data["y"], data.get("w"), data.get("b")
    if w is None or b is None:
        plot = Plot(_add_margin(x), _add_margin(y), width, height - 1)
        head = "● y over x"
    else:
        fitted = [w * v + b for v in x]
        plot = Plot(_add_margin(x), _add_margin([*y, *fitted]), width, height - 1)
        for v, target, prediction in zip(x, y, fitted, strict=True):
            plot.curve([(v, target), (v, prediction)], dotted=True)
        plot.function(lambda v: w * v + b)
        head = "● y over x, the current line, dotted residuals" if width > 46 else "● y over x, line, residuals"
    for point in zip(x, y, strict=True):
        plot.mark(*point, "●")
    return f"{head}\n{plot.text()}"


def draw_residuals(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the target `y` and the prediction `yhat` of each sample, connected by a line."""
    samples = range(1, len(data["y"]) + 1)
    plot = Plot([0.5, len(samples) + 0.5], _add_margin([*data["y"], *data["yhat"]]), width, height - 1)
    for k, y, yhat in zip(samples, data["y"], data["yhat"], strict=True):
        plot.curve([(k, y), (k, yhat)])
        plot.mark(k, yhat, "○")
        plot.mark(k, y, "●")
    return f"● y  ○ yhat, by sample\n{plot.text()}"


def draw_logistic(data: dict[str, Any], width: int, height: int) -> str:
    """Draw labels `y` over `x`, and sigmoid(w x + b) with the current `w` and `b`."""
    plot = Plot(_add_margin(data["x"]), [0, 1], width, height - 1)
    plot.function(lambda v: sigmoid(data["w"] * v + data["b"]))
    for point in zip(data["x"], data["y"], strict=True):
        plot.mark(*point, "●")
    return f"● labels, sigmoid(w x + b)\n{plot.text()}"


def draw_boundary(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a point `x` and the line on which w x + b is 0, without telling on which side it is positive."""
    (w1, w2), b, (x1, x2) = data["w"], data["b"], data["x"]
    limit = 1 + max(abs(x1), abs(x2), 3)
    plot = Plot([-limit, limit], [-limit, limit], width, height - 1)
    if w2:
        plot.function(lambda v: -(w1 * v + b) / w2)
    elif w1:
        plot.curve([(-b / w1, -limit), (-b / w1, limit)])
    plot.mark(x1, x2, "●")
    head = "● x, and the line where w x + b = 0" if w1 or w2 else "● x; no line, because w is 0"
    return f"{head if len(head) <= width else '● x, line: w x + b = 0'}\n{plot.text()}"


def draw_separating_line(data: dict[str, Any], width: int, height: int) -> str:
    """Draw points `X` of the classes `y`, 1 or -1, with the line w x + b = 0; `current` is the index of one of them."""
    X, y, (w1, w2), b, current = data["X"], data["y"], data["w"], data["b"], data["current"]
    xs, ys = (_add_margin([point[axis] for point in X]) for axis in (0, 1))
    plot = Plot(xs, ys, width, height - 1)
    if w2:
        plot.function(lambda v: -(w1 * v + b) / w2)
    elif w1:
        plot.curve([(-b / w1, ys[0]), (-b / w1, ys[1])])
    for k, ((x1, x2), label) in enumerate(zip(X, y, strict=True)):
        signs = "◆◇" if k == current else "●○"
        plot.mark(x1, x2, signs[label < 0])
    line = "line: w x + b = 0" if w1 or w2 else "no line, because w is 0"
    return f"● y = 1  ○ y = -1  ◆◇ this sample  {line}"[:width] + f"\n{plot.text()}"


def _add_margin(values: list[float]) -> list[float]:
    """Return the range of the values with a margin, so that no point is on the border."""
    low, high = min(values), max(values)
    room = (high - low) / 10 or 1
    return [low - room, high + room]
