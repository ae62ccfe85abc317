"""Greedy and beam search over a table of next-word probabilities, with exact numbers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log

from quizzes.expressions.tree import Value
from workbench.errors import UserError

TOLERANCE = Fraction(1, 10**6)  # of probabilities that must add up to 1


@dataclass(frozen=True)
class Hypothesis:
    """A partial output.

    Attributes:
        words: Its words, by index.
        p: Its probability.
        is_complete: Whether its last word ends it.
    """

    words: tuple[int, ...] = ()
    p: Value = 1
    is_complete: bool = False

    def score(self, alpha: Value) -> Value:
        """Return ln p/length^alpha; for alpha = 0 the probability itself, which is exact and orders them alike."""
        if alpha == 0:
            return self.p
        p = Fraction(self.p)  # log of a tiny fraction, which a float would round to 0
        return (log(p.numerator) - log(p.denominator)) / len(self.words) ** float(alpha)


@dataclass(frozen=True)
class Table:
    """Probabilities of the next word.

    Attributes:
        words: The vocabulary.
        start: The probability of each first word.
        P: The probability of each next word, a row per previous word.
        end: The index of the word that ends an output; None if there is none.
    """

    words: Sequence[str]
    start: Sequence[Value]
    P: Sequence[Sequence[Value]]
    end: int | None = None

    def expand(self, hypothesis: Hypothesis) -> Iterator[Hypothesis]:
        """Yield the continuations of a hypothesis that have a positive probability; itself if it is complete."""
        if hypothesis.is_complete:
            yield hypothesis
            return
        row = self.P[hypothesis.words[-1]] if hypothesis.words else self.start
        for word, p in enumerate(row):
            if p > 0:
                yield Hypothesis((*hypothesis.words, word), hypothesis.p * p, word == self.end)

    def text(self, hypothesis: Hypothesis) -> str:
        """Return the words of a hypothesis."""
        return " ".join(self.words[k] for k in hypothesis.words)


def read_table(words: list[str], start: list[Value], P: list[list[Value]], end: str | None) -> Table:
    """Return the table of the inputs.

    Raises:
        UserError: If its sizes don't fit, or its rows are not probabilities.
    """
    if len(set(words)) < len(words):
        raise UserError("words has a word twice. Give every word once.")
    if len(start) != len(words) or len(P) != len(words) or len(P[0]) != len(words):
        raise UserError(f"For {len(words)} words, start needs as many values, and P as many rows and columns.")
    for name, row in (("start", start), *((f"The row of P after {w!r}", row) for w, row in zip(words, P, strict=True))):
        if any(row) and abs(sum(row) - 1) > TOLERANCE:
            raise UserError(f"{name} must add up to 1 (or be all 0, if nothing follows), not to {float(sum(row)):g}.")
    if end is not None and end not in words:
        raise UserError(f"end must be one of the words {', '.join(words)}, not {end[:30]!r}.")
    return Table(words, start, P, None if end is None else list(words).index(end))


def beam_steps(
    table: Table, k: int, steps: int, alpha: Value = 0
) -> Iterator[tuple[list[Hypothesis], list[Hypothesis]]]:
    """Yield for each step the candidates, best first, and the k of them that are kept; equal ones in table order."""
    beam = [Hypothesis()]
    for _ in range(steps):
        candidates = [longer for one in beam for longer in table.expand(one)]
        if not candidates or all(one.is_complete for one in beam):
            return
        candidates.sort(key=lambda one: -one.score(alpha))
        beam = candidates[:k]
        yield candidates, beam


def search(table: Table, k: int, steps: int, alpha: Value = 0) -> Hypothesis:
    """Return the best hypothesis of a beam search; greedy search for k = 1.

    Raises:
        UserError: If no word can be the first.
    """
    for _, beam in beam_steps(table, k, steps, alpha):
        best = beam[0]
    try:
        return best
    except UnboundLocalError:
        raise UserError("start must have a positive probability.") from None
