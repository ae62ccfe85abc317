"""BLEU: drills that derive, diagnose, debug and decide."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.transformers.bleu.drills.sentences import SENTENCES
from quizzes.content.transformers.bleu.formulas import (
    BEST_OF_THREE,
    BLEU_ZERO,
    CLIP_LINE,
    CLIP_PROGRAM,
    LENGTH_BLEU,
    TOTAL_LINE,
    ngrams,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    LENGTH_BLEU,
    id="derive-bleu-length",
    tier=3,
    asks=one_of(derive("B_cut"), derive("B_long")),
    prompt="A reference has r = {r} different words. One candidate consists of its first c words, with 2 <= c < r. "
    "Another one is the whole reference, followed by k words that are not in it.\n"
    "Derive the BLEU-2 score that is asked for below, from 0 to 1: of the first candidate in terms of c, or of the "
    "second one in terms of k.\n"
    "Conventions: natural logarithm; no smoothing.",
    hints=(
        "Which of the two candidates has imperfect precisions, and which has a brevity penalty?",
        "BLEU-2 = BP*sqrt(p1*p2), with BP = exp(1 - r/c) for a candidate of c < r words, and BP = 1 for a longer one.",
        "First step: count the matching words and pairs, and all words and pairs of the candidate.",
    ),
    mistakes=[
        Mistake(
            "penalty-inverted",
            "B_cut = exp(1 - c/r)",
            "You inverted the ratio. The exponent is 1 - r/c.",
        ),
        Mistake("recall", "B_cut = c/r", "That is the recall. All precisions are 1, and the penalty is exp(1 - r/c)."),
        Mistake("no-penalty", "B_cut = 1", "The precisions are 1, but the candidate is too short: it has a penalty."),
        Mistake(
            "penalty-for-length",
            "B_long = exp(1 - (r + k)/r)*sqrt(r/(r + k)*(r - 1)/(r + k - 1))",
            "A candidate that is too long has no brevity penalty. Its precisions fall.",
        ),
        Mistake("words-only", "B_long = r/(r + k)", "That is the precision of words. BLEU-2 also uses the pairs."),
        Mistake(
            "as-many-pairs",
            "B_long = sqrt(r/(r + k)*(r - 1)/(r + k))",
            "A text of n words has n - 1 pairs.",
        ),
        Mistake(
            "no-root",
            "B_long = r/(r + k)*(r - 1)/(r + k - 1)",
            "You left out the square root of the product.",
        ),
    ],
)
def derive_bleu_length(rng: Random) -> Inputs:
    """Too short and too long"""
    r = rng.randint(7, 60)
    return dict(r=r, variables={"c": [2, r - 1], "k": [1, 3 * r]})


def _length_of_match(candidate: str, reference: str) -> int:
    """Return the largest n for which an n-gram of the candidate matches, plus 1."""
    return 1 + max((k for k in range(1, 5) if ngrams(candidate, k).keys() & ngrams(reference, k).keys()), default=0)


def _fraction(value: float) -> Fraction:
    return Fraction(value).limit_denominator(1000)


def _zero_steps(candidate: str, reference: str, p1: float, k: int, problem: str, **_: Any) -> list[Step]:
    counts = {n: (ngrams(candidate, n), ngrams(reference, n)) for n in range(1, 5)}
    matches = {n: sum((own & other).values()) for n, (own, other) in counts.items()}
    texts = [f"{matches[n]} of {sum(own.values())} {n}-grams" for n, (own, _) in counts.items()]
    reasons = dict(
        short="The candidate has fewer than 4 words, so it has no 4-gram.",
        order="Words match, but no four words in a row.",
        words="No word of the candidate is in the reference.",
    )
    return [
        Step(f"Count the matches: {', '.join(texts)}.", [f"p1 = {_fraction(p1)}"]),
        Step("BLEU-n is above 0 as long as all precisions up to n are.", [f"k = {k}"]),
        Step(reasons[problem]),
    ]


@drill(
    BLEU_ZERO,
    id="diagnose-bleu-zero",
    tier=2,
    asks=("p1", "k", "problem"),
    prompt="Candidate: {candidate}\nReference: {reference}\n"
    "BLEU-4 of this candidate is 0 without smoothing. What is its clipped precision of 1-grams (p1, as an exact "
    "fraction)? What is the largest n for which BLEU-n is above 0 (k, 0 if there is none)? Why is BLEU-4 zero?",
    hints=(
        "Which precisions does BLEU-4 multiply? For which n is there no match?",
        "BLEU-n is above 0 as long as all precisions up to n are.",
        "First step: count the words of the candidate that are in the reference.",
    ),
    steps=_zero_steps,
    mistakes=[
        Mistake(
            "over-reference",
            {"p1": lambda candidate, reference: _matches(candidate, reference, reference)},
            "You divided by the words of the reference. A precision divides by those of the candidate.",
        ),
        Mistake(
            "first-zero",
            {"k": _length_of_match},
            "That is the first n without a match, so BLEU-n is already 0 there.",
        ),
        Mistake("always-words", {"k": 1}, "Check the pairs of words too."),
        Mistake(
            "another-reason",
            {"problem": lambda candidate, reference: "order" if len(candidate.split()) < 4 else "short"},
            "Count the 4-grams of the candidate first, and look for matches then.",
        ),
    ],
)
def diagnose_bleu_zero(rng: Random) -> Inputs:
    """BLEU of 0"""
    words = rng.choice(SENTENCES).split()
    start = rng.randrange(len(words) - 8)
    reference = words[start : start + rng.randint(7, 8)]
    case = rng.choice(["short", "order", "order", "words"])
    if case == "short":
        k = rng.randrange(len(reference) - 3)
        candidate = reference[k : k + 3]
        if rng.random() < 0.6:
            candidate[rng.randrange(3)] = rng.choice(["nice", "big", "one"])
    elif case == "order":
        candidate = list(reference)
        for k in (rng.choice([2, 3]), rng.choice([5, 6])):
            candidate[k] = rng.choice(["nice", "big", "one", "this"])
        if rng.random() < 0.5:
            candidate = candidate[: rng.randint(5, 7)]
    else:
        candidate = rng.sample(
            ["nice", "big", "one", "this", "some", "birds", "sing", "now", "today"], rng.randint(4, 6)
        )
    if len(set(map(tuple, _grams(candidate, 4))) & set(map(tuple, _grams(reference, 4)))):
        raise UndefinedValue("BLEU-4 must be 0")
    return dict(candidate=" ".join(candidate), reference=" ".join(reference))


def _grams(words: list[str], n: int) -> list[list[str]]:
    return [words[k : k + n] for k in range(len(words) - n + 1)]


def _matches(candidate: str, reference: str, over: str) -> Fraction:
    counts, most = ngrams(candidate, 1), ngrams(reference, 1)
    return Fraction(sum(min(count, most[gram]) for gram, count in counts.items()), len(over.split()))


def _program_steps(
    candidate: str, references: list[str], line: int, printed: float, fixed: float, **_: Any
) -> list[Step]:
    reasons = {
        CLIP_LINE: f"Line {line} adds up the counts of the references. A count is clipped to the largest one.",
        TOTAL_LINE: f"Line {line} counts different words. A precision divides by all words of the candidate.",
    }
    return [
        Step(reasons[line], [f"printed = {_fraction(printed)}"]),
        Step(
            "Clip each count to its largest count in any single reference, and divide by all words.",
            [f"fixed = {_fraction(fixed)}"],
        ),
    ]


@drill(
    CLIP_PROGRAM,
    id="debug-bleu-clip",
    tier=3,
    asks=("line", "printed", "fixed"),
    visualization="code program",
    prompt="This program should print the clipped precision of the words of a candidate, as in BLEU. The texts are:\n"
    "Candidate: {candidate}\n{listing}\n"
    "Which line is incorrect (line)? Which precision is printed (printed), and which after the correction (fixed)? "
    "Give "
    "exact fractions.",
    hints=(
        "To which number is the count of a word clipped if there are several references?",
        "p1 = (sum of min(count, largest count in any one reference))/(number of words of the candidate).",
        "First step: count each word of the candidate, and in each of the references.",
    ),
    steps=_program_steps,
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: CLIP_LINE if line == TOTAL_LINE else TOTAL_LINE},
            "That line is correct. Compare the program with the definition, part by part.",
        ),
        Mistake("blames-counter", {"line": 3}, "Counter counts the words correctly."),
        Mistake(
            "already-correct",
            {"printed": lambda candidate, references, line: _clipped(candidate, references)},
            "That is the correct precision. The program computes another one.",
        ),
        Mistake(
            "not-clipped",
            {"fixed": lambda candidate, references, line: _without_clipping(candidate, references)},
            "You did not clip. A word counts at most as often as in any one reference.",
        ),
    ],
)
def debug_bleu_clip(rng: Random) -> Inputs:
    """Clipping in a program"""
    words = rng.choice(SENTENCES).split()[:6]
    candidate = words[: rng.randint(4, 5)]
    word = rng.choice(candidate)
    candidate += [word] * rng.choice([2, 3])
    references = [" ".join(words), " ".join([*words[1:], *rng.choice([[word], [word, "now"]])])]
    line = rng.choice([CLIP_LINE, TOTAL_LINE])
    clip = "sum" if line == CLIP_LINE else "max"
    total = "len(counts)" if line == TOTAL_LINE else "sum(counts.values())"
    program = f"""
