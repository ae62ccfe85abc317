"""Points in a plane, with a line, a curve or their residuals."""

from typing import Any

from workbench.render.visualizations.curves import sigmoid
from workbench.render.visualizations.plot import Plot


def draw_scatter(data: dict[str, Any], width: int, height: int) -> str:
    """Points `x`, `y`; with `w` and `b` the line through them and their residuals."""
    x, y, w, b = data["x"], data["y"], data.get("w"), data.get("b")
    if w is None or b is None:
        plot = Plot(_widened(x), _widened(y), width, height - 1)
        head = "● y over x"
    else:
        fitted = [w * v + b for v in x]
        plot = Plot(_widened(x), _widened([*y, *fitted]), width, height - 1)
        for v, target, found in zip(x, y, fitted, strict=True):
            plot.curve([(v, target), (v, found)], dotted=True)
        plot.function(lambda v: w * v + b)
        head = "● y over x, the line as it is, dotted residuals" if width > 46 else "● y over x, line, residuals"
    for point in zip(x, y, strict=True):
        plot.mark(*point, "●")
    return f"{head}\n{plot.text()}"


def draw_residuals(data: dict[str, Any], width: int, height: int) -> str:
    """Targets `y` and predictions `yhat`, sample by sample, each pair joined."""
    samples = range(1, len(data["y"]) + 1)
    plot = Plot([0.5, len(samples) + 0.5], _widened([*data["y"], *data["yhat"]]), width, height - 1)
    for k, y, yhat in zip(samples, data["y"], data["yhat"], strict=True):
        plot.curve([(k, y), (k, yhat)])
        plot.mark(k, yhat, "○")
        plot.mark(k, y, "●")
    return f"● y  ○ yhat, by sample\n{plot.text()}"


def draw_logistic(data: dict[str, Any], width: int, height: int) -> str:
    """Labels `y` over `x`, and sigmoid(w x + b) as it is."""
    plot = Plot(_widened(data["x"]), [0, 1], width, height - 1)
    plot.function(lambda v: sigmoid(data["w"] * v + data["b"]))
    for point in zip(data["x"], data["y"], strict=True):
        plot.mark(*point, "●")
    return f"● labels, sigmoid(w x + b)\n{plot.text()}"


def draw_boundary(data: dict[str, Any], width: int, height: int) -> str:
    """A point `x` of the plane, and the line on which w x + b is 0; not which side of it is positive."""
    (w1, w2), b, (x1, x2) = data["w"], data["b"], data["x"]
    reach = 1 + max(abs(x1), abs(x2), 3)
    plot = Plot([-reach, reach], [-reach, reach], width, height - 1)
    if w2:
        plot.function(lambda v: -(w1 * v + b) / w2)
    elif w1:
        plot.curve([(-b / w1, -reach), (-b / w1, reach)])
    plot.mark(x1, x2, "●")
    head = "● x, and the line where w x + b = 0" if w1 or w2 else "● x; no line, for w is 0"
    return f"{head if len(head) <= width else '● x, line: w x + b = 0'}\n{plot.text()}"


def _widened(values: list[float]) -> list[float]:
    """Values with some room on both sides, so that no point lies on the edge."""
    low, high = min(values), max(values)
    room = (high - low) / 10 or 1
    return [low - room, high + room]
