"""What comes from files that anything may have written: text fit for a terminal, and JSON that can be relied on."""

import json
import math
import unicodedata
from typing import Any

DEEPEST = 50  # levels of nesting: nothing of ours has ten, and Python itself gives up at some hundreds


def printable(text: str) -> str:
    """The text with a question mark for everything that a terminal would obey or couldn't show."""
    return text if text.isprintable() else "".join(map(_shown, text))


def _shown(sign: str) -> str:
    if sign.isprintable():
        return sign
    return " " if unicodedata.category(sign) == "Zs" else "?"  # a no-break space is a space


def parse(text: str | bytes) -> Any:
    """The value of a JSON text, with None for NaN and infinity, which JSON hasn't got.

    Raises:
        ValueError: It is no JSON, or nested too deeply.
    """
    try:
        return finite(json.loads(text))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def finite(value: Any, room: int = DEEPEST) -> Any:
    """Plain data with None for every number that isn't finite.

    Raises:
        ValueError: It is nested too deeply.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if not isinstance(value, (dict, list, tuple)):
        return value
    if not room:
        raise ValueError("it is nested too deeply")
    if isinstance(value, dict):
        return {key: finite(item, room - 1) for key, item in value.items()}
    return [finite(item, room - 1) for item in value]


def clean(value: Any) -> Any:
    """Plain data, as `parse` gives it, with all of its text printable, names as well."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(key): clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list) else value
