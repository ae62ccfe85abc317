"""Computed values as text: numbers, lists, and tables of aligned columns."""

from itertools import zip_longest
from textwrap import wrap
from typing import Any

from quizzes.answers.numbers import format_number

STYLES = [(6, ",", 2), (6, "", 2), (6, "", 1), (5, "", 1), (4, "", 1)]  # digits, what parts thousands, columns between
NARROWEST = 10


def text(value: Any, digits: int = 6) -> str:
    """A number to so many significant digits, a word as it is, a list in brackets."""
    if isinstance(value, list):
        return f"[{', '.join(text(v, digits) for v in value)}]"
    return value if isinstance(value, str) else format_number(value, digits)


def table(rows: list[dict[str, Any]], width: int = 80) -> list[str]:
    """Rows of one kind under their names, numbers to the right, as wide as they need and `width` allows.

    Args:
        rows: Values by column, the same columns in every row; None is shown as an empty place, whole numbers in a list
            as a shape. A name is broken at its underscores.
        width: The columns to keep within; where figures can't be shortened enough, the first column is folded.
    """
    for digits, thousands, gap in STYLES:
        cells = [[_cell(value, digits, thousands) for value in row.values()] for row in rows]
        columns = list(zip(*cells, strict=True))
        heads = [name.split("_") for name in rows[0]]
        wide = [max(map(len, [*head, *column])) for head, column in zip(heads, columns, strict=True)]
        spare = width - sum(wide) - gap * (len(wide) - 1)
        if spare >= 0:
            break
    wide[0] = max(min(wide[0], NARROWEST), wide[0] + min(spare, 0))
    left = [any(isinstance(row[name], str) for row in rows) for name in rows[0]]
    tall = max(map(len, heads))
    lines = [_line([[""] * (tall - len(head)) + head for head in heads], wide, left, gap)]
    lines.append(["─" * (sum(wide) + gap * (len(wide) - 1))])
    lines += [_line([wrap(row[0], wide[0]) or [""], *([cell] for cell in row[1:])], wide, left, gap) for row in cells]
    return [line for block in lines for line in block]


def _cell(value: Any, digits: int, thousands: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "x".join(map(str, value))
    if isinstance(value, int):
        return f"{value:{thousands}}"
    return text(value, digits)


def _line(cells: list[list[str]], wide: list[int], left: list[bool], gap: int) -> list[str]:
    """One row of the table, as many lines high as its highest cell."""
    return [
        (" " * gap)
        .join(piece.ljust(w) if to_left else piece.rjust(w) for piece, w, to_left in zip(line, wide, left, strict=True))
        .rstrip()
        for line in zip_longest(*cells, fillvalue="")
    ]
