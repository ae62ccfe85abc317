"""Curves: functions with the x that the question is about, ROC curves, and precision-recall curves."""

import math
from collections.abc import Callable
from itertools import accumulate
from typing import Any

from workbench.render.visualizations.grid import arrange_blocks
from workbench.render.visualizations.plot import Plot, Point

MIN_LIMIT = 3.0  # functions are drawn at least from -3 to 3


def sigmoid(z: float) -> float:
    """Return 1/(1 + exp(-z)), without overflow."""
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
    """Draw each function of the text in its own plot, with a vertical line at the value of the symbol after `at`."""
    names, _, symbol = data["text"].partition(" at ")
    functions, at = names.split(), data[symbol]
    columns = min(3, len(functions))
    rows = math.ceil(len(functions) / columns)
    plot_width, plot_height = (width - columns + 1) // columns, height // rows
    limit = max(MIN_LIMIT, abs(at) + 0.5)
    blocks = []
    for name in functions:
        title, f = FUNCTIONS[name]
        ys = [f(limit * k / 20, data) for k in range(-20, 21)]
        plot = Plot([-limit, limit], [*ys, 0], plot_width, plot_height - 1, has_numbers=len(functions) == 1)
        plot.function(lambda x, f=f: f(x, data))  # type: ignore[misc]
        plot.add_vertical_line(at, symbol)
        lines = [line.ljust(plot_width) for line in plot.text().splitlines()]
        blocks.append([title.center(plot_width).rstrip(), *lines])
    bands = [arrange_blocks(blocks[k : k + columns], width) for k in range(0, len(blocks), columns)]
    return "\n".join(line for band in bands for line in band)


def roc_points(pos: list[float], neg: list[float]) -> list[Point]:
    """Return the false and true positive rate at every threshold, the strictest first."""
    thresholds = sorted({*pos, *neg}, reverse=True)
    return [(0.0, 0.0), *((positive_rate(neg, t), positive_rate(pos, t)) for t in thresholds)]


def precision_recall_points(pos: list[float], neg: list[float]) -> list[Point]:
    """Return recall and precision at every threshold, the strictest first."""
    points = []
    for threshold in sorted({*pos, *neg}, reverse=True):
        true_positives, false_positives = (sum(v >= threshold for v in scores) for scores in (pos, neg))
        precision = true_positives / (true_positives + false_positives)
        points.append((true_positives / len(pos), precision))
    return points


def positive_rate(scores: list[float], threshold: float) -> float:
    """Return the fraction of scores that are at least the threshold."""
    return sum(v >= threshold for v in scores) / len(scores)


def draw_roc(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the ROC curve of the scores `pos` and `neg`, and the diagonal of a random classifier."""
    points = roc_points(data["pos"], data["neg"])
    return _draw_rates(points, width, height, "true positive rate over false positive rate", diagonal=True)


def ranked_points(hits: list[float], n: float) -> list[Point]:
    """Return recall and precision at each rank of detections that are correct (1) or not (0), of n objects."""
    counts = list(accumulate(hits))
    return [(count / n, count / rank) for rank, count in enumerate(counts, 1)]


def draw_precision_recall(data: dict[str, Any], width: int, height: int) -> str:
    """Draw precision over recall of the scores `pos` and `neg`, or of ranked `hits` of `n` objects.

    With `envelope`, the best precision at each rank or below, the steps of its area are drawn too.
    """
    steps: list[Point] = []
    if best := data.get("envelope"):
        recalls = [recall for recall, _ in _recall_points(data)]
        for before, recall, precision in zip([0.0, *recalls], recalls, best, strict=False):
            steps += [(before, precision), (recall, precision)]
        steps.append((recalls[-1], 0.0))
    return _draw_rates(_recall_points(data), width, height, "precision over recall", steps=steps)


def _recall_points(data: dict[str, Any]) -> list[Point]:
    if "hits" in data:
        return ranked_points(data["hits"], data["n"])
    return precision_recall_points(data["pos"], data["neg"])


def _draw_rates(
    points: list[Point], width: int, height: int, title: str, diagonal: bool = False, steps: list[Point] | None = None
) -> str:
    plot = Plot([0, 1], [0, 1], min(width, 3 * height), height - 1)
    if diagonal:
        plot.curve([(0, 0), (1, 1)], dotted=True)
    plot.curve(steps or points)
    for point in points:
        plot.mark(*point, "●")
    return f"{title if len(title) <= width else title.replace(' positive rate', '')}\n{plot.text()}"


def describe_roc(data: dict[str, Any]) -> str:
    """List the points of the ROC curve."""
    return _list_points(roc_points(data["pos"], data["neg"]), "False and true positive rate")


def describe_precision_recall(data: dict[str, Any]) -> str:
    """List the points of the precision-recall curve of scores; ranked hits are in the prompt."""
    return "" if "hits" in data else _list_points(_recall_points(data), "Recall and precision")


def _list_points(points: list[Point], names: str) -> str:
    return f"{names} by decreasing threshold: {', '.join(f'({x:.3g}, {y:.3g})' for x, y in points)}."
