"""BLEU: formulas."""

from collections import Counter
from fractions import Fraction

from quizzes.formula import Formula
from quizzes.symbols import Int, Rational, Real, Text, Texts, Vector


def ngrams(sentence: str, n: int) -> Counter[tuple[str, ...]]:
    """Count the n-grams of a sentence: its sequences of n adjacent words."""
    words = sentence.split()
    return Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1))


def clipped_precision(candidate: str, references: list[str], n: int) -> Fraction:
    """Return the fraction of the candidate's n-grams that match, clipped to the count in any one reference."""
    counts = ngrams(candidate, n)
    most = {gram: max(ngrams(r, n)[gram] for r in references) for gram in counts}
    return Fraction(sum(min(count, most[gram]) for gram, count in counts.items()), max(1, sum(counts.values())))


def closest_length(candidate: str, references: list[str]) -> int:
    """Return the length of the reference that is closest to the candidate's length; in a tie, the shorter one."""
    c = len(candidate.split())
    return min((len(r.split()) for r in references), key=lambda length: (abs(length - c), length))


def _count(candidate: str, references: list[str]) -> dict[str, object]:
    precisions = {f"p{n}": clipped_precision(candidate, references, n) for n in range(1, 5)}
    return precisions | {"c": len(candidate.split()), "r": closest_length(candidate, references)}


BLEU = Formula(
    "bleu",
    """
    BP = where(c > r, 1, exp(1 - r/c))
    BLEU = BP*(p1*p2*p3*p4)^(1/4)
    """,
    title="BLEU-4 of one candidate",
    source="Papineni et al., BLEU, ACL 2002: the exponential of the mean of ln p_n is the fourth root of the product",
    procedure=_count,
    procedure_outputs="p1 p2 p3 p4 c r",
    candidate=Text(meaning="candidate translation, words separated by spaces"),
    references=Texts(meaning="reference translations"),
    p1=Rational(meaning="clipped precision of 1-grams"),
    p2=Rational(meaning="clipped precision of 2-grams"),
    p3=Rational(meaning="clipped precision of 3-grams"),
    p4=Rational(meaning="clipped precision of 4-grams"),
    c=Int(meaning="number of words of the candidate"),
    r=Int(meaning="number of words of the reference closest in length"),
    BP=Real(meaning="brevity penalty"),
    BLEU=Real(meaning="BLEU score, from 0 to 1"),
)


BLEU_FROM_PRECISIONS = Formula(
    "bleu-from-precisions",
    """
    BP = where(c > r, 1, exp(1 - r/c))
    BLEU = BP*prod(n, p[n])^(1/len(p))
    """,
    title="BLEU from precisions and lengths",
    source="Papineni et al., BLEU, ACL 2002, with equal weights",
    p=Vector(0, 1, "clipped precisions of 1-grams, 2-grams, ..."),
    c=Int(1, 1000000000, "number of words of all candidates"),
    r=Int(1, 1000000000, "number of words of their closest references"),
    BP=Real(0, meaning="brevity penalty"),
    BLEU=Real(0, meaning="BLEU score, from 0 to 1"),
)
