"""Softmax and categorical cross-entropy."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.classification import CATEGORICAL_CROSS_ENTROPY, SOFTMAX


def _logits(rng: Random, classes: int) -> list[float]:
    return [rng.randint(-20, 40) / 10 for _ in range(classes)]


@drill(
    SOFTMAX,
    tier=1,
    asks="p",
    picture="bars",
    prompt="The logits are z = {z}. What are the softmax probabilities at temperature T = {T} (the logits are "
    "divided by T)?",
    hint="Exponentiate every logit, after dividing it by T, then divide each by the sum of all.",
)
def softmax_values(rng: Random) -> dict[str, Any]:
    """Softmax of a vector of logits"""
    return dict(z=_logits(rng, rng.choice([3, 3, 4])), T=rng.choice([1, 1, 2, 0.5, 4]))


softmax_values.mistake(
    "no-exp", "p[i] = z[i]/sum(j, z[j])", "Exponentiate first: z/sum(z) is no softmax, and can even be negative."
)
softmax_values.mistake(
    "temperature-multiplies",
    "p[i] = exp(z[i]*T)/sum(j, exp(z[j]*T))",
    "The logits are divided by T: a high T flattens.",
)
softmax_values.mistake(
    "temperature-outside",
    "p[i] = exp(z[i])/T/sum(j, exp(z[j]))",
    "T divides the logits before the exponential; outside it, the probabilities no longer add up to 1.",
)
softmax_values.mistake(
    "sigmoids",
    "p[i] = sigmoid(z[i]/T)",
    "A sigmoid for each logit does not make them compete: softmax divides by the common sum.",
)
softmax_values.torch("p = torch.softmax(z / T, dim=0)")


@drill(
    CATEGORICAL_CROSS_ENTROPY,
    tier=2,
    asks="l L",
    prompt="A classifier gives the logits Z = {Z} (a row for each sample); the one-hot labels are Y = {Y}.\n"
    "What is the cross-entropy loss l of each sample, and L, the mean over the batch? Natural logarithm.",
    hint="A sample's loss is ln(sum of exp z) minus the logit of its true class.",
)
def cce_value(rng: Random) -> dict[str, Any]:
    """Categorical cross-entropy of a batch"""
    classes, samples = 3, rng.choice([2, 2, 3])
    truth = [rng.randrange(classes) for _ in range(samples)]
    return dict(
        Z=[_logits(rng, classes) for _ in range(samples)],
        Y=[[int(k == t) for k in range(classes)] for t in truth],
    )


cce_value.mistake(
    "no-mean", "L = sum(n, l[n])", "The loss of the batch is asked as a mean: divide by the number of samples."
)
cce_value.mistake(
    "log10",
    "l[n] = -sum(k, Y[n, k]*log10(q[n, k]))",
    "The loss is taken with the natural logarithm, not with that to base 10.",
)
cce_value.mistake(
    "all-classes",
    "l[n] = -sum(k, ln(q[n, k]))",
    "Only the true class counts: the others are multiplied by 0 of the one-hot label.",
)
cce_value.mistake(
    "softmax-twice",
    "l[n] = -sum(k, Y[n, k]*ln(exp(q[n, k])/sum(j, exp(q[n, j]))))",
    "Softmax is applied once: cross_entropy takes logits and does it itself.",
)
cce_value.mistake(
    "probability-not-log",
    "l[n] = sum(k, Y[n, k]*(1 - q[n, k]))",
    "The loss is -ln of the true class's probability, not 1 minus it.",
)
cce_value.torch(
    """
l = F.cross_entropy(Z, Y, reduction="none")
L = F.cross_entropy(Z, Y)
"""
)
