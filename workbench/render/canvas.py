"""A canvas of braille characters: cells of 2x4 dots, each cell in one color."""

from collections.abc import Iterable, Iterator

from rich.segment import Segment
from rich.style import Style

# The bit of each dot of a braille character, by its column and row in the cell.
DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))
QUIET, PLAIN = Style(dim=True), Style()
DASH = 3  # dots


class Canvas:
    """A grid of cells to draw lines on; a cell shows only the line that was painted into it last.

    Args:
        width: Number of cells per row.
        height: Number of rows.
    """

    def __init__(self, width: int, height: int):
        self.width, self.height = width, height
        self._bits = [[0] * width for _ in range(height)]
        self._styles = [[PLAIN] * width for _ in range(height)]
        self._horizontal: set[int] = set()
        self._vertical: set[int] = set()

    def add_vertical_line(self, column: int) -> None:
        """Draw a vertical line behind everything that is painted."""
        self._vertical.add(column)

    def add_horizontal_line(self, row: int) -> None:
        """Draw a horizontal line behind everything that is painted."""
        self._horizontal.add(row)

    def paint(self, dots: Iterable[tuple[int, int] | None], style: Style, dotted: bool) -> None:
        """Connect dots by straight lines.

        Args:
            dots: Column and row of each dot; None is a gap.
            style: The color of the lines.
            dotted: Whether to leave out every other dash.
        """
        in_this_line = [[False] * self.width for _ in range(self.height)]
        before, count = None, 0
        for dot in dots:
            if dot is not None:
                for column, row in line_dots(before or dot, dot):
                    count += 1
                    if dotted and count % (2 * DASH) >= DASH:
                        continue
                    x, y = column // 2, row // 4
                    if not in_this_line[y][x]:
                        in_this_line[y][x], self._bits[y][x], self._styles[y][x] = True, 0, style
                    self._bits[y][x] |= DOTS[column % 2][row % 4]
            before = dot

    def row(self, row: int) -> Iterator[Segment]:
        """Yield the segments of one row of cells; neighboring cells of one color share a segment."""
        empty = ("╌", QUIET) if row in self._horizontal else (" ", PLAIN)
        text, current = "", empty[1]
        for column, (bits, style) in enumerate(zip(self._bits[row], self._styles[row], strict=True)):
            behind = ("┊", QUIET) if column in self._vertical else empty
            character, style = (chr(0x2800 + bits), style) if bits else behind
            if style is not current and text:
                yield Segment(text, current)
                text = ""
            text, current = text + character, style
        yield Segment(text, current)


def line_dots(start: tuple[int, int], end: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the dots of a straight line, including both ends."""
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    length = max(abs(dx), abs(dy), 1)
    for k in range(length + 1):
        yield x + (2 * dx * k + length) // (2 * length), y + (2 * dy * k + length) // (2 * length)
