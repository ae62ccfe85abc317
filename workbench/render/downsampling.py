"""Long series drawn from fewer points that look the same, so that drawing time does not grow with a run's length."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from workbench.render.chart_spec import Series


def select_window(series: Series, window: tuple[float, float] | None) -> Series:
    """Return the points of a series whose x is in the window; all points if the window is None."""
    if window is None:
        return series
    inside = slice(bisect_left(series.xs, window[0]), bisect_right(series.xs, window[1]))
    return replace(series, xs=series.xs[inside], ys=series.ys[inside])


def downsample(series: Series, max_points: int) -> Series:
    """Return a series with about `max_points` points: the first, lowest, highest and last of each stretch.

    A stretch with a gap in it is copied unchanged.
    """
    if len(series.xs) <= max_points:
        return series
    size = -(-4 * len(series.xs) // max_points)
    indices: list[int] = []
    for start in range(0, len(series.ys), size):
        indices += (start + index for index in extreme_points(series.ys[start : start + size]))
    return replace(series, xs=[series.xs[k] for k in indices], ys=[series.ys[k] for k in indices])


def extreme_points(ys: Sequence[float | None]) -> Sequence[int]:
    """Return the indices of the first, lowest, highest and last value, ascending; every index if there is a gap."""
    everything = range(len(ys))
    if not ys:
        return everything
    finite = [y for y in ys if y is not None]
    if len(finite) < len(everything) or not math.isfinite(sum(finite)):  # the sum is the fastest test for NaN
        return everything
    return sorted({0, finite.index(min(finite)), finite.index(max(finite)), everything[-1]})
