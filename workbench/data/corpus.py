"""The words of the 9,700 sentences of `entities`, to learn word vectors from.

The grammar knows the category of most words, such as the countries, and pairs that form analogies, such as Italy and
Rome, so that word vectors can be evaluated.
"""

import numpy as np

from workbench.data.entities import vocabulary as vocabulary
from workbench.data.grammar import RELATIONS, categories
from workbench.data.grammar.lexicon import TABLES

SET = dict(
    title="the words that occur together",
    row="a sentence of an opinion, a question or a fact",
    samples=9700,
    shape=(),
    modality="words",
    target="the words near a word",
    source="made by code: workbench.data.grammar",
    licence="MIT",
    synthetic=True,
    sizes=dict(vocabulary=481),
)


def load() -> dict[str, tuple[np.ndarray]]:
    """Return for each split the tokens (N, length), int64, padded with 0."""
    from workbench.data import words
    from workbench.data.grammar import SIZES, sentences

    return {split: (words.encode([each.words for each in sentences(split)], vocabulary()),) for split in SIZES}


def word_groups() -> dict[str, str]:
    """Return the category of each word that has one category."""
    return categories()


def word_pairs() -> dict[str, list[tuple[str, str]]]:
    """Return the pairs of words of each relation; any two of them form an analogy."""
    pairs = {}
    for relation, (first, second) in RELATIONS.items():
        name, column = first.split(".")
        other = second.split(".")[1]
        pairs[relation] = [(row[column], row[other]) for row in TABLES[name]]
    return pairs
