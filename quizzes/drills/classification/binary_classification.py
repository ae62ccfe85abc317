"""Logistic regression and binary cross-entropy."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.classification import BINARY_CROSS_ENTROPY


@drill(
    BINARY_CROSS_ENTROPY,
    tier=1,
    asks="L",
    prompt="A binary classifier gives samples with the labels y = {y} the probabilities p = {p} of class 1. "
    "What is the binary cross-entropy, as a mean over the samples, with the natural logarithm?",
    hint="Of each sample only one term stays: ln p where y is 1, ln(1 - p) where y is 0.",
)
def bce_value(rng: Random) -> dict[str, Any]:
    """Binary cross-entropy"""
    n = rng.randint(2, 4)
    labels = [1, 0] + [rng.randint(0, 1) for _ in range(n - 2)]
    rng.shuffle(labels)
    return dict(y=labels, p=[rng.randint(1, 19) / 20 for _ in labels])


bce_value.mistake(
    "only-positives", "L = -mean(i, y[i]*ln(p[i]))", "Samples of class 0 have a loss too: -ln(1 - p) where y is 0."
)
bce_value.mistake(
    "p-swapped",
    "L = -mean(i, y[i]*ln(1 - p[i]) + (1 - y[i])*ln(p[i]))",
    "ln p belongs to y = 1, and ln(1 - p) to y = 0.",
)
bce_value.mistake(
    "log2",
    "L = -mean(i, y[i]*log2(p[i]) + (1 - y[i])*log2(1 - p[i]))",
    "The loss is taken with the natural logarithm, not with that to base 2.",
)
bce_value.mistake(
    "log10",
    "L = -mean(i, y[i]*log10(p[i]) + (1 - y[i])*log10(1 - p[i]))",
    "The loss is taken with the natural logarithm, not with that to base 10.",
)
bce_value.mistake(
    "no-mean",
    "L = -sum(i, y[i]*ln(p[i]) + (1 - y[i])*ln(1 - p[i]))",
    "Divide the sum by the number of samples: a mean is asked.",
)
bce_value.mistake(
    "sign",
    "L = mean(i, y[i]*ln(p[i]) + (1 - y[i])*ln(1 - p[i]))",
    "Logarithms of probabilities are negative: the minus makes a loss.",
)
bce_value.torch("L = F.binary_cross_entropy(p, y)")
