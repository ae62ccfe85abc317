"""Output in the same form for every command: JSON values, errors, and text for a terminal or a pipe."""

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.untrusted import finite, printable

if TYPE_CHECKING:
    from rich.console import Console

    from workbench.render.halfblock import Rows

SCHEMA = 2  # of all JSON that commands print; it changes when keys change their meaning
PIPE_COLUMNS = 80
WRITE_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF)

Json = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]


class OutputError(Exception):
    """Standard output can't be written.

    Attributes:
        reason: Why, in lower case; empty if the reader closed the pipe.
    """

    def __init__(self, reason: str = "") -> None:
        super().__init__(reason)
        self.reason = reason


@contextmanager
def output_errors() -> Iterator[None]:
    """Turn errors of standard output into `OutputError`, because Typer would turn a closed pipe into exit code 1.

    Raises:
        OutputError: If standard output can't be written.
    """
    try:
        yield
    except BrokenPipeError as error:
        raise OutputError from error
    except OSError as error:
        if error.errno in WRITE_ERRORS and error.filename is None:  # errors of files have a filename
            raise OutputError((error.strerror or "unknown error").lower()) from error
        raise


def discard_output() -> None:
    """Send the buffered output nowhere, so that Python doesn't report the same error again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def print_json(value: object, first: bool = True) -> None:
    """Print a JSON value on one line, with null for NaN and infinity, and escapes for control characters.

    Args:
        value: Plain data. An object gets the key `schema`; the elements of a list don't.
        first: Whether this is the only line or the first one of a stream. Later lines have no `schema`.
    """
    if isinstance(value, dict):
        schema = {"schema": SCHEMA} if first else {}
        value = schema | {key: item for key, item in value.items() if key != "schema"}  # files of events have their own
    text = json.dumps(finite(value), ensure_ascii=False, allow_nan=False)
    print(text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text))


def print_error(message: str) -> None:
    """Print an error on stderr, on one line."""
    with suppress(OSError):  # stderr is closed: the exit code still says that something is wrong
        print("Error:", printable(" ".join(message.split())), file=sys.stderr, flush=True)


def console() -> "Console":
    """Return a Rich console on stdout, with colors only on a terminal and 80 columns in a pipe.

    Text is printed literally: brackets and colons in a name are not markup.
    """
    from rich.console import Console

    class PlainConsole(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # Rich would exit with code 1

    columns = None if sys.stdout.isatty() else PIPE_COLUMNS
    return PlainConsole(highlight=False, markup=False, emoji=False, width=columns)


def print_rows(render: "Callable[[int, bool], Rows]") -> None:
    """Print rows of styled text.

    Args:
        render: Renders the rows for a width in cells, with or without color.
    """
    from rich.segment import Segment, Segments

    out = console()
    for row in render(out.width, out.color_system is not None):
        out.print(Segments([*row, Segment.line()]), end="")


def plural(count: int, noun: str) -> str:
    """Return a count with its noun: `1 drill`, `2 drills`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def progress_note(message: str) -> None:
    """Print a note about work that takes seconds on stderr, if that is a terminal."""
    if sys.stderr.isatty():
        print(message, file=sys.stderr)


@contextmanager
def progress_bar(description: str) -> Iterator[Callable[[float], None]]:
    """Show a bar on stderr during work that takes long, if that is a terminal.

    Yields:
        A function that takes the share that is done, 0 to 1.
    """
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(description, total=1.0)
        yield lambda share: progress.update(task, completed=share)
