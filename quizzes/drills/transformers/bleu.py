"""BLEU."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.transformers import BLEU, ngrams
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
    steps, shares = [], []
    for n in range(1, 5):
        counts = ngrams(candidate, n)
        most = {gram: max(ngrams(reference, n)[gram] for reference in references) for gram in counts}
        hits, total = sum(min(counts[gram], most[gram]) for gram in counts), sum(counts.values())
        short = [f"'{' '.join(gram)}' {most[gram]} of {count}" for gram, count in counts.items() if count > most[gram]]
        listed = f", as not all do ({'; '.join(short)})" if short else ""
        shares.append(f"{hits}/{total}")
        steps.append(Step(f"{n}-grams: {hits} of {total} count{listed}.", [f"p{n} = {shares[-1]}"]))
    return [
        *steps,
        Step(
            f"The candidate has {c} words, the reference closest in length {r}.",
            [f"BP = min(1, exp(1 - {r}/{c}))", f"BP = {BP:.4f}"],
        ),
        Step(
            "Geometric mean, times the penalty",
            [f"BLEU = {BP:.6g}*({'*'.join(f'({share})' for share in shares)})^(1/4)", f"BLEU = {BLEU:.4f}"],
        ),
    ]


@drill(
    BLEU,
    tier=3,
    steps=_steps,
    asks="p1 p2 p3 p4 BP BLEU",
    prompt="Candidate: {candidate}\n{listing}\n"
    "Compute BLEU-4 by hand: the clipped precisions p1 to p4 as exact fractions, the brevity penalty BP with "
    "the reference "
    "whose length is closest (of two as close, the shorter), and BLEU with equal weights and no smoothing, "
    "between 0 and 1.",
    hint="An n-gram counts at most as often as it stands in one reference; BP is 1 where the candidate is not "
    "the shorter one.",
)
def bleu_full(rng: Random) -> dict[str, Any]:
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


def _unclipped(candidate: str, references: list[str]) -> Any:
    counts = ngrams(candidate, 1)
    known = set().union(*(ngrams(r, 1) for r in references))
    return _share(sum(count for gram, count in counts.items() if gram in known), sum(counts.values()))


def _over_reference(candidate: str, references: list[str]) -> Any:
    counts = ngrams(candidate, 1)
    clipped = sum(min(c, max(ngrams(r, 1)[gram] for r in references)) for gram, c in counts.items())
    return _share(clipped, len(references[0].split()))


def _share(part: int, whole: int) -> str:
    return f"{part}/{whole}"


bleu_full.mistake(
    "not-clipped",
    {"p1": _unclipped},
    "A repeated word counts at most as often as it stands in one reference: clip the counts.",
)
bleu_full.mistake(
    "over-reference-length",
    {"p1": _over_reference},
    "A precision divides by the n-grams of the candidate, not of the reference.",
)
bleu_full.mistake(
    "penalty-inverted",
    "BP = min(1, exp(1 - c/r))",
    "BP is exp(1 - r/c): reference over candidate, so that short candidates pay.",
)
bleu_full.mistake(
    "penalty-always",
    "BP = exp(1 - r/c)",
    "A candidate that is at least as long as the reference is not penalised: BP is 1.",
)
bleu_full.mistake(
    "longest-reference",
    {"BP": lambda candidate, references: _penalty(candidate, max(len(r.split()) for r in references))},
    "r is the length of the reference closest to the candidate, not of the longest one.",
)
bleu_full.mistake(
    "arithmetic-mean",
    "BLEU = BP*(p1 + p2 + p3 + p4)/4",
    "BLEU takes the geometric mean: the fourth root of the product.",
)
bleu_full.mistake("no-penalty", "BLEU = (p1*p2*p3*p4)^(1/4)", "The brevity penalty multiplies the mean: times BP.")


def _penalty(candidate: str, r: int) -> float:
    from math import exp

    return min(1.0, exp(1 - r / len(candidate.split())))


bleu_full.torch(
    """
from fractions import Fraction
from sacrebleu.metrics import BLEU as SacreBLEU

score = SacreBLEU(tokenize="none", smooth_method="none").corpus_score([candidate], [[r] for r in references])
p1, p2, p3, p4 = (str(Fraction(hit, total)) for hit, total in zip(score.counts, score.totals))
BP, BLEU = score.bp, score.score / 100
"""
)
