"""The user's own pairs of texts: `pairs:PATH`, a file in UTF-8 with a source and its target in each line.

A tab is between them (TSV), or a comma (CSV, with quotation marks where needed). The first line may be a header,
`source` and `target`.
"""

import csv
from functools import lru_cache
from pathlib import Path

from workbench.data import pairs
from workbench.data.dataset import DataSet
from workbench.data.pairs import Pair
from workbench.data.text_file import find, read, state_of, status
from workbench.errors import UserError
from workbench.untrusted import printable

PREFIX = "pairs:"
MIN_PAIRS, MAX_PAIRS = 100, 50_000  # 70 of 100 pairs are for training, a batch of 64
MAX_LENGTH = 200  # characters of a source or a target: recurrent networks read them one by one
HEADER = ["source", "target"]


def info(name: str) -> DataSet:
    """Return the description of a file of pairs. The name in it holds the whole path: it is valid in any folder.

    Raises:
        UserError: If there is no such file, or it can't be learned from.
    """
    file = find(name, PREFIX)
    content = _read(*status(file))
    return DataSet(
        name=f"{PREFIX}{file}",
        title=f"from source to target, in {printable(file.name)}",
        row="a source and its target",
        samples=len(content),
        shape=(),
        target="the target",
        source=str(file),
        licence="your own",
        declared_modality="pairs",
        sizes=pairs.sizes(content),
    )


def load(name: str) -> list[Pair]:
    """Return the pairs, each once. Raises as `info` does."""
    return list(_read(*status(find(name, PREFIX))))


def state(name: str) -> list[object]:
    """Return what tells that a file of pairs has changed. Raises as `info` does."""
    return state_of(find(name, PREFIX))


@lru_cache(maxsize=1)
def _read(file: Path, changed: int, size: int) -> tuple[Pair, ...]:
    """Return the pairs of a file in its present state: it is read again when its time or size has changed."""
    name, text = printable(file.name), read(file, size)
    if not text.strip():
        raise UserError(f"{name} is empty. Write a source, a tab or a comma, and its target in each line.")
    distinct = dict.fromkeys(_rows(text, name))
    if len(distinct) < MIN_PAIRS:
        count = "1 different pair" if len(distinct) == 1 else f"{len(distinct)} different pairs"
        raise UserError(f"{name} has {count}, too few to train, validate and test. Use at least {MIN_PAIRS}.")
    if len(distinct) > MAX_PAIRS:
        raise UserError(
            f"{name} has {len(distinct):,} pairs, and at most {MAX_PAIRS:,} are supported. Use a part of it."
        )
    if len({target for _, target in distinct}) == 1:
        raise UserError(f"All targets of {name} are the same, so there is nothing to learn. Check its second column.")
    return tuple(distinct)


def _rows(text: str, name: str) -> list[Pair]:
    """Return the pairs of a table, one for each line that isn't empty.

    Raises:
        UserError: If a line has not two columns, or one that is empty or too long.
    """
    has_tabs = "\t" in text.split("\n", 1)[0]
    lines = text.split("\n")
    # Quotation marks are characters of a text between tabs, and surround one with commas.
    reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE) if has_tabs else csv.reader(lines, strict=True)
    rows: list[Pair] = []
    try:
        for number, row in enumerate(reader):
            cells = [cell.strip() for cell in row]
            if not any(cells) or (number == 0 and [cell.lower() for cell in cells] == HEADER):
                continue
            rows.append(_check_row(cells, reader.line_num, name))
    except csv.Error as error:
        raise UserError(
            f"Line {reader.line_num} of {name} is not CSV ({error}). Put texts with commas in quotation marks."
        ) from None
    return rows


def _check_row(cells: list[str], line: int, name: str) -> Pair:
    if len(cells) != len(HEADER):
        columns = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
        raise UserError(
            f"Line {line} of {name} has {columns}. Each line needs two, a source and its target, with a tab or a comma "
            "between them."
        )
    for cell, column in zip(cells, HEADER, strict=True):
        if not cell:
            raise UserError(f"Line {line} of {name} has no {column}. Add one, or remove the line.")
        if len(cell) > MAX_LENGTH:
            raise UserError(
                f"The {column} in line {line} of {name} has {len(cell):,} characters, and at most {MAX_LENGTH} are "
                "supported. Shorten it, or split it into several."
            )
    source, target = cells
    return source, target
