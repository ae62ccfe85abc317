"""What every command says and takes in the same way: JSON on stdout, plain text otherwise, and the shared options."""

import json
import sys
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]


def say_json(value: Any) -> None:
    """Print one JSON value on stdout."""
    print(json.dumps(value, ensure_ascii=False))


def console():
    """A Rich console on stdout: colours only on a terminal, 80 columns in a pipe."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 80)
