"""ROUGE: drills."""

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.beyond.language_extras.formulas import ROUGE_COUNTS, ROUGE_F, ROUGE_L, ROUGE_N, ROUGE_ORDER
from quizzes.content.beyond.language_extras.texts import common_subsequence
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

TEXTS = [
    "the cat sat on the mat near the door",
    "the storm closed the port and the school",
    "the city opens a new park in the old harbor",
    "a man found the lost dog in the park",
    "the team won the last game of the season",
    "the new law cuts the tax on small cars",
    "rain and wind delay the start of the race",
]

OTHERS = ["big", "one", "this", "soon", "today", "here"]


def _summary(rng: Random, words: list[str]) -> list[str]:
    """Return a changed copy: some words are dropped, replaced, repeated or moved."""
    candidate = list(words)
    for change in rng.sample(["drop", "drop", "swap", "move", "repeat"], 3):
        k = rng.randrange(len(candidate))
        if change == "drop":
            del candidate[k]
        elif change == "swap":
            candidate[k] = rng.choice(OTHERS)
        elif change == "repeat":
            candidate.insert(k, rng.choice(words))
        else:
            candidate.insert(rng.randrange(len(candidate)), candidate.pop(k))
    return candidate


def _each_once(reference: str, candidate: str, n: int) -> int:
    a, b = (
        {tuple(text.split()[k : k + n]) for k in range(len(text.split()) - n + 1)} for text in (reference, candidate)
    )
    return len(a & b)


def _unclipped(reference: str, candidate: str, n: int) -> int:
    a, b = (
        [tuple(text.split()[k : k + n]) for k in range(len(text.split()) - n + 1)] for text in (reference, candidate)
    )
    return sum(gram in a for gram in b)


def _exact(value: float) -> Fraction:
    return Fraction(value).limit_denominator(1000)


def _rouge_steps(n: int, m: int, a: int, b: int, F: float, **_: Any) -> list[Step]:
    return [
        Step(f"Count each shared {n}-gram as often as it occurs in both texts.", [f"m = {m}"]),
        Step("Recall divides by the n-grams of the reference.", [f"R = {m}/{a}"]),
        Step("Precision divides by those of the candidate.", [f"P = {m}/{b}"]),
        Step("F1 is the harmonic mean of both.", [f"F = 2*{m}/({a} + {b})", f"F = {_exact(F)}"]),
    ]


FRACTION_MISTAKES = [
    Mistake("recall-over-candidate", "R = m/b", "You divided by the candidate. Recall divides by the reference."),
    Mistake("precision-over-reference", "P = m/a", "You divided by the reference. Precision divides by the candidate."),
    Mistake(
        "mean-for-f1", "F = (m/a + m/b)/2", "You averaged recall and precision. F1 is their harmonic mean, 2PR/(P + R)."
    ),
    Mistake("no-factor-2", "F = m/(a + b)", "You lost the factor 2 of 2PR/(P + R)."),
]


@drill(
    ROUGE_N,
    id="rouge-n-l",
    tier=2,
    asks=("m", "R", "P", "F"),
    prompt="Reference: {reference}\nSummary: {candidate}\n"
    "For ROUGE-{n}: how many {n}-grams do both texts share (m)? What are the recall R, the precision P and F1 (F), as "
    "exact "
    "fractions?\n"
    "Conventions: a shared n-gram counts as often as it occurs in both texts.",
    hint="By the n-grams of which text does recall divide?",
    steps=_rouge_steps,
    mistakes=[
        Mistake(
            "each-once", {"m": _each_once}, "You counted each different n-gram once. Repeated ones count repeatedly."
        ),
        Mistake("not-clipped", {"m": _unclipped}, "An n-gram counts at most as often as it occurs in the other text."),
        *FRACTION_MISTAKES,
    ],
)
def rouge_n(rng: Random) -> Inputs:
    """ROUGE-N"""
    words = rng.choice(TEXTS).split()
    return dict(reference=" ".join(words), candidate=" ".join(_summary(rng, words)), n=rng.choice([1, 1, 2]))


