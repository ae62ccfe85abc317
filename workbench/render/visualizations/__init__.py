"""Visualizations of questions: drawn in characters, or described in a sentence for plain text and screen readers.

A drill names the kind of its visualization and the data to show:

    visualization="boxes"                              everything that the question gives, under its own names
    visualization="scatter x y w=w0 b=b0"              only these values, some under the names that the drawing uses
    visualization="flow: {n} x {n} x {c} > conv > ?"   everything, and a text that is filled in like the prompt

A visualization contains only what the question gives. Unknown values are shown as `?`.

Programs and printouts are shown in full, and described by themselves, so the prompt need not repeat them:

    visualization="code program"                       the value `program` of the generator: Python, with line numbers
    visualization="code: ..."                          a program whose fields are filled in like those of the prompt
    visualization="printout log"                       the value `log`, as a program prints it
    visualization="line-chart train validation x=t"    curves by name; without x, the first value is at 1
    visualization="table N accuracy"                   vectors as the rows of a table
"""

import re
from collections.abc import Callable
from typing import Any

from quizzes.question import Visualization, value_text
from workbench.render.graph import draw_graph, draw_passes
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
    texts,
    windows,
)

Drawing = tuple[Callable[[dict[str, Any], int, int], str], Callable[[dict[str, Any]], str]]


class _Fields(dict[str, Any]):
    """The values for the fields of a text; `?` for a field without a value."""

    def __missing__(self, name: str) -> str:
        return "?"


def draw(visualization: Visualization, width: int = 44, height: int = 14) -> str:
    """Draw a visualization in characters.

    Args:
        visualization: The kind and its data.
        width: Maximal number of columns. A character is about twice as high as it is wide.
        height: Maximal number of lines.
    """
    kind, data = drawing_data(visualization)
    return DRAWINGS[kind][0](data, width, height)


def describe(visualization: Visualization) -> str:
    """Describe what a visualization adds to the prompt in a sentence; empty if it adds nothing."""
    kind, data = drawing_data(visualization)
    return DRAWINGS[kind][1](data)


def drawing_data(visualization: Visualization) -> tuple[str, dict[str, Any]]:
    """Return the kind of a visualization and the data for its drawing; None for a value that isn't given."""
    kind, words = re.fullmatch(r"(\S+)\s?(.*)", visualization.kind, re.DOTALL).groups()  # type: ignore[union-attr]
    if kind.endswith(":"):
        texts = {name: value_text(v) if isinstance(v, float) else v for name, v in visualization.data.items()}
        return kind[:-1], visualization.data | {"text": words.format_map(_Fields(texts))}
    if not words:
        return kind, visualization.data
    roles = (word.partition("=") for word in words.split())
    return kind, {role: _value(symbol or role, visualization.data) for role, _, symbol in roles}


def _value(symbol: str, data: dict[str, Any]) -> Any:
    return int(symbol) if symbol.isdigit() else data.get(symbol.lstrip("±"))


def is_text(visualization: Visualization) -> bool:
    """Return whether a visualization is a program or a printout, which is shown in full, at its own size."""
    return drawing_data(visualization)[0] in TEXTS


def _nothing(data: dict[str, Any]) -> str:
    return ""


DRAWINGS: dict[str, Drawing] = {
    "anchors": (areas.draw_anchors, _nothing),
    "bars": (bars.draw_bars, _nothing),
    "boundary": (plane.draw_boundary, _nothing),
    "boxes": (areas.draw_boxes, _nothing),
    "branches": (flows.draw_branches, _nothing),
    "code": (texts.draw_code, texts.describe_code),
    "confusion": (matrices.draw_confusion, matrices.describe_confusion),
    "contour": (descent.draw_contour, _nothing),
    "convolution": (windows.draw_convolution, _nothing),
    "descent": (descent.draw_descent, _nothing),
    "deviations": (lines.draw_deviations, _nothing),
    "dilation": (windows.draw_dilation, _nothing),
    "flow": (flows.draw_flow, _nothing),
    "functions": (curves.draw_functions, _nothing),
    "graph": (draw_graph, _nothing),
    "kernel-slide": (windows.draw_kernel_slide, _nothing),
    "layers": (networks.draw_layers, _nothing),
    "learning-curves": (learning.draw_learning_curves, _nothing),
    "learning-rate": (learning.draw_learning_rate, _nothing),
    "line-chart": (learning.draw_line_chart, learning.describe_line_chart),
    "logistic": (plane.draw_logistic, _nothing),
    "matrices": (matrices.draw_matrices, _nothing),
    "network": (networks.draw_network, _nothing),
    "highlighted-table": (matrices.draw_highlighted_table, _nothing),
    "neuron": (networks.draw_neuron, _nothing),
    "number-line": (lines.draw_number_line, lines.describe_number_line),
    "parabola": (descent.draw_parabola, _nothing),
    "passes": (draw_passes, _nothing),
    "pooling": (windows.draw_pooling, _nothing),
    "printout": (texts.draw_printout, texts.listing),
    "precision-recall": (curves.draw_precision_recall, curves.describe_precision_recall),
    "progress": (learning.draw_progress, _nothing),
    "rescaling": (lines.draw_rescaling, _nothing),
    "residuals": (plane.draw_residuals, _nothing),
    "roi-grid": (areas.draw_roi_grid, _nothing),
    "roc": (curves.draw_roc, curves.describe_roc),
    "scatter": (plane.draw_scatter, _nothing),
    "separating-line": (plane.draw_separating_line, _nothing),
    "sliding-window": (windows.draw_sliding_window, _nothing),
    "suppression": (areas.draw_suppression, _nothing),
    "table": (matrices.draw_table, matrices.describe_table),
    "trace": (matrices.draw_trace, _nothing),
    "two-neurons": (networks.draw_two_neurons, _nothing),
}
TEXTS = ("code", "printout")
