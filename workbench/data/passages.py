"""3,900 passages of two to four sentences that belong together, written for this project by a grammar.

The sentences of a passage are about the same country, family or animal, or have the same sentiment. They are in lower
case, and their tokens are those of `sentiment`, so that a network that was pre-trained on passages can be fine-tuned on
that. All splits have the templates of the training sentences, and no two passages are equal.
"""

from functools import cache

import numpy as np

from workbench.data.sentiment import vocabulary as vocabulary

SET = dict(
    title="words and sentences that belong together",
    row="two to four sentences of a passage",
    samples=3900,
    shape=(),
    modality="passages",
    target="the words that are masked, and whether a sentence follows",
    source="made by code: workbench.data.grammar",
    licence="MIT",
    synthetic=True,
    sizes=dict(vocabulary=424, relations=2),
)


@cache
def load() -> dict[str, tuple[np.ndarray]]:
    """Return for each split the tokens (N, 4, length), int64, padded with 0: four sentences a passage, some empty."""
    from workbench.data import words
    from workbench.data.grammar import LONGEST, PASSAGES, passages

    splits = {}
    for split in PASSAGES:
        sentences = []
        for passage in passages(split):
            texts = [[word.lower() for word in sentence] for sentence in passage]
            sentences += texts + [[]] * (LONGEST - len(texts))
        splits[split] = (words.encode(sentences, vocabulary()).reshape(PASSAGES[split], LONGEST, -1),)
    return splits
