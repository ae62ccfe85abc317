"""BLEU: drills about clipping, the brevity penalty, and precisions."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.transformers.bleu.drills.sentences import SENTENCES
from quizzes.content.transformers.bleu.formulas import (
    BLEU_2,
    BLEU_FROM_PRECISIONS,
    BREVITY_PENALTY,
    CLIPPED_PRECISION,
    REPEATED_WORD,
    TWO_SENTENCES,
    ngrams,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


def _unclipped(candidate: str, references: list[str], n: int) -> int:
    of_references = set().union(*(ngrams(reference, n) for reference in references))
    return sum(count for gram, count in ngrams(candidate, n).items() if gram in of_references)


def _each_once(candidate: str, references: list[str], n: int) -> int:
    of_references = set().union(*(ngrams(reference, n) for reference in references))
    return sum(gram in of_references for gram in ngrams(candidate, n))


def _smallest_reference(candidate: str, references: list[str], n: int) -> int:
    return sum(min(count, *(ngrams(r, n)[gram] for r in references)) for gram, count in ngrams(candidate, n).items())


def _sum_of_references(candidate: str, references: list[str], n: int) -> int:
    return sum(min(count, sum(ngrams(r, n)[gram] for r in references)) for gram, count in ngrams(candidate, n).items())


def _over_reference(candidate: str, references: list[str], n: int) -> Fraction:
    counts = ngrams(candidate, n)
    clipped = sum(min(count, max(ngrams(r, n)[gram] for r in references)) for gram, count in counts.items())
    return Fraction(clipped, sum(ngrams(references[0], n).values()))


def _clip_steps(candidate: str, references: list[str], n: int, m: int, w: int, p: Fraction, **_: Any) -> list[Step]:
    counts = ngrams(candidate, n)
    rows = [(gram, count, max(ngrams(r, n)[gram] for r in references)) for gram, count in counts.items()]
    listing = ", ".join(f"'{' '.join(gram)}' {min(count, most)}" for gram, count, most in rows if most)
    return [
        Step(f"The candidate has {w} {n}-grams.", [f"w = {w}"]),
        Step(f"Clip each count to its largest count in any single reference: {listing or 'none'}.", [f"m = {m}"]),
        Step("Divide the matches by the number of n-grams of the candidate.", [f"p = {m}/{w}"]),
    ]


def _repeat_words(rng: Random, n: int) -> dict[str, Any]:
    """Return a candidate with repeated words, and one or two references."""
    words = rng.choice(SENTENCES).split()[: rng.randint(7, 10)]
    candidate = words[: rng.randint(5, 7)]
    for _ in range(2):
        k = rng.randrange(len(candidate) - n + 1)
        candidate[k:k] = candidate[k : k + n]
    if rng.random() < 0.5:
        candidate[rng.randrange(len(candidate))] = rng.choice(["nice", "big", "one"])
    references = [" ".join(words)]
    if n == 1 or rng.random() < 0.5:
        other = words[rng.randint(0, 2) :]
        other[rng.randrange(len(other))] = rng.choice(["nice", "one", "this"])
        references.append(" ".join(other))
    listing = "\n".join(f"Reference{f' {k}' if len(references) > 1 else ''}: {r}" for k, r in enumerate(references, 1))
    return dict(candidate=" ".join(candidate), references=references, n=n, listing=listing)


CLIP_PROMPT = (
    "Candidate: {candidate}\n{listing}\n"
    "How many {n}-grams does the candidate have (w), how many of them match, clipped as in BLEU (m), and what is the "
    "clipped precision p (as an exact fraction)?"
)

CLIP_MISTAKES = [
    Mistake(
        "not-clipped",
        {"m": _unclipped},
        "You did not clip. An n-gram counts at most as often as it occurs in any one reference.",
    ),
    Mistake(
        "over-reference-length",
        {"p": _over_reference},
        "You divided by the n-grams of the reference. A precision divides by those of the candidate.",
    ),
    Mistake(
        "different-only",
        {"w": lambda candidate, references, n: len(ngrams(candidate, n))},
        "Count repeated n-grams too.",
    ),
]


@drill(
    CLIPPED_PRECISION,
    tier=1,
    asks=("w", "m", "p"),
    prompt=CLIP_PROMPT,
    hint="How often does each word of the candidate occur in the reference that has it most often?",
    steps=_clip_steps,
    mistakes=[
        *CLIP_MISTAKES,
        Mistake(
            "each-once",
            {"m": _each_once},
            "You counted each different n-gram once. A repeated one counts as often as one reference contains it.",
        ),
        Mistake(
            "smallest-count",
            {"m": _smallest_reference},
            "You used the reference with the smallest count. Clip to the largest count in any one reference.",
        ),
        Mistake(
            "references-added",
            {"m": _sum_of_references},
            "You added the counts of the references. Clip to the largest count in any one of them.",
        ),
    ],
)
def bleu_clip(rng: Random) -> Inputs:
    """Clipped precision of words"""
    return _repeat_words(rng, 1)


@drill(
    CLIPPED_PRECISION,
    id="bleu-clip:bigrams",
    tier=2,
    asks=("w", "m", "p"),
    prompt=CLIP_PROMPT,
    hint="Write all pairs of adjacent words of the candidate. How many are there?",
    steps=_clip_steps,
    mistakes=[
        *CLIP_MISTAKES,
        Mistake(
            "words-counted",
            {"w": lambda candidate, references, n: len(candidate.split())},
            "You counted words. There is one pair less than words.",
        ),
    ],
)
def bleu_clip_bigrams(rng: Random) -> Inputs:
    """Clipped precision of pairs"""
    return _repeat_words(rng, 2)


@drill(
    REPEATED_WORD,
    id="bleu-clip:repeated",
    tier=1,
    asks=one_of("p", "k", "m"),
    prompt="A candidate repeats one word k = {k} times, and nothing else. The reference that has it most often "
    "contains "
    "it m = {m} times. The clipped precision of 1-grams is p = {p}.",
    hint="To which number is the count of the word clipped?",
    mistakes=[
        Mistake("inverted", "p = k/m", "You inverted the fraction. The number of words of the candidate is below."),
        Mistake("rest", "p = (k - m)/k", "That is the share of words that don't count."),
        Mistake("rest-below", "p = m/(k - m)", "Divide by all words of the candidate, matches included."),
    ],
)
def repeated_word(rng: Random) -> Inputs:
    """A repeated word"""
    k = rng.randint(4, 20)
    m = rng.randint(1, k - 1)
    if 2 * m == k or (k % m and rng.random() < 0.5):
        raise UndefinedValue("the mistakes must differ")
    return dict(k=k, m=m)


@drill(
    BREVITY_PENALTY,
    id="bleu-full:penalty",
    tier=1,
    asks=one_of("BP", "r"),
    prompt="A candidate has c = {c} words, and the reference closest in length has r = {r} words. The brevity penalty "
    "of "
    "BLEU is BP = {BP}.",
    hint="Is the candidate shorter than the reference? Which ratio is in the exponent?",
    mistakes=[
        Mistake("inverted", "BP = exp(1 - c/r)", "You inverted the ratio. The exponent is 1 - r/c."),
        Mistake("ratio", "BP = c/r", "You used the ratio of the lengths. The penalty is exp(1 - r/c)."),
        Mistake("no-one", "BP = exp(-r/c)", "You left out the 1. For c = r, the penalty must be 1."),
        Mistake("difference", "BP = exp((c - r)/r)", "You divided by r. The exponent is (c - r)/c = 1 - r/c."),
    ],
    digits={"BP": 4},
)
def brevity_penalty(rng: Random) -> Inputs:
    """Brevity penalty"""
    c = rng.randint(6, 40)
    return dict(c=c, r=c + rng.randint(1, max(2, c // 2)))


@drill(
    BLEU_FROM_PRECISIONS,
    id="bleu-full:precisions",
    tier=2,
    asks=("BP", "BLEU"),
    prompt="On a test set, a translator has the clipped precisions p = {p} for 1-grams to {count}-grams. Its outputs "
    "have c = {c} words in all, and their closest references r = {r} words.\n"
    "What are the brevity penalty BP and BLEU-{count} (from 0 to 1)?\n"
    "Conventions: natural logarithm; equal weights.",
    hint="Which mean of the precisions does BLEU use? Is there a penalty for these lengths?",
    mistakes=[
        Mistake(
            "penalty-inverted", "BP = where(r > c, 1, exp(1 - c/r))", "You inverted the ratio. The exponent is 1 - r/c."
        ),
        Mistake("penalty-always", "BP = exp(1 - r/c)", "Outputs that are longer than the references have no penalty."),
        Mistake(
            "arithmetic-mean", "BLEU = BP*mean(n, p[n])", "You used the arithmetic mean. BLEU uses the geometric mean."
        ),
        Mistake(
            "no-root",
            "BLEU = BP*prod(n, p[n])",
            "You left out the root. The geometric mean of N numbers has the exponent 1/N.",
        ),
        Mistake("no-penalty", "BLEU = prod(n, p[n])^(1/len(p))", "You left out the brevity penalty."),
        Mistake("root-of-all", "BLEU = (BP*prod(n, p[n]))^(1/len(p))", "The penalty is outside the root."),
    ],
)
def bleu_precisions(rng: Random) -> Inputs:
    """BLEU from precisions"""
    count = rng.choice([2, 3, 4, 4])
    p = sorted((rng.randint(15, 85) / 100 for _ in range(count)), reverse=True)
    c = rng.randint(80, 400)
    ratio = rng.choice([rng.uniform(1.05, 1.5), rng.uniform(1.05, 1.5), rng.uniform(0.75, 0.95)])
    return dict(p=p, c=c, r=round(c * ratio), count=count)


@drill(
    BLEU_2,
    id="bleu-full:inverse",
    tier=2,
    asks=one_of("B", "p1", "p2"),
    prompt="A candidate of c = {c} words has the 1-gram precision p1 = {p1} and the 2-gram precision p2 = {p2}. The "
    "reference has r = {r} words. Its BLEU-2 is B = {B} (from 0 to 1).",
    hint="BLEU-2 is a product of two factors. Which mean is the second one?",
    mistakes=[
        Mistake("no-penalty", "B = sqrt(p1*p2)", "You left out the brevity penalty."),
        Mistake(
            "arithmetic-mean",
            "B = where(c > r, 1, exp(1 - r/c))*(p1 + p2)/2",
            "You used the arithmetic mean. BLEU uses the geometric mean.",
        ),
        Mistake("no-root", "B = where(c > r, 1, exp(1 - r/c))*p1*p2", "You left out the square root."),
        Mistake("penalty-in-root", "B = sqrt(where(c > r, 1, exp(1 - r/c))*p1*p2)", "The penalty is outside the root."),
    ],
)
def bleu_inverse(rng: Random) -> Inputs:
    """Unknown precision"""
    c = rng.randint(10, 40)
    p1 = rng.randint(50, 90) / 100
    return dict(p1=p1, p2=round(p1 * rng.randint(40, 85) / 100, 2), c=c, r=c + rng.randint(1, c // 2))


@drill(
    TWO_SENTENCES,
    id="bleu-full:corpus",
    tier=2,
    asks=("B1", "B2", "average", "B"),
    prompt="A corpus has two sentences. The first output has {c1} words, of which {a1} match, and {b1} of its 2-grams "
    "match. The second has {c2} words, of which {a2} match, and {b2} of its 2-grams match. Both are as long as their "
    "references, and the matches are clipped.\n"
    "What is BLEU-2 of each sentence (B1, B2), their mean (average), and BLEU-2 of the corpus (B)? Scores "
    "are from 0 to 1.",
    hint="Does corpus BLEU average scores, or does it add up counts?",
    mistakes=[
        Mistake(
            "as-many-pairs",
            "B1 = sqrt(a1/c1*b1/c1); B2 = sqrt(a2/c2*b2/c2)",
            "A sentence of c words has c - 1 pairs.",
        ),
        Mistake(
            "arithmetic-mean",
            "B1 = (a1/c1 + b1/(c1 - 1))/2; B2 = (a2/c2 + b2/(c2 - 1))/2",
            "BLEU is the geometric mean of the precisions.",
        ),
        Mistake(
            "weighted-by-length", "average = (c1*B1 + c2*B2)/(c1 + c2)", "The plain mean of both scores is asked for."
        ),
        Mistake("mean-for-corpus", "B = (B1 + B2)/2", "You averaged the scores. Corpus BLEU adds up the counts first."),
        Mistake(
            "pairs-across",
            "B = sqrt((a1 + a2)/(c1 + c2)*(b1 + b2)/(c1 + c2 - 1))",
            "No pair spans two sentences, so there are c1 + c2 - 2 pairs.",
        ),
        Mistake(
            "precisions-averaged",
            "B = sqrt((a1/c1 + a2/c2)/2*(b1/(c1 - 1) + b2/(c2 - 1))/2)",
            "You averaged the precisions. Corpus BLEU adds up matches and n-grams before dividing.",
        ),
    ],
)
def bleu_corpus(rng: Random) -> Inputs:
    """BLEU of a corpus"""
    c1, c2 = rng.randint(4, 8), rng.randint(12, 25)
    a1, a2 = rng.randint(c1 // 2 + 1, c1), rng.randint(c2 // 2, c2 - 2)
    b1, b2 = rng.randint(1, a1 - 1), rng.randint(a2 // 3, a2 - 2)
    return dict(c1=c1, a1=a1, b1=b1, c2=c2, a2=a2, b2=b2)
