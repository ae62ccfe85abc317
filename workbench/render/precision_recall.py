"""Precision over recall, as a chart with a line for each class."""

from typing import Any

from workbench.render.chart import LineChart, Series
from workbench.render.halfblock import Rows

MAX_CLASSES = 6  # lines that can be distinguished


def draw_precision_recall(visualization: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the curves of classes.

    Args:
        visualization: Of the kind `precision-recall`: `iou_threshold`, and `curves`, each with its `name`, its
            `recall` (ascending) and its `precision`.
        width: Number of cells per row.
        height: Number of rows.
        color: Whether colors can be shown; without, the names at the ends of the lines tell them apart.
    """
    curves = visualization["curves"][:MAX_CLASSES]
    rest = len(visualization["curves"]) - len(curves)
    title = f"precision over recall, IoU {visualization['iou_threshold']:g}" + (
        f", {rest} more classes" if rest else ""
    )
    chart = LineChart(
        series=[
            Series(one["name"], one["recall"], one["precision"], dotted=one.get("dotted", False)) for one in curves
        ],
        title=title,
        height=height,
        guides={"": 0.0},
        x_name="recall",
        window=(0.0, 1.0),
    )
    return chart.rows(width)
