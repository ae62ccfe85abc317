"""5,400 sentences with their sentiment, written for this project by a grammar: workbench.data.grammar.

Negation, intensifiers and contrast decide the sentiment, so that counting words doesn't suffice: "the meal was not bad
but the room was never good" is negative. The templates of the validation and test sets don't occur in training.
"""

from functools import cache

import numpy as np

SET = dict(
    title="the sentiment of a sentence",
    row="a sentence of an opinion, a question or a fact, in lower case",
    samples=5400,
    shape=(),
    modality="sentences",
    classes=("negative", "neutral", "positive"),
    target="sentiment",
    source="made by code: workbench.data.grammar",
    licence="MIT",
    synthetic=True,
    sizes=dict(vocabulary=424),
)
# The number of facts per split: with the questions, a third of the sentences.
FACTS = {"train": 900, "validation": 150, "test": 300}


@cache
def load() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for each split the tokens (N, length), padded with 0, and the classes (N,), both int64."""
    from workbench.data import words

    classes = list(SET["classes"])  # type: ignore[call-overload]
    splits = {}
    for split in FACTS:
        selection = _sentences(split)
        tokens = words.encode([sentence for sentence, _ in selection], vocabulary())
        splits[split] = tokens, np.array([classes.index(sentiment) for _, sentiment in selection])
    return splits


@cache
def vocabulary() -> tuple[str, ...]:
    """Return the word of each token."""
    from workbench.data import words

    return words.build_vocabulary(sentence for split in FACTS for sentence, _ in _sentences(split))


@cache
def _sentences(split: str) -> list[tuple[tuple[str, ...], str]]:
    """Return the words of the sentences of a split in lower case, and their sentiment."""
    from workbench.data.grammar import sentences

    facts = 0
    selection = []
    for sentence in sentences(split):
        facts += sentence.kind == "fact"
        if sentence.kind != "fact" or facts <= FACTS[split]:
            selection.append((tuple(word.lower() for word in sentence.words), sentence.sentiment))
    return selection
