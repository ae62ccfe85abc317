"""Two classes: logistic regression, its losses, and how good it is."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.classification import (
    BCE_OF_LOGIT,
    BINARY_CROSS_ENTROPY,
    CLIPPED_BCE,
    FOCAL_LOSS,
    LOGISTIC_STEP,
)
from quizzes.formulas.classification_metrics import CONFUSION_COUNTS, CONFUSION_METRICS, ROC_AUC


@drill(
    BINARY_CROSS_ENTROPY,
    tier=1,
    asks="L",
    visualization="table y p",
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


@drill(
    BCE_OF_LOGIT,
    tier=1,
    asks="L",
    visualization="functions: sigmoid at z",
    prompt="A binary classifier puts out the logit z = {z} (before any sigmoid) for a sample with the label y = {y}. "
    "What is the binary cross-entropy of this sample, with the natural logarithm?",
    hint="The logit becomes a probability by one sigmoid; -ln of what the true class gets is the loss.",
)
def bce_logits(rng: Random) -> dict[str, Any]:
    """Binary cross-entropy of a logit"""
    # Logits between 0 and 1 are those that can be taken for probabilities.
    z = rng.choice([rng.randint(1, 9) / 10, rng.choice([-1, 1]) * rng.randint(10, 50) / 10])
    return dict(z=z, y=rng.randint(0, 1))


bce_logits.mistake(
    "logit-as-probability",
    "L = -(y*ln(z) + (1 - y)*ln(1 - z))",
    "z is a logit and no probability: it goes through a sigmoid first.",
)
bce_logits.mistake(
    "sigmoid-twice",
    "L = -(y*ln(sigmoid(sigmoid(z))) + (1 - y)*ln(1 - sigmoid(sigmoid(z))))",
    "One sigmoid makes the logit a probability; a second one squeezes it once more.",
)
bce_logits.mistake(
    "labels-swapped",
    "L = max(z, 0) - z*(1 - y) + ln(1 + exp(-abs(z)))",
    "sigmoid(z) is the probability of class 1: the loss is -ln of it where y is 1, and -ln(1 - it) where y is 0.",
)
bce_logits.mistake(
    "log-term-dropped",
    "L = max(z, 0) - z*y",
    "The term ln(1 + exp(-|z|)) is missing: without it the loss would be 0 for every sample on the right side.",
)
bce_logits.torch("L = F.binary_cross_entropy_with_logits(torch.tensor(float(z)), torch.tensor(float(y)))")


@drill(
    CLIPPED_BCE,
    tier=1,
    asks="L",
    prompt="A classifier gives a sample with the label y = {y} the probability p = {p} of class 1. Before the "
    "logarithm p is clipped to the interval from epsilon to 1 - epsilon, epsilon = {epsilon}. What is the binary "
    "cross-entropy, with the natural logarithm?",
    hint="Clipping changes the probability only where it lies outside the interval.",
)
def bce_clipped(rng: Random) -> dict[str, Any]:
    """Binary cross-entropy of a clipped probability"""
    y = rng.randint(0, 1)
    wrong = rng.choice([0, 0, 0.0001, 0.001, 0.002, 0.02])  # what the true class is given
    p = wrong if y else round(1 - wrong, 4)
    return dict(p=p, y=y, epsilon=rng.choice([1e-7, 1e-6, 0.001, 0.005, 0.01, 0.05]))


bce_clipped.mistake(
    "not-clipped",
    "q = p",
    "p lies outside the interval: the loss is taken at the nearer end of it.",
)
bce_clipped.mistake(
    "label-clipped",
    "L = -(min(max(y, epsilon), 1 - epsilon)*ln(q) + (1 - min(max(y, epsilon), 1 - epsilon))*ln(1 - q))",
    "Only the probability is clipped: the label stays 0 or 1.",
)
bce_clipped.mistake("p-swapped", "L = -(y*ln(1 - q) + (1 - y)*ln(q))", "ln p belongs to y = 1, and ln(1 - p) to y = 0.")
bce_clipped.mistake(
    "log10",
    "L = -(y*log10(q) + (1 - y)*log10(1 - q))",
    "The loss is taken with the natural logarithm, not with that to base 10.",
)
bce_clipped.torch(
    "L = F.binary_cross_entropy(torch.tensor(float(p)).clamp(epsilon, 1 - epsilon), torch.tensor(float(y)))"
)


@drill(
    LOGISTIC_STEP,
    tier=2,
    asks="p g_w g_b w_new b_new",
    visualization="logistic",
    prompt="Logistic regression with one feature: p = sigmoid(w x + b), and the loss L is the binary cross-entropy as "
    "a mean over the samples (natural logarithm). The samples are x = {x} with the labels y = {y}; w = {w}, b = "
    "{b}.\nDo one step of batch gradient descent with learning rate {eta}: what are the probabilities p, the gradients "
    "g_w = dL/dw and g_b = dL/db, and w_new and b_new after the step?",
    hint="Sigmoid and cross-entropy together leave only the error p - y of each sample.",
)
def logreg_gd_step(rng: Random) -> dict[str, Any]:
    """One gradient step of logistic regression"""
    n = rng.choice([2, 2, 3])
    labels = [1, 0] + [rng.randint(0, 1) for _ in range(n - 2)]
    rng.shuffle(labels)
    return dict(
        x=[rng.choice([-2, -1, 1, 2, 3, 4]) for _ in labels],
        y=labels,
        w=rng.randint(-10, 10) / 10,
        b=rng.randint(-10, 10) / 10,
        eta=rng.choice([1, 0.5, 0.1]),
    )


logreg_gd_step.mistake(
    "threshold-for-sigmoid",
    "p[i] = max(0, sign(w*x[i] + b))",
    "Training takes the probability sigmoid(z) itself: a threshold is for the final decision.",
)
logreg_gd_step.mistake(
    "bias-left-out", "p[i] = sigmoid(w*x[i]); b_new = b", "The bias is part of w x + b, and it takes its own step."
)
logreg_gd_step.mistake(
    "squared-error-gradient",
    "g_w = mean(i, (p[i] - y[i])*p[i]*(1 - p[i])*x[i]); g_b = mean(i, (p[i] - y[i])*p[i]*(1 - p[i]))",
    "The factor p(1 - p) belongs to the squared error: with the cross-entropy it cancels.",
)
logreg_gd_step.mistake(
    "error-reversed",
    "g_w = mean(i, (y[i] - p[i])*x[i]); g_b = mean(i, y[i] - p[i])",
    "The gradient has prediction minus label, p - y, in this order.",
)
logreg_gd_step.mistake(
    "no-mean",
    "g_w = sum(i, (p[i] - y[i])*x[i]); g_b = sum(i, p[i] - y[i])",
    "The loss is a mean over the samples, and so is its gradient: divide by N.",
)
logreg_gd_step.mistake(
    "feature-left-out", "g_w = mean(i, p[i] - y[i])", "w multiplies x, so each sample's error counts times its x."
)
logreg_gd_step.mistake(
    "ascent",
    "w_new = w + eta*g_w; b_new = b + eta*g_b",
    "Descent subtracts: parameter minus learning rate times gradient.",
)
logreg_gd_step.torch(
    """
