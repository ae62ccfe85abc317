"""Curves: functions with the point that is asked marked on the x axis alone, ROC, and precision over recall."""

import math
from collections.abc import Callable
from typing import Any

from workbench.render.visualizations.grid import beside
from workbench.render.visualizations.plot import Plot, Point

REACH = 3.0  # how far a function is shown on both sides of 0 at least


def sigmoid(z: float) -> float:
    """1/(1 + exp(-z)), without overflow."""
    return 1 / (1 + math.exp(-z)) if z > -700 else 0.0


FUNCTIONS: dict[str, tuple[str, Callable[[float, dict[str, Any]], float]]] = {
    "relu": ("ReLU", lambda z, _: max(0, z)),
    "leaky": ("leaky", lambda z, data: max(z, data["a"] * z)),
    "elu": ("ELU", lambda z, data: z if z > 0 else data["alpha"] * (math.exp(z) - 1)),
    "sigmoid": ("sigmoid", lambda z, _: sigmoid(z)),
    "tanh": ("tanh", lambda z, _: math.tanh(z)),
    "silu": ("SiLU", lambda z, _: z * sigmoid(z)),
    "gelu": ("GELU", lambda z, _: z * (1 + math.erf(z / math.sqrt(2))) / 2),
    "softplus": ("softplus", lambda z, _: math.log1p(math.exp(-abs(z))) + max(z, 0)),
    "huber": (
        "Huber",
        lambda d, data: d * d / 2 if abs(d) <= data["beta"] else data["beta"] * (abs(d) - data["beta"] / 2),
    ),
    "smooth-l1": (
        "smooth L1",
        lambda d, data: d * d / 2 / data["beta"] if abs(d) <= data["beta"] else abs(d) - data["beta"] / 2,
    ),
    "cubic": ("f", lambda x, data: data["a"] * x**3 + data["b"] * x**2),
}


def draw_functions(data: dict[str, Any], width: int, height: int) -> str:
    """The functions of the text, each in a plot of its own, with a line at the value of the symbol after `at`."""
    names, _, symbol = data["text"].partition(" at ")
    plots, at = names.split(), data[symbol]
    across = min(3, len(plots))
    down = math.ceil(len(plots) / across)
    wide, high = (width - across + 1) // across, height // down
    reach = max(REACH, abs(at) + 0.5)
    blocks = []
    for name in plots:
        title, f = FUNCTIONS[name]
        ys = [f(reach * k / 20, data) for k in range(-20, 21)]
        plot = Plot([-reach, reach], [*ys, 0], wide, high - 1, has_numbers=len(plots) == 1)
        plot.function(lambda x, f=f: f(x, data))  # type: ignore[misc]
        plot.upright(at, symbol)
        blocks.append([title.center(wide).rstrip(), *(line.ljust(wide) for line in plot.text().splitlines())])
    rows = [beside(blocks[k : k + across], width) for k in range(0, len(blocks), across)]
    return "\n".join(line for row in rows for line in row)


def roc_points(pos: list[float], neg: list[float]) -> list[Point]:
    """False and true positive rate at every threshold, from the strictest on."""
    thresholds = sorted({*pos, *neg}, reverse=True)
    return [(0.0, 0.0), *((share(neg, t), share(pos, t)) for t in thresholds)]


def precision_recall_points(pos: list[float], neg: list[float]) -> list[Point]:
    """Recall and precision at every threshold, from the strictest on."""
    points = []
    for threshold in sorted({*pos, *neg}, reverse=True):
        hits, false = (sum(v >= threshold for v in scores) for scores in (pos, neg))
        points.append((hits / len(pos), hits / (hits + false)))
    return points


def share(scores: list[float], threshold: float) -> float:
    """The share of scores that reach the threshold."""
    return sum(v >= threshold for v in scores) / len(scores)


def draw_roc(data: dict[str, Any], width: int, height: int) -> str:
    """The ROC curve of the scores `pos` and `neg`, and the diagonal of chance."""
    points = roc_points(data["pos"], data["neg"])
    return _rates(points, width, height, "true positive rate over false positive rate", chance=True)


def draw_precision_recall(data: dict[str, Any], width: int, height: int) -> str:
    """Precision over recall of the scores `pos` and `neg`."""
    return _rates(precision_recall_points(data["pos"], data["neg"]), width, height, "precision over recall")


def _rates(points: list[Point], width: int, height: int, title: str, chance: bool = False) -> str:
    plot = Plot([0, 1], [0, 1], min(width, 3 * height), height - 1)
    if chance:
        plot.curve([(0, 0), (1, 1)], dotted=True)
    plot.curve(points)
    for point in points:
        plot.mark(*point, "●")
    return f"{title if len(title) <= width else title.replace(' positive rate', '')}\n{plot.text()}"


def tell_roc(data: dict[str, Any]) -> str:
    """The points of the ROC curve."""
    return _told(roc_points(data["pos"], data["neg"]), "False and true positive rate")


def tell_precision_recall(data: dict[str, Any]) -> str:
    """The points of the curve."""
    return _told(precision_recall_points(data["pos"], data["neg"]), "Recall and precision")


def _told(points: list[Point], names: str) -> str:
    return f"{names} by falling threshold: {', '.join(f'({x:.3g}, {y:.3g})' for x, y in points)}."
