"""A map of words: each at a point of the plane, with as many names as fit."""

from math import inf
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import QUIET
from workbench.render.decision_regions import HUES
from workbench.render.halfblock import Rows
from workbench.untrusted import printable

POINT, CURSOR = "•", "✚"
Cell = tuple[str, Style]


def draw_map(answer: dict[str, Any], width: int, height: int, color: bool = True, cursor: int | None = None) -> Rows:
    """Render the points of words, colored by their category, and the name next to a point if there is room for it.

    Args:
        answer: `words`, `points` (x, y), the category of each word as `groups`, and `method`.
        width: Number of cells per row.
        height: Number of rows; the last one describes the map.
        color: Whether colors can be shown.
        cursor: The index of the word that is named in any case.
    """
    rows = max(1, height - 1)
    cells: list[list[Cell | None]] = [[None] * width for _ in range(rows)]
    places = cell_places(answer["points"], width, rows)
    numbers = {name: k for k, name in enumerate(dict.fromkeys(answer["groups"]))}
    styles = [_style(numbers[group], color) for group in answer["groups"]]
    order = sorted(range(len(places)), key=lambda k: k != cursor)  # the word at the cursor first
    for k in reversed(order):
        column, row = places[k]
        cells[row][column] = (CURSOR, Style(bold=True, reverse=True)) if k == cursor else (POINT, styles[k])
    named = sum(
        _write(cells, places[k], printable(answer["words"][k]), Style(bold=True) if k == cursor else styles[k])
        for k in order
    )
    about = f"{answer['method']} of {len(places)} words, of which {named} are named"
    if cursor is not None:
        about = f"{printable(answer['words'][cursor])} ({answer['groups'][cursor]}) · {about}"
    drawing: Rows = [[Segment(*(cell or (" ", QUIET))) for cell in line] for line in cells]
    return [*drawing, [Segment(about[:width], QUIET)]]


def cell_places(points: list[list[float]], width: int, rows: int) -> list[tuple[int, int]]:
    """Return the column and the row of the cell of each point; the largest y is at the top."""
    xs, ys = zip(*points, strict=True)

    def place(value: float, values: tuple[float, ...], cells: int) -> int:
        low, high = min(values), max(values)
        return round((value - low) / (high - low or 1) * (cells - 1))

    return [(place(x, xs, width), rows - 1 - place(y, ys, rows)) for x, y in points]


def nearest(points: list[list[float]], start: int, right: int, up: int) -> int:
    """Return the index of the nearest point in a direction from another one; that one if there is none.

    Args:
        points: The points.
        start: The index of the point to start from.
        right: 1 to go right, -1 to go left.
        up: 1 to go up, -1 to go down.
    """
    x, y = points[start]
    best, best_cost = start, inf
    for k, (other_x, other_y) in enumerate(points):
        along = (other_x - x) * right + (other_y - y) * up
        across = abs((other_x - x) * up) + abs((other_y - y) * right)
        if k != start and along > 0 and across <= 2 * along and along + 2 * across < best_cost:
            best, best_cost = k, along + 2 * across
    return best


def _style(number: int, color: bool) -> Style:
    return Style(color="#{:02x}{:02x}{:02x}".format(*HUES[number % len(HUES)])) if color else Style()


def _write(cells: list[list[Cell | None]], place: tuple[int, int], name: str, style: Style) -> bool:
    """Write a name to the right of its point, or to the left, and return whether there was room for it."""
    (column, row), width = place, len(cells[0])
    for start in (column + 1, column - len(name)):
        end = start + len(name)
        if start < 0 or end > width:
            continue
        around = [cells[row][k] for k in range(max(0, start - 1), min(width, end + 1)) if k != column]
        if not any(around):
            cells[row][start:end] = [(character, style) for character in name]
            return True
    return False
