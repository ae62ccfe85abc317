"""Logistic regression and binary cross-entropy: formulas."""

from quizzes.content.classification.shared import SAMPLE_LOSS, ZERO_LN_ZERO
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector

LABEL = Int(0, 1, "label")


PROBABILITY = Real(0, 1, "predicted probability of class 1")


BINARY_CROSS_ENTROPY = Formula(
    "binary-cross-entropy",
    "L = -mean(i, y[i]*ln(p[i]) + (1 - y[i])*ln(1 - p[i]))",
    title="Binary cross-entropy, mean over the samples",
    source="derivation: -ln of the Bernoulli likelihood p^y (1 - p)^(1 - y), averaged",
    conventions=f"""
{ZERO_LN_ZERO} If p is 0 and y is not, or p is 1 and y is not, the loss is
infinite. PyTorch clamps each logarithm to at least -100, so it gives 100 for
such a sample.
""",
    y=Vector(0, 1, "labels, 0 or 1"),
    p=Vector(0, 1, "predicted probabilities of class 1"),
    L=Real(meaning="mean loss"),
)


BCE_OF_LOGIT = Formula(
    "bce-logits",
    "L = max(z, 0) - z*y + ln(1 + exp(-abs(z)))",
    title="Binary cross-entropy of a logit",
    source="derivation: put p = 1/(1 + exp(-z)) into -(y ln p + (1 - y) ln(1 - p)): ln(1 + exp(z)) - zy, and ln(1 + "
    "exp(z)) = max(z, 0) + ln(1 + exp(-|z|)), whose exponential can't overflow",
    z=Real(meaning="logit"),
    y=LABEL,
    L=SAMPLE_LOSS,
)


CLIPPED_BCE = Formula(
    "bce-clipped",
    """
    q = min(max(p, epsilon), 1 - epsilon)
    L = -(y*ln(q) + (1 - y)*ln(1 - q))
    """,
    title="Binary cross-entropy of a clipped probability",
    source="derivation: binary cross-entropy at q, which stays away from 0 and 1, where a logarithm is undefined",
    p=PROBABILITY,
    y=LABEL,
    epsilon=Real(0, 0.5, "smallest distance of the probability from 0 and 1", default=1e-7),
    q=Real(meaning="clipped probability"),
    L=SAMPLE_LOSS,
)


LOGISTIC_STEP = Formula(
    "logistic-regression-step",
    """
    p[i] = sigmoid(w*x[i] + b)
    g_w = mean(i, (p[i] - y[i])*x[i])
    g_b = mean(i, p[i] - y[i])
    w_new = w - eta*g_w
    b_new = b - eta*g_b
    """,
    title="One gradient descent step of logistic regression",
    source="derivation: for L = -mean(y ln p + (1 - y) ln(1 - p)) and p = sigmoid(z), dL/dz = (p - y)/N, because p' = "
    "p(1 - p)",
    x=Vector(meaning="feature value of each sample"),
    y=Vector(0, 1, "label of each sample"),
    w=Real(meaning="weight before the step"),
    b=Real(meaning="bias before the step"),
    eta=Real(0, meaning="learning rate"),
    p=Vector(meaning="predicted probabilities of class 1"),
    g_w=Real(meaning="gradient dL/dw"),
    g_b=Real(meaning="gradient dL/db"),
    w_new=Real(meaning="weight after the step"),
    b_new=Real(meaning="bias after the step"),
)


FOCAL_LOSS = Formula(
    "focal-loss",
    """
    p_t = y*p + (1 - y)*(1 - p)
    alpha_t = y*alpha + (1 - y)*(1 - alpha)
    L = -alpha_t*(1 - p_t)^gamma*ln(p_t)
    """,
    title="Focal loss of one sample",
    source="Lin, Goyal, Girshick, He & Dollar, Focal Loss for Dense Object Detection, 2017 (arXiv:1708.02002)",
    p=PROBABILITY,
    y=LABEL,
    gamma=Real(0, 20, "focusing parameter", default=2),
    alpha=Real(0, 1, "weight of class 1", default=0.25),
    p_t=Real(meaning="predicted probability of the true class"),
    alpha_t=Real(meaning="weight of the true class"),
    L=Real(meaning="focal loss"),
)


CONFUSION_METRICS = Formula(
    "confusion-metrics",
    """
    P = TP/(TP + FP)
    R = TP/(TP + FN)
    F1 = 2P*R/(P + R)
    Acc = (TP + TN)/(TP + FP + FN + TN)
    Spec = TN/(TN + FP)
    """,
    title="Precision, recall, F1, accuracy and specificity",
    source="derivation: the correct fractions of the predicted positives, the actual positives, all samples and the "
    "actual negatives; F1 is the harmonic mean of precision and recall",
    TP=Int(0, meaning="number of true positives"),
    FP=Int(0, meaning="number of false positives, negatives that are predicted positive"),
    FN=Int(0, meaning="number of false negatives, positives that are predicted negative"),
    TN=Int(0, meaning="number of true negatives"),
    P=Real(meaning="precision"),
    R=Real(meaning="recall"),
    F1=Real(meaning="F1 score"),
    Acc=Real(meaning="accuracy"),
    Spec=Real(meaning="specificity"),
)


CONFUSION_COUNTS = Formula(
    "confusion-counts",
    """
    TP = R*pos
    FN = pos - TP
    FP = TP/P - TP
    TN = N - pos - FP
    """,
    title="Confusion matrix from precision and recall",
    source="derivation: R = TP/(TP + FN) and P = TP/(TP + FP), solved for the counts",
    integer_constraints="R*pos, R*pos/P",
    N=Int(1, meaning="number of samples"),
    pos=Int(1, meaning="number of actual positives"),
    P=Real(0.001, 1, "precision"),
    R=Real(0, 1, "recall"),
    TP=Int(0, meaning="number of true positives"),
    FN=Int(0, meaning="number of false negatives"),
    FP=Int(0, meaning="number of false positives"),
    TN=Int(0, meaning="number of true negatives"),
)


ROC_AUC = Formula(
    "roc-auc",
    "AUC = mean(i, mean(j, where(pos[i] > neg[j], 1, where(pos[i] = neg[j], 1/2, 0))))",
    title="Area under the ROC curve, as the share of pairs in the right order",
    source="Hanley & McNeil, The meaning and use of the area under a receiver operating characteristic (ROC) curve, "
    "Radiology 143, 1982: the probability that a positive scores above a negative, ties counting one half",
    pos=Vector(meaning="scores of the positives"),
    neg=Vector(meaning="scores of the negatives"),
    AUC=Real(meaning="area under the ROC curve"),
)


BINARY_HINGE = Formula(
    "binary-hinge",
    """
    l[n] = max(0, 1 - y[n]*s[n])
    L = mean(n, l[n])
    """,
    title="Hinge loss for labels -1 and 1",
    source="Cortes & Vapnik, Support-vector networks, 1995: the slack of the constraint y s >= 1",
    s=Vector(meaning="scores"),
    y=Vector(-1, 1, "labels, -1 or 1"),
    l=Vector(meaning="loss of each sample"),
    L=Real(meaning="mean loss"),
)
