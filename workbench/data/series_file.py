"""The user's own time series: `series:PATH`, or `series:PATH:COLUMN` if it is not the last column of the table.

The file is a CSV file with a header, then a row for each point in time, in their order and equally far apart.
"""

import math
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.data import csv_file
from workbench.data.dataset import DataSet
from workbench.errors import UserError, unknown_name
from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

PREFIX = "series:"
WINDOW, HORIZON = 48, 12  # values that a forecaster reads, and that it predicts, by default
MIN_VALUES = 120  # so that a tenth of them, the validation set, has a whole forecast


def info(name: str) -> DataSet:
    """Return the description of a series. The name in it has the whole path and the column: it is valid in any folder.

    Raises:
        UserError: If there is no such file, or it can't be learned from.
    """
    file, column, values = _series(name)
    return DataSet(
        name=f"{PREFIX}{file}:{column}",
        title=f"the next values of {column} in {printable(file.name)}",
        row=f"one row of {printable(file.name)}",
        samples=len(values),
        shape=(),
        target=column,
        source=str(file),
        licence="your own",
        declared_modality="series",
        sizes=dict(window=WINDOW, horizon=HORIZON),
    )


def load(name: str) -> "np.ndarray":
    """Return the values (N,) in the order of time. Raises as `info` does."""
    import numpy as np

    return np.array(_series(name)[2])


def state(name: str) -> list[object]:
    """Return what tells that a series has changed. Raises as `info` does."""
    file, column = csv_file.find(name.removeprefix(PREFIX), PREFIX)
    status = file.stat()
    return [str(file), column, status.st_mtime_ns, status.st_size]


def _series(name: str) -> tuple[Path, str, tuple[float, ...]]:
    file, column = csv_file.find(name.removeprefix(PREFIX), PREFIX)
    status = file.stat()
    return file, *_read(file, column, (status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=2)
def _read(file: Path, column: str, state: tuple[int, int]) -> tuple[str, tuple[float, ...]]:
    """Return the column's name and the values of a file in its present state: it is read again when it has changed."""
    header, rows = csv_file.rows(file, min_columns=1)
    column = printable(column) or header[-1]
    if column not in header:
        raise unknown_name(f"column of {file.name} called", column, header)
    place = header.index(column)
    for (before, _), (line, _) in pairwise(rows):
        if len(header) == 1 and line != before + 1:  # in a file of one column, an empty line is an empty cell
            raise _gap(f"line {before + 1}, column {column[:40]!r}", "empty")
    values = tuple(_number(cells[place], line, column) for line, cells in rows)
    if len(values) < MIN_VALUES:
        count = f"{file.name} has {len(values)} {'value' if len(values) == 1 else 'values'}"
        raise UserError(f"{count}, and a series needs at least {MIN_VALUES}. Use a longer series.")
    if min(values) == max(values):
        raise UserError(f"Column {column[:40]!r} is {values[0]:g} in every row. Use a series that changes.")
    return column, values


def _number(cell: str, line: int, column: str) -> float:
    number, place = csv_file.value(cell), f"line {line}, column {column[:40]!r}"
    if not cell or (number is not None and not math.isfinite(number)):
        raise _gap(place, cell[:40] or "empty")
    if number is None:
        raise UserError(f"In {place}, {cell[:40]!r} is not a number. Name a column of numbers: series:PATH:COLUMN.")
    if abs(number) > csv_file.LARGEST:
        raise UserError(f"In {place}, {cell[:40]} is too large. Use a larger unit.")
    return number


def _gap(place: str, cell: str) -> UserError:
    return UserError(
        f"There is a gap in {place} ({cell}). Fill it, for example with the mean of its neighbors: a series has one "
        "value for each point in time."
    )
