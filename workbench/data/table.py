"""The user's own table: `csv:PATH`, or `csv:PATH:COLUMN` where the target isn't the last column.

A header, then a row a sample; every feature is a number. The target makes classes where it is text, or where it is
whole numbers of few values, each in a few rows; else it is itself a number to be told.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.data import csv_file
from workbench.data.dataset import DataSet
from workbench.errors import UserError, unknown_name
from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

PREFIX = "csv:"
LEAST_ROWS = 20  # to train, to choose and to test by
LEAST_OF_A_CLASS = 3
MOST_NUMBERED, MOST_NAMED = 20, 100  # classes, where they are whole numbers, and where they are text


@dataclass(frozen=True)
class Table:
    """A table that can be learnt from: what is known of it, its inputs row by row, and its targets."""

    known: DataSet
    inputs: list[tuple[float, ...]]
    targets: list[float] | list[int]


def info(name: str) -> DataSet:
    """What is known of a table. The name in it holds the whole path and the target: it is good in any folder.

    Raises:
        UserError: There is no such file, or it can't be learnt from.
    """
    return _table(name).known


def load(name: str) -> "tuple[np.ndarray, np.ndarray]":
    """Inputs (N, features), float64; targets (N,), float64, or the classes' numbers, int64. Refuses as `info` does."""
    import numpy as np

    table = _table(name)
    return np.array(table.inputs), np.array(table.targets, dtype=np.int64 if table.known.classes else np.float64)


def state(name: str) -> list[object]:
    """Return what tells that a table has changed. Raises as `info` does."""
    file, target = csv_file.find(name.removeprefix(PREFIX))
    status = file.stat()
    return [str(file), target, status.st_mtime_ns, status.st_size]


def _table(name: str) -> Table:
    file, target = csv_file.find(name.removeprefix(PREFIX))
    status = file.stat()
    return _read(file, target, (status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=2)
def _read(file: Path, target: str, state: tuple[int, int]) -> Table:
    """The table of a file in its present state: it is read again when that has changed."""
    header, rows = csv_file.rows(file)
    target = printable(target)  # as the names in the header are
    if target and target not in header:
        raise unknown_name(f"column of {file.name} called", target, header)
    if len(rows) < LEAST_ROWS:
        raise UserError(f"Rows in {file.name}: {len(rows)}. At least {LEAST_ROWS} are needed.")
    aim = header.index(target) if target else len(header) - 1
    inputs = [
        tuple(csv_file.number(cell, line, header[k]) for k, cell in enumerate(cells) if k != aim)
        for line, cells in rows
    ]
    targets, classes = _targets([(line, cells[aim]) for line, cells in rows], header[aim])
    known = DataSet(
        name=f"{PREFIX}{file}:{header[aim]}",
        title=f"{header[aim]}, from the other columns of {printable(file.name)}",
        row=f"one row of {printable(file.name)}",
        samples=len(rows),
        shape=(len(header) - 1,),
        target=header[aim],
        source=str(file),
        licence="your own",
        features=tuple(name for k, name in enumerate(header) if k != aim),
        classes=classes,
    )
    return Table(known, inputs, targets)


def _targets(cells: list[tuple[int, str]], column: str) -> tuple[list[float] | list[int], tuple[str, ...]]:
    """The targets, and the names of their classes: none where the targets are numbers to be told.

    Args:
        cells: The line and the text of each.
    """
    texts = [(line, cell) for line, cell in cells if cell and csv_file.value(cell) is None]
    rest = [(line, cell) for line, cell in cells if not cell or csv_file.value(cell) is not None]
    numbers = [csv_file.number(cell, line, column) for line, cell in rest]  # gaps among texts are refused here, too
    if texts and len(texts) < len(numbers):
        line, cell = texts[0]
        raise UserError(f"In line {line}, column {column[:40]!r}, {cell[:40]!r} is no number, as most there are.")
    if texts:
        counts = Counter(cell for _, cell in cells)
        check_classes(counts, column)
        names = sorted(counts)
        return [names.index(cell) for _, cell in cells], tuple(names)
    found = Counter(numbers)
    if len(found) == 1:
        raise UserError(f"Column {column[:40]!r} is {numbers[0]:g} in every row: there is nothing to tell apart.")
    if len(found) > MOST_NUMBERED or min(found.values()) < LEAST_OF_A_CLASS or any(number % 1 for number in found):
        return numbers, ()
    classes = sorted(found)
    return [classes.index(number) for number in numbers], tuple(f"{number + 0:.0f}" for number in classes)  # no -0


def check_classes(counts: Counter[str], column: str) -> None:
    """Check the names of classes, each with its number of rows.

    Raises:
        UserError: If there is only one, there are too many, or one has too few rows.
    """
    if len(counts) == 1:
        raise UserError(
            f"Column {column[:40]!r} is {next(iter(counts))[:40]!r} in every row. Give two or more classes."
        )
    if len(counts) > MOST_NAMED:
        raise UserError(
            f"Column {column[:40]!r} holds {len(counts)} different texts, but at most {MOST_NAMED} classes fit."
        )
    name, rows = counts.most_common()[-1]
    if rows < LEAST_OF_A_CLASS:
        where = f"Class {name[:40]!r} of column {column[:40]!r}"
        raise UserError(f"{where} has too few rows, {rows}: it takes {LEAST_OF_A_CLASS} or more.")
