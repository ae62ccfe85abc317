"""Forecasts of time series as charts: the past, what followed, and what was predicted."""

from typing import Any

from workbench.render.chart import LineChart, Series
from workbench.render.halfblock import Rows

MIN_HEIGHT = 8  # rows of a chart


def draw_forecasts(forecasts: list[dict[str, Any]], width: int, height: int) -> Rows:
    """Render forecasts below one another, as many as fit, each over the steps from the last value that is known."""
    count = max(1, min(len(forecasts), height // (MIN_HEIGHT + 1)))
    rows: Rows = []
    for forecast in forecasts[:count]:
        rows += _chart(forecast, height // count - 1).rows(width)
        rows.append([])
    return rows[:-1]


def _chart(forecast: dict[str, Any], height: int) -> LineChart:
    past, predicted, target = (forecast.get(name, []) for name in ("past", "predicted", "target"))
    # The lines after the past begin at its last value, so that all are connected.
    ahead = range(len(predicted) + 1)
    series = [Series("past", range(1 - len(past), 1), past)]
    if target:
        series.append(Series("true", ahead, [past[-1], *target]))
    series.append(Series("forecast", ahead, [past[-1], *predicted], dotted=True))
    return LineChart(series, title=forecast["unit"], height=height, x_name="steps ahead")
