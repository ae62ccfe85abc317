"""ImageNet and evaluation: drills."""

from random import Random
from typing import Any

from quizzes.content.training_deep_cnns.imagenet.formulas import TOP_K_ERROR, hits_within
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step


def _steps(scores: list[Any], y: list[Any], k: int, **values: Any) -> list[Step]:
    steps = []
    for sample, (row, label) in enumerate(zip(scores, y, strict=True), 1):
        rank = 1 + sum(score > row[label - 1] for score in row)
        verdict = f"incorrect for top-1, correct for top-{k}" if rank <= k else "incorrect for both"
        verdict = "correct for both" if rank == 1 else verdict
        steps.append(Step(f"Sample {sample}: class {label} has rank {rank}, {verdict}."))
    N, hits1, hitsk = values["N"], values["hits1"], values["hitsk"]
    return [*steps, Step(f"Incorrect for top-1: {N - hits1} of {N}. Incorrect for top-{k}: {N - hitsk} of {N}.")]


def _error(scores: list[Any], y: list[Any], k: int) -> str:
    return f"{len(y) - hits_within(scores, y, k)}/{len(y)}"


@drill(
    TOP_K_ERROR,
    tier=1,
    asks=("E1", "Ek"),
    steps=_steps,
    prompt="A classifier gives classes 1 to {classes} these scores (in %):\n"
    "{listing}\n"
    "What are the top-1 error E1 and the top-k error Ek for k = {k}, over these samples?\n"
    "Conventions: give exact fractions.",
    hint="What is the rank of each true class? For which ranks does a sample count as an error?",
    mistakes=[
        Mistake(
            "hits-counted",
            "E1 = hits1/N; Ek = hitsk/N",
            "That is the accuracy. The error is the fraction of samples whose true class is not among the top k.",
        ),
        Mistake(
            "one-too-few",
            {"Ek": lambda scores, y, k: _error(scores, y, k - 1)},
            "You left out rank k. The k highest scores count, so a true class at rank k is correct.",
        ),
        Mistake(
            "one-too-many",
            {"Ek": lambda scores, y, k: _error(scores, y, k + 1)},
            "You included rank k + 1. Only the k highest scores count, so it is an error.",
        ),
        Mistake(
            "not-divided",
            "E1 = N - hits1; Ek = N - hitsk",
            "You counted the samples. The error is a fraction, so divide by the number of samples.",
        ),
    ],
)
def top_k_error(rng: Random) -> Inputs:
    """Top-1 and top-k error"""
    samples, classes, k = rng.choice([5, 6, 7, 8]), 5, rng.choice([2, 3, 3])
    scores, y = [], []
    ranks = [1]
    while not any(1 < rank <= k for rank in ranks) or max(ranks) <= k:  # otherwise the errors are equal, or one is 0
        ranks = [rng.choice([1, 1, 2, 3, 4, 5]) for _ in range(samples)]
    for rank in ranks:
        while True:
            row = rng.sample(range(2, 40), classes - 1)
            row.append(100 - sum(row))
            if row[-1] > 0 and len(set(row)) == classes:
                break
        rng.shuffle(row)
        scores.append(row)
        y.append(row.index(sorted(row, reverse=True)[rank - 1]) + 1)
    lines = [
        f"  sample {n}: {row}, true class {label}" for n, (row, label) in enumerate(zip(scores, y, strict=True), 1)
    ]
    return dict(scores=scores, y=y, k=k, classes=classes, listing="\n".join(lines))
