"""Multiclass classification: drills about softmax and its gradients."""

from math import exp, log
from random import Random

from quizzes.content.classification.multiclass_classification.drills.shared import (
    ALL_CLASSES,
    LOG_10,
    _logits,
    _one_hot,
)
from quizzes.content.classification.multiclass_classification.formulas import (
    CATEGORICAL_CROSS_ENTROPY,
    SOFTMAX,
    SOFTMAX_CE_GRADIENT,
    SOFTMAX_JACOBIAN,
)
from quizzes.drill import Inputs, Mistake, drill

NO_EXP = "You left out the exponential. Softmax divides exp(z) by the sum of all exp(z), so exponentiate first."


SIGMOIDS = "You applied a sigmoid to each logit. Softmax divides by a common sum, so the probabilities add up to 1."


@drill(
    SOFTMAX,
    tier=1,
    asks="p",
    visualization="bars z",
    prompt="Softmax with the temperature T = {T} is applied to the logits z = {z}.\n"
    "Conventions: the logits are divided by T.",
    hint="Divide each logit by T and exponentiate. What must you divide by so that the probabilities add up to 1?",
    mistakes=[
        Mistake("no-exp", "p[i] = z[i]/sum(j, z[j])", NO_EXP),
        Mistake(
            "temperature-multiplies",
            "p[i] = exp(z[i]*T)/sum(j, exp(z[j]*T))",
            "You multiplied by T. The logits are divided by T, so a higher T gives a flatter distribution.",
        ),
        Mistake(
            "temperature-outside",
            "p[i] = exp(z[i])/T/sum(j, exp(z[j]))",
            "You divided the result by T. T divides the logits inside the exponential, so the probabilities add up "
            "to 1.",
        ),
        Mistake("sigmoids", "p[i] = sigmoid(z[i]/T)", SIGMOIDS),
    ],
)
def softmax_values(rng: Random) -> Inputs:
    """Softmax of a vector of logits"""
    return dict(z=_logits(rng, rng.choice([3, 3, 4])), T=rng.choice([1, 1, 2, 0.5, 4]))


@drill(
    CATEGORICAL_CROSS_ENTROPY,
    tier=2,
    asks=("l", "L"),
    visualization="matrices Z Y",
    prompt="A classifier outputs the logits Z = {Z}. The one-hot labels are Y = {Y}. Each row is a sample.\n"
    "What are the cross-entropy loss l of each sample and the mean loss L?\n"
    "Conventions: natural log; mean over the batch.",
    hint="The loss of a sample is ln(sum of exp z) minus the logit of the true class.",
    mistakes=[
        Mistake(
            "no-mean",
            "L = sum(n, l[n])",
            "You took the sum. The loss is the mean over the batch, so divide by the number of samples.",
        ),
        Mistake("log10", "l[n] = -sum(k, Y[n, k]*log10(q[n, k]))", LOG_10),
        Mistake("all-classes", "l[n] = -sum(k, ln(q[n, k]))", ALL_CLASSES),
        Mistake(
            "softmax-twice",
            "l[n] = -sum(k, Y[n, k]*ln(exp(q[n, k])/sum(j, exp(q[n, j]))))",
            "You applied softmax twice. PyTorch's cross_entropy takes logits and applies softmax itself, so apply it "
            "once.",
        ),
        Mistake(
            "probability-not-log",
            "l[n] = sum(k, Y[n, k]*(1 - q[n, k]))",
            "You used 1 minus the probability. The loss is -ln of the probability of the true class.",
        ),
        Mistake(
            "largest-probability",
            {"l": lambda Z, Y: [log(sum(exp(z) for z in row)) - float(max(row)) for row in Z]},
            "You used the largest probability. The loss uses the probability of the true class, even if another "
            "class has a "
            "larger one.",
        ),
    ],
)
def cce_value(rng: Random) -> Inputs:
    """Categorical cross-entropy of a batch"""
    classes, samples = 3, rng.choice([2, 2, 3])
    labels = [rng.randrange(classes) for _ in range(samples)]
    return dict(
        Z=[_logits(rng, classes) for _ in range(samples)],
        Y=[[int(k == t) for k in range(classes)] for t in labels],
    )


