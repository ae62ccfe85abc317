"""Overfitting and underfitting: formulas."""

from collections.abc import Iterator
from typing import Any

from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector


def run_epochs(val: list[Any], patience: int) -> Iterator[tuple[int, int]]:
    """Yield each epoch of training, numbered from 1, with the epoch of the lowest loss so far."""
    best = 1
    for epoch, loss in enumerate(val, 1):
        if loss < val[best - 1]:
            best = epoch
        yield epoch, best
        if epoch - best == patience:
            return


def stop_early(val: list[Any], patience: int) -> dict[str, int]:
    """Return the epoch whose weights are restored and the last epoch of training, both numbered from 1."""
    *_, (stop, best) = run_epochs(val, patience)
    return {"best": best, "stop": stop}


EARLY_STOPPING = Formula(
    "early-stopping",
    "",
    title="Early stopping with patience",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, algorithm 7.1, evaluated after every epoch",
    procedure=stop_early,
    procedure_outputs="best stop",
    val=Vector(meaning="validation loss of each epoch, from epoch 1"),
    patience=Int(1, 1000, "number of consecutive epochs without improvement before training stops"),
    best=Int(1, meaning="epoch whose weights are restored"),
    stop=Int(1, meaning="last epoch of training"),
)


BAGGING = Formula(
    "bagging-ensemble",
    """
    votes = sum(i, [p[i] >= 1/2])
    P = mean(i, p[i])
    soft = where(P >= 1/2, 1, 0)
    hard = where(mean(i, [p[i] >= 1/2]) >= 1/2, 1, 0)
    """,
    title="Soft and hard voting of an ensemble, two classes",
    source="derivation: soft voting averages the probabilities and thresholds the mean at 1/2; hard voting thresholds "
    "each probability and takes the majority",
    p=Vector(0, 1, "predicted probability of class 1 of each model"),
    votes=Int(0, meaning="number of models that vote for class 1"),
    P=Real(meaning="mean probability of class 1"),
    soft=Int(0, 1, "class by soft voting"),
    hard=Int(0, 1, "class by hard voting"),
)


ENSEMBLE_VARIANCE = Formula(
    "ensemble-variance",
    "V = rho*s2 + (1 - rho)*s2/M",
    title="Variance of the mean of correlated predictions",
    source="Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd edition, 2009",
    s2=Real(0, meaning="variance of each prediction", notation="σ²"),
    rho=Real(0, 1, "correlation between any two predictions"),
    M=Int(1, 10000, "number of models"),
    V=Real(0, meaning="variance of the mean prediction"),
)