from collections import Counter
def precision(candidate, references):
    counts = Counter(candidate.split())
    tables = [Counter(r.split()) for r in references]
    def most(word):
        return {clip}(table[word] for table in tables)
    total = {total}
    return sum(min(n, most(word)) for word, n in counts.items()) / total
print(precision(candidate, references))
""".strip()
    listing = "\n".join(f"Reference {k}: {text}" for k, text in enumerate(references, 1))
    return dict(candidate=" ".join(candidate), references=references, line=line, program=program, listing=listing)


def _clipped(candidate: str, references: list[str]) -> Fraction:
    counts = ngrams(candidate, 1)
    clipped = sum(min(count, max(ngrams(r, 1)[gram] for r in references)) for gram, count in counts.items())
    return Fraction(clipped, sum(counts.values()))


def _without_clipping(candidate: str, references: list[str]) -> Fraction:
    counts, of_references = ngrams(candidate, 1), set().union(*(ngrams(r, 1) for r in references))
    return Fraction(sum(count for gram, count in counts.items() if gram in of_references), sum(counts.values()))


@drill(
    BEST_OF_THREE,
    id="decide-bleu-candidate",
    tier=2,
    asks=("B1", "B2", "B3", "best"),
    prompt="Reference: {reference}\nCandidate A: {first}\nCandidate B: {second}\nCandidate C: {third}\n"
    "What is BLEU-2 of A (B1), of B (B2) and of C (B3), from 0 to 1? Which one has the highest score (best)?\n"
    "Conventions: natural logarithm; no smoothing.",
    hint="A short candidate has a penalty, a long one imperfect precisions. Which costs more here?",
    mistakes=[
        Mistake(
            "no-penalty",
            "B1 = sqrt(p1*q1); B2 = sqrt(p2*q2); B3 = sqrt(p3*q3)",
            "You left out the brevity penalty of a candidate that is too short.",
        ),
        Mistake(
            "arithmetic-mean",
            "B1 = where(c1 > r, 1, exp(1 - r/c1))*(p1 + q1)/2; B2 = where(c2 > r, 1, exp(1 - r/c2))*(p2 + q2)/2; "
            "B3 = where(c3 > r, 1, exp(1 - r/c3))*(p3 + q3)/2",
            "You used the arithmetic mean. BLEU uses the geometric mean of the precisions.",
        ),
        Mistake(
            "words-only",
            "B1 = where(c1 > r, 1, exp(1 - r/c1))*p1; B2 = where(c2 > r, 1, exp(1 - r/c2))*p2; "
            "B3 = where(c3 > r, 1, exp(1 - r/c3))*p3",
            "You used the words only. BLEU-2 also needs the precision of the pairs.",
        ),
        Mistake(
            "best-precision",
            "best = where(p1*q1 > p2*q2 and p1*q1 > p3*q3, 1, where(p2*q2 > p3*q3, 2, 3))",
            "You compared the precisions alone. Multiply by the brevity penalty.",
        ),
    ],
)
def decide_bleu_candidate(rng: Random) -> Inputs:
    """Short, long or changed"""
    words = rng.choice(SENTENCES).split()[: rng.randint(7, 9)]
    short = words[: len(words) - rng.choice([1, 2, 3])]
    long = [*words, *rng.sample(["today", "again", "now", "here"], rng.choice([1, 2, 3]))]
    changed = list(words)
    for k in rng.sample(range(1, len(words)), rng.choice([1, 2])):
        changed[k] = rng.choice(["nice", "big", "one", "this"])
    texts = [" ".join(candidate) for candidate in (short, long, changed)]
    rng.shuffle(texts)
    return dict(reference=" ".join(words), first=texts[0], second=texts[1], third=texts[2])
