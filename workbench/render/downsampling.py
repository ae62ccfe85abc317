"""Long lines by fewer points that draw the same, so that a run of a day is drawn as quickly as one of a minute."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import replace

from workbench.render.chart_data import Series


def within(line: Series, window: tuple[float, float] | None) -> Series:
    """The part of a line whose x is in the window."""
    if window is None:
        return line
    part = slice(bisect_left(line.xs, window[0]), bisect_right(line.xs, window[1]))
    return replace(line, xs=line.xs[part], ys=line.ys[part])


def thinned(line: Series, most: int) -> Series:
    """A line by about so many points at most: of each stretch the first, the lowest, the highest and the last.

    A stretch with a gap in it stays as it is.
    """
    if len(line.xs) <= most:
        return line
    size = -(-4 * len(line.xs) // most)
    kept: list[int] = []
    for start in range(0, len(line.ys), size):
        kept += (start + place for place in telling(line.ys[start : start + size]))
    return replace(line, xs=[line.xs[place] for place in kept], ys=[line.ys[place] for place in kept])


def telling(stretch: Sequence[float | None]) -> Sequence[int]:
    """Which points of a stretch tell how it looks, ascending."""
    whole = range(len(stretch))
    if not stretch:
        return whole
    known = [y for y in stretch if y is not None]
    if len(known) < len(whole) or not math.isfinite(sum(known)):  # the sum of all is the quickest look for NaN
        return whole
    return sorted({0, known.index(min(known)), known.index(max(known)), whole[-1]})
