"""Several classes: softmax, its losses and gradients, and scores over all classes."""

from itertools import pairwise
from math import exp, log
from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.classification import (
    CATEGORICAL_CROSS_ENTROPY,
    ENTROPIES,
    LABEL_SMOOTHING,
    MULTICLASS_HINGE,
    ONE_HOT,
    SOFTMAX,
    SOFTMAX_CE_GRADIENT,
    SOFTMAX_JACOBIAN,
    WEIGHTED_CROSS_ENTROPY,
)
from quizzes.formulas.classification_metrics import MACRO_MICRO_F1
from quizzes.question import Step


def _logits(rng: Random, classes: int) -> list[float]:
    return [rng.randint(-20, 40) / 10 for _ in range(classes)]


@drill(
    SOFTMAX,
    tier=1,
    asks="p",
    visualization="bars z",
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
    visualization="matrices Z Y",
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
cce_value.mistake(
    "largest-probability",
    {"l": lambda Z, Y: [log(sum(exp(z) for z in row)) - float(max(row)) for row in Z]},
    "The loss takes the probability of the true class, also where another class has the largest one.",
)
cce_value.torch(
    """
l = F.cross_entropy(Z, Y, reduction="none")
L = F.cross_entropy(Z, Y)
"""
)


def _one_hot(k: int, classes: int) -> list[int]:
    return [int(j == k) for j in range(classes)]


@drill(
    SOFTMAX_CE_GRADIENT,
    tier=2,
    asks="P G",
    visualization="matrices Z Y",
    prompt="A batch of {N} samples has the logits Z = {Z} (a row for each sample) and the one-hot labels Y = {Y}. The "
    "loss is the cross-entropy of the softmax, as a mean over the batch. What are the softmax probabilities P, and the "
    "gradient G of the loss with respect to Z?",
    hint="Softmax and cross-entropy together have a very short gradient; then think of the mean.",
)
def softmax_ce_grad(rng: Random) -> dict[str, Any]:
    """Gradient of softmax with cross-entropy"""
    samples, classes = rng.choice([2, 2, 3]), rng.choice([2, 3, 3])
    return dict(
        Z=[_logits(rng, classes) for _ in range(samples)],
        Y=[_one_hot(rng.randrange(classes), classes) for _ in range(samples)],
        N=samples,
    )


softmax_ce_grad.mistake(
    "no-exp",
    "P[n, k] = Z[n, k]/sum(j, Z[n, j])",
    "Exponentiate first: softmax divides exp(z) by the sum of all exp(z).",
)
softmax_ce_grad.mistake(
    "over-the-batch",
    "P[n, k] = exp(Z[n, k])/sum(m, exp(Z[m, k]))",
    "The probabilities of one sample add up to 1: divide by the sum over its row, the classes.",
)
softmax_ce_grad.mistake(
    "sign", "G[n, k] = (Y[n, k] - P[n, k])/N", "The gradient is prediction minus label, p - y, in this order."
)
softmax_ce_grad.mistake(
    "no-mean", "G[n, k] = P[n, k] - Y[n, k]", "The loss is a mean over the batch, so its gradient is divided by N."
)
softmax_ce_grad.mistake(
    "softmax-derivative-twice",
    "G[n, k] = (P[n, k] - Y[n, k])*P[n, k]*(1 - P[n, k])/N",
    "p - y holds the softmax's derivative already: no further factor p(1 - p).",
)
softmax_ce_grad.torch(
    """
P = F.softmax(Z, dim=1)
Z = Z.requires_grad_()
G, = torch.autograd.grad(F.cross_entropy(Z, Y), Z)
"""
)


@drill(
    SOFTMAX_JACOBIAN,
    id="softmax-ce-grad:jacobian",
    tier=2,
    asks="p J",
    visualization="bars z",
    prompt="The logits are z = {z}. What are the softmax probabilities p, and the Jacobian J of softmax, with "
    "dp_i/dz_k in row i and column k?",
    hint="Raising one logit raises its own probability and lowers all the others, by as much in all.",
)
def softmax_jacobian(rng: Random) -> dict[str, Any]:
    """Jacobian of softmax"""
    return dict(z=_logits(rng, rng.choice([2, 3, 3])))


softmax_jacobian.mistake(
    "sigmoids", "p[i] = sigmoid(z[i])", "A sigmoid for each logit does not make them compete: divide by the common sum."
)
softmax_jacobian.mistake(
    "diagonal-only",
    "J[i, k] = p[i]*(1 - p[i])*(1 - min(1, abs(i - k))) + 0*p[k]",
    "Every probability depends on every logit, by the common sum: beside the diagonal stands -p_i p_k.",
)
softmax_jacobian.mistake(
    "off-diagonal-sign",
    "J[i, k] = p[i]*(1 - min(1, abs(i - k))) - p[i]*p[k]*(1 - 2*min(1, abs(i - k)))",
    "A higher logit of another class lowers this probability: beside the diagonal the sign is minus.",
)
softmax_jacobian.mistake(
    "square-left-out",
    "J[i, k] = p[i]*(1 - min(1, abs(i - k))) - p[i]*p[k]*min(1, abs(i - k))",
    "On the diagonal stands p_i - p_i^2: the logit raises the common sum as well.",
)
softmax_jacobian.torch(
    """
p = F.softmax(z, dim=0)
J = torch.autograd.functional.jacobian(lambda logits: F.softmax(logits, dim=0), z)
"""
)


CLASSES = "cat dog horse bird fish fox".split()


def _one_hot_steps(k: int, K: int, t: list[int]) -> list[Step]:
    return [
        Step(f"The code has a place for each of the {K} classes, in the order of their numbers 0 to {K - 1}."),
        Step(f"Place {k + 1} from the left belongs to class {k}: a 1 stands there, and 0 everywhere else."),
    ]


@drill(
    ONE_HOT,
    tier=1,
    asks="t",
    decimals=None,
    steps=_one_hot_steps,
    prompt="A data set has {K} classes, numbered from 0: {listing}. A sample has the label {k}. What is its one-hot "
    "code, in the order of the classes' numbers?",
    hint="How many places has the code, and which of them belongs to class 0?",
)
def one_hot(rng: Random) -> dict[str, Any]:
    """One-hot code of a label"""
    K = rng.randint(3, 6)
    listing = ", ".join(f"{k} {name}" for k, name in enumerate(rng.sample(CLASSES, K)))
    return dict(K=K, k=rng.choice([0, *range(1, K), *range(1, K)]), listing=listing)


one_hot.mistake(
    "counted-from-1",
    {"t": lambda k, K: _one_hot(max(0, k - 1), K)},
    "The classes are numbered from 0: class k stands in place k + 1.",
)
one_hot.mistake(
    "label-in-its-place",
    {"t": lambda k, K: [k * v for v in _one_hot(k, K)]},
    "The place says which class it is; what stands in it is a 1.",
)
one_hot.mistake(
    "first-class-dropped",
    {"t": lambda k, K: _one_hot(k, K)[1:]},
    "Every class has a place, the first one too: the code is as long as there are classes.",
)
one_hot.mistake(
    "zero-for-the-class",
    {"t": lambda k, K: [1 - v for v in _one_hot(k, K)]},
    "It is the other way round: a 1 for the class, and 0 for all the others.",
)
one_hot.torch("t = F.one_hot(torch.tensor(k), K)")


@drill(
    LABEL_SMOOTHING,
    tier=2,
    asks="t L",
    visualization="bars z",
    prompt="The logits of a sample are z = {z}, its one-hot label is y = {y}. With label smoothing as PyTorch does it, "
    "epsilon = {epsilon} is spread evenly over all {K} classes, the true one included. What is the smoothed target t, "
    "and the cross-entropy L of the sample with it (natural logarithm)?",
    hint="The target must still add up to 1; every class now has a share in the loss.",
)
def label_smoothing(rng: Random) -> dict[str, Any]:
    """Cross-entropy with label smoothing"""
    K = rng.choice([3, 3, 4, 5])
    return dict(z=_logits(rng, K), y=_one_hot(rng.randrange(K), K), epsilon=rng.choice([0.1, 0.1, 0.2, 0.3]), K=K)


label_smoothing.mistake(
    "only-wrong-classes",
    "t[k] = (1 - epsilon)*y[k] + (1 - y[k])*epsilon/(K - 1)",
    "That spreads epsilon over the wrong classes only. Here all K classes get epsilon/K, the true one too.",
)
label_smoothing.mistake(
    "forms-mixed",
    "t[k] = (1 - epsilon)*y[k] + (1 - y[k])*epsilon/K",
    "The true class gets its share as well, 1 - epsilon + epsilon/K: else the target no longer adds up to 1.",
)
label_smoothing.mistake(
    "nothing-taken-off",
    "t[k] = y[k] + epsilon/K",
    "What is spread must be taken off the true class first: (1 - epsilon)y + epsilon/K.",
)
label_smoothing.mistake(
    "hard-label",
    "L = -sum(k, y[k]*ln(q[k]))",
    "The loss is taken with the smoothed target: every class has a share in it.",
)
label_smoothing.mistake(
    "true-class-only",
    "L = -sum(k, y[k]*t[k]*ln(q[k]))",
    "The other classes have a target above 0 now: their terms belong to the loss.",
)
label_smoothing.torch(
    """
z = z.requires_grad_()
L = F.cross_entropy(z, y.argmax(), label_smoothing=epsilon)
slope, = torch.autograd.grad(L, z)
t = F.softmax(z, dim=0) - slope
"""
)


@drill(
    WEIGHTED_CROSS_ENTROPY,
    tier=2,
    asks="l L",
    visualization="matrices Z Y",
    prompt="A classifier gives the logits Z = {Z} (a row for each sample); the one-hot labels are Y = {Y}, and the "
    "classes have the weights w = {w}.\nWhat is the cross-entropy loss l of each sample, without its weight, and the "
    "weighted mean L as in PyTorch (divided by the sum of the weights of the samples' true classes)? Natural "
    "logarithm.",
    hint="Each sample weighs as much as its true class.",
)
def weighted_ce(rng: Random) -> dict[str, Any]:
    """Cross-entropy with class weights"""
    classes, samples = rng.choice([2, 2, 3]), rng.choice([2, 3])
    truth = rng.sample(range(classes), 2) + [rng.randrange(classes) for _ in range(samples - 2)]
    return dict(
        Z=[_logits(rng, classes) for _ in range(samples)],
        Y=[_one_hot(k, classes) for k in truth],
        w=rng.sample([0.5, 1, 2, 3, 4, 5], classes),
    )


def _by_predicted_class(Z: list, Y: list, w: list) -> float:
    total = weights = 0.0
    for logits, label in zip(Z, Y, strict=True):
        weight = float(w[logits.index(max(logits))])
        total += weight * (log(sum(exp(z) for z in logits)) - float(logits[label.index(1)]))
        weights += weight
    return total / weights


weighted_ce.mistake(
    "all-classes",
    "l[n] = -sum(k, ln(q[n, k]))",
    "Only the true class counts: the others are multiplied by 0 of the one-hot label.",
)
weighted_ce.mistake(
    "log10",
    "l[n] = -sum(k, Y[n, k]*log10(q[n, k]))",
    "The loss is taken with the natural logarithm, not with that to base 10.",
)
weighted_ce.mistake(
    "divided-by-n",
    "L = mean(n, u[n]*l[n])",
    "A weighted mean divides by the sum of the samples' weights, and not by their number.",
)
weighted_ce.mistake(
    "weights-ignored", "L = mean(n, l[n])", "Each loss counts with the weight of its sample's true class."
)
weighted_ce.mistake(
    "not-divided",
    "L = sum(n, u[n]*l[n])",
    "Divide the weighted sum by the sum of the samples' weights: a mean is asked.",
)
weighted_ce.mistake(
    "weight-of-predicted-class",
    {"L": _by_predicted_class},
    "The weight is that of the true class, and not of the class with the largest logit.",
)
weighted_ce.torch(
    """
l = F.cross_entropy(Z, Y.argmax(dim=1), reduction="none")
L = F.cross_entropy(Z, Y.argmax(dim=1), weight=w)
"""
)


@drill(
    ENTROPIES,
    tier=1,
    asks="H D C",
    visualization="bars p q",
    prompt="The classes have the true distribution p = {p}, and a model predicts q = {q}. With natural logarithms (in "
    "nats), what are the entropy H of p, the Kullback-Leibler divergence D = KL(p || q), and the cross-entropy C = "
    "H(p, q)?",
    hint="All three are means under p; the cross-entropy is the sum of the other two.",
)
def entropy_kl(rng: Random) -> dict[str, Any]:
    """Entropy, KL divergence and cross-entropy"""
    classes = rng.choice([2, 2, 3])
    p = q = _distribution(rng, classes)
    while p == q:
        q = _distribution(rng, classes)
    return dict(p=p, q=q)


def _distribution(rng: Random, classes: int) -> list[float]:
    """Probabilities in steps of 0.05, none of them 0."""
    cuts = [0, *sorted(rng.sample(range(1, 20), classes - 1)), 20]
    return [(b - a) / 20 for a, b in pairwise(cuts)]


entropy_kl.mistake(
    "log2",
    "H = -sum(i, p[i]*log2(p[i])); D = sum(i, p[i]*log2(p[i]/q[i])); C = -sum(i, p[i]*log2(q[i]))",
    "That is in bits: in nats the logarithm is the natural one.",
)
entropy_kl.mistake(
    "log10",
    "H = -sum(i, p[i]*log10(p[i])); D = sum(i, p[i]*log10(p[i]/q[i])); C = -sum(i, p[i]*log10(q[i]))",
    "In nats the logarithm is the natural one, and not that to base 10.",
)
entropy_kl.mistake(
    "sign",
    "H = sum(i, p[i]*ln(p[i])); D = sum(i, p[i]*ln(q[i]/p[i])); C = sum(i, p[i]*ln(q[i]))",
    "None of the three is ever negative here: entropy and cross-entropy take minus the logarithm, and KL has p over q.",
)
entropy_kl.mistake(
    "direction-reversed",
    "D = sum(i, q[i]*ln(q[i]/p[i])); C = -sum(i, q[i]*ln(p[i]))",
    "That is the other direction, KL(q || p) or H(q, p): the mean is taken under the first one, p.",
)
entropy_kl.torch(
    """
from torch.distributions import Categorical, kl_divergence

H = Categorical(p).entropy()
D = kl_divergence(Categorical(p), Categorical(q))
C = F.cross_entropy(q.log(), p)
"""
)


@drill(
    MULTICLASS_HINGE,
    tier=1,
    asks="L",
    visualization="bars s",
    prompt="A linear classifier gives the classes 1, 2, 3 ... the scores s = {s}. The true class is class {c}. What is "
    "the multi-class hinge loss with the margin Delta = {Delta}: the sum over all wrong classes j of max(0, s_j - "
    "s_true + Delta), not divided by the number of classes?",
    hint="A wrong class costs nothing where its score stays below the true one by the margin or more.",
)
def hinge_svm_multi(rng: Random) -> dict[str, Any]:
    """Multi-class hinge loss"""
    classes = rng.choice([3, 3, 4])
    s = [rng.randint(-20, 55) / 10 for _ in range(classes)]
    true = rng.randrange(classes)
    if s[true] == max(s):  # mostly something is violated
        s[(true + 1) % classes] = s[true] + rng.randint(-6, 15) / 10
    return dict(s=s, c=true + 1, Delta=rng.choice([1, 1, 0.5, 2]))


hinge_svm_multi.mistake(
    "true-class-included",
    "L = sum(j, m[j])",
    "The true class itself is left out of the sum: its term would always be the margin.",
)
hinge_svm_multi.mistake(
    "no-margin",
    "L = sum(j, max(0, s[j] - s[c]))",
    "A wrong class must stay below by the margin: add Delta to the difference.",
)
hinge_svm_multi.mistake(
    "difference-reversed",
    "L = -Delta + sum(j, max(0, s[c] - s[j] + Delta))",
    "A wrong class costs where its score is high: score of the wrong class minus score of the true one.",
)
hinge_svm_multi.mistake(
    "squared",
    "L = sum(j, m[j]^2) - Delta^2",
    "The violations are added as they are: squaring them is another loss, the squared hinge.",
)
hinge_svm_multi.mistake(
    "divided-by-classes",
    "L = mean(j, m[j]*min(1, abs(j - c)))",
    "Here the sum itself is asked. PyTorch's multi_margin_loss divides it by the number of classes.",
)
hinge_svm_multi.torch(
    """
# PyTorch divides by the number of classes, which is undone here.
L = len(s) * F.multi_margin_loss(s.unsqueeze(0), torch.tensor([c - 1]), margin=float(Delta))
"""
)


@drill(
    MACRO_MICRO_F1,
    tier=2,
    asks="f macro micro",
    visualization="confusion C",
    prompt="A classifier of three classes has the confusion matrix C = {C}, with a row for each true class and a "
    "column for each predicted one.\nWhat is F1 of each class (f), macro F1 as scikit-learn has it (the mean of the "
    "classes' F1), and micro F1 (F1 of the TP, FP and FN of all classes added up)?",
    hint="For each class, its row holds TP + FN, and its column TP + FP.",
)
def macro_micro_f1(rng: Random) -> dict[str, Any]:
    """Macro and micro F1"""
    size = [rng.choice([5, 10, 20]) for _ in range(3)]
    return dict(C=[[rng.randint(2, n) if i == k else rng.randint(0, 4) for k in range(3)] for i, n in enumerate(size)])


macro_micro_f1.mistake(
    "precision-for-f1",
    "f[k] = C[k, k]/sum(i, C[i, k])",
    "That is the precision of each class: F1 is the harmonic mean of precision and recall.",
)
macro_micro_f1.mistake(
    "recall-for-f1",
    "f[k] = C[k, k]/sum(j, C[k, j])",
    "That is the recall of each class: F1 is the harmonic mean of precision and recall.",
)
macro_micro_f1.mistake(
    "averages-first",
    "macro = 2*mean(k, C[k, k]/sum(i, C[i, k]))*mean(k, C[k, k]/sum(j, C[k, j]))"
    "/(mean(k, C[k, k]/sum(i, C[i, k])) + mean(k, C[k, k]/sum(j, C[k, j])))",
    "Take F1 class by class and average these: precision and recall are not averaged first here.",
)
macro_micro_f1.mistake(
    "weighted-by-support",
    "macro = sum(k, f[k]*sum(j, C[k, j]))/sum(i, sum(j, C[i, j]))",
    "Macro gives every class the same weight, however many samples it has.",
)
macro_micro_f1.mistake(
    "macro-micro-swapped",
    "macro = sum(k, C[k, k])/sum(i, sum(j, C[i, j])); micro = mean(k, f[k])",
    "Macro is the mean over the classes; micro adds up the counts first, and for one label a sample it is the "
    "accuracy.",
)
macro_micro_f1.torch(
    """
import numpy as np
from sklearn.metrics import f1_score

counts = C.numpy().astype(int).ravel()
truth, said = np.repeat(np.repeat([0, 1, 2], 3), counts), np.repeat(np.tile([0, 1, 2], 3), counts)
f = f1_score(truth, said, average=None).tolist()
macro, micro = (f1_score(truth, said, average=how) for how in ("macro", "micro"))
"""
)
