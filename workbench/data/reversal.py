"""Words of random letters and the same letters in reverse order. Made by code, always the same.

The simplest task whose difficulty grows with the length alone: each letter must be remembered until its turn.
"""

from functools import cache

import numpy as np

from workbench.data.pairs import Pair

PAIRS = 8000
LETTERS, SHORTEST, LONGEST = "abcdefghijkl", 4, 16
SET = dict(
    title="letters in reverse order",
    row="a word of 4 to 16 random letters",
    samples=8000,
    shape=(),
    target="the letters in reverse order",
    source="made by code: 12 letters, each length equally frequent",
    licence="MIT",
    synthetic=True,
    modality="pairs",
    sizes=dict(source_vocabulary=16, target_vocabulary=16, longest_target=17),
)


@cache
def load() -> list[Pair]:
    """Return 8,000 different words, each with its letters in reverse order."""
    rng = np.random.default_rng(0)
    words: dict[str, None] = {}
    while len(words) < PAIRS:
        length = int(rng.integers(SHORTEST, LONGEST + 1))
        words.setdefault("".join(LETTERS[k] for k in rng.integers(len(LETTERS), size=length)))
    return [(word, word[::-1]) for word in words]
