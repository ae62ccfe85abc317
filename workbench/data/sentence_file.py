"""The user's own sentences with classes: `sentences:PATH`, a CSV file in UTF-8 with two columns, text and label.

The first line names the columns. If one of them is called `label` or `text`, the other is the other one; else the text
is in the first column. Long texts are cut.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.data import csv_file, text_file, words
from workbench.data.dataset import DataSet
from workbench.data.table import LEAST_ROWS, check_classes
from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

PREFIX = "sentences:"
LABELS, TEXTS = ("label", "class", "sentiment", "target"), ("text", "sentence", "review")


@dataclass(frozen=True)
class Sentences:
    """Sentences with their classes: their description, their words, the vocabulary, and the classes by number."""

    info: DataSet
    words: list[list[str]]
    vocabulary: tuple[str, ...]
    labels: list[int]


def info(name: str) -> DataSet:
    """Return the description of a file. The name in it holds the whole path: it is valid in any folder.

    Raises:
        UserError: If there is no such file, or it can't be learned from.
    """
    return _sentences(name).info


def load(name: str) -> "tuple[np.ndarray, np.ndarray]":
    """Return tokens (N, length), padded with 0, and classes (N,). Raises as `info` does."""
    import numpy as np

    sentences = _sentences(name)
    return words.encode(sentences.words, sentences.vocabulary), np.array(sentences.labels, np.int64)


def vocabulary(name: str) -> tuple[str, ...]:
    """Return the word of each token. Raises as `info` does."""
    return _sentences(name).vocabulary


def state(name: str) -> list[object]:
    """Return what tells that a file has changed. Raises as `info` does."""
    return text_file.state_of(text_file.find(name, PREFIX))


def _sentences(name: str) -> Sentences:
    return _read(*text_file.status(text_file.find(name, PREFIX)))


@lru_cache(maxsize=1)
def _read(file: Path, changed: int, size: int) -> Sentences:
    name = printable(file.name)
    header, rows = csv_file.parse(text_file.read(file, size).encode(), name)
    if len(header) != 2:
        raise UserError(f"{name} has {len(header)} columns. Give two, text and label.")
    texts, labels = _columns(header)
    if len(rows) < LEAST_ROWS:
        raise UserError(f"Rows in {name}: {len(rows)}. At least {LEAST_ROWS} are needed.")
    for line, cells in rows:
        if not words.split_words(cells[texts]) or not cells[labels]:
            raise UserError(
                f"Line {line} of {name} has no {header[texts if cells[labels] else labels][:40]!r}: add it."
            )
    counts = Counter(cells[labels] for _, cells in rows)
    check_classes(counts, header[labels])
    classes = sorted(counts)
    sentences = [words.split_words(cells[texts])[: words.MAX_LENGTH] for _, cells in rows]
    vocabulary = words.build_vocabulary(sentences)
    if len({word for sentence in sentences for word in sentence}) == 1:
        raise UserError(f"{name} has only one distinct word. Use texts with several.")
    if len(vocabulary) == 2:
        raise UserError(f"{name} has no word that occurs {words.MIN_COUNT} times. Use more or longer texts.")
    description = DataSet(
        name=f"{PREFIX}{file}",
        title=f"{header[labels]}, from the texts of {name}",
        row=f"one row of {name}",
        samples=len(rows),
        shape=(),
        target=header[labels],
        source=str(file),
        licence="your own",
        classes=tuple(classes),
        declared_modality="sentences",
        sizes=dict(vocabulary=len(vocabulary)),
    )
    return Sentences(description, sentences, vocabulary, [classes.index(cells[labels]) for _, cells in rows])


def _columns(header: list[str]) -> tuple[int, int]:
    """Return the column of the texts and that of the labels."""
    first, second = (name.lower() for name in header)
    is_reversed = (first in LABELS and second not in LABELS) or (second in TEXTS and first not in TEXTS)
    return (1, 0) if is_reversed else (0, 1)
