"""Matrices side by side, tables, a confusion matrix, and the trace of a recursion."""

from typing import Any

from quizzes.question import value_text
from workbench.render.visualizations.grid import arrange_blocks


def block(name: str, matrix: list[Any]) -> list[str]:
    """Return the lines of a matrix in brackets below its name; a vector is a column, and a row may be incomplete."""
    cells = [[value_text(v) for v in (row if isinstance(row, list) else [row])] for row in matrix]
    longest = max(map(len, cells))
    cells = [[*row, *[""] * (longest - len(row))] for row in cells]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [" ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in cells]
    if len(rows) == 1:
        return [name, f"[ {rows[0]} ]"]
    brackets = [("⎡", "⎤"), *[("⎢", "⎥")] * (len(rows) - 2), ("⎣", "⎦")]
    return [name, *(f"{left} {row} {right}" for (left, right), row in zip(brackets, rows, strict=True))]


def draw_matrices(data: dict[str, Any], width: int, height: int) -> str:
    """Draw matrices and vectors side by side; the name `/` begins a new line."""
    lines: list[str] = []
    blocks: list[list[str]] = []
    for name, matrix in [*data.items(), ("/", None)]:
        if name == "/":
            lines += arrange_blocks(blocks, width)
            blocks = []
        else:
            blocks.append(block(name, matrix))
    return "\n".join(lines)


def format_table(rows: list[list[str]]) -> str:
    """Align rows of texts in columns: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.rjust(w) if k else text.ljust(w) for k, (text, w) in enumerate(zip(row, widths, strict=True)))
        .rstrip()
        for row in rows
    )  # fmt: skip


def draw_table(data: dict[str, Any], width: int, height: int) -> str:
    """Draw vectors as the rows of a table, with a column for each index."""
    indices = range(1, max(map(len, data.values())) + 1)
    return format_table(
        [["", *map(str, indices)], *([name, *map(value_text, vector)] for name, vector in data.items())]
    )


def describe_table(data: dict[str, Any]) -> str:
    """Return the table itself: it is text, and a screen reader reads it row by row."""
    return draw_table(data, 0, 0)


def draw_highlighted_table(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a table of texts, `rows` below the names of the `columns`; the one at the index `row`, if any, has a sign.

    If there are more rows than lines, those around that one are drawn.
    """
    highlighted = data["row"]
    rows = [[("▸ " if k == highlighted else "  ") + first, *others] for k, (first, *others) in enumerate(data["rows"])]
    heading, *lines = format_table([[f"  {data['columns'][0]}", *data["columns"][1:]], *rows]).splitlines()
    room = height - 1
    start = min(max(0, (highlighted or 0) - room // 2), max(0, len(lines) - room))
    visible = lines[start : start + room]
    if start + room < len(lines):
        visible[-1] = f"  ... {len(lines) - start - room + 1} more"
    return "\n".join(line[:width] for line in [heading, *visible])


def draw_trace(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a table of two steps with a row for each name of the text: `name0` is the start, `name1` and `name2` follow.

    The start of a name without one, such as a gradient, is blank; other unknown values are `?`.
    """
    rows = [["step", "0", "1", "2"]]
    for name in data["text"].split():
        start, *values = (value_text(data[f"{name}{k}"]) if f"{name}{k}" in data else "?" for k in range(3))
        rows.append([name, "" if start == "?" else start, *values])
    return format_table(rows)


def draw_confusion(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a row for each true class, a column for each predicted class, and the totals."""
    counts, rows, columns, total_count = _counts(data)
    names = range(len(counts)) if "C" not in data else range(1, len(counts) + 1)
    body = [
        [f"true {name}", *map(_text, row), _text(row_total)]
        for name, row, row_total in zip(names, counts, rows, strict=True)
    ]
    table = [["", *map(str, names), "total"], *body, ["total", *map(_text, columns), _text(total_count)]]
    return f"{' ' * 8}predicted\n{format_table(table)}"


def describe_confusion(data: dict[str, Any]) -> str:
    """List the totals of rows and columns; empty if the counts are unknown."""
    _, rows, columns, _ = _counts(data)
    if None in columns:
        return ""
    return f"The rows add up to {', '.join(map(str, rows))}, the columns to {', '.join(map(str, columns))}."


def _counts(data: dict[str, Any]) -> tuple[list[list[Any]], list[Any], list[Any], Any]:
    """Return the counts, the totals of rows and columns, and the total; None for values that are not given."""
    counts = data.get("C") or [[data.get("TN"), data.get("FP")], [data.get("FN"), data.get("TP")]]
    if "pos" in data:  # the class sizes are given, the counts are unknown
        return counts, [data["N"] - data["pos"], data["pos"]], [None, None], data["N"]
    columns = [sum(column) for column in zip(*counts, strict=True)]
    return counts, [sum(row) for row in counts], columns, sum(columns)


def _text(count: int | None) -> str:
    return "?" if count is None else str(count)
