"""Overfitting: when to stop, and what an ensemble says."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.training_deep_cnns import BAGGING, EARLY_STOPPING, ENSEMBLE_VARIANCE, stop_early
from quizzes.question import Step


def _steps(val: list, patience: int, best: int, stop: int) -> list[Step]:
    steps, least = [], None
    for epoch, loss in enumerate(val[:stop], 1):
        if least is None or loss < val[least - 1]:
            least = epoch
            steps.append(Step(f"Epoch {epoch}: {loss:g} is the lowest so far, so the count of bad epochs is 0."))
        else:
            steps.append(Step(f"Epoch {epoch}: {loss:g} is not below {val[least - 1]:g}; bad epochs: {epoch - least}."))
    return [*steps, Step(f"Training stops after epoch {stop}, and the weights of epoch {best} are restored.")]


@drill(
    EARLY_STOPPING,
    tier=1,
    asks="best stop",
    visualization="learning-curves validation=val",
    steps=_steps,
    prompt="Early stopping with patience {patience}. The validation losses, from epoch 1, would be\n  {val}\n"
    "An epoch is an improvement only where its loss is strictly below the lowest before it; training stops "
    "after {patience} epochs in a row without improvement, and the weights of the best epoch are restored. "
    "Which epoch (best) do the restored weights come from, and which is the last epoch that is trained (stop)?",
    hint="Keep two numbers: the lowest loss so far, and the epochs since it was reached.",
)
def early_stopping(rng: Random) -> dict[str, Any]:
    """Early stopping with patience"""
    patience = rng.choice([3, 3, 4])
    best = rng.randint(3, 6)
    losses = [rng.randint(85, 99)]
    for _ in range(best - 1):
        losses.append(losses[-1] - rng.randint(2, 8))
    if best > 3 and rng.random() < 0.6:  # a rise on the way down, which patience bears
        k = rng.randint(1, best - 3)
        losses[k], losses[k + 1] = losses[k + 1], losses[k]
    low = losses[-1]
    losses += [low + rng.choice([0, 1, 2, 3, 4, 6]) for _ in range(patience)]
    losses += [low + rng.choice([-4, -2, -1, 1, 3, 5]) for _ in range(rng.randint(2, 3))]
    return dict(val=[loss / 100 for loss in losses], patience=patience)


def _first_rise(val: list, patience: int) -> int:
    """Where training stops for somebody who counts from the first rise and never starts again."""
    rise = next((k for k in range(1, len(val)) if val[k] >= val[k - 1]), len(val) - 1)
    return min(rise + patience, len(val))


def _against_previous(val: list, patience: int) -> int:
    """Where training stops for somebody who compares each loss with the one before it."""
    bad = 0
    for epoch in range(2, len(val) + 1):
        bad = bad + 1 if val[epoch - 1] >= val[epoch - 2] else 0
        if bad == patience:
            return epoch
    return len(val)


def _latest_of_equals(val: list, patience: int) -> dict[str, int]:
    best = 1
    for epoch, loss in enumerate(val, 1):
        if loss <= val[best - 1]:
            best = epoch
        if epoch - best == patience:
            return {"best": best, "stop": epoch}
    return {"best": best, "stop": len(val)}


early_stopping.mistake(
    "last-for-best",
    {"best": lambda val, patience: stop_early(val, patience)["stop"]},
    "That is where training stops; the weights that are kept are those of the lowest loss before it.",
)
early_stopping.mistake(
    "looks-past-the-stop",
    {"best": lambda val, patience: min(range(len(val)), key=lambda k: val[k]) + 1},
    "Training has stopped before that epoch: a loss that is never reached can't be the best.",
)
early_stopping.mistake(
    "equal-counts-as-better",
    {name: lambda val, patience, name=name: _latest_of_equals(val, patience)[name] for name in ("best", "stop")},
    "An equal loss is no improvement here: the loss must be strictly lower.",
)
early_stopping.mistake(
    "counts-from-the-first-rise",
    {"stop": _first_rise},
    "A new lowest loss sets the count back to 0: it does not run on from the first rise.",
)
early_stopping.mistake(
    "compared-with-the-epoch-before",
    {"stop": _against_previous},
    "Each loss is compared with the lowest so far, not with that of the epoch before.",
)
early_stopping.mistake(
    "one-epoch-more",
    {"stop": lambda val, patience: stop_early(val, patience)["stop"] + 1},
    "The first epoch without improvement counts already: training stops at the last of them.",
)
early_stopping.torch(
    """
