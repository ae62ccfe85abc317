"""9,700 sentences with the BIO tags of their named entities, written for this project by a grammar.

Persons, places and organizations: many names are of several types, such as Washington, Jordan, Chelsea and Amazon, or a
month, such as May, so that the words around a name have to tell its type. The templates of the validation and test sets
don't occur in training.
"""

from functools import cache

import numpy as np

SET = dict(
    title="the named entities of a sentence, with BIO tags",
    row="a sentence of an opinion, a question or a fact",
    samples=9700,
    shape=(),
    modality="tags",
    classes=("O", "B-LOC", "I-LOC", "B-ORG", "I-ORG", "B-PER", "I-PER"),
    target="the tag of each word",
    source="made by code: workbench.data.grammar",
    licence="MIT",
    synthetic=True,
    sizes=dict(vocabulary=481),
)


def load() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each split the tokens (N, length), padded with 0, and the tags, padded with -1, both int64."""
    return encode_tags(SET["classes"])  # type: ignore[arg-type]


def encode_tags(classes: tuple[str, ...]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the splits with tags as indices of these classes: BIO tags, or IO tags if there is no `B-`."""
    from workbench.data import words
    from workbench.data.entity_tags import to_io
    from workbench.data.grammar import SIZES, sentences

    splits = {}
    for split in SIZES:
        corpus = sentences(split)
        tokens = words.encode([sentence.words for sentence in corpus], vocabulary())
        rows = [[classes.index(tag if tag in classes else to_io(tag)) for tag in each.tags] for each in corpus]
        splits[split] = tokens, words.pad(rows, words.NO_TAG)
    return splits


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the word of each token."""
    from workbench.data import words
    from workbench.data.grammar import SIZES, sentences

    return words.build_vocabulary(sentence.words for split in SIZES for sentence in sentences(split))