w, b = (torch.tensor(float(v), requires_grad=True) for v in (w, b))
z = w * x + b
p = torch.sigmoid(z)
F.binary_cross_entropy_with_logits(z, y).backward()
g_w, g_b = w.grad, b.grad
torch.optim.SGD([w, b], lr=eta).step()
w_new, b_new = w, b
"""
)


@drill(
    FOCAL_LOSS,
    tier=1,
    asks="p_t L",
    decimals=6,
    prompt="A detector gives a sample with the label y = {y} the probability p = {p} of class 1. What is p_t, the "
    "probability of the true class, and the focal loss L with gamma = {gamma} and alpha = {alpha} (class 1 has the "
    "weight alpha, class 0 the weight 1 - alpha), with the natural logarithm?",
    hint="The focal loss is the cross-entropy of the sample, times its class weight, times a power of 1 - p_t.",
)
def focal_loss(rng: Random) -> dict[str, Any]:
    """Focal loss"""
    y, gamma = rng.randint(0, 1), rng.choice([2, 2, 3, 4])
    easy = [0.8, 0.9] if gamma == 2 else []  # with a larger gamma hardly any digit of their loss would be left
    p_t = rng.choice([0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, *easy])
    return dict(p=p_t if y else round(1 - p_t, 2), y=y, gamma=gamma, alpha=rng.choice([0.25, 0.25, 0.3, 0.75]))


focal_loss.mistake(
    "p-for-negatives", "p_t = p", "p_t is the probability of the true class: for a sample of class 0 that is 1 - p."
)
focal_loss.mistake(
    "gamma-multiplies",
    "L = -alpha_t*gamma*(1 - p_t)*ln(p_t)",
    "gamma is an exponent: (1 - p_t)^gamma.",
)
focal_loss.mistake(
    "alpha-of-the-other-class",
    "alpha_t = y*(1 - alpha) + (1 - y)*alpha",
    "alpha belongs to class 1, and 1 - alpha to class 0.",
)
focal_loss.mistake("alpha-left-out", "alpha_t = 1", "The loss is weighted by alpha_t, the weight of the true class.")
focal_loss.mistake(
    "easy-samples-kept",
    "L = -alpha_t*p_t^gamma*ln(p_t)",
    "The factor is (1 - p_t)^gamma: it is small for samples that are well classified.",
)
focal_loss.torch(
    """
