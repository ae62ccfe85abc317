"""Softmax and categorical cross-entropy: drills."""

from itertools import pairwise
from math import exp, log
from random import Random
from typing import Any

from quizzes.content.classification.multiclass_classification.formulas import (
    CATEGORICAL_CROSS_ENTROPY,
    ENTROPIES,
    LABEL_SMOOTHING,
    MACRO_MICRO_F1,
    MULTICLASS_HINGE,
    ONE_HOT,
    SOFTMAX,
    SOFTMAX_CE_GRADIENT,
    SOFTMAX_JACOBIAN,
    WEIGHTED_CROSS_ENTROPY,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step

LOG_10 = "You used the base-10 logarithm. The convention here is the natural logarithm, so use ln."


NO_EXP = "You left out the exponential. Softmax divides exp(z) by the sum of all exp(z), so exponentiate first."


SIGMOIDS = "You applied a sigmoid to each logit. Softmax divides by a common sum, so the probabilities add up to 1."


ALL_CLASSES = "You summed over all classes. The one-hot label is 0 for the others, so only the true class contributes."


def _logits(rng: Random, classes: int) -> list[float]:
    return [rng.randint(-20, 40) / 10 for _ in range(classes)]


def _one_hot(k: int, classes: int) -> list[int]:
    return [int(j == k) for j in range(classes)]


CLASSES = "cat dog horse bird fish fox".split()


def _one_hot_steps(k: int, K: int, t: list[int]) -> list[Step]:
    return [
        Step(f"The vector has one element for each of the {K} classes, in the order of their numbers 0 to {K - 1}."),
        Step(f"Set element {k + 1} from the left to 1, because it belongs to class {k}. All others are 0."),
    ]


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


@drill(
    ONE_HOT,
    tier=1,
    asks="t",
    decimals=None,
    steps=_one_hot_steps,
    prompt="A dataset has {K} classes, numbered from 0: {listing}. A sample has the label {k}.\n"
    "Conventions: the elements are in the order of the class numbers.",
    hint="How many elements does the vector have, and which one belongs to class 0?",
    mistakes=[
        Mistake(
            "counted-from-1",
            {"t": lambda k, K: _one_hot(max(0, k - 1), K)},
            "You counted from 1. The classes are numbered from 0, so class 0 is the first element.",
        ),
        Mistake(
            "label-in-its-place",
            {"t": lambda k, K: [k * v for v in _one_hot(k, K)]},
            "You wrote the label itself. The position encodes the class, so write a 1 there.",
        ),
        Mistake(
            "first-class-dropped",
            {"t": lambda k, K: _one_hot(k, K)[1:]},
            "You left out the first class. Every class has an element, so the vector is as long as the number of "
            "classes.",
        ),
        Mistake(
            "zero-for-the-class",
            {"t": lambda k, K: [1 - v for v in _one_hot(k, K)]},
            "You swapped 0 and 1. Write a 1 for the class of the label and 0 for all others.",
        ),
    ],
)
def one_hot(rng: Random) -> Inputs:
    """One-hot vector of a label"""
    K = rng.randint(3, 6)
    listing = ", ".join(f"{k} {name}" for k, name in enumerate(rng.sample(CLASSES, K)))
    return dict(K=K, k=rng.choice([0, *range(1, K), *range(1, K)]), listing=listing)


@drill(
    LABEL_SMOOTHING,
    tier=2,
    asks=("t", "L"),
    visualization="bars z",
    prompt="A sample has the logits z = {z} and the one-hot label y = {y}, for {K} classes. The loss is the "
    "cross-entropy with label smoothing epsilon = {epsilon}.\n"
    "What are the smoothed target t and the loss L?\n"
    "Conventions: natural log; as in PyTorch, epsilon is spread evenly over all K classes, including the true one.",
    hint="The elements of the target must still add up to 1. Which classes contribute to the loss now?",
    mistakes=[
        Mistake(
            "only-wrong-classes",
            "t[k] = (1 - epsilon)*y[k] + (1 - y[k])*epsilon/(K - 1)",
            "You spread epsilon over the incorrect classes only. Here all K classes get epsilon/K, including the "
            "true one.",
        ),
        Mistake(
            "forms-mixed",
            "t[k] = (1 - epsilon)*y[k] + (1 - y[k])*epsilon/K",
            "You left out the share of the true class. The target must add up to 1, so the true class gets 1 - "
            "epsilon + "
            "epsilon/K.",
        ),
        Mistake(
            "nothing-taken-off",
            "t[k] = y[k] + epsilon/K",
            "You did not reduce the true class. The target must add up to 1, so use (1 - epsilon) y + epsilon/K.",
        ),
        Mistake(
            "hard-label",
            "L = -sum(k, y[k]*ln(q[k]))",
            "You used the one-hot label. The loss uses the smoothed target t, so every class contributes.",
        ),
        Mistake(
            "true-class-only",
            "L = -sum(k, y[k]*t[k]*ln(q[k]))",
            "You used the true class only. The other classes have targets above 0 too, so add their terms.",
        ),
    ],
)
def label_smoothing(rng: Random) -> Inputs:
    """Cross-entropy with label smoothing"""
    K = rng.choice([3, 3, 4, 5])
    return dict(z=_logits(rng, K), y=_one_hot(rng.randrange(K), K), epsilon=rng.choice([0.1, 0.1, 0.2, 0.3]), K=K)


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


@drill(
    MACRO_MICRO_F1,
    tier=2,
    asks=("f", "macro", "micro"),
    visualization="confusion C",
    prompt="A classifier for three classes has the confusion matrix C = {C}. Rows are true classes and columns are "
    "predicted classes.\n"
    "What are the F1 score f of each class, macro F1 and micro F1?\n"
    "Conventions: as in scikit-learn, macro F1 is the mean of the F1 scores, and micro F1 uses TP, FP and FN summed "
    "over all classes.",
    hint="For each class, what do its row and its column of C add up to, in terms of TP, FN and FP?",
    mistakes=[
        Mistake(
            "precision-for-f1",
            "f[k] = C[k, k]/sum(i, C[i, k])",
            "That is the precision of each class. F1 is the harmonic mean of precision and recall.",
        ),
        Mistake(
            "recall-for-f1",
            "f[k] = C[k, k]/sum(j, C[k, j])",
            "That is the recall of each class. F1 is the harmonic mean of precision and recall.",
        ),
        Mistake(
            "averages-first",
            "macro = 2*mean(k, C[k, k]/sum(i, C[i, k]))*mean(k, C[k, k]/sum(j, C[k, j]))/(mean(k, C[k, k]/sum(i, "
            "C[i, k])) + "
            "mean(k, C[k, k]/sum(j, C[k, j])))",
            "You averaged precision and recall first. Macro F1 is the mean of the F1 scores, so compute F1 for each "
            "class "
            "first.",
        ),
        Mistake(
            "weighted-by-support",
            "macro = sum(k, f[k]*sum(j, C[k, j]))/sum(i, sum(j, C[i, j]))",
            "You weighted the classes by their support. Macro F1 gives every class the same weight, so take the "
            "plain mean.",
        ),
        Mistake(
            "macro-micro-swapped",
            "macro = sum(k, C[k, k])/sum(i, sum(j, C[i, j])); micro = mean(k, f[k])",
            "You swapped macro and micro F1. Macro F1 is the mean over the classes, and micro F1 adds up the counts "
            "first.",
        ),
    ],
)
def macro_micro_f1(rng: Random) -> Inputs:
    """Macro and micro F1"""
    sizes = [rng.choice([5, 10, 20]) for _ in range(3)]
    return dict(C=[[rng.randint(2, n) if i == k else rng.randint(0, 4) for k in range(3)] for i, n in enumerate(sizes)])
