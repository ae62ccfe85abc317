"""Matrices side by side, tables, a confusion matrix, and the trace of a recursion."""

from typing import Any

from quizzes.question import value_text
from workbench.render.visualizations.grid import beside


def block(name: str, matrix: list[Any]) -> list[str]:
    """A matrix in brackets, under its name; a vector as a column."""
    cells = [[value_text(v) for v in (row if isinstance(row, list) else [row])] for row in matrix]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [" ".join(text.rjust(w) for text, w in zip(row, widths, strict=True)) for row in cells]
    if len(rows) == 1:
        return [name, f"[ {rows[0]} ]"]
    sides = [("⎡", "⎤"), *[("⎢", "⎥")] * (len(rows) - 2), ("⎣", "⎦")]
    return [name, *(f"{left} {row} {right}" for (left, right), row in zip(sides, rows, strict=True))]


def draw_matrices(data: dict[str, Any], width: int, height: int) -> str:
    """Matrices and vectors; a `/` among them begins a new line."""
    lines: list[str] = []
    blocks: list[list[str]] = []
    for name, matrix in [*data.items(), ("/", None)]:
        if name == "/":
            lines += beside(blocks, width)
            blocks = []
        else:
            blocks.append(block(name, matrix))
    return "\n".join(lines)


def table(rows: list[list[str]]) -> str:
    """Rows of texts in columns: the first to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(text.rjust(w) if k else text.ljust(w) for k, (text, w) in enumerate(zip(row, widths, strict=True)))
        .rstrip()
        for row in rows
    )  # fmt: skip


def draw_table(data: dict[str, Any], width: int, height: int) -> str:
    """Vectors as rows, their places as columns."""
    places = range(1, max(map(len, data.values())) + 1)
    return table([["", *map(str, places)], *([name, *map(value_text, vector)] for name, vector in data.items())])


def draw_trace(data: dict[str, Any], width: int, height: int) -> str:
    """What is known of two steps, for each name of the text: `name0` before them, `name1` and `name2` after each.

    What has no start, as a gradient, has no place before the first step.
    """
    rows = [["step", "0", "1", "2"]]
    for name in data["text"].split():
        start, *known = (value_text(data[f"{name}{k}"]) if f"{name}{k}" in data else "?" for k in range(3))
        rows.append([name, "" if start == "?" else start, *known])
    return table(rows)


def draw_confusion(data: dict[str, Any], width: int, height: int) -> str:
    """A row for each true class, a column for each predicted one, and what they add up to."""
    counts, rows, columns, whole = _counts(data)
    names = range(len(counts)) if "C" not in data else range(1, len(counts) + 1)
    body = [
        [f"true {name}", *map(_text, row), _text(total)] for name, row, total in zip(names, counts, rows, strict=True)
    ]
    shown = table([["", *map(str, names), "total"], *body, ["total", *map(_text, columns), _text(whole)]])
    return f"{' ' * 8}predicted\n{shown}"


def tell_confusion(data: dict[str, Any]) -> str:
    """What rows and columns add up to."""
    _, rows, columns, _ = _counts(data)
    if None in columns:
        return ""
    return f"The rows add up to {', '.join(map(str, rows))}, the columns to {', '.join(map(str, columns))}."


def _counts(data: dict[str, Any]) -> tuple[list[list[Any]], list[Any], list[Any], Any]:
    """The counts, and the totals of rows, columns and of all; None for what isn't given."""
    counts = data.get("C") or [[data.get("TN"), data.get("FP")], [data.get("FN"), data.get("TP")]]
    if "pos" in data:  # the counts are asked, the classes' sizes are given
        return counts, [data["N"] - data["pos"], data["pos"]], [None, None], data["N"]
    columns = [sum(column) for column in zip(*counts, strict=True)]
    return counts, [sum(row) for row in counts], columns, sum(columns)


def _text(count: int | None) -> str:
    return "?" if count is None else str(count)
