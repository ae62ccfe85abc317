"""A CSV file as rows of cells: found, read, and checked line by line. Nothing in it is executed."""

import csv
import math
from collections import Counter
from io import StringIO
from pathlib import Path

from workbench.errors import UserError
from workbench.untrusted import printable

MOST_BYTES = 20_000_000  # all is held in memory, as Python's numbers at first
LARGEST = 1e30  # its square can still be added up


def find(where: str, prefix: str = "csv:") -> tuple[Path, str]:
    """The file of `PATH` or `PATH:TARGET`, and the target; empty where none is given.

    Args:
        where: The path, and the target if there is one.
        prefix: What the names of such data begin with, for messages.

    Raises:
        UserError: There is no such file, or it is none that can be read as a table.
    """
    words = where.split(":")  # a path and a column may both hold colons
    try:
        for k in range(len(words), 0, -1):
            file = Path(":".join(words[:k])).expanduser()
            if file.exists():
                break
        else:
            raise UserError(
                f"There is no file {where[:200]}: write {prefix}PATH, or {prefix}PATH:COLUMN to tell that column."
            )
        if file.is_dir():
            raise UserError(f"{file} is a folder: give a CSV file in it.")
        if not file.is_file():
            raise UserError(f"{file} is no ordinary file: save the table as one.")
        file, size = file.resolve(), file.stat().st_size
    except (OSError, RuntimeError) as error:  # RuntimeError: ~somebody who isn't there
        raise UserError(f"{where[:200]} can't be read: {error}.") from error
    if size > MOST_BYTES:
        raise UserError(f"{file} holds {size / 1e6:.0f} MB, and at most {MOST_BYTES / 1e6:.0f} fit: take a part of it.")
    return file, ":".join(words[k:])


def rows(file: Path, min_columns: int = 2) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names in the header; then each row as the line it ends in, counted from 1, and its cells, one a name.

    Args:
        file: The file.
        min_columns: As for `parse`.

    Raises:
        UserError: The file is no table.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(MOST_BYTES)
    except OSError as error:
        raise UserError(f"{file} can't be read: {error.strerror}.") from error
    return parse(content, file.name, min_columns)


def parse(content: bytes, name: str, min_columns: int = 2) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names in the header, and each row as the line it ends in, counted from 1, and its cells.

    Args:
        content: The bytes of a CSV file.
        name: Its name, for messages.
        min_columns: The smallest number of columns; 2 if one of them is the target.

    Raises:
        UserError: If it is not a table.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is no text in UTF-8: save it again as CSV UTF-8.") from error
    if not text.strip():
        raise UserError(f"{name} is empty: a table has a header, then a row a sample.")
    delimiter = max(",;\t", key=text.lstrip().splitlines()[0].count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        (_, header), *rest = [(reader.line_num, [printable(cell.strip()) for cell in row]) for row in reader if row]
    except csv.Error as error:
        raise UserError(f"Line {reader.line_num} of {name} is no CSV: {error}.") from error
    _check_header(header, name, min_columns)
    for line, cells in rest:
        if len(cells) != len(header):
            counts = f"Line {line} of {name} has {len(cells)} cells, and the header has {len(header)}"
            raise UserError(f"{counts}: each row needs one cell for each column.")
    return header, rest


def _check_header(header: list[str], file: str, min_columns: int) -> None:
    if sum(value(cell) is not None for cell in header) > len(header) / 2:
        raise UserError(f"{file} has no header: name its columns in the first line.")
    if "" in header:
        raise UserError(f"Column {header.index('') + 1} of {file} has no name: the first line names every column.")
    name, times = Counter(header).most_common(1)[0]
    if times > 1:
        raise UserError(f"{times} columns of {file} are called {name[:40]!r}: give each a name of its own.")
    if len(header) < min_columns:
        raise UserError(f"{file} has one column: it needs the target, and at least one to tell it from.")


def value(cell: str) -> float | None:
    """The number that a cell holds; None where it holds something else."""
    try:
        return None if "_" in cell else float(cell)  # Python reads 1_000, and nobody else does
    except ValueError:
        return None


def number(cell: str, line: int, column: str) -> float:
    """The finite number that a cell holds.

    Raises:
        UserError: It holds none.
    """
    found, place = value(cell), f"line {line}, column {column[:40]!r}"
    if not cell or (found is not None and not math.isfinite(found)):
        raise UserError(f"There is a gap in {place} ({cell[:40] or 'empty'}): fill it, or leave the row out.")
    if found is None:
        raise UserError(f"In {place}, {cell[:40]!r} is no number: all columns but the target must be numbers.")
    if abs(found) > LARGEST:
        raise UserError(f"In {place}, {cell[:40]} is too large: use a larger unit.")
    return found
