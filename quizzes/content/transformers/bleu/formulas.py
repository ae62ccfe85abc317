"""BLEU: formulas."""

from collections import Counter
from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Rational, Real, Text, Texts, Vector
from workbench.errors import UserError

BLEU_SOURCE = "Papineni et al., BLEU, ACL 2002"

PENALTY = "BP = where(c > r, 1, exp(1 - r/c))"


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


def corpus_counts(pairs: list[tuple[str, list[str]]], n: int) -> tuple[list[int], list[int], int, int]:
    """Return the clipped matches and the totals of 1-grams to n-grams, and both lengths, summed over a corpus.

    Args:
        pairs: Each candidate with its references.
        n: The longest n-grams.
    """
    matches, totals = [0] * n, [0] * n
    for candidate, references in pairs:
        for k in range(1, n + 1):
            counts = ngrams(candidate, k)
            most = {gram: max(ngrams(reference, k)[gram] for reference in references) for gram in counts}
            matches[k - 1] += sum(min(count, most[gram]) for gram, count in counts.items())
            totals[k - 1] += sum(counts.values())
    c = sum(len(candidate.split()) for candidate, _ in pairs)
    return matches, totals, c, sum(closest_length(candidate, references) for candidate, references in pairs)


def read_corpus(hypothesis: str, reference: str) -> list[tuple[str, list[str]]]:
    """Return each line of a text with the line of the reference that belongs to it.

    Raises:
        UserError: If there are not as many lines, or there is no word.
    """
    candidates, references = (text.splitlines() for text in (hypothesis, reference))
    if len(candidates) != len(references):
        raise UserError(
            f"hypothesis has {len(candidates)} lines and reference has {len(references)}. Give one reference per line."
        )
    if not hypothesis.split():
        raise UserError("hypothesis has no words. Give at least one.")
    return [(candidate, [line]) for candidate, line in zip(candidates, references, strict=True)]


def _count(
    candidate: str | None = None,
    references: list[str] | None = None,
    hypothesis: str | None = None,
    reference: str | None = None,
) -> dict[str, object]:
    if candidate is not None and references is not None:
        pairs = [(candidate, references)]
    elif hypothesis is not None and reference is not None:
        pairs = read_corpus(hypothesis, reference)
    else:
        raise UserError("bleu needs candidate and references, or hypothesis and reference with a sentence per line.")
    matches, totals, c, r = corpus_counts(pairs, 4)
    if c == 0:
        raise UserError("The candidate has no words. Give at least one.")
    precisions = {
        f"p{n}": Fraction(m, max(1, total)) for n, (m, total) in enumerate(zip(matches, totals, strict=True), 1)
    }
    return precisions | {"c": c, "r": r}


