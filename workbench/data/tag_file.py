"""The user's own tagged sentences: `conll:PATH`, a file in UTF-8 with a word and its tag per line.

    Anna    B-PER
    smiled  O

A blank line ends a sentence. Further columns between the word and the tag are ignored, and so are the lines of
CoNLL-2003 that begin with -DOCSTART-. Tags are O, B-type and I-type: BIO or IO, also with an I- after O, which begins
an entity.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.data import text_file, words
from workbench.data.dataset import DataSet
from workbench.data.entity_tags import is_tag, sort_key
from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

PREFIX = "conll:"
MIN_SENTENCES, MAX_TAGS = 20, 100


@dataclass(frozen=True)
class TaggedSentences:
    """Sentences with a tag per word: their description, their words, the vocabulary, and the tags by number."""

    info: DataSet
    words: list[list[str]]
    vocabulary: tuple[str, ...]
    tags: list[list[int]]


def info(name: str) -> DataSet:
    """Return the description of a file. The name in it holds the whole path: it is valid in any folder.

    Raises:
        UserError: If there is no such file, or it can't be learned from.
    """
    return _sentences(name).info


def load(name: str) -> "tuple[np.ndarray, np.ndarray]":
    """Return tokens (N, length), padded with 0, and tags (N, length), padded with -1. Raises as `info` does."""
    sentences = _sentences(name)
    return words.encode(sentences.words, sentences.vocabulary), words.pad(sentences.tags, words.NO_TAG)


def vocabulary(name: str) -> tuple[str, ...]:
    """Return the word of each token. Raises as `info` does."""
    return _sentences(name).vocabulary


def state(name: str) -> list[object]:
    """Return what tells that a file has changed. Raises as `info` does."""
    return text_file.state_of(text_file.find(name, PREFIX))


def _sentences(name: str) -> TaggedSentences:
    return _read(*text_file.status(text_file.find(name, PREFIX)))


@lru_cache(maxsize=1)
def _read(file: Path, changed: int, size: int) -> TaggedSentences:
    name = printable(file.name)
    content = text_file.read(file, size)
    if not content.strip():
        raise UserError(f"{name} is empty. Write a word and its tag on each line, and a blank line after a sentence.")
    sentences = _parse(content, name)
    if len(sentences) < MIN_SENTENCES:
        raise UserError(f"Sentences in {name}: {len(sentences)}. At least {MIN_SENTENCES} are needed.")
    tags = sorted({tag for sentence in sentences for _, tag in sentence}, key=sort_key)
    if tags == ["O"]:
        raise UserError(f"{name} has no entity: all tags are O. Tag at least one word as B-type.")
    if len(tags) < 2 or len(tags) > MAX_TAGS:
        raise UserError(f"{name} has {len(tags)} different tags. Use 2 to {MAX_TAGS}, such as O, B-PER and I-PER.")
    texts = [[word for word, _ in sentence] for sentence in sentences]
    vocabulary = words.build_vocabulary(texts)
    if len({word for text in texts for word in text}) == 1:
        raise UserError(f"{name} has only one distinct word. Use sentences with several.")
    description = DataSet(
        name=f"{PREFIX}{file}",
        title=f"the named entities of {name}",
        row=f"one sentence of {name}",
        samples=len(sentences),
        shape=(),
        target="the tag of each word",
        source=str(file),
        licence="your own",
        classes=tuple(tags),
        declared_modality="tags",
        sizes=dict(vocabulary=len(vocabulary)),
    )
    numbers = {tag: k for k, tag in enumerate(tags)}
    return TaggedSentences(description, texts, vocabulary, [[numbers[tag] for _, tag in each] for each in sentences])


def _parse(content: str, name: str) -> list[list[tuple[str, str]]]:
    """Return the words of each sentence with their tags."""
    sentences: list[list[tuple[str, str]]] = [[]]
    for number, line in enumerate(content.split("\n"), 1):
        columns = line.split()
        if not columns or columns[0] == "-DOCSTART-":
            if sentences[-1]:
                sentences.append([])
            continue
        if len(columns) < 2:
            raise UserError(f"Line {number} of {name} has no tag after {printable(columns[0][:40])!r}. Add it.")
        word, tag = printable(columns[0]), printable(columns[-1])
        if not is_tag(tag):
            raise UserError(f"The tag {tag[:40]!r} in line {number} of {name} is not O, B-type or I-type. Correct it.")
        sentences[-1].append((word, tag))
        if len(sentences[-1]) > words.MAX_LENGTH:
            raise UserError(
                f"The sentence of {name} that ends in line {number} has more than {words.MAX_LENGTH} words. "
                "Write a blank line after each sentence."
            )
    return [sentence for sentence in sentences if sentence]