from torchvision.ops import sigmoid_focal_loss

probability, label = torch.tensor(float(p)), torch.tensor(float(y))
p_t = torch.exp(-F.binary_cross_entropy(probability, label))
L = sigmoid_focal_loss(torch.logit(probability), label, alpha=alpha, gamma=gamma)
"""
)


@drill(
    CONFUSION_METRICS,
    tier=1,
    asks="P R F1 Acc Spec",
    visualization="confusion",
    prompt="scikit-learn prints a confusion matrix with a row for each true class and a column for each predicted one, "
    "class 0 first: [[{TN}, {FP}], [{FN}, {TP}]]. Class 1 is the positive one. What are precision P, recall R, F1, "
    "accuracy Acc and specificity Spec?",
    hint="Name the four numbers first: the second row holds the samples that are positive in truth.",
)
def confusion_metrics(rng: Random) -> dict[str, Any]:
    """Precision, recall, F1, accuracy and specificity"""
    return dict(TP=rng.randint(4, 60), FP=rng.randint(2, 40), FN=rng.randint(2, 40), TN=rng.randint(5, 90))


confusion_metrics.mistake(
    "fp-fn-swapped",
    "P = TP/(TP + FN); R = TP/(TP + FP); Spec = TN/(TN + FN)",
    "Precision is a share of what was predicted positive (a column), recall a share of what is positive (a row).",
)
confusion_metrics.mistake(
    "top-left-as-tp",
    "P = TN/(TN + FP); R = TN/(TN + FN); Spec = TP/(TP + FP)",
    "Class 0 comes first in scikit-learn's matrix: the number at the top left counts the true negatives.",
)
confusion_metrics.mistake(
    "arithmetic-mean", "F1 = (P + R)/2", "F1 is the harmonic mean of precision and recall: 2PR/(P + R)."
)
confusion_metrics.mistake(
    "true-negatives-left-out",
    "Acc = TP/(TP + FP + FN + TN)",
    "Accuracy counts all that is right, the true negatives as well.",
)
confusion_metrics.torch(
    """
import numpy as np
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

