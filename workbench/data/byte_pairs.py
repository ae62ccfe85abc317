"""Byte-pair encoding of bytes, as GPT-2 does: a text becomes tokens, each a sequence of bytes that is frequent.

Sennrich, Haddow, Birch, Neural machine translation of rare words with subword units (2016); on bytes: Radford et al.,
Language models are unsupervised multitask learners (2019), section 2.2.

Encoding. The text is split into words, each with the space before it. A word begins as its bytes in UTF-8. Then the two
neighboring tokens that were merged first in training are merged, the leftmost ones if there are several, until no
neighbors form a known pair. Every text can be encoded, since each byte is a token, and decoding returns it.

Training. The pair of neighboring tokens that is most frequent within words becomes a token, again and again. Among
equally frequent pairs, it is the one whose first token has the smallest number, then the one whose second token does.

The files of vocabularies write each byte as a printable character: a space is Ġ, a line break Ċ.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import TYPE_CHECKING
from unicodedata import category

from workbench.data.text import split_blocks
from workbench.errors import UserError

if TYPE_CHECKING:
    import numpy as np

TIE_RULE = "of equally frequent pairs, the one with the smallest numbers is merged"
MIN_COUNT = 2  # occurrences of a pair that becomes a token
MAX_CACHED = 100_000  # words
WHITE_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
# GPT-2's rule, over the kinds of characters: 's 't 're 've 'm 'll 'd; letters, digits or others, with a space before;
# white space but for one character, which belongs to the next word if it is a space.
WORD = re.compile(r"'(?:[stmd]|ll|ve|re)| ?[a-z]+| ?0+| ?[^\s0a-z]+|\s+(?!\S)|\s+")
CONTRACTED = "stmdlver"  # letters that keep their own kind


def _byte_characters() -> str:
    """Return the character that stands for each of the 256 bytes: itself if it is visible, or one from U+0100 on."""
    visible = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return "".join(chr(byte if byte in visible else next(others)) for byte in range(256))


CHARACTERS = _byte_characters()
BYTES = {character: byte for byte, character in enumerate(CHARACTERS)}
ALPHABET = sorted(CHARACTERS)  # tokens 0 to 255


class _Kinds(dict[int, str]):
    """The kind of each character, computed when it first occurs: a letter, 0, a space, a tab, ' or a full stop."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character in " '" or character in CONTRACTED:
            kind = character
        elif character in WHITE_SPACE:
            kind = "\t"
        else:
            kind = {"L": "a", "N": "0"}.get(category(character)[0], ".")
        self[code] = kind
        return kind


_KINDS = _Kinds()


def split_words(text: str) -> list[str]:
    """Return the words of a text, which are encoded one by one; together they are the text."""
    return [text[match.start() : match.end()] for match in WORD.finditer(text.translate(_KINDS))]


