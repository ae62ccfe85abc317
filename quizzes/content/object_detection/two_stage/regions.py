"""Regions of interest on a map, and regions that selective search merges, by hand."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from quizzes.expressions.tree import Value
from quizzes.question import Params
from workbench.errors import UserError

Pixels = frozenset[tuple[int, int]]  # row, column

MAX_PIXELS, MAX_REGIONS = 1024, 40


def roi_bins(start: Value, end: Value, s: int, k: int, length: int) -> list[tuple[int, int]]:
    """Return the first index and the end of each bin of RoI pooling along one side.

    Args:
        start: First coordinate of the region in pixels.
        end: Last coordinate in pixels.
        s: Stride of the map.
        k: Number of bins.
        length: Number of cells of the map, to which the bins are cut off.
    """
    first, last = (floor(Fraction(v) / s + Fraction(1, 2)) for v in (start, end))
    size = max(last - first + 1, 1)
    return [
        (min(first + floor(Fraction(i * size, k)), length), min(first + ceil(Fraction((i + 1) * size, k)), length))
        for i in range(k)
    ]


class Merge(NamedTuple):
    """A merge of two neighboring regions.

    Attributes:
        first: The smaller number of the two regions.
        second: The larger one.
        similarities: The similarity of each pair of neighbors before it, by their numbers.
        similarity: That of the two regions.
        new: The number of the region that they become.
        box: Its corners x1, y1, x2, y2.
        labels: The region of each pixel after it.
    """

    first: int
    second: int
    similarities: dict[tuple[int, int], Fraction]
    similarity: Fraction
    new: int
    box: list[int]
    labels: list[list[int]]

    def row(self, step: int) -> Params:
        """Return its row of the table of all merges."""
        return {
            "step": step,
            "regions": f"{self.first} + {self.second}",
            "similarity": float(self.similarity),
            "new": self.new,
            "box": self.box,
        }


def merge_regions(X: Sequence[Sequence[Value]], R: Sequence[Sequence[Value]]) -> Iterator[Merge]:
    """Merge the most similar neighbors of a map of regions R, with the levels X, until one region is left.

    Raises:
        UserError: If X and R don't have the same shape, or are too large to be merged by hand.
    """
    if (len(X), len(X[0])) != (len(R), len(R[0])):
        raise UserError(
            f"X and R must have the same shape, not {len(X)}x{len(X[0])} and {len(R)}x{len(R[0])}. "
            "Give the region of each pixel."
        )
    regions: dict[int, Pixels] = {}
    for y, row in enumerate(R):
        for x, number in enumerate(row):
            regions[int(number)] = regions.get(int(number), frozenset()) | {(y, x)}
    if len(X) * len(X[0]) > MAX_PIXELS or len(regions) > MAX_REGIONS:
        raise UserError(
            f"The map has {len(X) * len(X[0])} pixels in {len(regions)} regions. Use at most {MAX_PIXELS} pixels in "
            f"{MAX_REGIONS} regions."
        )
    while len(regions) > 1:
        numbers = sorted(regions)
        similarities = {
            (a, b): similarity(regions[a], regions[b], X)
            for k, a in enumerate(numbers)
            for b in numbers[k + 1 :]
            if are_neighbors(regions[a], regions[b])
        }
        (first, second), best = max(similarities.items(), key=lambda item: item[1])
        new = numbers[-1] + 1
        regions[new] = regions.pop(first) | regions.pop(second)
        owner = {pixel: number for number, pixels in regions.items() for pixel in pixels}
        labels = [[owner[y, x] for x in range(len(X[0]))] for y in range(len(X))]
        yield Merge(first, second, similarities, best, new, box_around(regions[new]), labels)


def similarity(a: Pixels, b: Pixels, X: Sequence[Sequence[Value]]) -> Fraction:
    """Return the similarity of two regions: of their levels, by their sizes, and by how they fill their box."""
    count = len(X) * len(X[0])
    x1, y1, x2, y2 = box_around(a | b)
    levels = {X[y][x] for y, x in a | b}
    color = sum(min(_share(a, X, level), _share(b, X, level)) for level in levels)
    small = 1 - Fraction(len(a) + len(b), count)
    fill = 1 - Fraction((x2 - x1) * (y2 - y1) - len(a) - len(b), count)
    return color + small + fill


def _share(region: Pixels, X: Sequence[Sequence[Value]], level: Value) -> Fraction:
    return Fraction(sum(X[y][x] == level for y, x in region), len(region))


def are_neighbors(a: Pixels, b: Pixels) -> bool:
    """Return whether a pixel of one region shares an edge with one of the other."""
    return any((y + dy, x + dx) in b for y, x in a for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)))


def box_around(region: Pixels) -> list[int]:
    """Return the corners x1, y1, x2, y2 of the smallest box around a region."""
    rows, columns = [y for y, _ in region], [x for _, x in region]
    return [min(columns), min(rows), max(columns) + 1, max(rows) + 1]
