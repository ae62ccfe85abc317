"""Text as tokens, one for each character: the vocabulary, and the splits."""

from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from workbench.errors import UserError

if TYPE_CHECKING:
    import numpy as np

UNKNOWN = "\ufffd"  # the character of token 0, which stands for all characters that are not in the vocabulary
MIN_COUNT = 3  # occurrences of a character with a token of its own, in the text and in its training set
BLOCKS, VALIDATION_BLOCKS, TEST_BLOCKS = 20, 2, 4


def vocabulary(text: str, size: int) -> str:
    """Return the character of each token: `UNKNOWN`, then at most `size - 1` frequent characters in Unicode's order."""
    counts = Counter(text)
    del counts[UNKNOWN]
    frequent = sorted(counts, key=lambda character: (-counts[character], character))[: size - 1]
    return UNKNOWN + "".join(sorted(character for character in frequent if counts[character] >= MIN_COUNT))


def encode(text: str, characters: str) -> "np.ndarray":
    """Return the tokens of a text (length,), int64, for a vocabulary of these characters."""
    import numpy as np

    codes, known = (np.frombuffer(each.encode("utf-32-le", "surrogatepass"), np.uint32) for each in (text, characters))
    places = np.searchsorted(known[1:], codes).clip(max=len(known) - 2)
    return np.where(known[1:][places] == codes, places + 1, 0)


def decode(tokens: Iterable[int], characters: str) -> str:
    """Return the text of tokens."""
    return "".join(characters[token] for token in tokens)


def split(text: str, characters: str, seed: int) -> "dict[str, tuple[np.ndarray, ...]]":
    """Return the tokens of each split.

    The text is cut into 20 blocks of equal length. The seed chooses 2 for validation and 4 for the test set; the rest
    is for training. Within a split, blocks stay in the order of the text. Characters that occur fewer than `MIN_COUNT`
    times in the training set are unknown in all splits.

    Raises:
        UserError: If the training set consists of one token, over and over.
    """
    import numpy as np

    blocks = np.array_split(encode(text, characters), BLOCKS)
    order = np.random.default_rng(seed).permutation(BLOCKS)
    held_out = VALIDATION_BLOCKS + TEST_BLOCKS
    chosen = dict(train=order[held_out:], validation=order[:VALIDATION_BLOCKS], test=order[VALIDATION_BLOCKS:held_out])
    tokens = {name: np.concatenate([blocks[k] for k in sorted(places)]) for name, places in chosen.items()}
    is_rare = np.bincount(tokens["train"], minlength=len(characters)) < MIN_COUNT
    splits: dict[str, tuple[np.ndarray, ...]] = {
        name: (np.where(is_rare[each], 0, each),) for name, each in tokens.items()
    }
    if len(np.unique(splits["train"][0])) < 2:
        raise UserError(f"With seed {seed}, the training set has only one distinct character. Use another seed.")
    return splits