from torch.optim.lr_scheduler import ReduceLROnPlateau

optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
plateau = ReduceLROnPlateau(optimizer, patience=patience - 1, threshold=0.0)
for stop, loss in enumerate(val.tolist(), 1):
    plateau.step(loss)
    if optimizer.param_groups[0]["lr"] < 1:
        break
    if plateau.num_bad_epochs == 0:
        best = stop
"""
)


@drill(
    BAGGING,
    tier=2,
    asks="votes P soft hard",
    visualization="bars p",
    prompt="An ensemble of {models} classifiers gives one image the probabilities p = {p} of class 1 (the other class "
    "is "
    "0). A probability of 0.5 or more means class 1, and a majority decides the hard vote.\n"
    "How many models vote for class 1 (votes), what is their mean probability P, and which class does the soft vote "
    "give (soft: the mean decides), which the hard vote (hard: the majority decides)?",
    hint="A hard vote rounds each model's probability before counting; a soft vote averages first.",
)
def bagging_ensemble(rng: Random) -> dict[str, Any]:
    """Soft and hard vote of an ensemble"""
    models, differ = rng.choice([3, 5]), rng.random() < 0.7
    while True:
        p = [rng.choice([k for k in range(1, 20) if k != 10]) for _ in range(models)]
        soft, hard = sum(p) > 10 * models, sum(k > 10 for k in p) * 2 > models
        if sum(p) != 10 * models and (soft != hard) == differ:
            return dict(p=[k / 20 for k in p], models=models)


bagging_ensemble.mistake(
    "labels-averaged",
    "P = mean(i, floor(p[i] + 1/2))",
    "That is the share of votes: the mean is taken over the probabilities themselves, not over rounded labels.",
)
bagging_ensemble.mistake(
    "sum-for-mean", "P = sum(i, p[i])", "Divide the sum by the number of models: a probability is at most 1."
)
bagging_ensemble.mistake(
    "votes-for-the-other-class",
    "votes = sum(i, 1 - floor(p[i] + 1/2))",
    "Those are the models that vote for class 0: count the probabilities from 0.5 up.",
)
bagging_ensemble.mistake(
    "majority-for-soft",
    "soft = floor(mean(i, floor(p[i] + 1/2)) + 1/2)",
    "That is the majority's class: the soft vote takes the class that the mean probability favours.",
)
bagging_ensemble.mistake(
    "soft-for-majority",
    "hard = floor(mean(i, p[i]) + 1/2)",
    "That is the soft vote's class: in a hard vote each model has one vote, however sure it is.",
)
bagging_ensemble.torch(
    """
labels = p.ge(0.5).long()
votes = torch.bincount(labels, minlength=2)[1]
P = p.mean()
soft = torch.stack([1 - P, P]).argmax()
hard = labels.mode().values
"""
)


@drill(
    ENSEMBLE_VARIANCE,
    id="bagging-ensemble:variance",
    tier=1,
    asks="V | s2",
    prompt="An ensemble averages the predictions of {M} models. Each prediction has the variance {s2}, and any two of "
    "them "
    "have the correlation {rho}. The mean prediction has the variance {V}.",
    hint="Averaging shrinks only the part of the variance that the models do not share.",
)
def bagging_variance(rng: Random) -> dict[str, Any]:
    """Variance of the mean of correlated models"""
    return dict(s2=rng.randint(2, 60) / 2, rho=rng.randint(1, 8) / 10, M=rng.choice([4, 5, 8, 10, 16, 20, 25, 50]))


bagging_variance.mistake(
    "correlation-ignored",
    "V = s2/M",
    "Dividing by the number of models is right for uncorrelated ones: the shared part, correlation times variance, "
    "stays.",
)
bagging_variance.mistake(
    "shares-swapped",
    "V = (1 - rho)*s2 + rho*s2/M",
    "The shared part, correlation times variance, is what stays; the rest of the variance is divided by the number of "
    "models.",
)
bagging_variance.mistake(
    "divided-by-the-root",
    "V = rho*s2 + (1 - rho)*s2/sqrt(M)",
    "A variance is divided by the number of models; it is a standard deviation that is divided by its root.",
)
bagging_variance.torch(
    """
covariance = s2 * torch.full((M, M), float(rho)).fill_diagonal_(1.0)
weights = torch.full((M,), 1 / M)
V = weights @ covariance @ weights
"""
)
