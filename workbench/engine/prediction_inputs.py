"""The inputs of predictions: image files, and rows of tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from workbench.data import csv_file
from workbench.data.folder import NOISE
from workbench.errors import UserError
from workbench.untrusted import printable

STDIN = "-"


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Attributes:
        origin: Where it comes from, as plain data: its `file` (`-` for standard input), the `line` that it ends in,
            counted from 1, and `columns`, the cells of the columns that the network doesn't read.
        values: The features that the network reads, in its order.
    """

    origin: dict[str, Any]
    values: list[float]


def expand_folders(paths: Sequence[str]) -> list[Path]:
    """Return files, and in place of each folder the files in it, sorted by name, without hidden files and subfolders.

    Raises:
        UserError: If a folder has no files or can't be read, or standard input is named.
    """
    files: list[Path] = []
    for path in map(Path, paths):
        if str(path) == STDIN:
            raise UserError("Standard input (-) is for rows of a table: name image files, or folders of them.")
        try:
            if not path.is_dir():
                files.append(path)
                continue
            children = [child for child in sorted(path.iterdir()) if child.is_file()]
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            raise UserError(f"{printable(str(path))} can't be read: {error}.") from error
        visible = [child for child in children if not child.name.startswith(".") and child.name.lower() not in NOISE]
        if not visible:
            raise UserError(f"The folder {printable(str(path))} has no files: name one with images in it.")
        files += visible
    return files


def read_rows(paths: Sequence[str], features: Sequence[str], stdin: BinaryIO) -> list[TableRow]:
    """Return the rows of CSV files, whose columns are found by their names.

    Args:
        paths: The files; `-` is standard input.
        features: The columns that the network reads.
        stdin: Standard input.

    Raises:
        UserError: If a file is not a table, lacks a column, or has a cell that is not a number; the message has the
            line.
    """
    rows: list[TableRow] = []
    for path in paths:
        name, content = _read(path, stdin)
        header, lines = csv_file.parse(content, name, min_columns=1)
        missing = [feature for feature in features if feature not in header]
        if missing:
            raise UserError(
                f"{name} has no column {missing[0]!r}: the network reads the columns {', '.join(features)}."
            )
        if not lines:
            raise UserError(f"{name} has no rows: add one under the names of the columns.")
        places = [header.index(feature) for feature in features]
        others = {column: k for k, column in enumerate(header) if column not in features}
        for line, cells in lines:
            origin = {"file": path, "line": line, "columns": {column: cells[k] for column, k in others.items()}}
            values = [csv_file.number(cells[k], line, header[k]) for k in places]
            rows.append(TableRow(origin, values))
    return rows


def _read(path: str, stdin: BinaryIO) -> tuple[str, bytes]:
    """Return the name of a file, for messages, and its content."""
    name = "Standard input" if path == STDIN else printable(Path(path).name)
    try:
        if path == STDIN:
            content = stdin.read(csv_file.MOST_BYTES + 1)
        else:
            if Path(path).is_dir():
                raise UserError(f"{printable(path)} is a folder, and this network reads rows: name a CSV file in it.")
            with Path(path).open("rb") as file:
                content = file.read(csv_file.MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise UserError(f"There is no file {printable(path)}: name a CSV file, or - for standard input.") from error
    except (OSError, ValueError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{printable(path)} can't be read: {error}.") from error
    if len(content) > csv_file.MOST_BYTES:
        raise UserError(f"{name} has more than {csv_file.MOST_BYTES / 1e6:.0f} MB: divide it.")
    return name, content
