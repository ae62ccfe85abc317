"""Programs and printouts, shown as they are."""

from textwrap import dedent
from typing import Any


def listing(data: dict[str, Any]) -> str:
    """Return the texts of the data with their indentation; of a declared text, only that one."""
    texts = [data["text"]] if "text" in data else data.values()
    return "\n".join(dedent(text).strip("\n").rstrip() for text in texts)


def number_lines(text: str) -> list[str]:
    """Return the number before each line of a program, as wide as the last one's."""
    count = len(text.splitlines())
    return [f"{number:>{len(str(count))}}  " for number in range(1, count + 1)]


def draw_code(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a program with line numbers; it takes as many columns and lines as it has."""
    return describe_code(data)


def describe_code(data: dict[str, Any]) -> str:
    """Return a program with line numbers."""
    text = listing(data)
    return "\n".join(
        (number + line).rstrip() for number, line in zip(number_lines(text), text.splitlines(), strict=True)
    )


def draw_printout(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the output of a program; it takes as many columns and lines as it has."""
    return listing(data)
