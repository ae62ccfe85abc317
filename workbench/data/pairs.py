"""Pairs of texts, a source and its target, as tokens: one for each character, and one for the end."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from models.layers.tokens import END, FIRST, PAD, UNKNOWN
from workbench.data.text import UNKNOWN as UNKNOWN_CHARACTER

if TYPE_CHECKING:
    import numpy as np

Pair = tuple[str, str]


class Vocabularies(NamedTuple):
    """The characters of the sources and those of the targets, in Unicode's order; the first one has token `FIRST`."""

    source: str
    target: str


def vocabularies(pairs: Iterable[Pair]) -> Vocabularies:
    """Return all characters that occur."""
    return Vocabularies(*("".join(sorted(set("".join(texts)))) for texts in zip(*pairs, strict=True)))


def sizes(pairs: Sequence[Pair]) -> dict[str, int]:
    """Return the sizes that a dataset of pairs declares: of both vocabularies, and the tokens of its longest target."""
    source, target = vocabularies(pairs)
    longest = max(len(text) for _, text in pairs) + 1
    return dict(source_vocabulary=FIRST + len(source), target_vocabulary=FIRST + len(target), longest_target=longest)


@lru_cache(maxsize=4)
def _tokens(characters: str) -> dict[str, int]:
    return {character: token for token, character in enumerate(characters, FIRST)}


def encode(text: str, characters: str) -> list[int]:
    """Return the tokens of a text, `END` included, for a vocabulary of these characters."""
    tokens = _tokens(characters)
    return [*(tokens.get(character, UNKNOWN) for character in text), END]


def decode(tokens: Iterable[int], characters: str) -> str:
    """Return the text of tokens before the first `END`; unknown and other special tokens become U+FFFD."""
    text = ""
    for token in tokens:
        if token == END:
            break
        text += characters[token - FIRST] if token >= FIRST else UNKNOWN_CHARACTER
    return text


def split(pairs: Sequence[Pair], sizes: dict[str, int], seed: int) -> "dict[str, tuple[np.ndarray, ...]]":
    """Return the sources and targets of each split as tokens (N, longest), int64, padded with `PAD`.

    Characters that don't occur in the training set are unknown in all splits.

    Args:
        pairs: All pairs.
        sizes: The number of pairs of the validation and of the test set.
        seed: The seed that chooses them.
    """
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(pairs))
    held_out = sizes["validation"] + sizes["test"]
    train, validation = order[held_out:], order[: sizes["validation"]]
    rows = dict(train=train, validation=validation, test=order[sizes["validation"] : held_out])
    columns = []
    for texts, characters in zip(zip(*pairs, strict=True), vocabularies(pairs), strict=True):
        tokens = _pad([encode(text, characters) for text in texts])
        is_seen = np.isin(tokens, tokens[rows["train"]]) | (tokens == PAD)
        columns.append(np.where(is_seen, tokens, UNKNOWN))
    return {name: tuple(column[places] for column in columns) for name, places in rows.items()}


def _pad(texts: Sequence[list[int]]) -> "np.ndarray":
    import numpy as np

    tokens = np.full((len(texts), max(map(len, texts))), PAD, dtype=np.int64)
    for row, text in zip(tokens, texts, strict=True):
        row[: len(text)] = text
    return tokens
