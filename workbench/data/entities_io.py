"""The sentences of `entities` with IO tags: whether a word is part of an entity, and of which type.

Without `B-`, two entities of one type that follow each other become one: "the Boston Chicago train".
"""

import numpy as np

from workbench.data import entities
from workbench.data.entities import vocabulary as vocabulary

SET = dict(
    title="the named entities of a sentence, with IO tags",
    row="a sentence of an opinion, a question or a fact",
    samples=9700,
    shape=(),
    modality="tags",
    classes=("O", "I-LOC", "I-ORG", "I-PER"),
    target="the tag of each word",
    source="made by code: workbench.data.grammar",
    licence="MIT",
    synthetic=True,
    sizes=dict(vocabulary=481),
)


def load() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each split the tokens (N, length), padded with 0, and the tags, padded with -1, both int64."""
    return entities.encode_tags(SET["classes"])  # type: ignore[arg-type]
