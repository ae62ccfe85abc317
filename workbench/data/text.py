"""Text as tokens, one for each character: the vocabulary, and the splits."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

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


class Tokenizer(Protocol):
    """What turns texts into tokens.

    Attributes:
        first: The number of the first token that a text can have.
        size: The number of tokens that a network must have.
    """

    @property
    def first(self) -> int: ...

    @property
    def size(self) -> int: ...

    def encode(self, text: str) -> "np.ndarray":
        """Return the tokens of a text (length,), int64."""
        ...

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens."""
        ...

    def label(self, token: int) -> str:
        """Return a token as text."""
        ...

    def characters(self) -> "np.ndarray":
        """Return how many characters begin in each token (size,)."""
        ...


@dataclass(frozen=True)
class Characters:
    """A tokenizer with a token for each frequent character; 0 is the unknown one, which no text continues with."""

    vocabulary: str
    first: int = 1

    @property
    def size(self) -> int:
        """The number of tokens, the unknown one included."""
        return len(self.vocabulary)

    def encode(self, text: str) -> "np.ndarray":
        """Return the tokens of a text (length,), int64."""
        return encode(text, self.vocabulary)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens."""
        return decode(tokens, self.vocabulary)

    def label(self, token: int) -> str:
        """Return the character of a token."""
        return self.vocabulary[token]

    def characters(self) -> "np.ndarray":
        """Return 1 for each token (size,)."""
        import numpy as np

        return np.ones(self.size, np.int64)


def encode(text: str, characters: str) -> "np.ndarray":
    """Return the tokens of a text (length,), int64, for a vocabulary of these characters."""
    import numpy as np

    codes, known = (np.frombuffer(each.encode("utf-32-le", "surrogatepass"), np.uint32) for each in (text, characters))
    places = np.searchsorted(known[1:], codes).clip(max=len(known) - 2)
    return np.where(known[1:][places] == codes, places + 1, 0)


def decode(tokens: Iterable[int], characters: str) -> str:
    """Return the text of tokens."""
    return "".join(characters[token] for token in tokens)


def split_blocks(text: str, seed: int) -> dict[str, list[str]]:
    """Return the blocks of each split.

    The text is cut into 20 blocks of equal length. The seed chooses 2 for validation and 4 for the test set; the rest
    is for training. Within a split, blocks stay in the order of the text.
    """
    import numpy as np

    order = np.random.default_rng(seed).permutation(BLOCKS)
    held_out = VALIDATION_BLOCKS + TEST_BLOCKS
    chosen = dict(train=order[held_out:], validation=order[:VALIDATION_BLOCKS], test=order[VALIDATION_BLOCKS:held_out])
    length, longer = divmod(len(text), BLOCKS)  # the first blocks are longer by one character
    starts = [k * length + min(k, longer) for k in range(BLOCKS + 1)]
    return {name: [text[starts[k] : starts[k + 1]] for k in sorted(places)] for name, places in chosen.items()}


def split(text: str, characters: str, seed: int) -> "dict[str, tuple[np.ndarray, ...]]":
    """Return the tokens of the blocks of each split.

    Characters that occur fewer than `MIN_COUNT`
    times in the training set are unknown in all splits.

    Raises:
        UserError: If the training set consists of one token, over and over.
    """
    import numpy as np

    tokens = {name: encode("".join(blocks), characters) for name, blocks in split_blocks(text, seed).items()}
    is_rare = np.bincount(tokens["train"], minlength=len(characters)) < MIN_COUNT
    splits: dict[str, tuple[np.ndarray, ...]] = {
        name: (np.where(is_rare[each], 0, each),) for name, each in tokens.items()
    }
    if len(np.unique(splits["train"][0])) < 2:
        raise UserError(f"With seed {seed}, the training set has only one distinct character. Use another seed.")
    return splits
