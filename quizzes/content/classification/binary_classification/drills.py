"""Logistic regression and binary cross-entropy: drills."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.classification.binary_classification.formulas import (
    BCE_OF_LOGIT,
    BINARY_CROSS_ENTROPY,
    CLIPPED_BCE,
    CONFUSION_COUNTS,
    CONFUSION_METRICS,
    FOCAL_LOSS,
    LOGISTIC_STEP,
    ROC_AUC,
)
from quizzes.drill import Inputs, Mistake, drill

LOG_2 = "You used the base-2 logarithm. The convention here is the natural logarithm, so use ln."


LOG_10 = "You used the base-10 logarithm. The convention here is the natural logarithm, so use ln."


SWAPPED = "You swapped the two terms. ln p belongs to y = 1, and ln(1 - p) to y = 0."


def _precision_recall_area(pos: list[Any], neg: list[Any]) -> Any:
    """Return the average precision: the sum over thresholds of the precision times the increase in recall."""
    area = Fraction(0)
    for threshold in set(pos):
        hits = sum(v >= threshold for v in pos)
        precision = Fraction(hits, hits + sum(v >= threshold for v in neg))
        area += precision * Fraction(pos.count(threshold), len(pos))
    return area


@drill(
    BINARY_CROSS_ENTROPY,
    tier=1,
    asks="L",
    visualization="table y p",
    prompt="A binary classifier predicts the probabilities p = {p} of class 1 for samples with the labels y = {y}. "
    "The loss is the binary cross-entropy.\n"
    "Conventions: natural log; mean over the samples.",
    hint="Each sample contributes a single term: ln p if y = 1, ln(1 - p) if y = 0.",
    mistakes=[
        Mistake(
            "only-positives",
            "L = -mean(i, y[i]*ln(p[i]))",
            "You left out the samples of class 0. They have a loss too, so add -ln(1 - p) for each sample with y = 0.",
        ),
        Mistake("p-swapped", "L = -mean(i, y[i]*ln(1 - p[i]) + (1 - y[i])*ln(p[i]))", SWAPPED),
        Mistake("log2", "L = -mean(i, y[i]*log2(p[i]) + (1 - y[i])*log2(1 - p[i]))", LOG_2),
        Mistake("log10", "L = -mean(i, y[i]*log10(p[i]) + (1 - y[i])*log10(1 - p[i]))", LOG_10),
        Mistake(
            "no-mean",
            "L = -sum(i, y[i]*ln(p[i]) + (1 - y[i])*ln(1 - p[i]))",
            "You took the sum. The loss is the mean over the samples, so divide by their number.",
        ),
        Mistake(
            "sign",
            "L = mean(i, y[i]*ln(p[i]) + (1 - y[i])*ln(1 - p[i]))",
            "You left out the minus sign. Logarithms of probabilities are negative, so the loss is minus their mean.",
        ),
    ],
)
def bce_value(rng: Random) -> Inputs:
    """Binary cross-entropy"""
    n = rng.randint(2, 4)
    labels = [1, 0] + [rng.randint(0, 1) for _ in range(n - 2)]
    rng.shuffle(labels)
    return dict(y=labels, p=[rng.randint(1, 19) / 20 for _ in labels])


@drill(
    BCE_OF_LOGIT,
    tier=1,
    asks="L",
    visualization="functions: sigmoid at z",
    prompt="A binary classifier outputs the logit z = {z}, before the sigmoid, for a sample with the label y = {y}. "
    "The loss is the binary cross-entropy.\n"
    "Conventions: natural log.",
    hint="Which function turns the logit into a probability? The loss is -ln of the probability of the true class.",
    mistakes=[
        Mistake(
            "logit-as-probability",
            "L = -(y*ln(z) + (1 - y)*ln(1 - z))",
            "You used z as a probability. z is a logit, so apply a sigmoid first.",
        ),
        Mistake(
            "sigmoid-twice",
            "L = -(y*ln(sigmoid(sigmoid(z))) + (1 - y)*ln(1 - sigmoid(sigmoid(z))))",
            "You applied the sigmoid twice. One sigmoid already gives the probability, so apply it once.",
        ),
        Mistake(
            "labels-swapped",
            "L = max(z, 0) - z*(1 - y) + ln(1 + exp(-abs(z)))",
            "You swapped the labels. sigmoid(z) is the probability of class 1, so the loss is -ln(sigmoid(z)) if y = "
            "1 and "
            "-ln(1 - sigmoid(z)) if y = 0.",
        ),
        Mistake(
            "log-term-dropped",
            "L = max(z, 0) - z*y",
            "You left out ln(1 + exp(-|z|)). Without it the loss is 0 for every correctly classified sample, so add "
            "it.",
        ),
    ],
)
def bce_logits(rng: Random) -> Inputs:
    """Binary cross-entropy of a logit"""
    # Only logits between 0 and 1 can be mistaken for probabilities.
    z = rng.choice([rng.randint(1, 9) / 10, rng.choice([-1, 1]) * rng.randint(10, 50) / 10])
    return dict(z=z, y=rng.randint(0, 1))


@drill(
    CLIPPED_BCE,
    tier=1,
    asks="L",
    prompt="A binary classifier predicts the probability p = {p} of class 1 for a sample with the label y = {y}. "
    "Before the logarithm, p is clipped to the interval from epsilon to 1 - epsilon with epsilon = {epsilon}. The "
    "loss is the binary cross-entropy.\n"
    "Conventions: natural log.",
    hint="Is p inside the interval? Clipping changes it only if not.",
    mistakes=[
        Mistake("not-clipped", "q = p", "You did not clip p. p is outside the interval, so use the nearer end of it."),
        Mistake(
            "label-clipped",
            "L = -(min(max(y, epsilon), 1 - epsilon)*ln(q) + (1 - min(max(y, epsilon), 1 - epsilon))*ln(1 - q))",
            "You clipped the label. Only the probability is clipped, so the label stays 0 or 1.",
        ),
        Mistake("p-swapped", "L = -(y*ln(1 - q) + (1 - y)*ln(q))", SWAPPED),
        Mistake("log10", "L = -(y*log10(q) + (1 - y)*log10(1 - q))", LOG_10),
    ],
)
def bce_clipped(rng: Random) -> Inputs:
    """Binary cross-entropy of a clipped probability"""
    y = rng.randint(0, 1)
    p_true = rng.choice([0, 0, 0.0001, 0.001, 0.002, 0.02])  # probability of the true class
    p = p_true if y else round(1 - p_true, 4)
    return dict(p=p, y=y, epsilon=rng.choice([1e-7, 1e-6, 0.001, 0.005, 0.01, 0.05]))


@drill(
    LOGISTIC_STEP,
    tier=2,
    asks=("p", "g_w", "g_b", "w_new", "b_new"),
    visualization="logistic",
    prompt="Logistic regression with one feature predicts p = sigmoid(w x + b). The weight is w = {w}, the bias is b "
    "= {b}. The samples are x = {x} with the labels y = {y}. The loss L is the binary cross-entropy. Gradient descent "
    "takes one step on the whole batch with the learning rate eta = {eta}.\n"
    "What are the probabilities p, the gradients g_w = dL/dw and g_b = dL/db, and the new parameters w_new and "
    "b_new?\n"
    "Conventions: natural log; mean over the batch.",
    hint="What is the derivative of the loss with respect to z = w x + b? Sigmoid and cross-entropy simplify together.",
    mistakes=[
        Mistake(
            "threshold-for-sigmoid",
            "p[i] = where(w*x[i] + b > 0, 1, 0)",
            "You thresholded the probabilities. Training uses sigmoid(z) itself, and a threshold only for the final "
            "decision.",
        ),
        Mistake(
            "bias-left-out",
            "p[i] = sigmoid(w*x[i]); b_new = b",
            "You left out the bias. It is part of w x + b and has a gradient, so update it too.",
        ),
        Mistake(
            "squared-error-gradient",
            "g_w = mean(i, (p[i] - y[i])*p[i]*(1 - p[i])*x[i]); g_b = mean(i, (p[i] - y[i])*p[i]*(1 - p[i]))",
            "You used the gradient of the squared error. With the cross-entropy the factor p (1 - p) cancels, so "
            "leave it out.",
        ),
        Mistake(
            "error-reversed",
            "g_w = mean(i, (y[i] - p[i])*x[i]); g_b = mean(i, y[i] - p[i])",
            "You reversed the error. The gradient contains prediction minus label, p - y.",
        ),
        Mistake(
            "no-mean",
            "g_w = sum(i, (p[i] - y[i])*x[i]); g_b = sum(i, p[i] - y[i])",
            "You took the sum. The loss is the mean over the batch, so divide its gradient by the number of samples.",
        ),
        Mistake(
            "feature-left-out",
            "g_w = mean(i, p[i] - y[i])",
            "You left out the feature in g_w. w multiplies x, so multiply each error by its x.",
        ),
        Mistake(
            "ascent",
            "w_new = w + eta*g_w; b_new = b + eta*g_b",
            "You added the gradient. Gradient descent subtracts it, so use w - eta g.",
        ),
    ],
)
def logreg_gd_step(rng: Random) -> Inputs:
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


@drill(
    FOCAL_LOSS,
    tier=1,
    asks=("p_t", "L"),
    decimals=6,
    prompt="A detector predicts the probability p = {p} of class 1 for a sample with the label y = {y}. The loss is "
    "the focal loss with gamma = {gamma} and alpha = {alpha}.\n"
    "What are the predicted probability p_t of the true class and the focal loss L?\n"
    "Conventions: natural log; class 1 has the weight alpha, class 0 the weight 1 - alpha.",
    hint="The focal loss is the cross-entropy times the class weight times a power of 1 - p_t.",
    mistakes=[
        Mistake(
            "p-for-negatives",
            "p_t = p",
            "You used p for a sample of class 0. p_t is the probability of the true class, so use 1 - p.",
        ),
        Mistake(
            "gamma-multiplies",
            "L = -alpha_t*gamma*(1 - p_t)*ln(p_t)",
            "You multiplied by gamma. gamma is an exponent, so use (1 - p_t)^gamma.",
        ),
        Mistake(
            "alpha-of-the-other-class",
            "alpha_t = y*(1 - alpha) + (1 - y)*alpha",
            "You used the weight of the other class. Class 1 has the weight alpha, and class 0 has 1 - alpha.",
        ),
        Mistake(
            "alpha-left-out",
            "alpha_t = 1",
            "You left out the class weight. Multiply by alpha for class 1, or by 1 - alpha for class 0.",
        ),
        Mistake(
            "easy-samples-kept",
            "L = -alpha_t*p_t^gamma*ln(p_t)",
            "You used p_t^gamma. The factor must be small for well-classified samples, so use (1 - p_t)^gamma.",
        ),
    ],
)
def focal_loss(rng: Random) -> Inputs:
    """Focal loss"""
    y, gamma = rng.randint(0, 1), rng.choice([2, 2, 3, 4])
    easy = [0.8, 0.9] if gamma == 2 else []  # with a larger gamma their loss would have too few significant digits
    p_t = rng.choice([0.05, 0.1, 0.2, 0.3, 0.4, 0.6, 0.7, *easy])
    return dict(p=p_t if y else round(1 - p_t, 2), y=y, gamma=gamma, alpha=rng.choice([0.25, 0.25, 0.3, 0.75]))


@drill(
    CONFUSION_METRICS,
    tier=1,
    asks=("P", "R", "F1", "Acc", "Spec"),
    visualization="confusion",
    prompt="The confusion matrix of a binary classifier, as returned by scikit-learn, is [[{TN}, {FP}], [{FN}, "
    "{TP}]]. Rows are true classes and columns are predicted classes, class 0 first.\n"
    "What are the precision P, the recall R, the F1 score, the accuracy Acc and the specificity Spec?\n"
    "Conventions: class 1 is the positive class.",
    hint="Which number counts the true positives? The second row contains the samples that are actually positive.",
    mistakes=[
        Mistake(
            "fp-fn-swapped",
            "P = TP/(TP + FN); R = TP/(TP + FP); Spec = TN/(TN + FN)",
            "You swapped false positives and false negatives. Precision divides by the predicted positives (a "
            "column), and "
            "recall by the actual positives (a row).",
        ),
        Mistake(
            "top-left-as-tp",
            "P = TN/(TN + FP); R = TN/(TN + FN); Spec = TP/(TP + FP)",
            "You read the top left number as the true positives. scikit-learn puts class 0 first, so it counts the "
            "true "
            "negatives.",
        ),
        Mistake(
            "arithmetic-mean",
            "F1 = (P + R)/2",
            "You took the arithmetic mean. F1 is the harmonic mean of precision and recall, so use 2PR/(P + R).",
        ),
        Mistake(
            "true-negatives-left-out",
            "Acc = TP/(TP + FP + FN + TN)",
            "You left out the true negatives. Accuracy counts all correct predictions, so add them to the true "
            "positives.",
        ),
    ],
)
def confusion_metrics(rng: Random) -> Inputs:
    """Precision, recall, F1, accuracy and specificity"""
    return dict(TP=rng.randint(4, 60), FP=rng.randint(2, 40), FN=rng.randint(2, 40), TN=rng.randint(5, 90))


@drill(
    CONFUSION_COUNTS,
    id="confusion-metrics:counts",
    tier=2,
    asks=("TP", "FN", "FP", "TN"),
    visualization="confusion N pos",
    prompt="In a dataset of {N} samples, {pos} are actually positive. A classifier has the precision P = {P} and the "
    "recall R = {R}.\n"
    "How many true positives (TP), false negatives (FN), false positives (FP) and true negatives (TN) are there?",
    hint="Start with the recall. Which samples is it a fraction of?",
    mistakes=[
        Mistake(
            "precision-recall-swapped",
            "TP = P*pos; FP = TP/R - TP",
            "You swapped precision and recall. Recall is the fraction of actual positives that are predicted "
            "positive, so TP "
            "is R times their number.",
        ),
        Mistake(
            "share-of-negatives",
            "FP = (1 - P)*(N - pos)",
            "You multiplied 1 - P by the negatives. 1 - P is a fraction of the predicted positives, so FP = TP/P - TP.",
        ),
        Mistake(
            "false-negatives-counted-as-right",
            "TN = N - TP - FP",
            "You counted the false negatives as true negatives. TN counts actual negatives only, so subtract FP from "
            "their "
            "number.",
        ),
    ],
)
def confusion_counts(rng: Random) -> Inputs:
    """Confusion matrix from precision and recall"""
    while True:
        pos, N = rng.choice([20, 40, 50, 60, 80, 100, 200]), rng.choice([300, 400, 500, 800, 1000])
        precision, recall = (rng.choice([40, 50, 60, 75, 80, 90]) for _ in range(2))  # in percent
        is_integral = pos * recall % 100 == pos * recall % precision == 0
        mistakes_are_integral = pos * precision % 100 == (N - pos) * precision % 100 == 0
        if precision != recall and is_integral and mistakes_are_integral:
            return dict(N=N, pos=pos, P=precision / 100, R=recall / 100)


@drill(
    ROC_AUC,
    tier=2,
    asks="AUC",
    visualization="number-line pos neg",
    prompt="A classifier gives the positive samples the scores {pos} and the negative samples the scores {neg}. The "
    "area under the ROC curve is the fraction of positive-negative pairs in which the positive sample has the higher "
    "score.\n"
    "Conventions: a tie counts one half.",
    hint="For each positive sample, how many negative samples have a lower score?",
    mistakes=[
        Mistake(
            "ties-count-as-won",
            "AUC = mean(i, mean(j, [pos[i] >= neg[j]]))",
            "You counted ties as 1. Neither sample of a tie has the higher score, so count one half.",
        ),
        Mistake(
            "ties-count-as-lost",
            "AUC = mean(i, mean(j, [pos[i] > neg[j]]))",
            "You counted ties as 0. The convention here is one half, so add 1/2 for each tie.",
        ),
        Mistake(
            "axes-swapped",
            "AUC = mean(i, mean(j, where(neg[j] > pos[i], 1, where(pos[i] = neg[j], 1/2, 0))))",
            "You counted the pairs in which the negative sample has the higher score. Count those in which the "
            "positive "
            "sample does.",
        ),
        Mistake(
            "precision-recall-area",
            {"AUC": _precision_recall_area},
            "That is the average precision, the area under the precision-recall curve. The ROC curve plots recall "
            "against the "
            "false positive rate, so compare pairs.",
        ),
    ],
)
def roc_auc_rank(rng: Random) -> Inputs:
    """Area under the ROC curve from ranks"""
    count = rng.choice([6, 7, 7, 8])
    scores = rng.sample(range(2, 19), count)
    positives = rng.randint(3, count - 3)
    # Higher scores tend to be positive, and often a positive sample ties with a negative one.
    order = sorted(scores, key=lambda score: score + rng.randint(-9, 9), reverse=True)
    pos, neg = order[:positives], order[positives:]
    if rng.random() < 0.7:
        neg[0] = rng.choice(pos)
    return dict(pos=[v / 20 for v in pos], neg=[v / 20 for v in neg])