BLEU = Formula(
    "bleu",
    """
    BP = where(c > r, 1, exp(1 - r/c))
    BLEU = BP*(p1*p2*p3*p4)^(1/4)
    """,
    title="BLEU-4 of one candidate",
    conventions="""
No smoothing, equal weights. Words are separated by spaces, and upper and lower case differ.

For a corpus, give hypothesis and reference, with a sentence per line. Matches, n-grams and lengths are summed over all
sentences before dividing.
""",
    source="Papineni et al., BLEU, ACL 2002: the exponential of the mean of ln p_n is the fourth root of the product",
    procedure=_count,
    procedure_outputs="p1 p2 p3 p4 c r",
    candidate=Text(meaning="candidate translation, words separated by spaces", optional=True),
    references=Texts(meaning="reference translations", optional=True),
    hypothesis=Text(meaning="candidate translations, one per line", optional=True),
    reference=Text(meaning="their references, one per line", optional=True),
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


def _count_corpus(hypothesis: str, reference: str, n: int) -> dict[str, object]:
    matches, totals, c, r = corpus_counts(read_corpus(hypothesis, reference), n)
    return {"matches": matches, "totals": totals, "c": c, "r": r}


CORPUS_BLEU = Formula(
    "corpus-bleu",
    f"""
    p[k] = matches[k]/max(1, totals[k])
    {PENALTY}
    BLEU = BP*prod(k, p[k])^(1/n)
    """,
    title="BLEU of a corpus, with n-grams up to a given length",
    source=BLEU_SOURCE,
    conventions="No smoothing, equal weights. Matches, n-grams and lengths are summed over the corpus before dividing.",
    procedure=_count_corpus,
    procedure_outputs="matches totals c r",
    hypothesis=Text(meaning="candidate translations, one per line"),
    reference=Text(meaning="their references, one per line"),
    n=Int(1, 20, "longest n-grams", default=4),
    matches=Vector(meaning="clipped matches of 1-grams, 2-grams, ..."),
    totals=Vector(meaning="number of 1-grams, 2-grams, ... of the candidates"),
    c=Int(meaning="number of words of all candidates"),
    r=Int(meaning="number of words of all references"),
    p=Vector(meaning="precisions"),
    BP=Real(meaning="brevity penalty"),
    BLEU=Real(meaning="BLEU score, from 0 to 1"),
)


BREVITY_PENALTY = Formula(
    "brevity-penalty",
    PENALTY,
    title="Brevity penalty of BLEU",
    source=BLEU_SOURCE,
    c=Int(1, 1000000000, "number of words of the candidate"),
    r=Int(1, 1000000000, "number of words of the reference closest in length"),
    BP=Real(0, 1, "brevity penalty"),
)


def _clip(candidate: str, references: list[str], n: int) -> dict[str, int]:
    matches, totals, _, _ = corpus_counts([(candidate, references)], n)
    if totals[n - 1] == 0:
        raise UserError(f"The candidate has no n-grams of length {n}. Give at least {n} words.")
    return {"m": matches[n - 1], "w": totals[n - 1]}


CLIPPED_PRECISION = Formula(
    "bleu-clip",
    "p = m/w",
    title="Clipped n-gram precision",
    source=f"{BLEU_SOURCE}, section 2.1",
    conventions="The count of an n-gram is clipped to its largest count in any single reference.",
    procedure=_clip,
    procedure_outputs="m w",
    candidate=Text(meaning="candidate translation"),
    references=Texts(meaning="reference translations"),
    n=Int(1, 20, "length of the n-grams", default=1),
    m=Int(meaning="number of matches, clipped"),
    w=Int(meaning="number of n-grams of the candidate"),
    p=Rational(meaning="clipped precision"),
)


REPEATED_WORD = Formula(
    "bleu-repeated-word",
    "p = m/k",
    title="Clipped precision of a repeated word",
    source=f"{BLEU_SOURCE}, section 2.1, example 2",
    k=Int(1, meaning="number of words of the candidate, all the same"),
    m=Int(1, meaning="largest number of times that a reference contains the word"),
    p=Rational(meaning="clipped precision of 1-grams"),
)


BLEU_2 = Formula(
    "bleu-2",
    "B = where(c > r, 1, exp(1 - r/c))*sqrt(p1*p2)",
    title="BLEU-2 from precisions and lengths",
    source=BLEU_SOURCE,
    p1=Real(0, 1, "precision of 1-grams"),
    p2=Real(0, 1, "precision of 2-grams"),
    c=Int(1, 1000000, "number of words of the candidate"),
    r=Int(1, 1000000, "number of words of the reference"),
    B=Real(0, 1, "BLEU-2"),
)


TWO_SENTENCES = Formula(
    "bleu-two-sentences",
    """
    B1 = sqrt(a1/c1*b1/(c1 - 1))
    B2 = sqrt(a2/c2*b2/(c2 - 1))
    average = (B1 + B2)/2
    B = sqrt((a1 + a2)/(c1 + c2)*(b1 + b2)/(c1 + c2 - 2))
    """,
    title="BLEU-2 of a corpus of two sentences, and the mean of their BLEU-2",
    source=f"{BLEU_SOURCE}, section 2.1.1: matches and n-grams are summed over the corpus",
    conventions="The candidates are as long as their references, so the brevity penalty is 1.",
    c1=Int(2, 1000, "number of words of the first sentence"),
    a1=Int(0, 1000, "1-grams of the first sentence that match"),
    b1=Int(0, 1000, "2-grams of the first sentence that match"),
    c2=Int(2, 1000, "number of words of the second sentence"),
    a2=Int(0, 1000, "1-grams of the second sentence that match"),
    b2=Int(0, 1000, "2-grams of the second sentence that match"),
    B1=Real(0, 1, "BLEU-2 of the first sentence"),
    B2=Real(0, 1, "BLEU-2 of the second sentence"),
    average=Real(0, 1, "mean of both"),
    B=Real(0, 1, "BLEU-2 of the corpus"),
)


def _diagnose_zero(candidate: str, reference: str) -> dict[str, Any]:
    matches, totals, _, _ = corpus_counts([(candidate, [reference])], 4)
    problem = "words" if matches[0] == 0 else "short" if totals[3] == 0 else "order"
    best = max((k for k in range(1, 5) if all(matches[:k])), default=0)
    return {"p1": Fraction(matches[0], totals[0]), "k": best, "problem": problem}


BLEU_ZERO = Formula(
    "bleu-zero",
    "",
    title="Why BLEU-4 of a sentence is 0",
    source=f"{BLEU_SOURCE}; derivation: the geometric mean is 0 as soon as one precision is 0",
    procedure=_diagnose_zero,
    procedure_outputs="p1 k problem",
    candidate=Text(meaning="candidate translation"),
    reference=Text(meaning="reference translation"),
    p1=Rational(meaning="clipped precision of 1-grams"),
    k=Int(meaning="largest n for which BLEU-n is above 0"),
    problem=Choice(
        meaning="reason why BLEU-4 is 0",
        options=dict(
            short="the candidate has no 4-gram at all",
            order="no 4-gram matches, although words match",
            words="no word of the candidate matches",
        ),
        supported_by="p1 k",
    ),
)


LENGTH_BLEU = Formula(
    "bleu-by-length",
    """
    B_cut = exp(1 - r/c)
    B_long = sqrt(r/(r + k)*(r - 1)/(r + k - 1))
    """,
    title="BLEU-2 of a reference that is cut, or followed by other words",
    source=f"{BLEU_SOURCE}; derivation: all n-grams of the first c words match; with k other words at the end, r of r "
    f"+ k "
    "1-grams and r - 1 of r + k - 1 2-grams match, and there is no penalty",
    r=Int(2, 1000, "number of words of the reference"),
    c=Int(2, 1000, "number of its first words that the candidate has"),
    k=Int(0, 1000, "number of other words after the reference"),
    B_cut=Real(0, 1, "BLEU-2 of the first c words"),
    B_long=Real(0, 1, "BLEU-2 of the reference and k other words"),
)


def _three_candidates(reference: str, first: str, second: str, third: str) -> dict[str, Any]:
    counts = [corpus_counts([(candidate, [reference])], 2) for candidate in (first, second, third)]
    result: dict[str, Any] = {}
    for j, (matches, totals, c, _) in enumerate(counts, 1):
        result |= {
            f"p{j}": Fraction(matches[0], totals[0]),
            f"q{j}": Fraction(matches[1], max(1, totals[1])),
            f"c{j}": c,
        }
    return result | {"r": len(reference.split())}


BEST_OF_THREE = Formula(
    "bleu-best-of-three",
    """
    B1 = where(c1 > r, 1, exp(1 - r/c1))*sqrt(p1*q1)
    B2 = where(c2 > r, 1, exp(1 - r/c2))*sqrt(p2*q2)
    B3 = where(c3 > r, 1, exp(1 - r/c3))*sqrt(p3*q3)
    best = where(B1 > B2 and B1 > B3, 1, where(B2 > B3, 2, 3))
    """,
    title="BLEU-2 of three candidates",
    source=BLEU_SOURCE,
    procedure=_three_candidates,
    procedure_outputs="p1 q1 c1 p2 q2 c2 p3 q3 c3 r",
    reference=Text(meaning="reference"),
    first=Text(meaning="candidate A"),
    second=Text(meaning="candidate B"),
    third=Text(meaning="candidate C"),
    p1=Rational(meaning="1-gram precision of candidate A"),
    q1=Rational(meaning="2-gram precision of candidate A"),
    c1=Int(meaning="number of words of candidate A"),
    p2=Rational(meaning="1-gram precision of candidate B"),
    q2=Rational(meaning="2-gram precision of candidate B"),
    c2=Int(meaning="number of words of candidate B"),
    p3=Rational(meaning="1-gram precision of candidate C"),
    q3=Rational(meaning="2-gram precision of candidate C"),
    c3=Int(meaning="number of words of candidate C"),
    r=Int(meaning="length of the reference"),
    B1=Real(0, 1, "BLEU-2 of candidate A"),
    B2=Real(0, 1, "BLEU-2 of candidate B"),
    B3=Real(0, 1, "BLEU-2 of candidate C"),
    best=Choice(
        meaning="candidate with the highest BLEU-2",
        options=dict(A="candidate A", B="candidate B", C="candidate C"),
        supported_by="B1 B2 B3",
    ),
)


CLIP_LINE, TOTAL_LINE = 6, 7  # of the program of debug-bleu-clip


def _run_program(candidate: str, references: list[str], line: int | None = None) -> dict[str, Value]:
    counts = ngrams(candidate, 1)
    tables = [ngrams(reference, 1) for reference in references]
    clipped = sum(min(count, max(table[gram] for table in tables)) for gram, count in counts.items())
    summed = sum(min(count, sum(table[gram] for table in tables)) for gram, count in counts.items())
    words, different = sum(counts.values()), len(counts)
    printed = Fraction(summed, words) if line == CLIP_LINE else Fraction(clipped, different)
    return {"printed": printed, "fixed": Fraction(clipped, words)}


CLIP_PROGRAM = Formula(
    "bleu-clip-program",
    "",
    title="An incorrect clipped precision",
    source=f"{BLEU_SOURCE}, section 2.1: a count is clipped to its maximum in any single reference, and divided by the "
    "number of words of the candidate",
    procedure=_run_program,
    procedure_outputs="printed fixed",
    candidate=Text(meaning="candidate translation"),
    references=Texts(meaning="reference translations"),
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Rational(meaning="precision that is printed"),
    fixed=Rational(meaning="precision after the correction"),
)