truth, said = np.repeat([0, 0, 1, 1], [TN, FP, FN, TP]), np.repeat([0, 1, 0, 1], [TN, FP, FN, TP])
(_, P), (Spec, R), (_, F1), _ = precision_recall_fscore_support(truth, said)  # specificity is the recall of class 0
Acc = accuracy_score(truth, said)
"""
)


@drill(
    CONFUSION_COUNTS,
    id="confusion-metrics:counts",
    tier=2,
    asks="TP FN FP TN",
    visualization="confusion N pos",
    prompt="Of {N} samples {pos} are positive in truth. A classifier is reported with precision {P} and recall {R}. "
    "How many true positives (TP), false negatives (FN), false positives (FP) and true negatives (TN) does it have?",
    hint="Start with the recall: it is a share of the samples that are positive in truth.",
)
def confusion_counts(rng: Random) -> dict[str, Any]:
    """From precision and recall back to the counts"""
    while True:
        pos, N = rng.choice([20, 40, 50, 60, 80, 100, 200]), rng.choice([300, 400, 500, 800, 1000])
        precision, recall = (rng.choice([40, 50, 60, 75, 80, 90]) for _ in range(2))  # in per cent
        whole = pos * recall % 100 == pos * recall % precision == 0
        wrongly_whole = pos * precision % 100 == (N - pos) * precision % 100 == 0  # so are the mistakes' counts
        if precision != recall and whole and wrongly_whole:
            return dict(N=N, pos=pos, P=precision / 100, R=recall / 100)


confusion_counts.mistake(
    "precision-recall-swapped",
    "TP = P*pos; FP = TP/R - TP",
    "Recall is the share of the true positives that is found: TP = R times the positives; precision is TP over all "
    "that was predicted positive.",
)
confusion_counts.mistake(
    "share-of-negatives",
    "FP = (1 - P)*(N - pos)",
    "1 - P is the share of wrong ones among the predicted positives, and not among the negatives: FP = TP/P - TP.",
)
confusion_counts.mistake(
    "false-negatives-counted-as-right",
    "TN = N - TP - FP",
    "The false negatives are to be taken off too: TN is what is left of the negatives alone, N - pos - FP.",
)
confusion_counts.torch(
    """
found = [(tp, fp) for tp in range(1, pos + 1) for fp in range(N - pos + 1)
         if abs(tp / pos - R) < 1e-9 and abs(tp / (tp + fp) - P) < 1e-9]
[(TP, FP)] = found
FN, TN = pos - TP, N - pos - FP
"""
)


@drill(
    ROC_AUC,
    tier=2,
    asks="AUC",
    visualization="number-line pos neg",
    prompt="A classifier scores the positive samples {pos} and the negative samples {neg}. What is the area under its "
    "ROC curve, as the share of pairs of a positive and a negative in which the positive scores higher (a tie counts "
    "one half)?",
    hint="Go through the positives, and count for each how many negatives it beats.",
)
def roc_auc_rank(rng: Random) -> dict[str, Any]:
    """Area under the ROC curve from ranks"""
    count = rng.choice([6, 7, 7, 8])
    scores = rng.sample(range(2, 19), count)
    positives = rng.randint(3, count - 3)
    # Better scores tend to be positive; often a positive ties with a negative.
    order = sorted(scores, key=lambda score: score + rng.randint(-9, 9), reverse=True)
    pos, neg = order[:positives], order[positives:]
    if rng.random() < 0.7:
        neg[0] = rng.choice(pos)
    return dict(pos=[v / 20 for v in pos], neg=[v / 20 for v in neg])


def _precision_recall_area(pos: list, neg: list) -> Any:
    """Average precision: at each threshold, the precision times the recall that is gained there."""
    area = Fraction(0)
    for threshold in set(pos):
        hits = sum(v >= threshold for v in pos)
        precision = Fraction(hits, hits + sum(v >= threshold for v in neg))
        area += precision * Fraction(pos.count(threshold), len(pos))
    return area


roc_auc_rank.mistake(
    "ties-count-as-won",
    "AUC = mean(i, mean(j, 1 - max(0, sign(neg[j] - pos[i]))))",
    "A tie counts one half: neither of the two scores higher.",
)
roc_auc_rank.mistake(
    "ties-count-as-lost",
    "AUC = mean(i, mean(j, max(0, sign(pos[i] - neg[j]))))",
    "A tie counts one half, and not as lost.",
)
roc_auc_rank.mistake(
    "axes-swapped",
    "AUC = mean(i, mean(j, (1 + sign(neg[j] - pos[i]))/2))",
    "That is the share of pairs in which the negative scores higher: the area with the two axes exchanged.",
)
roc_auc_rank.mistake(
    "precision-recall-area",
    {"AUC": _precision_recall_area},
    "That is the average precision, the area under the precision-recall curve: the ROC curve has the false positive "
    "rate for its axis.",
)
roc_auc_rank.torch(
    """
from sklearn.metrics import roc_auc_score

AUC = roc_auc_score([1] * len(pos) + [0] * len(neg), pos.tolist() + neg.tolist())
"""
)
