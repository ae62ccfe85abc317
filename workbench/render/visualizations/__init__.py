"""Pictures beside a question: drawn in characters, and told in a sentence where nothing can be drawn.

A drill names the kind of its picture, and what it shows:

    visualization="boxes"                              all that the question gives, under its own names
    visualization="scatter x y w=w0 b=b0"              these values alone, some under the names that the drawing knows
    visualization="flow: {n} x {n} x {c} > conv > ?"   all that is given, and a text that is filled in as the prompt is

A picture knows only what the question gives. What is asked has no value here, and stands as `?`.
"""

from collections.abc import Callable
from typing import Any

from quizzes.question import Visualization, value_text
from workbench.render.graph import draw_graph
from workbench.render.visualizations import (
    areas,
    bars,
    curves,
    descent,
    flows,
    learning,
    lines,
    matrices,
    networks,
    plane,
    windows,
)

Drawing = tuple[Callable[[dict[str, Any], int, int], str], Callable[[dict[str, Any]], str]]


class Filling(dict[str, Any]):
    """The values of a text's places; `?` where there is none."""

    def __missing__(self, name: str) -> str:
        return "?"


def draw(visualization: Visualization, width: int = 44, height: int = 14) -> str:
    """A picture as lines of characters, within so many cells; a cell is about twice as high as it is wide."""
    kind, data = shown(visualization)
    return DRAWINGS[kind][0](data, width, height)


def tell(visualization: Visualization) -> str:
    """What a picture adds to the question, as a sentence for line mode and screen readers; empty where it adds nothing.

    What lies before the eyes in any case, as where the numbers of the prompt stand, is not told.
    """
    kind, data = shown(visualization)
    return DRAWINGS[kind][1](data)


def shown(visualization: Visualization) -> tuple[str, dict[str, Any]]:
    """The kind of a picture and what it draws; None for a value that isn't given."""
    kind, _, words = visualization.kind.partition(" ")
    if kind.endswith(":"):
        texts = {name: value_text(v) if isinstance(v, float) else v for name, v in visualization.data.items()}
        return kind[:-1], visualization.data | {"text": words.format_map(Filling(texts))}
    if not words:
        return kind, visualization.data
    roles = (word.partition("=") for word in words.split())
    return kind, {role: _value(symbol or role, visualization.data) for role, _, symbol in roles}


def _value(symbol: str, data: dict[str, Any]) -> Any:
    return int(symbol) if symbol.isdigit() else data.get(symbol.lstrip("±"))


def _nothing(data: dict[str, Any]) -> str:
    return ""


DRAWINGS: dict[str, Drawing] = {
    "bars": (bars.draw_bars, _nothing),
    "boundary": (plane.draw_boundary, _nothing),
    "boxes": (areas.draw_boxes, _nothing),
    "branches": (flows.draw_branches, _nothing),
    "confusion": (matrices.draw_confusion, matrices.tell_confusion),
    "contour": (descent.draw_contour, _nothing),
    "convolution": (windows.draw_convolution, _nothing),
    "deviations": (lines.draw_deviations, _nothing),
    "dilation": (windows.draw_dilation, _nothing),
    "flow": (flows.draw_flow, _nothing),
    "functions": (curves.draw_functions, _nothing),
    "graph": (draw_graph, _nothing),
    "kernel-slide": (windows.draw_kernel_slide, _nothing),
    "layers": (networks.draw_layers, _nothing),
    "learning-curves": (learning.draw_learning_curves, _nothing),
    "learning-rate": (learning.draw_learning_rate, _nothing),
    "logistic": (plane.draw_logistic, _nothing),
    "matrices": (matrices.draw_matrices, _nothing),
    "network": (networks.draw_network, _nothing),
    "neuron": (networks.draw_neuron, _nothing),
    "number-line": (lines.draw_number_line, lines.tell_number_line),
    "parabola": (descent.draw_parabola, _nothing),
    "pooling": (windows.draw_pooling, _nothing),
    "precision-recall": (curves.draw_precision_recall, curves.tell_precision_recall),
    "rescaling": (lines.draw_rescaling, _nothing),
    "residuals": (plane.draw_residuals, _nothing),
    "roc": (curves.draw_roc, curves.tell_roc),
    "scatter": (plane.draw_scatter, _nothing),
    "table": (matrices.draw_table, _nothing),
    "trace": (matrices.draw_trace, _nothing),
    "two-neurons": (networks.draw_two_neurons, _nothing),
}
