"""Scaled dot-product attention, and BLEU for translations."""

from collections import Counter
from fractions import Fraction

from quizzes.formulas import formula

SELF_ATTENTION = formula(
    "self-attention",
    """
    S[i, j] = sum(k, Q[i, k]*K[j, k])/sqrt(d_k)
    A[i, j] = exp(S[i, j])/sum(m, exp(S[i, m]))
    O[i, k] = sum(j, A[i, j]*V[j, k])
    """,
    topic="self-attention",
    title="Scaled dot-product attention",
    source="Vaswani et al., Attention Is All You Need, 2017 (arXiv:1706.03762)",
    Q="matrix; queries, one row per token",
    K="matrix; keys, one row per token",
    V="matrix; values, one row per token",
    d_k="int 1..512; key dimension",
    S="matrix; scaled scores",
    A="matrix; attention weights, one row per query",
    O="matrix; output, one row per query",
)


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


BLEU = formula(
    "bleu",
    """
    BP = min(1, exp(1 - r/c))
    BLEU = BP*(p1*p2*p3*p4)^(1/4)
    """,
    topic="bleu",
    title="BLEU-4 of one candidate",
    source="Papineni et al., BLEU, ACL 2002: the exponential of the mean of ln p_n is the fourth root of the product",
    procedure=_count,
    procedure_outputs="p1 p2 p3 p4 c r",
    candidate="text; candidate translation, words separated by spaces",
    references="texts; reference translations",
    p1="fraction; clipped precision of 1-grams",
    p2="fraction; clipped precision of 2-grams",
    p3="fraction; clipped precision of 3-grams",
    p4="fraction; clipped precision of 4-grams",
    c="int; number of words of the candidate",
    r="int; number of words of the reference closest in length",
    BP="real; brevity penalty",
    BLEU="real; BLEU score, from 0 to 1",
)