def _longest_run(reference: str, candidate: str) -> int:
    a, b = reference.split(), candidate.split()
    runs = [0]
    for i in range(len(a)):
        for j in range(len(b)):
            length = 0
            while i + length < len(a) and j + length < len(b) and a[i + length] == b[j + length]:
                length += 1
            runs.append(length)
    return max(runs)


def _shared_words(reference: str, candidate: str) -> int:
    left, shared = reference.split(), 0
    for word in candidate.split():
        if word in left:
            left.remove(word)
            shared += 1
    return shared


def _common_steps(reference: str, candidate: str, m: int, a: int, b: int, F: float, **_: Any) -> list[Step]:
    words = " ".join(common_subsequence(reference.split(), candidate.split()))
    return [
        Step(f"A longest common subsequence is: {words}.", [f"m = {m}"]),
        Step(
            "Recall divides by the words of the reference, precision by those of the candidate.",
            [f"R = {m}/{a}", f"P = {m}/{b}"],
        ),
        Step("F1 is the harmonic mean of both.", [f"F = 2*{m}/({a} + {b})", f"F = {_exact(F)}"]),
    ]


@drill(
    ROUGE_L,
    id="rouge-n-l:subsequence",
    tier=2,
    asks=("m", "R", "P", "F"),
    prompt="Reference: {reference}\nSummary: {candidate}\n"
    "For ROUGE-L: how long is the longest common subsequence of the words (m)? What are the recall R, the precision P "
    "and "
    "F1 (F), as exact fractions?",
    hint="Which words occur in both texts in the same order? They need not be adjacent.",
    steps=_common_steps,
    mistakes=[
        Mistake(
            "substring",
            {"m": _longest_run},
            "That is the longest run of adjacent words. A subsequence may skip words.",
        ),
        Mistake(
            "order-ignored",
            {"m": _shared_words},
            "You counted all shared words. A subsequence keeps the order of both texts.",
        ),
        *FRACTION_MISTAKES,
    ],
)
def rouge_l(rng: Random) -> Inputs:
    """ROUGE-L"""
    words = rng.choice(TEXTS).split()
    return dict(reference=" ".join(words), candidate=" ".join(_summary(rng, words)))


@drill(
    ROUGE_COUNTS,
    id="rouge-n-l:counts",
    tier=1,
    asks=("R", "P", "F"),
    prompt="A reference has a = {a} 2-grams, a summary has b = {b}, and m = {m} of them are in both texts. What are "
    "the "
    "recall R, the precision P and F1 (F) of ROUGE-2?",
    hint="Recall asks how much of the reference is covered. By which number does it divide?",
    mistakes=[
        Mistake(
            "swapped",
            "R = m/b; P = m/a",
            "You swapped them. Recall divides by the reference, precision by the summary.",
        ),
        Mistake("mean-for-f1", "F = (P + R)/2", "You averaged both. F1 is their harmonic mean."),
        Mistake("no-factor-2", "F = P*R/(P + R)", "You lost the factor 2."),
        Mistake("over-union", "F = m/(a + b - m)", "That is the share of the union. F1 is 2m/(a + b)."),
    ],
)
def rouge_counts(rng: Random) -> Inputs:
    """ROUGE from counts"""
    a, b = rng.sample(range(8, 60), 2)
    return dict(a=a, b=b, m=rng.randint(2, min(a, b) - 1))


@drill(
    ROUGE_F,
    id="rouge-n-l:f1",
    tier=1,
    asks=one_of("F", "P", "R"),
    prompt="A summary has the ROUGE-1 precision P = {P} and recall R = {R}. Its F1 is {F}.",
    hint="F1 is closer to the smaller of the two numbers. Which mean is that?",
    mistakes=[
        Mistake("arithmetic-mean", "F = (P + R)/2", "You used the arithmetic mean. F1 is the harmonic mean."),
        Mistake(
            "geometric-mean", "F = sqrt(P*R)", "You used the geometric mean. F1 is the harmonic mean, 2PR/(P + R)."
        ),
        Mistake("no-factor-2", "F = P*R/(P + R)", "You lost the factor 2."),
        Mistake("product", "F = P*R", "You multiplied both. F1 is 2PR/(P + R)."),
    ],
)
def rouge_f(rng: Random) -> Inputs:
    """F1 of a summary"""
    P, R = rng.sample(range(20, 95), 2)
    return dict(P=P / 100, R=R / 100)


