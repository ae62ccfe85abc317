"""The words of the user's own text: `words:PATH`, a file in UTF-8.

The text is split into sentences at line breaks and after . ! and ?, so that no window of words spans two of them.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.data import text_file, words
from workbench.data.dataset import DataSet
from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

PREFIX = "words:"
MIN_SENTENCES, MIN_WORDS = 20, 10  # sentences, and different words that occur more than once
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")


def info(name: str) -> DataSet:
    """Return the description of a text as words. The name in it holds the whole path: it is valid in any folder.

    Raises:
        UserError: If there is no such file, or it can't be learned from.
    """
    file = text_file.find(name, PREFIX)
    sentences, vocabulary = _read(*text_file.status(file))
    return DataSet(
        name=f"{PREFIX}{file}",
        title=f"the words that occur together in {printable(file.name)}",
        row="one sentence",
        samples=len(sentences),
        shape=(),
        target="the words near a word",
        source=str(file),
        licence="your own",
        declared_modality="words",
        sizes=dict(vocabulary=len(vocabulary)),
    )


def load(name: str) -> "tuple[np.ndarray]":
    """Return tokens (N, length), padded with 0. Raises as `info` does."""
    sentences, vocabulary = _read(*text_file.status(text_file.find(name, PREFIX)))
    return (words.encode(sentences, vocabulary),)


def vocabulary(name: str) -> tuple[str, ...]:
    """Return the word of each token. Raises as `info` does."""
    return _read(*text_file.status(text_file.find(name, PREFIX)))[1]


def state(name: str) -> list[object]:
    """Return what tells that a text has changed. Raises as `info` does."""
    return text_file.state_of(text_file.find(name, PREFIX))


@lru_cache(maxsize=1)
def _read(file: Path, changed: int, size: int) -> tuple[list[list[str]], tuple[str, ...]]:
    """Return the words of each sentence, and the vocabulary."""
    name = printable(file.name)
    content = text_file.read(file, size)
    if not content.strip():
        raise UserError(f"{name} is empty. Use a text of at least {MIN_SENTENCES} sentences.")
    parts = [words.split_words(part) for part in SENTENCE_END.split(content)]
    sentences = [
        part[start : start + words.MAX_LENGTH]
        for part in parts
        for start in range(0, len(part), words.MAX_LENGTH)
        if len(part) > 1
    ]
    if len({word for sentence in parts for word in sentence}) < 2:
        raise UserError(f"{name} has only one distinct word. Use a text with several.")
    if len(sentences) < MIN_SENTENCES:
        raise UserError(
            f"{name} has {len(sentences)} sentences of two or more words. Use a text of at least {MIN_SENTENCES}."
        )
    vocabulary = words.build_vocabulary(sentences)
    if len(vocabulary) - 2 < MIN_WORDS:
        raise UserError(
            f"{name} has {len(vocabulary) - 2} words that occur {words.MIN_COUNT} times or more. "
            f"Use a longer text, with at least {MIN_WORDS}."
        )
    return sentences, vocabulary