class BytePairs:
    """A tokenizer.

    Args:
        vocabulary: Token -> its number. Tokens are written with the characters that stand for bytes.
        merges: The pairs of tokens that are merged, the first one first.

    Attributes:
        first: The number of the first token that a text can have.

    Raises:
        ValueError: If a byte has no token, or a merge is of tokens, or results in a token, that there is not.
    """

    first = 0

    def __init__(self, vocabulary: Mapping[str, int], merges: Sequence[tuple[str, str]]):
        missing = next((byte for byte, character in enumerate(CHARACTERS) if character not in vocabulary), None)
        if missing is not None:
            raise ValueError(f"there is no token for byte 0x{missing:02x}, and there must be one for each byte")
        self.vocabulary, self.merges = vocabulary, merges
        self._ranks: dict[tuple[int, int], tuple[int, int]] = {}  # pair -> its rank, and the merged token
        for rank, (left, right) in enumerate(merges):
            for token in (left, right, left + right):
                if token not in vocabulary:
                    raise ValueError(f"merge {rank + 1} is of {left!r} and {right!r}, but there is no token {token!r}")
            self._ranks[vocabulary[left], vocabulary[right]] = rank, vocabulary[left + right]
        self._of_byte = [vocabulary[character] for character in CHARACTERS]
        self._cached: dict[str, list[int]] = {}

    @property
    def size(self) -> int:
        """The number of tokens that a network must have."""
        return len(self._bytes)

    @cached_property
    def _bytes(self) -> list[bytes]:
        """The bytes of each token."""
        tokens = [b""] * (1 + max(self.vocabulary.values()))
        for token, number in self.vocabulary.items():
            is_of_bytes = all(character in BYTES for character in token)
            tokens[number] = bytes(BYTES[character] for character in token) if is_of_bytes else token.encode()
        return tokens

    def encode(self, text: str) -> "np.ndarray":
        """Return the tokens of a text (length,), int64."""
        import numpy as np

        tokens: list[int] = []
        for word in split_words(text):
            if word not in self._cached:
                if len(self._cached) >= MAX_CACHED:
                    self._cached.clear()
                self._cached[word] = self._merge([self._of_byte[byte] for byte in word.encode("utf-8", "replace")])
            tokens += self._cached[word]
        return np.array(tokens, np.int64)

    def _merge(self, tokens: list[int]) -> list[int]:
        """Return the tokens of a word, given those of its bytes."""
        after, before = list(range(1, len(tokens) + 1)), list(range(-1, len(tokens) - 1))
        is_merged = [False] * len(tokens)
        queue = [(*self._ranks[pair], place) for place, pair in enumerate(pairwise(tokens)) if pair in self._ranks]
        queue = [(rank, place, token) for rank, token, place in queue]
        heapify(queue)
        while queue:
            _, place, token = heappop(queue)
            right = after[place]
            if is_merged[place] or right == len(tokens):
                continue
            if self._ranks.get((tokens[place], tokens[right]), (0, -1))[1] != token:
                continue  # one of the two has been merged since
            tokens[place], is_merged[right] = token, True
            after[place] = after[right]
            if after[place] < len(tokens):
                before[after[place]] = place
            for left in (before[place], place):
                if left >= 0 and after[left] < len(tokens):
                    pair = tokens[left], tokens[after[left]]
                    if pair in self._ranks:
                        rank, merged = self._ranks[pair]
                        heappush(queue, (rank, left, merged))
        return [token for token, gone in zip(tokens, is_merged, strict=True) if not gone]

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the text of tokens; bytes that are not UTF-8 become U+FFFD."""
        return b"".join(self._bytes[token] for token in tokens).decode("utf-8", "replace")

    def label(self, token: int) -> str:
        """Return a token as text; its bytes if they are a part of a character."""
        content = self._bytes[token]
        try:
            return content.decode()
        except UnicodeDecodeError:
            return " ".join(f"0x{byte:02x}" for byte in content)

    def characters(self) -> "np.ndarray":
        """Return how many characters begin in each token (size,): the bytes that do not continue a character."""
        import numpy as np

        return np.array([sum(byte >> 6 != 0b10 for byte in token) for token in self._bytes])


def split(text: str, tokenizer: BytePairs, seed: int) -> "dict[str, tuple[np.ndarray, ...]]":
    """Return the tokens of each split, which has the same blocks as that of the text's characters.

    Raises:
        UserError: If the training set consists of one token, over and over.
    """
    import numpy as np

    splits: dict[str, tuple[np.ndarray, ...]] = {
        name: (np.concatenate([tokenizer.encode(block) for block in blocks]),)
        for name, blocks in split_blocks(text, seed).items()
    }
    if len(np.unique(splits["train"][0])) < 2:
        raise UserError(f"With seed {seed}, the training set has only one distinct token. Use another seed.")
    return splits


def train(text: str, size: int, min_count: int = MIN_COUNT) -> BytePairs:
    """Return a tokenizer of at most `size` tokens that is trained on a text.

    Args:
        text: The text.
        size: The largest number of tokens, 256 or more.
        min_count: A pair must occur this often to become a token.
    """
    words = Counter(split_words(text))
    tokens = {character: number for number, character in enumerate(ALPHABET)}
    names = list(ALPHABET)
    sequences = [[tokens[CHARACTERS[byte]] for byte in word.encode("utf-8", "replace")] for word in words]
    counts: Counter[tuple[int, int]] = Counter()
    places: defaultdict[tuple[int, int], set[int]] = defaultdict(set)  # pair -> words that have it
    weights = list(words.values())
    for index, sequence in enumerate(sequences):
        for pair in pairwise(sequence):
            counts[pair] += weights[index]
            places[pair].add(index)
    queue = [(-count, pair) for pair, count in counts.items()]
    heapify(queue)
    merges: list[tuple[str, str]] = []
    while queue and len(names) < size:
        negative, best = heappop(queue)
        if counts[best] != -negative:
            continue  # an older count
        if -negative < max(1, min_count):
            break
        left, right = (names[token] for token in best)
        merged = tokens.setdefault(left + right, len(names))
        if merged == len(names):
            names.append(left + right)
        merges.append((left, right))
        changed: set[tuple[int, int]] = set()
        for index in places.pop(best):
            old = sequences[index]
            new = sequences[index] = _replace(old, best, merged)
            for sequence, sign in ((old, -1), (new, 1)):
                for pair in pairwise(sequence):
                    counts[pair] += sign * weights[index]
                    changed.add(pair)
            for pair in pairwise(new):
                places[pair].add(index)
        for pair in changed:
            if counts[pair] > 0:
                heappush(queue, (-counts[pair], pair))
    return BytePairs(tokens, merges)


def _replace(tokens: list[int], pair: tuple[int, int], merged: int) -> list[int]:
    """Return tokens in which each occurrence of a pair is merged, from the left."""
    result: list[int] = []
    for token in tokens:
        if result and (result[-1], token) == pair:
            result[-1] = merged
        else:
            result.append(token)
    return result
