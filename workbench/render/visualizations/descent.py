"""The loss that an optimizer descends, with the start of its path, the end if that is given, or the whole path."""

import math
from functools import lru_cache
from typing import Any

from quizzes.expressions.graph import build_graph
from quizzes.expressions.nodes import natural_order
from quizzes.expressions.tree import Tree, UndefinedValue, compile_tree, run_compiled, substitute
from quizzes.question import value_text
from workbench.render.visualizations.plot import Plot

MARGIN = 1.25  # range of the axes, relative to the largest coordinate
LEVELS = 8  # contours of a function


def draw_parabola(data: dict[str, Any], width: int, height: int) -> str:
    """Draw L = c w^2/2 with the points `start` and `end`; the unknown one is not drawn."""
    c, points = data["c"], {name: data[name] for name in ("start", "end") if name in data}
    positions = {name: value for name, value in points.items() if value is not None}
    limit = MARGIN * max(map(abs, positions.values()))
    plot = Plot([-limit, limit], [0, c * limit**2 / 2], width, height - 1)
    plot.function(lambda w: c * w**2 / 2)
    signs = {"start": "●", "end": "○"}
    for name, value in positions.items():
        plot.mark(value, c * value**2 / 2, signs[name])
    words = [f"{signs[name]} {name} {'?' if value is None else value_text(value)}" for name, value in points.items()]
    return f"{'   '.join(words)}\n{plot.text()}"


def draw_contour(data: dict[str, Any], width: int, height: int) -> str:
    """Draw contours of L = (c1 w1^2 + c2 w2^2)/2 and the start of the descent; the question asks for its next point."""
    c1, c2, w1, w2 = (data[name] for name in ("c1", "c2", "w1_0", "w2_0"))
    level = c1 * w1**2 + c2 * w2**2
    limit1, limit2 = (MARGIN * math.sqrt(level / c) for c in (c1, c2))
    plot = Plot([-limit1, limit1], [-limit2, limit2], width, height - 1)
    for fraction in (0.1, 0.4, 1):
        radius1, radius2 = (math.sqrt(fraction * level / c) for c in (c1, c2))
        angles = [math.pi * k / 60 for k in range(121)]
        plot.curve([(radius1 * math.cos(angle), radius2 * math.sin(angle)) for angle in angles])
    plot.mark(0, 0, "+")
    plot.mark(w1, w2, "●")
    return f"w2 over w1: ● start  + minimum\n{plot.text()}"


def draw_descent(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the `path` of one or two `weights` on the curve or the contours of a function `f`, within `bounds`."""
    path, bounds = data["path"], data["bounds"]
    if len(path[0]) == 1:
        curve = [(w, value) for w, value in _curve(data["f"], tuple(bounds[0]), 4 * width) if value is not None]
        points = [(w, _value(data["f"], [w])) for (w,) in path]
        plot = Plot(bounds[0], [y for _, y in [*curve, *points] if y is not None], width, height - 1)
        plot.curve(curve)
        positions = [(w, y) for w, y in points if y is not None]
        head = f"{data['weights'][0]}: ● start  ◆ now, on the curve of the loss"
    else:
        first_bounds, second_bounds = bounds
        plot = Plot(first_bounds, second_bounds, width, height - 1)
        plot.dots(_contours(data["f"], tuple(first_bounds), tuple(second_bounds), width, 2 * height))
        positions = [(x, y) for x, y in path]
        plot.curve(positions)
        first, second = data["weights"]
        head = f"{second} over {first}: ● start  ◆ now, on contours of the loss"
    for x, y in positions[1:-1]:
        plot.mark(x, y, "•")
    for (x, y), sign in zip([positions[0], positions[-1]], "●◆", strict=True):
        plot.mark(x, y, sign)
    return f"{head[:width]}\n{plot.text()}"


@lru_cache(8)
def _compiled(f: str) -> tuple[Any, list[str]]:
    """Return a function of weights, compiled, and the names of the weights in natural order."""
    graph, trees = build_graph(f), dict[str, Tree]()
    for name, node in graph.nodes.items():
        if node.kind != "leaf":
            trees[name] = substitute(node.tree, trees)
    return compile_tree(trees.get(graph.root, graph.nodes[graph.root].tree)), natural_order(graph.leaves)


def _value(f: str, weights: list[float]) -> float | None:
    """Return the value of a function; None if it has none there."""
    evaluator, names = _compiled(f)
    try:
        return float(run_compiled(evaluator, dict(zip(names, weights, strict=True))))
    except (UndefinedValue, OverflowError):
        return None


def _curve(f: str, bounds: tuple[float, float], count: int) -> list[tuple[float, float | None]]:
    return [(x, _value(f, [x])) for x in _grid(bounds, count)]


def _grid(bounds: tuple[float, float], count: int) -> list[float]:
    low, high = bounds
    return [low + (high - low) * k / count for k in range(count + 1)]


@lru_cache(4)
def _contours(
    f: str, x_bounds: tuple[float, float], y_bounds: tuple[float, float], columns: int, rows: int
) -> list[tuple[float, float]]:
    """Return points on contours of a function: those to whose neighbors it passes one of several levels."""
    xs, ys = _grid(x_bounds, columns), _grid(y_bounds, rows)
    values = [[_value(f, [x, y]) for x in xs] for y in ys]
    defined = [value for row in values for value in row if value is not None]
    if not defined or max(defined) == min(defined):
        return []
    low, high = min(defined), max(defined)

    def level(value: float | None) -> int | None:
        # The square root spreads the levels, which are dense near a minimum otherwise.
        return None if value is None else math.floor(LEVELS * math.sqrt((value - low) / (high - low)))

    levels = [[level(value) for value in row] for row in values]
    points = []
    for j in range(rows):
        for i in range(columns):
            here, right, above = levels[j][i], levels[j][i + 1], levels[j + 1][i]
            if None not in (here, right, above) and (here != right or here != above):
                points.append((xs[i], ys[j]))
    return points
