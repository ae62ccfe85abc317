"""The error by which ImageNet is judged."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.training_deep_cnns import TOP_K_ERROR, hits_within
from quizzes.question import Step


def _steps(scores: list, y: list, k: int, **found: Any) -> list[Step]:
    steps = []
    for sample, (row, true) in enumerate(zip(scores, y, strict=True), 1):
        rank = 1 + sum(score > row[true - 1] for score in row)
        verdict = (
            "right for both" if rank == 1 else f"wrong for top-1, right for top-{k}" if rank <= k else "wrong for both"
        )
        steps.append(Step(f"Sample {sample}: class {true} has rank {rank}; {verdict}."))
    N, hits1, hitsk = found["N"], found["hits1"], found["hitsk"]
    return [*steps, Step(f"{N - hits1} of {N} are wrong for top-1, {N - hitsk} of {N} for top-{k}.")]


@drill(
    TOP_K_ERROR,
    tier=1,
    asks="E1 Ek",
    steps=_steps,
    prompt="A classifier gives these scores (in per cent) to the classes 1 to {classes}:\n{listing}\n"
    "What are the top-1 error E1 and the top-{k} error Ek over these samples, as exact fractions?",
    hint="Find the rank of each true class; top-k counts a sample as wrong where that rank is above k.",
)
def top_k_error(rng: Random) -> dict[str, Any]:
    """Top-1 and top-k error"""
    samples, classes, k = rng.choice([5, 6, 7, 8]), 5, rng.choice([2, 3, 3])
    scores, y = [], []
    ranks = [1]
    while not any(1 < rank <= k for rank in ranks) or max(ranks) <= k:  # else the errors are equal, or one is 0
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
    lines = [f"  sample {n}: {row}, true class {true}" for n, (row, true) in enumerate(zip(scores, y, strict=True), 1)]
    return dict(scores=scores, y=y, k=k, classes=classes, listing="\n".join(lines))


def _error(scores: list, y: list, k: int) -> str:
    return f"{len(y) - hits_within(scores, y, k)}/{len(y)}"


top_k_error.mistake(
    "hits-counted",
    "E1 = hits1/N; Ek = hitsk/N",
    "That is the accuracy: the error is the share of samples whose true class is not among the best.",
)
top_k_error.mistake(
    "one-too-few",
    {"Ek": lambda scores, y, k: _error(scores, y, k - 1)},
    "The true class may stand at rank k itself: all of the k best count.",
)
top_k_error.mistake(
    "one-too-many",
    {"Ek": lambda scores, y, k: _error(scores, y, k + 1)},
    "Rank k + 1 is too late: only the k best classes count.",
)
top_k_error.mistake(
    "not-divided", "E1 = N - hits1; Ek = N - hitsk", "An error is a share: divide by the number of samples."
)


top_k_error.torch(
    """
from fractions import Fraction
from sklearn.metrics import top_k_accuracy_score

def error(k):
    true = [int(c) - 1 for c in y]
    right = top_k_accuracy_score(true, scores.numpy(), k=k, normalize=False, labels=range(scores.shape[1]))
    return str(1 - Fraction(int(right), len(true)))

E1, Ek = error(1), error(k)
"""
)
