"""Batch normalization: drills about statistics and outputs."""

from random import Random
from typing import Any

from quizzes.content.training_deep_cnns.batch_normalization.drills.shared import BY_VARIANCE
from quizzes.content.training_deep_cnns.batch_normalization.formulas import (
    BN_BATCH,
    BN_FORWARD,
    BN_RUNNING,
    BN_TRAIN_EVAL,
)
from quizzes.drill import Inputs, Mistake, drill

UNBIASED = "You divided by m - 1. Batch norm normalizes with the biased variance, so divide by m."


EPSILON_OUTSIDE = "You added epsilon to the standard deviation. It is added to the variance, inside the square root."


REVERSED = (
    "You swapped the two weights. alpha is the weight of the new batch, so the old value has the weight 1 - alpha."
)


BIASED = "You used the biased variance. The running variance uses the unbiased batch variance, so divide by m - 1."


Y_MISTAKES = {
    "by-variance": ("y[i] = gamma*(x[i] - mu)/(v + epsilon) + beta", BY_VARIANCE),
    "epsilon-outside": ("y[i] = gamma*(x[i] - mu)/(sqrt(v) + epsilon) + beta", EPSILON_OUTSIDE),
}


MOMENTUM_REVERSED = "R_mean = alpha*R_mean0 + (1 - alpha)*mu; R_var = alpha*R_var0 + (1 - alpha)*v*m/(m - 1)"


BIASED_VARIANCE = "R_var = (1 - alpha)*R_var0 + alpha*v"


def _channel(rng: Random) -> list[int]:
    """Return four or five integers with an integer mean of at least 1."""
    while True:
        x = [rng.randint(-4, 9) for _ in range(rng.choice([4, 5]))]
        if sum(x) % len(x) == 0 and sum(x) > 0 and len(set(x)) > 2:
            return x


def _affine(rng: Random) -> dict[str, Any]:
    return dict(
        gamma=rng.choice([0.5, 1.5, 2, 3, -2]),
        beta=rng.choice([-2, -1, 0.5, 1, 3]),
        epsilon=rng.choice([0.1, 0.5, 1, 2]),
    )


def _statistics(rng: Random) -> dict[str, Any]:
    start = rng.choice([(0, 1), (0, 1), (-2, 4), (-1, 3), (0.5, 2)])
    return dict(alpha=rng.choice([0.1, 0.1, 0.2, 0.05]), R_mean0=start[0], R_var0=start[1])


@drill(
    BN_FORWARD,
    tier=2,
    asks=("mu", "v", "y"),
    visualization="number-line x",
    prompt="A batch norm layer in training mode receives the values x = {x} in one channel. The scale is gamma = "
    "{gamma}, the shift is beta = {beta}, and epsilon = {epsilon}.\n"
    "What are the mean mu, the variance v and the output y?\n"
    "Conventions: v is divided by the number of values m; epsilon is added to the variance, inside the square root.",
    hint="Which statistics give the values mean 0 and variance 1? Then scale and shift.",
    mistakes=[
        Mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED),
        Mistake(
            "mean-not-taken-away",
            "v = mean(i, x[i]^2)",
            "You did not subtract the mean. The variance is the mean of the squared differences from the mean.",
        ),
        Mistake("by-variance", *Y_MISTAKES["by-variance"]),
        Mistake("epsilon-outside", *Y_MISTAKES["epsilon-outside"]),
        Mistake(
            "shift-before-scale",
            "y[i] = gamma*((x[i] - mu)/sqrt(v + epsilon) + beta)",
            "You added beta before scaling. gamma multiplies only the normalized value, so add beta last.",
        ),
        Mistake(
            "affine-left-out",
            "y[i] = (x[i] - mu)/sqrt(v + epsilon)",
            "You left out gamma and beta. Multiply the normalized values by gamma, then add beta.",
        ),
    ],
)
def bn_forward(rng: Random) -> Inputs:
    """Batch norm in training mode"""
    return dict(x=_channel(rng)) | _affine(rng)


