"""Byte-pair encoding by hand, on characters: training and applying merges.

Of pairs that are equally frequent, the one that occurs first is merged, reading the words in their order from left to
right.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from workbench.errors import UserError

Pair = tuple[str, str]
Corpus = dict[tuple[str, ...], int]  # the tokens of each word, with its number of occurrences

MAX_CHARACTERS, MAX_MERGES = 20_000, 500


def read_words(text: str) -> dict[str, int]:
    """Return how often each word of a text occurs, in the order of their first occurrence."""
    return dict(Counter(text.split()))


def split_words(words: Mapping[str, int], end: str = "") -> Corpus:
    """Return the words as tuples of characters, each followed by the end-of-word symbol if there is one.

    Raises:
        UserError: If there is no word, or too many characters.
    """
    if not words:
        raise UserError("There are no words to learn merges from. Give at least one.")
    if sum(map(len, words)) > MAX_CHARACTERS:
        raise UserError(f"The different words may have {MAX_CHARACTERS:,} characters in all. Use a shorter text.")
    return {(*word, *([end] if end else [])): count for word, count in words.items()}


def count_pairs(corpus: Corpus) -> Counter[Pair]:
    """Count the pairs of adjacent tokens, in the order of their first occurrence."""
    counts: Counter[Pair] = Counter()
    for tokens, count in corpus.items():
        for pair in pairwise(tokens):
            counts[pair] += count
    return counts


def merge_pair(tokens: Sequence[str], pair: Pair) -> tuple[str, ...]:
    """Join each occurrence of a pair, from left to right."""
    merged: list[str] = []
    k = 0
    while k < len(tokens):
        is_pair = tuple(tokens[k : k + 2]) == pair
        merged.append("".join(pair) if is_pair else tokens[k])
        k += 2 if is_pair else 1
    return tuple(merged)


def merges_of(corpus: Corpus, count: int) -> Iterator[tuple[Pair, int, Corpus]]:
    """Yield each merge: its pair, how often the pair occurs, and the corpus after it; fewer if no pair is left."""
    for _ in range(count):
        counts = count_pairs(corpus)
        if not counts:
            return
        pair = max(counts, key=counts.__getitem__)  # the first one of those with the largest count
        corpus = {merge_pair(tokens, pair): times for tokens, times in corpus.items()}
        yield pair, counts[pair], corpus


def count_tokens(corpus: Corpus) -> int:
    """Return the number of tokens of a corpus."""
    return sum(len(tokens) * count for tokens, count in corpus.items())


def encode(word: str, merges: Sequence[Pair]) -> tuple[str, ...]:
    """Split a word into tokens: apply the merges in the order in which they were learned."""
    tokens = tuple(word)
    for pair in merges:
        tokens = merge_pair(tokens, pair)
    return tokens
