"""Text as words: how it is split into them, the vocabulary, and sentences as rows of tokens.

Token 0 is `<pad>`, which fills the rows of shorter sentences, and token 1 is `<unk>`, which stands for every word that
is not in the vocabulary. A dataset of sentences declares `modality="sentences"` or `"tags"`, and has a function
`vocabulary` besides `load`.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MODALITIES = ("sentences", "tags", "words", "passages")
PAD, UNKNOWN = "<pad>", "<unk>"
PAD_TOKEN, UNKNOWN_TOKEN = 0, 1
NO_TAG = -1  # after the last word of a sentence
MIN_COUNT = 2  # occurrences of a word with a token of its own, in the data and in their training set
MAX_VOCABULARY = 20_000
MAX_LENGTH = 400  # words of a sentence
WORD = re.compile(r"\w+(?:['’-]\w+)*|[^\w\s]")


def split_words(text: str) -> list[str]:
    """Return the words and the punctuation marks of a text, in lower case."""
    return WORD.findall(text.lower())


def build_vocabulary(sentences: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Return the word of each token: `<pad>`, `<unk>`, then the frequent words, the most frequent first."""
    counts = Counter(word for sentence in sentences for word in sentence)
    frequent = sorted((word for word in counts if counts[word] >= MIN_COUNT), key=lambda word: (-counts[word], word))
    return (PAD, UNKNOWN, *frequent[: MAX_VOCABULARY - 2])


def encode(sentences: Sequence[Sequence[str]], vocabulary: Sequence[str]) -> "np.ndarray":
    """Return tokens (N, length), int64: one row per sentence, padded with 0."""
    tokens = {word: token for token, word in enumerate(vocabulary)}
    return pad([[tokens.get(word, UNKNOWN_TOKEN) for word in sentence] for sentence in sentences], PAD_TOKEN)


def decode(tokens: Iterable[int], vocabulary: Sequence[str]) -> list[str]:
    """Return the words of tokens, without padding."""
    return [vocabulary[token] for token in tokens if token != PAD_TOKEN]


def pad(rows: Sequence[Sequence[int]], value: int) -> "np.ndarray":
    """Return rows of different lengths as one array (N, longest), int64, filled with a value."""
    import numpy as np

    padded = np.full((len(rows), max(map(len, rows))), value, np.int64)
    for row, numbers in zip(padded, rows, strict=True):
        row[: len(numbers)] = numbers
    return padded


def hide_rare(splits: "dict[str, tuple[np.ndarray, ...]]") -> "dict[str, tuple[np.ndarray, ...]]":
    """Return splits in which words that occur fewer than `MIN_COUNT` times in the training set are unknown."""
    import numpy as np

    size = 1 + max(int(columns[0].max()) for columns in splits.values())
    is_rare = np.bincount(splits["train"][0].ravel(), minlength=size) < MIN_COUNT
    is_rare[PAD_TOKEN] = False
    return {
        split: (np.where(is_rare[tokens], UNKNOWN_TOKEN, tokens), *others)
        for split, (tokens, *others) in splits.items()
    }


def similar(word: str, vocabulary: Sequence[str]) -> list[str]:
    """Return the words of a vocabulary that are spelled like a word, the closest first."""
    return get_close_matches(word, vocabulary[2:], n=3, cutoff=0.6)
