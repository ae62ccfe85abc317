"""BLEU: drills."""

from random import Random
from typing import Any

from quizzes.content.transformers.bleu.formulas import BLEU, ngrams
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step

SENTENCES = [
    "the cat sat on the mat near the open door",
    "the small dog ran over the green hill to the river",
    "a man rides a brown horse along the beach in the evening",
    "the train to the city leaves at nine in the morning",
    "we train the network on the new data until the loss is small",
    "the red car stops at the corner of the old street",
    "she reads the long letter to the children in the garden",
]


def _steps(candidate: str, references: list[str], c: int, r: int, BP: float, BLEU: float, **_: Any) -> list[Step]:
    steps, precisions = [], []
    for n in range(1, 5):
        counts = ngrams(candidate, n)
        most = {gram: max(ngrams(reference, n)[gram] for reference in references) for gram in counts}
        hits, total = sum(min(counts[gram], most[gram]) for gram in counts), sum(counts.values())
        clipped = [
            f"'{' '.join(gram)}' from {count} to {most[gram]}" for gram, count in counts.items() if count > most[gram]
        ]
        listing = f" (clipped: {', '.join(clipped)})" if clipped else ""
        precisions.append(f"{hits}/{total}")
        steps.append(Step(f"Count the matching {n}-grams: {hits} of {total}{listing}.", [f"p{n} = {precisions[-1]}"]))
    return [
        *steps,
        Step(
            f"Compute the brevity penalty. The candidate has {c} words, and the closest reference has {r}.",
            [f"BP = where({c} > {r}, 1, exp(1 - {r}/{c}))", f"BP = {BP:.4f}"],
        ),
        Step(
            "Multiply the geometric mean of the precisions by the penalty.",
            [f"BLEU = {BP:.6g}*({'*'.join(f'({p})' for p in precisions)})^(1/4)", f"BLEU = {BLEU:.4f}"],
        ),
    ]


def _unclipped(candidate: str, references: list[str]) -> Any:
    counts = ngrams(candidate, 1)
    reference_words = set().union(*(ngrams(r, 1) for r in references))
    return _fraction(sum(count for gram, count in counts.items() if gram in reference_words), sum(counts.values()))


def _over_reference(candidate: str, references: list[str]) -> Any:
    counts = ngrams(candidate, 1)
    clipped = sum(min(c, max(ngrams(r, 1)[gram] for r in references)) for gram, c in counts.items())
    return _fraction(clipped, len(references[0].split()))


def _fraction(numerator: int, denominator: int) -> str:
    return f"{numerator}/{denominator}"


def _penalty(candidate: str, r: int) -> float:
    from math import exp

    return min(1.0, exp(1 - r / len(candidate.split())))


@drill(
    BLEU,
    tier=3,
    steps=_steps,
    asks=("p1", "p2", "p3", "p4", "BP", "BLEU"),
    prompt="Candidate: {candidate}\n{listing}\n"
    "Compute BLEU-4 by hand. What are the clipped precisions p1 to p4 (as exact fractions), the brevity penalty BP, "
    "and BLEU (from 0 to 1)?\n"
    "Conventions: BP uses the reference whose length is closest (in a tie, the shorter one); equal weights; no "
    "smoothing.",
    hints=(
        "An n-gram counts at most as often as it occurs in any one reference. Is the candidate shorter than the "
        "reference?",
        "Use these formulas:\n"
        "  p_n = (clipped matches of n-grams)/(n-grams of the candidate)\n"
        "  BP = min(1, exp(1 - r/c)), with the lengths c of the candidate and r of the reference\n"
        "  BLEU = BP*(p1*p2*p3*p4)^(1/4)",
        "First step: for each word of the candidate, take the smaller of its count there and its count in the "
        "reference. Their sum is the numerator of p1.",
    ),
    mistakes=[
        Mistake(
            "not-clipped",
            {"p1": _unclipped},
            "You did not clip the counts. A repeated word counts at most as often as it occurs in any one reference.",
        ),
        Mistake(
            "over-reference-length",
            {"p1": _over_reference},
            "You divided by the length of the reference. A precision divides by the number of n-grams of the "
            "candidate.",
        ),
        Mistake(
            "penalty-inverted",
            "BP = where(r > c, 1, exp(1 - c/r))",
            "You inverted the ratio. BP is exp(1 - r/c), with the reference length r over the candidate length c.",
        ),
        Mistake(
            "penalty-always",
            "BP = exp(1 - r/c)",
            "You applied the penalty to a long candidate. If it is at least as long as the reference, BP is 1.",
        ),
        Mistake(
            "longest-reference",
            {"BP": lambda candidate, references: _penalty(candidate, max(len(r.split()) for r in references))},
            "You used the longest reference. Use the reference whose length is closest to that of the candidate.",
        ),
        Mistake(
            "arithmetic-mean",
            "BLEU = BP*(p1 + p2 + p3 + p4)/4",
            "You used the arithmetic mean. BLEU uses the geometric mean, the fourth root of the product.",
        ),
        Mistake(
            "no-penalty", "BLEU = (p1*p2*p3*p4)^(1/4)", "You left out the brevity penalty. Multiply the mean by BP."
        ),
    ],
)
def bleu_full(rng: Random) -> Inputs:
    """BLEU of a candidate"""
    words = rng.choice(SENTENCES).split()
    candidate = list(words)
    for change in (rng.choice(["drop", "swap", "double"]), rng.choice(["swap", "double", "cut", "nothing"])):
        k = rng.randrange(1, len(candidate) - 1)
        if change == "drop":
            del candidate[k]
        elif change == "swap":
            candidate[k] = rng.choice(["nice", "big", "one", "this"])
        elif change == "double":
            candidate.insert(k, candidate[k])
        elif change == "cut":
            del candidate[-rng.choice([1, 2]) :]
    references = [" ".join(words)]
    if rng.random() < 0.5:
        other = list(words)
        other[rng.randrange(len(other))] = rng.choice(["nice", "big", "one"])
        references.append(" ".join(other[: len(other) - rng.randint(1, 2)]))
    listing = "\n".join(f"Reference{f' {k}' if len(references) > 1 else ''}: {r}" for k, r in enumerate(references, 1))
    return dict(candidate=" ".join(candidate), references=references, listing=listing)
