"""A picture with a frame drawn over it, in signs: so that it is seen with colour and without."""

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from workbench.render.halfblock import SMALL, Pixel, Rows, drawn

FRAME = Style(color="#ffd000", bold=True)
CORNERS = {(True, True): "┌", (True, False): "┐", (False, True): "└", (False, False): "┘"}  # above, left


def framed(
    pixels: list[list[Pixel]], first: Sequence[int], ends: Sequence[int], width: int, height: int, colour: bool
) -> Rows:
    """The picture, as large as fits, with a frame; sides of the frame that lie outside of it are left open.

    Args:
        pixels: By row.
        first: The row and the column of the first pixel within the frame.
        ends: Those after the last.
        width: Cells.
        height: Rows of cells.
        colour: Whether there is colour.
    """
    tall, wide = len(pixels), len(pixels[0])
    part = max(-(-tall // (2 * height)), -(-wide // width), 1)
    times = max(1, min(2 * height // tall, width // wide))
    rows = [cells(row) for row in drawn(pixels, times, part, colour)]
    small = not colour and -(-wide // part) <= SMALL
    down, across = (times / 2 / part, times / part) if colour else ((1, 2) if small else (0.5 / part, 1 / part))
    top, left = int(first[0] * down), int(first[1] * across)
    bottom, right = -int(-ends[0] * down // 1) - 1, -int(-ends[1] * across // 1) - 1
    for y, row in enumerate(rows):
        for x in range(len(row)):
            if sign := edge(y, x, (top, bottom), (left, right)):
                behind = row[x][1]
                row[x] = sign, Style(bgcolor=behind.bgcolor) + FRAME if behind else None
    return [[Segment(sign, style) for sign, style in row] for row in rows]


def cells(row: list[Segment]) -> list[tuple[str, Style | None]]:
    """A row, cell by cell."""
    return [(sign, segment.style) for segment in row for sign in segment.text]


def edge(y: int, x: int, ys: tuple[int, int], xs: tuple[int, int]) -> str:
    """The sign of a frame in a cell; empty where it doesn't pass there."""
    if not (ys[0] <= y <= ys[1] and xs[0] <= x <= xs[1]):
        return ""
    if y in ys and x in xs:
        return CORNERS[y == ys[0], x == xs[0]]
    return "─" if y in ys else "│" if x in xs else ""
