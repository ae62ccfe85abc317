"""Safe reading of files that any program may have written: JSON, and text to print on a terminal."""

import json
import math
import unicodedata
from typing import Any

MAX_DEPTH = 50  # levels of nesting: the workbench writes fewer than ten, and Python fails at some hundreds


def printable(text: str) -> str:
    """Return the text with a question mark for every control character and every character without a glyph."""
    return text if text.isprintable() else "".join(map(_replace, text))


def printable_lines(text: str) -> str:
    """Return the text with its line breaks, tabs as spaces, and each line `printable`."""
    return "\n".join(printable(line) for line in text.expandtabs(4).split("\n"))


def spreadsheet_cell(text: str) -> str:
    """Return a text for a cell of a CSV file that no spreadsheet takes for a formula.

    A text that begins with = + - @ or a control character gets an apostrophe before it, unless it is a number.
    """
    if not text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def _replace(character: str) -> str:
    if character.isprintable():
        return character
    return " " if unicodedata.category(character) == "Zs" else "?"  # a no-break space is a space


def parse(text: str | bytes) -> Any:
    """Return the value of a JSON text, with None for NaN and infinity, which JSON does not have.

    Raises:
        ValueError: If the text is not JSON, or nested too deeply.
    """
    try:
        return finite(json.loads(text))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def finite(value: Any, depth: int = MAX_DEPTH) -> Any:
    """Return plain data with None for every number that isn't finite.

    Args:
        value: Numbers, texts, lists, tuples and dictionaries.
        depth: The number of levels of nesting that are allowed.

    Raises:
        ValueError: If the data is nested too deeply.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, (dict, list, tuple)):
        return value
    if not depth:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return {key: finite(item, depth - 1) for key, item in value.items()}
    return [finite(item, depth - 1) for item in value]


def clean(value: Any) -> Any:
    """Return plain data from `parse` with all texts made printable, including the keys."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value
