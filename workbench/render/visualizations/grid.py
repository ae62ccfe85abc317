"""Characters on a grid: what every picture is put together on."""

from collections.abc import Iterable

LIGHT, HEAVY, DOUBLE, DASHED, ROUND = "─│┌┐┘└", "━┃┏┓┛┗", "═║╔╗╝╚", "╌╎┌┐┘└", "─│╭╮╯╰"
UP, RIGHT, DOWN, LEFT = 1, 2, 4, 8
JOINTS = dict(zip([5, 10, 6, 12, 9, 3, 14, 11, 7, 13, 15], "│─┌┐┘└┬┴├┤┼", strict=True))


class Grid:
    """Characters on a grid."""

    def __init__(self, width: int, height: int):
        self.rows = [[" "] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str) -> None:
        """Write from a cell to the right; what falls outside is left out."""
        for k, character in enumerate(text):
            if 0 <= y < len(self.rows) and 0 <= x + k < len(self.rows[0]):
                self.rows[y][x + k] = character

    def is_free(self, x: int, y: int, length: int) -> bool:
        """Whether so many cells lie within the grid and are blank."""
        return 0 <= y < len(self.rows) and x >= 0 and self.rows[y][x : x + length] == [" "] * length

    def box(self, x1: int, y1: int, x2: int, y2: int, lines: str) -> None:
        """The outline between two cells, in lines given as: across, down, and the corners from top left, clockwise."""
        across, down, corners = lines[0], lines[1], lines[2:]
        for x in range(x1, x2 + 1):
            self.put(x, y1, across)
            self.put(x, y2, across)
        for y in range(y1, y2 + 1):
            self.put(x1, y, down)
            self.put(x2, y, down)
        for (x, y), corner in zip([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], corners, strict=True):
            self.put(x, y, corner)

    def frames(self, boxes: Iterable[tuple[int, int, int, int]]) -> None:
        """Light outlines between two cells each, joined where they meet."""
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
        """Every cell between two, both included."""
        for y in range(y1, y2 + 1):
            self.put(x1, y, character * (x2 - x1 + 1))

    def text(self) -> str:
        """The drawing, without the blanks at the ends of lines."""
        return "\n".join("".join(row).rstrip() for row in self.rows)


def beside(blocks: list[list[str]], width: int) -> list[str]:
    """Blocks of lines side by side as far as so many cells reach, and what is left in the lines below."""
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


def spread(labels: Iterable[tuple[int, str]], width: int) -> str:
    """A row with each label in the middle over its column; one that would touch those before it is left out."""
    row = Grid(width, 1)
    for column, text in labels:
        start = min(max(0, column - len(text) // 2), width - len(text))
        before = max(0, start - 1)
        if row.is_free(before, 0, min(len(text) + 1 + start - before, width - before)):
            row.put(start, 0, text)
    return "".join(row.rows[0])
