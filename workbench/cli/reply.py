"""What every command says and takes in the same way: JSON on stdout, plain text otherwise, and the shared options."""

import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.untrusted import finite

if TYPE_CHECKING:
    from workbench.render.halfblock import Rows

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]


def say_json(value: Any) -> None:
    """Print one JSON value on stdout: null for what is no finite number, escapes for what a terminal would obey."""
    text = json.dumps(finite(value), ensure_ascii=False, allow_nan=False)
    print(text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text))


def console():
    """A Rich console on stdout: colours only on a terminal, 80 columns in a pipe.

    Text is printed as it stands: brackets and colons in a name are no mark-up.
    """
    from rich.console import Console

    return Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 80)


def print_rows(drawn: "Callable[[int, bool], Rows]") -> None:
    """Print rows of styled texts.

    Args:
        drawn: Draws them, for so many cells in a row, with or without colour.
    """
    from rich.segment import Segment, Segments

    out = console()
    for row in drawn(out.width, out.color_system is not None):
        out.print(Segments([*row, Segment.line()]), end="")