@drill(
    SOFTMAX_CE_GRADIENT,
    tier=2,
    asks=("P", "G"),
    visualization="matrices Z Y",
    prompt="A batch of N = {N} samples has the logits Z = {Z} and the one-hot labels Y = {Y}. Each row is a sample. "
    "The loss is the cross-entropy of the softmax.\n"
    "What are the softmax probabilities P and the gradient G of the loss with respect to Z?\n"
    "Conventions: natural log; mean over the batch.",
    hint="What is the gradient of softmax and cross-entropy together for one sample? Then account for the mean.",
    mistakes=[
        Mistake("no-exp", "P[n, k] = Z[n, k]/sum(j, Z[n, j])", NO_EXP),
        Mistake(
            "over-the-batch",
            "P[n, k] = exp(Z[n, k])/sum(m, exp(Z[m, k]))",
            "You normalized over the batch. The probabilities of a sample add up to 1, so divide by the sum over its "
            "row.",
        ),
        Mistake(
            "sign",
            "G[n, k] = (Y[n, k] - P[n, k])/N",
            "You reversed the sign. The gradient is prediction minus label, P - Y.",
        ),
        Mistake(
            "no-mean",
            "G[n, k] = P[n, k] - Y[n, k]",
            "You left out the mean. The loss is the mean over the batch, so divide its gradient by N.",
        ),
        Mistake(
            "softmax-derivative-twice",
            "G[n, k] = (P[n, k] - Y[n, k])*P[n, k]*(1 - P[n, k])/N",
            "You multiplied by the softmax derivative again. P - Y already contains it, so leave out the factor P (1 "
            "- P).",
        ),
    ],
)
def softmax_ce_grad(rng: Random) -> Inputs:
    """Gradient of softmax and cross-entropy"""
    samples, classes = rng.choice([2, 2, 3]), rng.choice([2, 3, 3])
    return dict(
        Z=[_logits(rng, classes) for _ in range(samples)],
        Y=[_one_hot(rng.randrange(classes), classes) for _ in range(samples)],
        N=samples,
    )


@drill(
    SOFTMAX_JACOBIAN,
    id="softmax-ce-grad:jacobian",
    tier=2,
    asks=("p", "J"),
    visualization="bars z",
    prompt="The logits are z = {z}.\n"
    "What are the softmax probabilities p and the Jacobian J of softmax?\n"
    "Conventions: row i and column k of J contain dp_i/dz_k.",
    hint="If one logit increases, what happens to its own probability, and what to the others?",
    mistakes=[
        Mistake("sigmoids", "p[i] = sigmoid(z[i])", SIGMOIDS),
        Mistake(
            "diagonal-only",
            "J[i, k] = p[i]*(1 - p[i])*[i = k] for k = 1..len(p)",
            "You set the off-diagonal elements to 0. Every probability depends on every logit, so these elements are "
            "-p_i p_k.",
        ),
        Mistake(
            "off-diagonal-sign",
            "J[i, k] = where(i = k, p[i] - p[i]*p[k], p[i]*p[k])",
            "You used a plus sign off the diagonal. A higher logit of another class lowers p_i, so the element is "
            "-p_i p_k.",
        ),
        Mistake(
            "square-left-out",
            "J[i, k] = where(i = k, p[i], -p[i]*p[k])",
            "You left out the square. The logit also increases the common sum, so the diagonal element is p_i - p_i^2.",
        ),
    ],
)
def softmax_jacobian(rng: Random) -> Inputs:
    """Jacobian of softmax"""
    return dict(z=_logits(rng, rng.choice([2, 3, 3])))
