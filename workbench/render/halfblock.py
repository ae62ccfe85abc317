"""Pixels in characters: two to a cell as coloured half blocks, or shades of characters where there is no colour."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

UPPER = "▀"
SHADES = " .:-=+*#%@"
GAP = "  "  # between pictures
SMALL = 16  # pixels a side up to which shades are drawn two characters wide, so that a pixel is about square

Pixel = tuple[int, int, int]  # red, green, blue, 0 to 255
Rows = list[list[Segment]]
Picture = tuple[list[list[Pixel]], str, Style]  # with what is said of it, and in which style


def as_pixels(picture: Sequence[Sequence[Any]]) -> list[list[Pixel]]:
    """The pixels of a picture: grey numbers, or red, green and blue from 0 to 1."""
    if isinstance(picture[0][0], (list, tuple)):
        return [[_rgb(pixel) for pixel in row] for row in picture]
    return greys(picture)


def stretched(picture: Sequence[Sequence[Any]]) -> list[list[Pixel]]:
    """As `as_pixels`, of numbers of any size: all of a picture's colours together from its least to its greatest."""
    if not isinstance(picture[0][0], (list, tuple)):
        return greys(picture)
    flat = levels([[part for pixel in row for part in pixel] for row in picture], 255)
    return [[(row[k], row[k + 1], row[k + 2]) for k in range(0, len(row), 3)] for row in flat]


def _rgb(parts: Sequence[float]) -> Pixel:
    red, green, blue = (round(255 * min(max(part, 0.0), 1.0)) if math.isfinite(part) else 0 for part in parts)
    return red, green, blue


def greys(picture: Sequence[Sequence[float]]) -> list[list[Pixel]]:
    """A grey picture's pixels, its least number black and its greatest white."""
    return [[(level, level, level) for level in row] for row in levels(picture, 255)]


def levels(picture: Sequence[Sequence[float]], most: int) -> list[list[int]]:
    """Numbers as whole levels from 0 to `most`; what is no finite number counts as the least."""
    finite = [value for row in picture for value in row if math.isfinite(value)] or [0.0]
    low = min(finite)
    scale = most / ((max(finite) - low) or 1)
    return [[round((value - low) * scale) if math.isfinite(value) else 0 for value in row] for row in picture]


def enlarged(pixels: list[list[Pixel]], times: int) -> list[list[Pixel]]:
    """Every pixel as a square of so many a side."""
    return [[pixel for pixel in row for _ in range(times)] for row in pixels for _ in range(times)]


def shrunk(pixels: list[list[Pixel]], times: int) -> list[list[Pixel]]:
    """Squares of so many pixels a side as one pixel, their mean; what is left over at the right and below is cut."""
    tall, wide = len(pixels) // times * times, len(pixels[0]) // times * times
    return [
        [_mean([pixels[y + dy][x + dx] for dy in range(times) for dx in range(times)]) for x in range(0, wide, times)]
        for y in range(0, tall, times)
    ]


def _mean(pixels: list[Pixel]) -> Pixel:
    red, green, blue = (round(sum(parts) / len(pixels)) for parts in zip(*pixels, strict=True))
    return red, green, blue


def halfblocks(pixels: list[list[Pixel]]) -> Rows:
    """Rows of cells, each with two pixels one above the other; pixels of one colour together."""
    lower: list[Sequence[Pixel | None]] = [*pixels[1::2]]
    if len(pixels) % 2:
        lower.append([None] * len(pixels[0]))
    rows = []
    for above, below in zip(pixels[::2], lower, strict=True):
        row: list[Segment] = []
        run, now = 0, (above[0], below[0])
        for pair in zip(above, below, strict=True):
            if pair != now:
                row.append(Segment(UPPER * run, two_in_one(*now)))
                run, now = 0, pair
            run += 1
        rows.append([*row, Segment(UPPER * run, two_in_one(*now))])
    return rows


