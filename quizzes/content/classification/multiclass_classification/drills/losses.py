"""Multiclass classification: drills about losses."""

from itertools import pairwise
from math import exp, log
from random import Random
from typing import Any

from quizzes.content.classification.multiclass_classification.drills.shared import (
    ALL_CLASSES,
    LOG_10,
    _logits,
    _one_hot,
)
from quizzes.content.classification.multiclass_classification.formulas import (
    ENTROPIES,
    MULTICLASS_HINGE,
    WEIGHTED_CROSS_ENTROPY,
)
from quizzes.drill import Inputs, Mistake, drill


def _weighted_by_predicted_class(Z: list[Any], Y: list[Any], w: list[Any]) -> float:
    weighted_sum = weight_sum = 0.0
    for logits, label in zip(Z, Y, strict=True):
        weight = float(w[logits.index(max(logits))])
        weighted_sum += weight * (log(sum(exp(z) for z in logits)) - float(logits[label.index(1)]))
        weight_sum += weight
    return weighted_sum / weight_sum


def _distribution(rng: Random, classes: int) -> list[float]:
    """Return probabilities in steps of 0.05, all above 0."""
    cuts = [0, *sorted(rng.sample(range(1, 20), classes - 1)), 20]
    return [(b - a) / 20 for a, b in pairwise(cuts)]


@drill(
    WEIGHTED_CROSS_ENTROPY,
    tier=2,
    asks=("l", "L"),
    visualization="matrices Z Y",
    prompt="A classifier outputs the logits Z = {Z}. The one-hot labels are Y = {Y}. Each row is a sample. The "
    "classes have the weights w = {w}.\n"
    "What are the unweighted cross-entropy loss l of each sample and the weighted mean loss L?\n"
    "Conventions: natural log; as in PyTorch, the weighted sum is divided by the sum of the weights of the samples' "
    "true classes.",
    hint="Which class determines the weight of a sample?",
    mistakes=[
        Mistake("all-classes", "l[n] = -sum(k, ln(q[n, k]))", ALL_CLASSES),
        Mistake("log10", "l[n] = -sum(k, Y[n, k]*log10(q[n, k]))", LOG_10),
        Mistake(
            "divided-by-n",
            "L = mean(n, u[n]*l[n])",
            "You divided by the number of samples. A weighted mean divides by the sum of the weights.",
        ),
        Mistake(
            "weights-ignored",
            "L = mean(n, l[n])",
            "You ignored the weights. Multiply the loss of each sample by the weight of its true class.",
        ),
        Mistake(
            "not-divided",
            "L = sum(n, u[n]*l[n])",
            "You took the weighted sum. L is a weighted mean, so divide by the sum of the weights.",
        ),
        Mistake(
            "weight-of-predicted-class",
            {"L": _weighted_by_predicted_class},
            "You used the weight of the predicted class. The weight of a sample is that of its true class.",
        ),
    ],
)
def weighted_ce(rng: Random) -> Inputs:
    """Cross-entropy with class weights"""
    classes, samples = rng.choice([2, 2, 3]), rng.choice([2, 3])
    labels = rng.sample(range(classes), 2) + [rng.randrange(classes) for _ in range(samples - 2)]
    return dict(
        Z=[_logits(rng, classes) for _ in range(samples)],
        Y=[_one_hot(k, classes) for k in labels],
        w=rng.sample([0.5, 1, 2, 3, 4, 5], classes),
    )


@drill(
    ENTROPIES,
    tier=1,
    asks=("H", "D", "C"),
    visualization="bars p q",
    prompt="The true class distribution is p = {p}. A model predicts q = {q}.\n"
    "What are the entropy H of p, the Kullback-Leibler divergence D = KL(p || q) and the cross-entropy C = H(p, q)?\n"
    "Conventions: natural log (nats).",
    hint="All three are expectations under p. How are they related?",
    mistakes=[
        Mistake(
            "log2",
            "H = -sum(i, p[i]*log2(p[i])); D = sum(i, p[i]*log2(p[i]/q[i])); C = -sum(i, p[i]*log2(q[i]))",
            "You used the base-2 logarithm, which gives bits. For nats, use the natural logarithm.",
        ),
        Mistake(
            "log10",
            "H = -sum(i, p[i]*log10(p[i])); D = sum(i, p[i]*log10(p[i]/q[i])); C = -sum(i, p[i]*log10(q[i]))",
            "You used the base-10 logarithm. For nats, use the natural logarithm.",
        ),
        Mistake(
            "sign",
            "H = sum(i, p[i]*ln(p[i])); D = sum(i, p[i]*ln(q[i]/p[i])); C = sum(i, p[i]*ln(q[i]))",
            "You reversed the sign. None of the three is negative here: H and C have a minus sign, and D has ln(p/q).",
        ),
        Mistake(
            "direction-reversed",
            "D = sum(i, q[i]*ln(q[i]/p[i])); C = -sum(i, q[i]*ln(p[i]))",
            "You reversed the direction, KL(q || p) or H(q, p). The expectation is under the first distribution, p.",
        ),
    ],
)
def entropy_kl(rng: Random) -> Inputs:
    """Entropy, KL divergence and cross-entropy"""
    classes = rng.choice([2, 2, 3])
    p = q = _distribution(rng, classes)
    while p == q:
        q = _distribution(rng, classes)
    return dict(p=p, q=q)


@drill(
    MULTICLASS_HINGE,
    tier=1,
    asks="L",
    visualization="bars s",
    prompt="A linear classifier gives the classes 1, 2, 3, ... the scores s = {s}. The true class is {c}. The loss is "
    "the multi-class hinge loss with the margin Delta = {Delta}.\n"
    "Conventions: the sum over all incorrect classes j of max(0, s_j - s_true + Delta), not divided by the number of "
    "classes.",
    hint="When does an incorrect class add nothing to the loss? Compare its score with that of the true class.",
    mistakes=[
        Mistake(
            "true-class-included",
            "L = sum(j, m[j])",
            "You included the true class. Its term is always Delta, so leave it out of the sum.",
        ),
        Mistake(
            "no-margin",
            "L = sum(j, max(0, s[j] - s[c]))",
            "You left out the margin. An incorrect score must be lower by at least Delta, so add Delta to the "
            "difference.",
        ),
        Mistake(
            "difference-reversed",
            "L = -Delta + sum(j, max(0, s[c] - s[j] + Delta))",
            "You reversed the difference. An incorrect class adds to the loss if its score is high, so use s_j - "
            "s_true.",
        ),
        Mistake(
            "squared",
            "L = sum(j, m[j]^2) - Delta^2",
            "You squared the violations. That is the squared hinge loss, so add them without squaring.",
        ),
        Mistake(
            "divided-by-classes",
            "L = mean(j, m[j]*[j != c])",
            "You divided by the number of classes, as PyTorch's multi_margin_loss does. The convention here is the "
            "sum.",
        ),
    ],
)
def hinge_svm_multi(rng: Random) -> Inputs:
    """Multi-class hinge loss"""
    classes = rng.choice([3, 3, 4])
    s = [rng.randint(-20, 55) / 10 for _ in range(classes)]
    label = rng.randrange(classes)
    if s[label] == max(s):  # mostly violate the margin
        s[(label + 1) % classes] = s[label] + rng.randint(-6, 15) / 10
    return dict(s=s, c=label + 1, Delta=rng.choice([1, 1, 0.5, 2]))
