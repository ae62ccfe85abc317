"""Computed values as text: numbers, lists, and tables of aligned columns."""

from itertools import zip_longest
from textwrap import wrap
from typing import Any

from quizzes.answers.numbers import format_number
from workbench.render.shape import format_shape

# Significant digits, thousands separator and cells between columns: from the widest table to the narrowest.
STYLES = [(6, ",", 2), (6, "", 2), (6, "", 1), (5, "", 1), (4, "", 1)]
MIN_COLUMN_WIDTH = 10


def format_value(value: Any, digits: int = 6) -> str:
    """Return a number with `digits` significant digits, a word unchanged, a list in brackets, a match as pairs."""
    if isinstance(value, dict):
        return ", ".join(f"{name}: {format_value(item, digits)}" for name, item in value.items())
    if isinstance(value, list):
        return f"[{', '.join(format_value(v, digits) for v in value)}]"
    return value if isinstance(value, str) else format_number(value, digits)


def format_table(rows: list[dict[str, Any]], width: int = 80) -> list[str]:
    """Return the lines of a table with a heading, numbers aligned to the right, in the widest style that fits.

    Args:
        rows: Values by column, with the same columns in every row. None is an empty cell, a list of integers a shape.
            Column names are broken at underscores.
        width: Number of columns of text. If numbers can't be shortened enough, the first column is wrapped.
    """
    for digits, thousands, gap in STYLES:
        cells = [[_format_cell(value, digits, thousands) for value in row.values()] for row in rows]
        columns = list(zip(*cells, strict=True))
        heads = [name.split("_") for name in rows[0]]
        widths = [max(map(len, [*head, *column])) for head, column in zip(heads, columns, strict=True)]
        spare = width - sum(widths) - gap * (len(widths) - 1)
        if spare >= 0:
            break
    widths[0] = max(min(widths[0], MIN_COLUMN_WIDTH), widths[0] + min(spare, 0))
    is_text = [any(isinstance(row[name], str) for row in rows) for name in rows[0]]
    head_height = max(map(len, heads))
    blocks = [_format_row([[""] * (head_height - len(head)) + head for head in heads], widths, is_text, gap)]
    blocks.append(["─" * (sum(widths) + gap * (len(widths) - 1))])
    for first, *others in cells:
        blocks.append(_format_row([wrap(first, widths[0]) or [""], *([cell] for cell in others)], widths, is_text, gap))
    return [line for block in blocks for line in block]


def _format_cell(value: Any, digits: int, thousands: str) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return format_shape(value)
    if isinstance(value, int):
        return f"{value:{thousands}}"
    return format_value(value, digits)


def _format_row(cells: list[list[str]], widths: list[int], is_text: list[bool], gap: int) -> list[str]:
    """Return the lines of one row of the table, as many as its tallest cell has."""
    return [
        (" " * gap)
        .join(
            text.ljust(width) if to_left else text.rjust(width)
            for text, width, to_left in zip(line, widths, is_text, strict=True)
        )
        .rstrip()
        for line in zip_longest(*cells, fillvalue="")
    ]
