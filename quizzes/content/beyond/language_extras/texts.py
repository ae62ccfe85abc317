"""Counting and aligning words: n-grams, documents, edit distance and CTC paths, with exact numbers."""

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise, product

from quizzes.expressions.tree import Value
from workbench.errors import UserError

MAX_CELLS = 250_000  # of an edit-distance table
MAX_PATHS = 100_000  # that are listed

START, END = "<s>", "</s>"


def split_sentences(text: str) -> list[list[str]]:
    """Return the words of each sentence of a text; sentences end with a period or a line break.

    Raises:
        UserError: If there is no word.
    """
    sentences = [line.split() for part in text.lower().splitlines() for line in part.split(".")]
    if not any(sentences):
        raise UserError("The text has no words. Give at least one.")
    return [words for words in sentences if words]


def bigrams(sentences: Sequence[Sequence[str]]) -> Counter[tuple[str, str]]:
    """Count the pairs of adjacent words, with the start and the end of each sentence as words."""
    padded = [[START, *words, END] for words in sentences]
    return Counter(pair for words in padded for pair in pairwise(words))


def align(reference: Sequence[str], hypothesis: Sequence[str]) -> tuple[list[list[int]], list[tuple[str, str, str]]]:
    """Return the table of edit distances and the operations of one cheapest alignment.

    An operation is `=` (equal), `S` (substitution), `D` (deletion from the reference) or `I` (insertion), with the
    element of the reference and that of the hypothesis. If several alignments are cheapest, substitutions are
    preferred to deletions, and those to insertions, from the end.

    Raises:
        UserError: If the table is too large.
    """
    if (len(reference) + 1) * (len(hypothesis) + 1) > MAX_CELLS:
        raise UserError(f"The texts are too long: their edit-distance table may have {MAX_CELLS:,} cells.")
    table = [[i + j if not i or not j else 0 for j in range(len(hypothesis) + 1)] for i in range(len(reference) + 1)]
    for i, a in enumerate(reference, 1):
        for j, b in enumerate(hypothesis, 1):
            table[i][j] = min(table[i - 1][j - 1] + (a != b), table[i - 1][j] + 1, table[i][j - 1] + 1)
    operations = []
    i, j = len(reference), len(hypothesis)
    while i or j:
        if i and j and table[i][j] == table[i - 1][j - 1] + (reference[i - 1] != hypothesis[j - 1]):
            i, j = i - 1, j - 1
            operations.append(("=" if reference[i] == hypothesis[j] else "S", reference[i], hypothesis[j]))
        elif i and table[i][j] == table[i - 1][j] + 1:
            i -= 1
            operations.append(("D", reference[i], ""))
        else:
            j -= 1
            operations.append(("I", "", hypothesis[j]))
    return table, operations[::-1]


def collapse(path: Sequence[str], blank: str) -> list[str]:
    """Return the labels of a CTC path: merge repeats, then drop blanks."""
    merged = [label for k, label in enumerate(path) if k == 0 or label != path[k - 1]]
    return [label for label in merged if label != blank]


def ctc_paths(symbols: Sequence[str], steps: int, blank: str, labels: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """Yield the paths, as indices of symbols, that collapse to some labels.

    Raises:
        UserError: If there are too many paths to list.
    """
    if len(symbols) ** steps > MAX_PATHS:
        raise UserError(
            f"{len(symbols)} symbols and {steps} steps have too many paths to list (at most {MAX_PATHS:,})."
        )
    for path in product(range(len(symbols)), repeat=steps):
        if collapse([symbols[k] for k in path], blank) == list(labels):
            yield path


def ctc_probability(P: Sequence[Sequence[Value]], symbols: Sequence[str], blank: str, labels: Sequence[str]) -> Value:
    """Return the probability of labels, summed over all paths by the forward algorithm.

    Args:
        P: The probability of each symbol, a row per time step.
        symbols: The symbols of the columns.
        blank: The blank symbol.
        labels: The labels.
    """
    column = {symbol: k for k, symbol in enumerate(symbols)}
    extended = [blank, *(symbol for label in labels for symbol in (label, blank))]
    alpha: list[Value] = [Fraction(0)] * len(extended)
    for t, row in enumerate(P):
        previous = alpha
        alpha = []
        for position, symbol in enumerate(extended):
            total = previous[position] + (previous[position - 1] if position else 0)
            if position > 1 and symbol not in (blank, extended[position - 2]):
                total += previous[position - 2]
            if t == 0:
                total = Fraction(position < 2)
            alpha.append(total * row[column[symbol]])
    return sum(alpha[-2:])


def overlap(reference: Sequence[str], candidate: Sequence[str], n: int) -> tuple[int, int, int]:
    """Return the number of n-grams that two texts share (each as often as in both), and those of each text."""
    a, b = (Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1)) for words in (reference, candidate))
    return sum((a & b).values()), sum(a.values()), sum(b.values())


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> list[str]:
    """Return a longest common subsequence: words in the order of both texts, not necessarily adjacent.

    Raises:
        UserError: If the table is too large.
    """
    if (len(a) + 1) * (len(b) + 1) > MAX_CELLS:
        raise UserError(f"The texts are too long: the table of common subsequences may have {MAX_CELLS:,} cells.")
    length = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            equal, skipped = length[i + 1][j + 1] + 1, max(length[i + 1][j], length[i][j + 1])
            length[i][j] = equal if a[i] == b[j] else skipped
    i = j = 0
    words = []
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            words.append(a[i])
            i, j = i + 1, j + 1
        elif length[i + 1][j] >= length[i][j + 1]:
            i += 1
        else:
            j += 1
    return words