@lru_cache(4096)
def two_in_one(above: Pixel, below: Pixel | None) -> Style:
    """The style in which `UPPER` shows these two pixels; or one, where the picture ends between them."""
    return Style(
        color=Color.from_triplet(ColorTriplet(*above)),
        bgcolor=Color.from_triplet(ColorTriplet(*below)) if below else None,
    )


def shaded(pixels: list[list[Pixel]]) -> list[str]:
    """A picture as rows of characters: small ones two wide, of larger ones two rows of pixels in one."""
    grey = [[0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in row] for row in pixels]
    wide = 2 if len(grey[0]) <= SMALL else 1
    if wide == 1:
        below = grey[1::2] if len(grey) > 1 else grey
        pairs = zip(grey[::2], below, strict=False)
        grey = [[(upper + lower) / 2 for upper, lower in zip(*pair, strict=True)] for pair in pairs]
    return ["".join(wide * SHADES[level] for level in row) for row in levels(grey, len(SHADES) - 1)]


def gallery(pictures: list[Picture], width: int, height: int, colour: bool = True) -> Rows:
    """Pictures of one size side by side, each over what is said of it, as many as there is room for.

    Args:
        pictures: Pixels, what is said, and how that is coloured.
        width: Cells.
        height: Rows of cells; at least two.
        colour: Whether there is colour: without it they are drawn in shades of characters.
    """
    tall, wide = len(pictures[0][0]), len(pictures[0][0][0])
    room = 2 * max(1, height - 1)
    times, part = max(1, min(room // tall, width // (3 * wide))), max(-(-tall // room), -(-wide // width))
    rows_of_one = len(drawn(pictures[0][0], times, part, colour)) + 1
    most = abreast(pictures, width, times, part, colour) * max(1, height // rows_of_one)
    return tiled(pictures[:most], width, times, part, colour)


def wall(pictures: list[Picture], width: int, height: int, colour: bool = True) -> Rows:
    """All pictures, in as many rows as they take: so large that these are no more than `height`, where that can be."""
    tall, wide = len(pictures[0][0]), len(pictures[0][0][0])
    part = max(-(-tall // (2 * max(1, height - 1))), -(-wide // width))

    def rows(times: int) -> int:
        across = abreast(pictures, width, times, part, colour)
        return -(-len(pictures) // across) * (len(drawn(pictures[0][0], times, part, colour)) + 1)

    fitting = [times for times in range(2, max(2, width // wide) + 1) if part == 1 and rows(times) <= height]
    return tiled(pictures, width, max(fitting, default=1), part, colour)


def tiled(pictures: list[Picture], width: int, times: int, part: int, colour: bool) -> Rows:
    """Pictures of one size side by side, each over what is said of it, in as many rows as they take."""
    across = abreast(pictures, width, times, part, colour)
    cell = _cell(pictures, times, part, colour)
    rows: Rows = []
    for first in range(0, len(pictures), across):
        told = pictures[first : first + across]
        blocks = [drawn(pixels, times, part, colour) for pixels, _, _ in told]
        for lines in zip(*blocks, strict=True):
            rows.append([part for line in lines for part in Segment.adjust_line_length(line, cell)])
        rows.append([Segment(said.ljust(cell), style) for _, said, style in told])
    return [Segment.adjust_line_length(row, width) for row in rows]


def abreast(pictures: list[Picture], width: int, times: int, part: int, colour: bool) -> int:
    """How many stand side by side."""
    return max(1, (width + len(GAP)) // _cell(pictures, times, part, colour))


def _cell(pictures: list[Picture], times: int, part: int, colour: bool) -> int:
    """Cells that each takes in a row, with the gap after it."""
    one = drawn(pictures[0][0], times, part, colour)
    return max(Segment.get_line_length(one[0]), *(len(said) for _, said, _ in pictures)) + len(GAP)


def drawn(pixels: list[list[Pixel]], times: int, part: int, colour: bool) -> Rows:
    """A picture so many times as large, or one part of its size; without colour in shades, as large as it is."""
    sized = shrunk(pixels, part) if part > 1 else pixels
    return halfblocks(enlarged(sized, times)) if colour else [[Segment(line)] for line in shaded(sized)]