def _compare(measure: Callable[[str, str], int], which: str) -> Callable[..., Fraction]:
    def score(reference: str, first: str, second: str) -> Fraction:
        text = first if which == "first" else second
        return Fraction(2 * measure(reference, text), len(reference.split()) + len(text.split()))

    return score


@drill(
    ROUGE_ORDER,
    id="decide-rouge",
    tier=3,
    asks=("F1", "F2", "L1", "L2", "by_words", "by_order"),
    prompt="Reference: {reference}\nSummary A: {first}\nSummary B: {second}\n"
    "What is the F1 of ROUGE-1 of A (F1) and of B (F2)? What is the F1 of ROUGE-L of A (L1) and of B (L2)? Give exact "
    "fractions. Which summary is better by ROUGE-1 (by_words), and which by ROUGE-L (by_order)?",
    hints=(
        "Which of the two measures notices the order of the words?",
        "With m shared words (ROUGE-1) or a longest common subsequence of length m (ROUGE-L), F1 = 2m/(a + b), with "
        "the "
        "words a of the reference and b of the summary.",
        "First step: count the words of each text, and the words that each summary shares with the reference.",
    ),
    steps=lambda a, m1, l1, b1, m2, l2, b2, F1, F2, L1, L2, **_: [
        Step(
            f"A shares {m1} words with the reference, and B {m2}.",
            [f"F1 = 2*{m1}/({a} + {b1})", f"F2 = 2*{m2}/({a} + {b2})"],
        ),
        Step(
            f"The longest common subsequences have {l1} and {l2} words.",
            [f"L1 = 2*{l1}/({a} + {b1})", f"L2 = 2*{l2}/({a} + {b2})"],
        ),
        Step("Compare the scores of each measure."),
    ],
    mistakes=[
        Mistake("recall-for-f1", "F1 = m1/a; F2 = m2/a", "Those are recalls. F1 also uses the length of the summary."),
        Mistake(
            "substring",
            {"L1": _compare(_longest_run, "first"), "L2": _compare(_longest_run, "second")},
            "You used the longest run of adjacent words. A subsequence may skip words.",
        ),
        Mistake(
            "order-ignored",
            "L1 = 2*m1/(a + b1); L2 = 2*m2/(a + b2)",
            "You counted all shared words. ROUGE-L keeps the order of both texts.",
        ),
        Mistake("same-for-both", "by_order = where(F1 > F2, 1, 2)", "Compare the ROUGE-L scores here."),
        Mistake("reversed", "by_words = where(F1 > F2, 2, 1)", "The higher score is better."),
    ],
)
def decide_rouge(rng: Random) -> Inputs:
    """Two summaries"""
    words = rng.choice(TEXTS).split()[: rng.choice([6, 7, 8])]
    middle = rng.randrange(2, len(words) - 2)
    moved = [*words[middle:], *words[:middle]]  # all words, in another order
    if rng.random() < 0.4:
        moved.append(rng.choice(OTHERS))
    shorter = list(words)
    for k in sorted(rng.sample(range(len(words)), rng.choice([1, 2])), reverse=True):
        if rng.random() < 0.5:
            shorter[k] = rng.choice(OTHERS)
        else:
            del shorter[k]
    texts = [" ".join(moved), " ".join(shorter)]
    rng.shuffle(texts)
    values = ROUGE_ORDER.evaluate(dict(reference=" ".join(words), first=texts[0], second=texts[1]))
    if values["F1"] == values["F2"] or values["L1"] == values["L2"]:
        raise UndefinedValue("equal scores")
    return dict(reference=" ".join(words), first=texts[0], second=texts[1])
