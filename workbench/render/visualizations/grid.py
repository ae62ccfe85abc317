"""A grid of characters to draw on."""

from collections.abc import Iterable

LIGHT, HEAVY, DOUBLE, DASHED, ROUND = "─│┌┐┘└", "━┃┏┓┛┗", "═║╔╗╝╚", "╌╎┌┐┘└", "─│╭╮╯╰"
UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8
JOINTS = dict(zip([5, 10, 6, 12, 9, 3, 14, 11, 7, 13, 15], "│─┌┐┘└┬┴├┤┼", strict=True))


class Grid:
    """A grid of characters, blank at first."""

    def __init__(self, width: int, height: int):
        self.rows = [[" "] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str) -> None:
        """Write a text to the right of a cell; characters outside the grid are dropped."""
        for k, character in enumerate(text):
            if 0 <= y < len(self.rows) and 0 <= x + k < len(self.rows[0]):
                self.rows[y][x + k] = character

    def is_free(self, x: int, y: int, length: int) -> bool:
        """Return whether `length` cells from (x, y) to the right are in the grid and blank."""
        return 0 <= y < len(self.rows) and x >= 0 and self.rows[y][x : x + length] == [" "] * length

    def draw_box(self, x1: int, y1: int, x2: int, y2: int, lines: str) -> None:
        """Draw a box between two corners.

        Args:
            x1: Column of the left edge.
            y1: Row of the top edge.
            x2: Column of the right edge.
            y2: Row of the bottom edge.
            lines: The characters of horizontal lines, vertical lines, and the corners clockwise from the top left.
        """
        horizontal, vertical, corners = lines[0], lines[1], lines[2:]
        for x in range(x1, x2 + 1):
            self.put(x, y1, horizontal)
            self.put(x, y2, horizontal)
        for y in range(y1, y2 + 1):
            self.put(x1, y, vertical)
            self.put(x2, y, vertical)
        for (x, y), corner in zip([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], corners, strict=True):
            self.put(x, y, corner)

    def draw_frames(self, boxes: Iterable[tuple[int, int, int, int]]) -> None:
        """Draw several boxes (x1, y1, x2, y2) in light lines that are joined where they touch."""
        ends: dict[tuple[int, int], int] = {}
        for x1, y1, x2, y2 in boxes:
            for y in (y1, y2):
                for x in range(x1, x2 + 1):
                    ends[x, y] = ends.get((x, y), 0) | (RIGHT if x < x2 else 0) | (LEFT if x > x1 else 0)
            for x in (x1, x2):
                for y in range(y1, y2 + 1):
                    ends[x, y] = ends.get((x, y), 0) | (DOWN if y < y2 else 0) | (UP if y > y1 else 0)
        for (x, y), joint in ends.items():
            self.put(x, y, JOINTS[joint])

    def fill(self, x1: int, y1: int, x2: int, y2: int, character: str) -> None:
        """Fill the cells between two corners, both included, with a character."""
        for y in range(y1, y2 + 1):
            self.put(x1, y, character * (x2 - x1 + 1))

    def text(self) -> str:
        """Return the drawing, without blanks at the ends of lines."""
        return "\n".join("".join(row).rstrip() for row in self.rows)


def arrange_blocks(blocks: list[list[str]], width: int) -> list[str]:
    """Arrange blocks of lines next to each other within `width` columns; blocks that do not fit go below."""
    widths = [max(map(len, block), default=0) for block in blocks]
    gap = max((g for g in (3, 2, 1) if sum(widths) + g * (len(blocks) - 1) <= width), default=1)
    rows: list[str] = []
    while blocks:
        count = 1
        while count < len(blocks) and sum(widths[: count + 1]) + gap * count <= width:
            count += 1
        for k in range(max(map(len, blocks[:count]))):
            cells = [
                (block[k] if k < len(block) else "").ljust(w) for block, w in zip(blocks, widths[:count], strict=False)
            ]
            rows.append((" " * gap).join(cells).rstrip())
        blocks, widths = blocks[count:], widths[count:]
    return rows


def place_labels(labels: Iterable[tuple[int, str]], width: int) -> str:
    """Return a row with each label centered on its column; a label that would touch an earlier one is dropped."""
    row = Grid(width, 1)
    for column, text in labels:
        start = min(max(0, column - len(text) // 2), width - len(text))
        before = max(0, start - 1)
        if row.is_free(before, 0, min(len(text) + 1 + start - before, width - before)):
            row.put(start, 0, text)
    return "".join(row.rows[0])
