"""Overfitting and underfitting: drills."""

from random import Random
from typing import Any

from quizzes.content.training_deep_cnns.over_and_underfitting.formulas import (
    BAGGING,
    EARLY_STOPPING,
    ENSEMBLE_VARIANCE,
    stop_early,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.question import Step


def _steps(val: list[Any], patience: int, best: int, stop: int) -> list[Step]:
    steps, lowest = [], None
    for epoch, loss in enumerate(val[:stop], 1):
        if lowest is None or loss < val[lowest - 1]:
            lowest = epoch
            steps.append(Step(f"Epoch {epoch}: {loss:g} is the lowest loss so far. Epochs without improvement: 0."))
        else:
            count = epoch - lowest
            text = f"Epoch {epoch}: {loss:g} is not below {val[lowest - 1]:g}. Epochs without improvement: {count}."
            steps.append(Step(text))
    return [*steps, Step(f"Training stops after epoch {stop}, and the weights of epoch {best} are restored.")]


def _first_rise(val: list[Any], patience: int) -> int:
    """Return the last epoch if epochs are counted from the first rise and the count is never reset."""
    rise = next((k for k in range(1, len(val)) if val[k] >= val[k - 1]), len(val) - 1)
    return min(rise + patience, len(val))


def _against_previous(val: list[Any], patience: int) -> int:
    """Return the last epoch if each loss is compared with that of the epoch before."""
    count = 0
    for epoch in range(2, len(val) + 1):
        count = count + 1 if val[epoch - 1] >= val[epoch - 2] else 0
        if count == patience:
            return epoch
    return len(val)


def _latest_of_equals(val: list[Any], patience: int) -> dict[str, int]:
    """Return best and last epoch if an equal loss counts as an improvement."""
    best = 1
    for epoch, loss in enumerate(val, 1):
        if loss <= val[best - 1]:
            best = epoch
        if epoch - best == patience:
            return {"best": best, "stop": epoch}
    return {"best": best, "stop": len(val)}


@drill(
    EARLY_STOPPING,
    tier=1,
    asks=("best", "stop"),
    visualization="learning-curves validation=val",
    steps=_steps,
    prompt="A network is trained with early stopping with patience {patience}. Without stopping, its validation "
    "losses from epoch 1 would be\n"
    "  {val}\n"
    "Training stops after {patience} consecutive epochs without improvement, and the weights of the best epoch are "
    "restored.\n"
    "Which epoch do the restored weights come from (best), and which is the last epoch of training (stop)?\n"
    "Conventions: an epoch is an improvement only if its loss is strictly below the lowest loss before it.",
    hints=(
        "After each epoch, what is the lowest loss so far, and how many epochs ago was it reached?",
        "best is the epoch of the lowest loss so far. Training stops after the first epoch for which the number of "
        "the epoch minus best is the patience.",
    ),
    mistakes=[
        Mistake(
            "last-for-best",
            {"best": lambda val, patience: stop_early(val, patience)["stop"]},
            "That is the last epoch of training. The restored weights are those of the epoch with the lowest loss.",
        ),
        Mistake(
            "looks-past-the-stop",
            {"best": lambda val, patience: min(range(len(val)), key=lambda k: val[k]) + 1},
            "That epoch is never trained. Training stops before it, so only consider the epochs up to the stop.",
        ),
        Mistake(
            "equal-counts-as-better",
            {
                name: lambda val, patience, name=name: _latest_of_equals(val, patience)[name]
                for name in ("best", "stop")
            },
            "You counted an equal loss as an improvement. The convention here is strictly lower, so count it as no "
            "improvement.",
        ),
        Mistake(
            "counts-from-the-first-rise",
            {"stop": _first_rise},
            "You kept counting from the first rise. A new lowest loss resets the count to 0.",
        ),
        Mistake(
            "compared-with-the-epoch-before",
            {"stop": _against_previous},
            "You compared each loss with the previous one. Compare it with the lowest loss so far.",
        ),
        Mistake(
            "one-epoch-more",
            {"stop": lambda val, patience: stop_early(val, patience)["stop"] + 1},
            "You trained one epoch too many. The first epoch without improvement counts already, so stop one epoch "
            "earlier.",
        ),
    ],
)
def early_stopping(rng: Random) -> Inputs:
    """Early stopping with patience"""
    patience = rng.choice([3, 3, 4])
    best = rng.randint(3, 6)
    losses = [rng.randint(85, 99)]
    for _ in range(best - 1):
        losses.append(losses[-1] - rng.randint(2, 8))
    if best > 3 and rng.random() < 0.6:  # a short rise, within the patience
        k = rng.randint(1, best - 3)
        losses[k], losses[k + 1] = losses[k + 1], losses[k]
    low = losses[-1]
    losses += [low + rng.choice([0, 1, 2, 3, 4, 6]) for _ in range(patience)]
    losses += [low + rng.choice([-4, -2, -1, 1, 3, 5]) for _ in range(rng.randint(2, 3))]
    return dict(val=[loss / 100 for loss in losses], patience=patience)


@drill(
    BAGGING,
    tier=2,
    asks=("votes", "P", "soft", "hard"),
    visualization="bars p",
    prompt="An ensemble of {models} binary classifiers predicts the probabilities p = {p} of class 1 for one image. "
    "Soft voting uses the mean probability, hard voting the majority of the models' votes.\n"
    "How many models vote for class 1 (votes), what is the mean probability P of class 1, and which class, 0 or 1, do "
    "soft voting (soft) and hard voting (hard) predict?\n"
    "Conventions: a probability of at least 0.5 means class 1.",
    hint="Does each method average before or after it decides between the classes?",
    mistakes=[
        Mistake(
            "labels-averaged",
            "P = mean(i, [p[i] >= 1/2])",
            "You averaged the votes. P is the mean of the probabilities themselves, so do not round them first.",
        ),
        Mistake(
            "sum-for-mean", "P = sum(i, p[i])", "You took the sum. P is a mean, so divide by the number of models."
        ),
        Mistake(
            "votes-for-the-other-class",
            "votes = sum(i, [p[i] < 1/2])",
            "You counted the votes for class 0. A probability of at least 0.5 is a vote for class 1, so count those.",
        ),
        Mistake(
            "majority-for-soft",
            "soft = where(mean(i, [p[i] >= 1/2]) >= 1/2, 1, 0)",
            "That is the class of hard voting. Soft voting predicts class 1 if the mean probability is at least 0.5.",
        ),
        Mistake(
            "soft-for-majority",
            "hard = where(mean(i, p[i]) >= 1/2, 1, 0)",
            "That is the class of soft voting. In hard voting each model has one vote, so take the majority of the "
            "votes.",
        ),
    ],
)
def bagging_ensemble(rng: Random) -> Inputs:
    """Soft and hard voting of an ensemble"""
    models, should_differ = rng.choice([3, 5]), rng.random() < 0.7
    while True:
        p = [rng.choice([k for k in range(1, 20) if k != 10]) for _ in range(models)]
        soft, hard = sum(p) > 10 * models, sum(k > 10 for k in p) * 2 > models
        if sum(p) != 10 * models and (soft != hard) == should_differ:
            return dict(p=[k / 20 for k in p], models=models)


@drill(
    ENSEMBLE_VARIANCE,
    id="bagging-ensemble:variance",
    tier=1,
    asks=one_of("V", "s2"),
    prompt="An ensemble averages the predictions of {M} models. Each prediction has the variance {s2}, and any two "
    "predictions have the correlation {rho}. The mean prediction has the variance {V}.",
    hint="Which part of the variance does averaging not reduce?",
    mistakes=[
        Mistake(
            "correlation-ignored",
            "V = s2/M",
            "You ignored the correlation. Averaging does not reduce the shared part of the variance, correlation times "
            "variance, so keep it.",
        ),
        Mistake(
            "shares-swapped",
            "V = (1 - rho)*s2 + rho*s2/M",
            "You swapped the two parts. The shared part, correlation times variance, stays, and the rest is divided "
            "by the "
            "number of models.",
        ),
        Mistake(
            "divided-by-the-root",
            "V = rho*s2 + (1 - rho)*s2/sqrt(M)",
            "You divided by the square root of the number of models. That is for a standard deviation, so divide the "
            "variance "
            "by the number itself.",
        ),
    ],
)
def bagging_variance(rng: Random) -> Inputs:
    """Variance of the mean of correlated models"""
    return dict(s2=rng.randint(2, 60) / 2, rho=rng.randint(1, 8) / 10, M=rng.choice([4, 5, 8, 10, 16, 20, 25, 50]))