@drill(
    BN_BATCH,
    id="bn-forward:features",
    tier=2,
    asks=("mu", "v", "Y"),
    visualization="matrices X",
    prompt="A batch norm layer in training mode receives the batch X = {X}. Rows are samples and columns are "
    "features. The scale is gamma = {gamma}, the shift is beta = {beta}, and epsilon = {epsilon}.\n"
    "What are the means mu, the variances v and the output Y?\n"
    "Conventions: v is divided by the number of samples m; epsilon is added to the variance, inside the square root.",
    hint="Does batch norm average over rows or over columns?",
    mistakes=[
        Mistake(
            "per-sample",
            "mu[n] = mean(k, X[n, k]); v[n] = mean(k, (X[n, k] - mean(j, X[n, j]))^2); Y[i, k] = gamma[k]*(X[i, k] - "
            "mean(j, "
            "X[i, j]))/sqrt(mean(j, (X[i, j] - mean(h, X[i, h]))^2) + epsilon) + beta[k]",
            "That is layer norm, over the features of a sample. Batch norm normalizes each feature (column) over the "
            "samples.",
        ),
        Mistake("unbiased", "v[k] = sum(i, (X[i, k] - mu[k])^2)/(m - 1)", UNBIASED),
        Mistake("by-variance", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(v[k] + epsilon) + beta[k]", BY_VARIANCE),
        Mistake(
            "epsilon-outside", "Y[i, k] = gamma[k]*(X[i, k] - mu[k])/(sqrt(v[k]) + epsilon) + beta[k]", EPSILON_OUTSIDE
        ),
    ],
)
def bn_features(rng: Random) -> Inputs:
    """Batch norm of two features"""
    samples = rng.choice([3, 4])
    X = [[rng.randint(-3, 6), rng.randint(0, 12)] for _ in range(samples)]
    gamma, beta = ([rng.choice(choice) for _ in range(2)] for choice in ([1, 2, 0.5, 3], [0, 1, -1, 2]))
    return dict(X=X, gamma=gamma, beta=beta, epsilon=rng.choice([0.1, 0.5, 1]))


@drill(
    BN_RUNNING,
    tier=2,
    asks=("R_mean", "R_var"),
    prompt="A batch norm layer in training mode has the running mean {R_mean0} and the running variance {R_var0} in "
    "one channel. It receives a batch with the values x = {x} in this channel. The momentum is alpha = {alpha}.\n"
    "What are the new running mean R_mean and running variance R_var?\n"
    "Conventions: as in PyTorch, alpha is the weight of the new batch, and the running variance uses the unbiased "
    "variance (divided by m - 1 for m values).",
    hint="Each running statistic is a weighted mean of its old value and the value of the batch. What are the weights?",
    mistakes=[
        Mistake("momentum-reversed", MOMENTUM_REVERSED, REVERSED),
        Mistake("biased-variance", BIASED_VARIANCE, BIASED),
        Mistake(
            "old-not-decayed",
            "R_mean = R_mean0 + alpha*mu; R_var = R_var0 + alpha*v*m/(m - 1)",
            "You kept the full old value. The two weights add up to 1, so multiply the old value by 1 - alpha.",
        ),
        Mistake(
            "batch-alone",
            "R_mean = mu; R_var = v*m/(m - 1)",
            "You used the batch statistics alone. The old value has the weight 1 - alpha and the batch the weight "
            "alpha.",
        ),
    ],
)
def bn_running_stats(rng: Random) -> Inputs:
    """Running statistics of batch norm"""
    return dict(x=_channel(rng)) | _statistics(rng)


@drill(
    BN_TRAIN_EVAL,
    id="bn-forward:train-then-eval",
    tier=3,
    asks=("mu", "v", "y", "R_mean", "R_var", "z"),
    prompt="One channel of a batch norm layer has the scale gamma = {gamma}, the shift beta = {beta}, epsilon = "
    "{epsilon}, the momentum alpha = {alpha}, the running mean {R_mean0} and the running variance {R_var0}. In "
    "training mode it receives the values x = {x}. Then it is switched to evaluation mode and receives the same "
    "values again.\n"
    "What are the batch mean mu, the batch variance v, the output y in training mode, the new running mean R_mean and "
    "running variance R_var, and the output z in evaluation mode?\n"
    "Conventions: v is divided by the number of values m; epsilon is added to the variance, inside the square root; "
    "as in PyTorch, alpha is the weight of the new batch, and the running variance uses the unbiased variance "
    "(divided by m - 1).",
    hint="Which statistics does each mode normalize with? Which mode updates the running statistics?",
    mistakes=[
        Mistake("unbiased", "v = sum(i, (x[i] - mu)^2)/(m - 1)", UNBIASED),
        Mistake("by-variance", *Y_MISTAKES["by-variance"]),
        Mistake("epsilon-outside", *Y_MISTAKES["epsilon-outside"]),
        Mistake(
            "running-statistics-in-training",
            "y[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
            "You used the running statistics in training mode. Training mode normalizes with the statistics of the "
            "batch.",
        ),
        Mistake("momentum-reversed", MOMENTUM_REVERSED, REVERSED),
        Mistake("biased-variance", BIASED_VARIANCE, BIASED),
        Mistake(
            "batch-statistics-in-evaluation",
            "z[i] = gamma*(x[i] - mu)/sqrt(v + epsilon) + beta",
            "You used the batch statistics in evaluation mode. Evaluation mode normalizes with the running mean and "
            "variance.",
        ),
        Mistake(
            "statistics-before-the-update",
            "z[i] = gamma*(x[i] - R_mean0)/sqrt(R_var0 + epsilon) + beta",
            "You used the old running statistics. The training pass has updated them, so use R_mean and R_var.",
        ),
    ],
)
def bn_train_then_eval(rng: Random) -> Inputs:
    """Batch norm in training, then in evaluation mode"""
    return dict(x=_channel(rng)) | _affine(rng) | _statistics(rng)
