"""A canvas of braille: cells of 2x4 dots, each cell in one colour."""

from collections.abc import Iterable, Iterator

from rich.segment import Segment
from rich.style import Style

# The bit of each dot of a braille character, by its column and row in the cell.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
QUIET, PLAIN = Style(dim=True), Style()
DASH = 3  # dots


class Canvas:
    """Opaque: a cell shows what was painted into it last.

    Args:
        width: Cells in a row.
        height: Rows of cells.
    """

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self._bits = [[0] * width for _ in range(height)]
        self._styles = [[PLAIN] * width for _ in range(height)]
        self._rules: set[int] = set()
        self._stems: set[int] = set()

    def stem(self, column: int) -> None:
        """A vertical line behind all that is painted."""
        self._stems.add(column)

    def rule(self, row: int) -> None:
        """A horizontal line behind all that is painted."""
        self._rules.add(row)

    def paint(self, dots: Iterable[tuple[int, int] | None], style: Style, dotted: bool) -> None:
        """Join dots (column, row) by straight lines, anew after each None; dotted leaves out every other stretch."""
        mine = [[False] * self.width for _ in range(self.height)]
        before, count = None, 0
        for dot in dots:
            if dot is not None:
                for column, row in between(before or dot, dot):
                    count += 1
                    if dotted and count % (2 * DASH) >= DASH:
                        continue
                    x, y = column // 2, row // 4
                    if not mine[y][x]:
                        mine[y][x], self._bits[y][x], self._styles[y][x] = True, 0, style
                    self._bits[y][x] |= DOTS[column % 2][row % 4]
            before = dot

    def row(self, row: int) -> Iterator[Segment]:
        """One row of cells, neighbours of one colour together."""
        empty = ("╌", QUIET) if row in self._rules else (" ", PLAIN)
        text, now = "", empty[1]
        for column, (bits, style) in enumerate(zip(self._bits[row], self._styles[row], strict=True)):
            behind = ("┊", QUIET) if column in self._stems else empty
            character, style = (chr(0x2800 + bits), style) if bits else behind
            if style is not now and text:
                yield Segment(text, now)
                text = ""
            text, now = text + character, style
        yield Segment(text, now)


def between(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """The dots of a straight line, both ends with it."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    length = max(abs(dx), abs(dy), 1)
    for part in range(length + 1):
        yield x + (2 * dx * part + length) // (2 * length), y + (2 * dy * part + length) // (2 * length)
