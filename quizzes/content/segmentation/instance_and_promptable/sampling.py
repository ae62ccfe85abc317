"""RoIAlign's sampling points on a map, and bilinear interpolation, by hand."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor

from quizzes.expressions.tree import Value

Grid = Sequence[Sequence[Value]]


def sample_points(start: Value, end: Value, s: int, k: int, n: int, aligned: int) -> list[Fraction]:
    """Return the coordinates of the k*n sampling points along one side of a region, in cells of the map.

    Args:
        start: First coordinate of the region in pixels.
        end: Last coordinate in pixels.
        s: Stride of the map.
        k: Number of bins.
        n: Sampling points per bin.
        aligned: 1 to subtract half a cell, because the center of cell 0 is at 1/2; 0 for the first version.
    """
    offset = Fraction(1, 2) if aligned else Fraction(0)
    first, size = Fraction(start) / s - offset, Fraction(end - start) / s
    if not aligned:
        size = max(size, Fraction(1))
    step = size / (k * n)
    return [first + (i + Fraction(1, 2)) * step for i in range(k * n)]


def _neighbors(position: Fraction, length: int) -> list[tuple[int, Fraction]]:
    """Return the cells along one side that a point is between, with their weights; none if it is outside."""
    if position < -1 or position > length:
        return []
    position = min(max(position, Fraction(0)), Fraction(length - 1))
    low = min(floor(position), max(length - 2, 0))
    weight = position - low
    return [(low, 1 - weight), (min(low + 1, length - 1), weight)]


def interpolate(X: Grid, y: Fraction, x: Fraction) -> Fraction:
    """Return the bilinear value of a map at a point; 0 more than one cell outside of it."""
    return sum(
        (a * b * Fraction(X[i][j]) for i, a in _neighbors(y, len(X)) for j, b in _neighbors(x, len(X[0]))), Fraction(0)
    )


def align_region(X: Grid, ys: Sequence[Fraction], xs: Sequence[Fraction], n: int) -> list[list[list[Fraction]]]:
    """Return the values at the sampling points of each bin, row by row."""
    return [
        [[interpolate(X, y, x) for y in ys[i : i + n] for x in xs[j : j + n]] for j in range(0, len(xs), n)]
        for i in range(0, len(ys), n)
    ]
