"""The chart of a learning rate range test: the loss over the learning rate."""

from typing import Any

from workbench.render.chart import LineChart, Series
from workbench.render.scale import format_tick

HEIGHT = 14  # rows
MAX_LOSS = 1.5  # times the first smoothed loss: what is above is cut off, because a loss that diverges is off the scale


def lr_chart(result: dict[str, Any], height: int = HEIGHT) -> LineChart:
    """Return the loss over the learning rate on a log axis, with the suggested learning rate as the cursor.

    Args:
        result: What `engine.lr_finder.find_lr` returned.
        height: Number of rows.
    """
    smoothed = result["smoothed"]
    most = MAX_LOSS * next((loss for loss in smoothed if loss is not None), 1.0)
    series = [
        Series("loss", result["lrs"], _cut(result["losses"], most), color="bright_black"),
        Series("smoothed", result["lrs"], _cut(smoothed, most), color="cyan"),
    ]
    title = f"{result['model']} ({result['preset']}) on {result['task']}, {result['optimizer']}"
    return LineChart(series, title=title, height=height, log_x=True, x_name="lr", cursor=result["steepest"])


def _cut(losses: list[float | None], most: float) -> list[float | None]:
    return [loss if loss is not None and loss <= most else None for loss in losses]


def format_suggestion(result: dict[str, Any]) -> str:
    """Return a sentence on the learning rates that the test suggests."""
    first, last = (format_tick(float(f"{result['lrs'][k]:.2g}")) for k in (0, -1))
    if result["steepest"] is None:
        return f"The loss doesn't fall at any learning rate from {first} to {last}. Check the data and the network."
    end = f" The loss diverges near {last}." if result["diverged"] else ""
    return (
        f"Suggestion: lr {result['steepest']:g}, where the loss falls fastest; or {result['tenth']:g}, a tenth of the "
        f"learning rate at which it is lowest.{end}"
    )
