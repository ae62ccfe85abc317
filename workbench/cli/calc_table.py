"""Tables of `calc`: a formula for several values of its scalars, `x=[1, 2, 3]` or `s=1..4`."""

import re
from collections.abc import Iterable
from itertools import product
from typing import TYPE_CHECKING, Any

from workbench.errors import UserError

if TYPE_CHECKING:
    from quizzes.formula import Formula

MAX_ROWS = 10_000
SCALARS = ("int", "real", "fraction")
RANGE = re.compile(r"\s*(-?\d+)\s*\.\.\s*(-?\d+)\s*")


def split_lists(formula: "Formula", words: Iterable[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the words that give one value, and the values of the scalars that have several, by name.

    Raises:
        UserError: If lists have different lengths, or are too long.
    """
    single, lists = [], {}
    for word in words:
        name, _, text = word.partition("=")
        symbol = formula.symbols.get(name)
        values = _values(text) if symbol and symbol.kind in SCALARS else []
        if values:
            lists[name] = values
        else:
            single.append(word)
    lengths = {name: len(values) for name, values in lists.items()}
    if len(set(lengths.values())) > 1:
        counts = " and ".join(f"{name} has {count} values" for name, count in lengths.items())
        raise UserError(f"{counts}. Give lists of one length, or use --table for all combinations.")
    return single, lists


def combinations(formula: "Formula", tables: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of each symbol in all combinations of the values that `--table` gives.

    Raises:
        UserError: If one can't be read, or there are too many combinations.
    """
    axes: dict[str, list[str]] = {}
    for word in tables:
        name, _, text = word.partition("=")
        symbol = formula.symbols.get(name)
        if not symbol or symbol.kind not in SCALARS or not text.strip():
            names = ", ".join(name for name, symbol in formula.symbols.items() if symbol.kind in SCALARS)
            raise UserError(
                f"Write {word[:40]!r} as NAME=VALUES, such as s=1..4 or s=[1, 2, 4]. The names are {names}."
            )
        axes[name] = _values(text) or [text]
    rows = list(product(*axes.values()))
    if len(rows) > MAX_ROWS:
        raise UserError(f"These are {len(rows):,} combinations, and at most {MAX_ROWS:,} are computed.")
    return {name: [row[k] for row in rows] for k, name in enumerate(axes)}


def _values(text: str) -> list[str]:
    """Return the values of a list or a range of integers; empty for any other text."""
    if match := RANGE.fullmatch(text):
        first, last = int(match[1]), int(match[2])
        if abs(last - first) >= MAX_ROWS:
            raise UserError(f"{text.strip()} has more than {MAX_ROWS:,} values.")
        step = 1 if last >= first else -1
        return [str(value) for value in range(first, last + step, step)]
    stripped = text.strip()
    if not (stripped.startswith("[") and stripped.endswith("]")) or re.search(r"[<>=]", stripped):
        return []
    from quizzes.answers.notation import list_notation

    inside = list_notation(stripped, 1)[1:-1]
    return [piece.strip() for piece in inside.split(",") if piece.strip()]


def table_rows(formula: "Formula", inputs: dict[str, list[Any]], results: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the table: the inputs that differ, then the outputs that are numbers."""
    outputs = [name for name in formula.outputs if any(name in result for result in results)]
    scalars = [name for name in outputs if formula.symbols[name].kind in SCALARS]
    return [
        {name: values[k] for name, values in inputs.items()} | {name: result.get(name, "-") for name in scalars}
        for k, result in enumerate(results)
    ]
