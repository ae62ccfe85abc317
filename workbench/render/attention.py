"""Attention weights as a matrix of shades: a row for each target token, a column for each source token.

Darker cells have larger weights, and each row ends with its largest weight as a number, so that color is never needed.
"""

from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import Rows
from workbench.untrusted import printable

SHADES = "·░▒▓█"  # of weights below the limits, in order
LIMITS = (0.05, 0.25, 0.5, 0.75)
LEGEND = "weights below 5%: ·, 25%: ░, 50%: ▒, 75%: ▓, above: █; ↵: end"
SHADED = Style(color="cyan")
MAX_LABEL = 8  # characters of a label
SIGNS = {" ": "␣", "end": "↵"}  # so that each label of a text of characters is one cell


def draw_attention(selected: list[dict[str, Any]], width: int, height: int) -> Rows:
    """Render matrices one below another, as many as there is room for."""
    rows: Rows = []
    for matrix in selected:
        lines = draw_matrix(matrix, width, height)
        if rows and len(rows) + 1 + len(lines) > height:
            break
        rows += [*([[]] if rows else []), *lines]
    return rows[:height]


def draw_matrix(matrix: dict[str, Any], width: int, height: int) -> Rows:
    """Render one matrix, with what doesn't fit left out.

    Args:
        matrix: `rows` and `columns`, the labels of the targets and of the sources; `weights`, for each row.
        width: Number of cells per row.
        height: Number of rows.
    """
    columns, weights = [_label(text) for text in matrix["columns"]], matrix["weights"]
    labels = [_label(text) for text in matrix["rows"]]
    left = max(map(len, labels)) + 1
    cell = 2 if left + 2 * len(columns) <= width else 1
    count = min(len(columns), max(1, (width - left) // cell))
    heads = max(map(len, columns[:count]))
    rows: Rows = []
    for line in range(heads):  # labels are written from top to bottom, and end above the matrix
        letters = "".join(label.rjust(heads)[line].ljust(cell) for label in columns[:count])
        rows.append([Segment(" " * left + letters, QUIET)])
    room = max(1, height - heads - 1)
    for label, row in list(zip(labels, weights, strict=True))[:room]:
        cells = [_shade(weight, cell) for weight in row[:count]]
        best = max(range(len(row)), key=row.__getitem__)
        most = f"  {columns[best]} {row[best]:.0%}"
        fits = left + cell * count + len(most) <= width
        rows.append([Segment(label.rjust(left - 1) + " ", PLAIN), *cells, *([Segment(most, QUIET)] if fits else [])])
    hidden = [("row", len(labels) - room), ("column", len(columns) - count)]
    counts = [f"{number} {noun}{'s' * (number > 1)}" for noun, number in hidden if number > 0]
    note = f"{' and '.join(counts)} not shown; " if counts else ""
    rows.append([Segment((note + LEGEND)[:width], QUIET)])
    return rows[:height]


def _label(text: str) -> str:
    return SIGNS.get(text) or printable(text[:MAX_LABEL])


def _shade(weight: float, cell: int) -> Segment:
    shade = SHADES[sum(weight >= limit for limit in LIMITS)]
    return Segment((shade if shade == SHADES[0] else shade * cell).ljust(cell), QUIET if shade == SHADES[0] else SHADED)
