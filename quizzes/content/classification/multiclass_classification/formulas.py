"""Softmax and categorical cross-entropy: formulas."""

from collections import Counter
from fractions import Fraction
from math import ceil
from typing import Any

from quizzes.content.classification.shared import SAMPLE_LOSS, ZERO_LN_ZERO
from quizzes.formula import Formula
from quizzes.symbols import Distribution, Distributions, Int, Matrix, Real, Table, Texts, Vector
from workbench.errors import UserError

LOGITS = Vector(meaning="logits")


BATCH_LOGITS = Matrix(meaning="logits, a row per sample")


BATCH_LABELS = Distributions(0, 1, "one-hot labels, a row per sample", classes_of="Z")


BATCH_PROBABILITIES = Matrix(meaning="softmax probabilities")


PROBABILITIES = Vector(meaning="softmax probabilities")


SOFTMAX = Formula(
    "softmax",
    "p[i] = exp(z[i]/T)/sum(j, exp(z[j]/T))",
    title="Softmax with temperature",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 6.2.2.3; temperature: Hinton, Vinyals & "
    "Dean, 2015 (arXiv:1503.02531)",
    z=LOGITS,
    T=Real(0.01, meaning="temperature", default=1),
    p=Vector(meaning="class probabilities"),
)


CATEGORICAL_CROSS_ENTROPY = Formula(
    "categorical-cross-entropy",
    """
    q[n, k] = exp(Z[n, k])/sum(j, exp(Z[n, j]))
    l[n] = -sum(k, Y[n, k]*ln(q[n, k]))
    L = mean(n, l[n])
    """,
    title="Categorical cross-entropy of logits, mean over the batch",
    source="derivation: -ln of the likelihood of a one-hot label under softmax probabilities, averaged over the batch",
    Z=BATCH_LOGITS,
    Y=BATCH_LABELS,
    q=BATCH_PROBABILITIES,
    l=Vector(meaning="loss of each sample"),
    L=Real(meaning="mean loss of the batch"),
)


SOFTMAX_CE_GRADIENT = Formula(
    "softmax-ce-gradient",
    """
    P[n, k] = exp(Z[n, k])/sum(j, exp(Z[n, j]))
    G[n, k] = (P[n, k] - Y[n, k])/N
    """,
    title="Gradient of softmax and cross-entropy, mean over the batch",
    source="derivation: for one sample L = ln(sum exp z) - z_true, so dL/dz = p - y; the mean over the batch divides "
    "it by N",
    Z=BATCH_LOGITS,
    Y=BATCH_LABELS,
    N=Int(1, 100000, "number of samples in the batch", length_of="Z"),
    P=BATCH_PROBABILITIES,
    G=Matrix(meaning="gradient of the mean loss with respect to the logits"),
)


SOFTMAX_JACOBIAN = Formula(
    "softmax-jacobian",
    """
    p[i] = exp(z[i])/sum(j, exp(z[j]))
    J[i, k] = p[i]*[i = k] - p[i]*p[k]
    """,
    title="Jacobian of softmax",
    source="derivation: by the quotient rule dp_i/dz_i = p_i - p_i^2, and dp_i/dz_k = -p_i p_k for k other "
    "than i; [i = k] is 1 on the diagonal and 0 off it",
    z=LOGITS,
    p=PROBABILITIES,
    J=Matrix(meaning="Jacobian, dp_i/dz_k in row i and column k"),
)


ONE_HOT = Formula(
    "one-hot",
    "t[j] = [j = k + 1] for j = 1..K",
    title="One-hot vector of a class",
    source="Bishop, Pattern Recognition and Machine Learning, 2006, chapter 4, introduction (1-of-K coding)",
    K=Int(2, 1000, "number of classes"),
    k=Int(0, 999, "class, numbered from 0"),
    t=Vector(meaning="one-hot vector"),
)


LABEL_SMOOTHING = Formula(
    "label-smoothing",
    """
    q[k] = exp(z[k])/sum(j, exp(z[j]))
    t[k] = (1 - epsilon)*y[k] + epsilon/K
    L = -sum(k, t[k]*ln(q[k]))
    """,
    title="Cross-entropy with label smoothing",
    source="Szegedy et al., Rethinking the Inception Architecture, 2016 (arXiv:1512.00567); PyTorch's form",
    z=LOGITS,
    y=Distribution(0, 1, "one-hot label"),
    epsilon=Real(0, 1, "label smoothing", default=0.1),
    K=Int(2, 1000, "number of classes", length_of="z"),
    q=PROBABILITIES,
    t=Vector(meaning="smoothed target"),
    L=SAMPLE_LOSS,
)


WEIGHTED_CROSS_ENTROPY = Formula(
    "weighted-cross-entropy",
    """
    q[n, k] = exp(Z[n, k])/sum(j, exp(Z[n, j]))
    l[n] = -sum(k, Y[n, k]*ln(q[n, k]))
    u[n] = sum(k, Y[n, k]*w[k])
    L = sum(n, u[n]*l[n])/sum(n, u[n])
    """,
    title="Cross-entropy with class weights, weighted mean",
    source="PyTorch documentation, torch.nn.CrossEntropyLoss: with class weights the mean divides by the sum of the "
    "weights of the samples' true classes",
    Z=BATCH_LOGITS,
    Y=BATCH_LABELS,
    w=Vector(0, meaning="weight of each class"),
    q=BATCH_PROBABILITIES,
    l=Vector(meaning="loss of each sample, without its weight"),
    u=Vector(meaning="weight of the true class of each sample"),
    L=Real(meaning="weighted mean loss"),
)


ENTROPIES = Formula(
    "entropies",
    """
    H = -sum(i, p[i]*ln(p[i]))
    D = sum(i, p[i]*ln(p[i]/q[i]))
    C = -sum(i, p[i]*ln(q[i]))
    """,
    title="Entropy, Kullback-Leibler divergence and cross-entropy",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 3.13",
    conventions=ZERO_LN_ZERO,
    p=Distribution(0, 1, "true distribution"),
    q=Distribution(0, 1, "predicted distribution"),
    H=Real(meaning="entropy of p", unit="nats"),
    D=Real(meaning="Kullback-Leibler divergence KL(p || q)", unit="nats"),
    C=Real(meaning="cross-entropy H(p, q)", unit="nats"),
)


MULTICLASS_HINGE = Formula(
    "multiclass-hinge",
    """
    m[j] = max(0, s[j] - s[c] + Delta)
    L = -Delta + sum(j, m[j])
    """,
    title="Multi-class hinge loss, summed over the incorrect classes",
    source="Weston & Watkins, Support vector machines for multi-class pattern recognition, ESANN 1999; the sum over "
    "all classes includes Delta for the true class, so Delta is subtracted",
    s=Vector(meaning="scores of the classes"),
    c=Int(1, 1000, "true class, numbered from 1"),
    Delta=Real(0, meaning="margin", default=1),
    m=Vector(meaning="margin violation of each class, Delta for the true class"),
    L=Real(meaning="hinge loss of the sample"),
)


MACRO_MICRO_F1 = Formula(
    "macro-micro-f1",
    """
    f[k] = 2*C[k, k]/(sum(j, C[k, j]) + sum(i, C[i, k]))
    macro = mean(k, f[k])
    micro = sum(k, C[k, k])/sum(i, sum(j, C[i, j]))
    """,
    title="Macro and micro F1 of a confusion matrix",
    source="scikit-learn documentation, f1_score: macro is the unweighted mean of the classes' F1; micro adds up TP, "
    "FP and FN over all classes, which gives the accuracy if every sample has one label",
    C=Matrix(0, meaning="confusion matrix, a row per true class, a column per predicted class"),
    f=Vector(meaning="F1 of each class"),
    macro=Real(meaning="macro F1"),
    micro=Real(meaning="micro F1"),
)


MAX_CLASSES = 100


AVERAGES: dict[str, Any] = {
    "accuracy": Real(0, 1, "fraction of all samples that are predicted correctly"),
    "macro_P": Real(0, 1, "macro precision, the mean over the classes"),
    "macro_R": Real(0, 1, "macro recall, the mean over the classes"),
    "macro_F1": Real(0, 1, "macro F1, the mean over the classes"),
    "weighted_F1": Real(0, 1, "F1 averaged over the classes, weighted by support"),
    "micro_F1": Real(0, 1, "micro F1, from the counts summed over all classes"),
}


MACRO = {"macro_P": "precision", "macro_R": "recall", "macro_F1": "F1"}


CONVENTIONS = """
Rows of the confusion matrix are true classes, columns are predicted classes.
The support of a class is the number of samples whose true class it is. As in
scikit-learn, a division by zero gives 0: the precision of a class that is never
predicted, the recall of a class without samples, and the F1 of a class with
neither. Because each sample has one label, micro precision, micro recall and
micro F1 all equal the accuracy.
"""


SOURCE = "scikit-learn documentation, precision_recall_fscore_support, average None, macro, micro and weighted"


def _ratio(part: int, total: int) -> Fraction:
    return Fraction(part, total) if total else Fraction(0)


def report(C: list[list[int]], names: list[str]) -> list[dict[str, Any]]:
    """Return counts and metrics of each class, one-vs-rest."""
    total, rows = sum(map(sum, C)), []
    for k, name in enumerate(names):
        TP, support, predicted = C[k][k], sum(C[k]), sum(row[k] for row in C)
        counts = {"TP": TP, "FP": predicted - TP, "FN": support - TP, "TN": total - support - predicted + TP}
        metrics = {"precision": _ratio(TP, predicted), "recall": _ratio(TP, support)}
        rows.append({"class": name, **counts, **metrics, "F1": _ratio(2 * TP, predicted + support), "support": support})
    return rows


def summarize(C: list[list[int]], names: list[str]) -> dict[str, Any]:
    """Return the report of a confusion matrix, with accuracy and averages.

    Raises:
        UserError: If the matrix counts no samples.
    """
    rows = report(C, names)
    total, correct = sum(row["support"] for row in rows), sum(row["TP"] for row in rows)
    if not total:
        raise UserError("The confusion matrix C counts no samples: every entry is 0.")
    macro = {name: sum(row[column] for row in rows) / len(rows) for name, column in MACRO.items()}
    weighted = sum(row["F1"] * row["support"] for row in rows) / total
    accuracy = Fraction(correct, total)
    return {"table": rows, "accuracy": accuracy, **macro, "weighted_F1": weighted, "micro_F1": accuracy}


def _sort_key(label: str) -> tuple[bool, int, str]:
    # numbers in numerical order (2 before 10), then other labels in alphabetical order
    return (False, int(label), label) if label.isdecimal() else (True, 0, label)


def _from_labels(truth: list[str], predicted: list[str]) -> dict[str, Any]:
    truth, predicted = ([*labels[0].split()] if len(labels) == 1 else labels for labels in (truth, predicted))
    if len(truth) != len(predicted):
        raise UserError(
            f"Each sample needs a true and a predicted label, but there are {len(truth)} and {len(predicted)}."
        )
    names = sorted({*truth, *predicted}, key=_sort_key)
    if len(names) > MAX_CLASSES:
        raise UserError(f"There are {len(names)} different labels. Use up to {MAX_CLASSES} classes.")
    pairs = Counter(zip(truth, predicted, strict=True))
    C = [[pairs[row, column] for column in names] for row in names]
    return {"C": C, **summarize(C, names)}


CONFUSION_MATRIX = Formula(
    "confusion-matrix",
    "",
    statement="C[i, j] = number of samples of class i that were predicted as class j",
    title="Confusion matrix of true and predicted labels, with its metrics",
    source=SOURCE,
    conventions=CONVENTIONS,
    procedure=_from_labels,
    procedure_outputs=f"C table {' '.join(AVERAGES)}",
    truth=Texts(meaning="true label of each sample, such as [cat, dog, cat]"),
    predicted=Texts(meaning="predicted label of each sample"),
    C=Matrix(0, meaning="confusion matrix, classes in the order of the table"),
    table=Table(meaning="counts and metrics of each class, one-vs-rest"),
    **AVERAGES,
)


def _from_matrix(C: list[list[Any]], names: list[str] | None = None) -> dict[str, Any]:
    if any(len(row) != len(C) for row in C) or len(C) > MAX_CLASSES:
        raise UserError(f"C must have as many columns as rows, one per class, for up to {MAX_CLASSES} classes.")
    if any(count != int(count) for row in C for count in row):
        raise UserError("The entries of C count samples, so they must be integers.")
    names = names or [str(k) for k in range(1, len(C) + 1)]
    if len(names) != len(C):
        raise UserError(f"names must have length {len(C)}, one name per class of C, not {len(names)}.")
    return summarize(C, names)


CONFUSION_REPORT = Formula(
    "confusion-report",
    "",
    title="Precision, recall and F1 of every class of a confusion matrix",
    source=SOURCE,
    conventions=CONVENTIONS,
    procedure=_from_matrix,
    procedure_outputs=f"table {' '.join(AVERAGES)}",
    C=Matrix(0, meaning="confusion matrix, a row per true class, a column per predicted class"),
    names=Texts(meaning="names of the classes, by default 1, 2, 3 ...", optional=True),
    table=Table(meaning="counts and metrics of each class, one-vs-rest"),
    **AVERAGES,
)


def _calibration_error(confidence: list[Any], correct: list[Any], M: int) -> dict[str, Any]:
    if len(confidence) != len(correct):
        raise UserError(f"confidence has {len(confidence)} values and correct {len(correct)}: both must have the same.")
    if any(flag not in (0, 1) for flag in correct):
        raise UserError("correct must be 0 or 1 for each prediction.")
    bins: dict[int, list[int]] = {}
    for k, value in enumerate(confidence):
        bins.setdefault(max(0, ceil(value * M) - 1), []).append(k)
    members = [bins[number] for number in sorted(bins)]
    accuracy = [Fraction(sum(correct[k] for k in group), len(group)) for group in members]
    mean_confidence = [sum(confidence[k] for k in group) / Fraction(len(group)) for group in members]
    gaps = [abs(a - c) for a, c in zip(accuracy, mean_confidence, strict=True)]
    count = [len(group) for group in members]
    ece = sum(n * gap for n, gap in zip(count, gaps, strict=True)) / Fraction(len(correct))
    return dict(count=count, accuracy=accuracy, mean_confidence=mean_confidence, ECE=ece, MCE=max(gaps))


LOG_SOFTMAX = Formula(
    "log-softmax",
    """
    m = max(z)
    shifted[i] = z[i] - m
    p[i] = exp(shifted[i])/sum(j, exp(shifted[j]))
    y[i] = shifted[i] - ln(sum(j, exp(shifted[j])))
    """,
    title="Softmax and log-softmax, shifted by the largest logit",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 4.1: softmax(z) = softmax(z - max z), which "
    "keeps exp from overflowing",
    z=LOGITS,
    m=Real(meaning="largest logit"),
    shifted=Vector(meaning="logits minus the largest"),
    p=PROBABILITIES,
    y=Vector(meaning="natural logarithm of each probability"),
)


PROBABILITY_CROSS_ENTROPY = Formula(
    "probability-cross-entropy",
    """
    l[n] = -ln(sum(k, P[n, k]*[k = y[n] + 1]))
    L = mean(n, l[n])
    """,
    title="Cross-entropy of probabilities and class numbers",
    source="derivation: -ln of the probability of the true class, averaged over the batch, as nll_loss of log P",
    conventions="""
P are probabilities, not logits: for logits, categorical-cross-entropy. Classes
are numbered from 0.
""",
    P=Distributions(0, 1, "predicted probabilities, a row per sample"),
    y=Vector(0, meaning="true classes, numbered from 0"),
    l=Vector(meaning="loss of each sample"),
    L=Real(meaning="mean loss of the batch"),
)


COHEN_KAPPA = Formula(
    "cohen-kappa",
    """
    N = sum(i, sum(j, C[i, j]))
    p_o = sum(k, C[k, k])/N
    p_e = sum(k, sum(j, C[k, j])*sum(i, C[i, k]))/N^2
    kappa = (p_o - p_e)/(1 - p_e)
    """,
    title="Cohen's kappa of a confusion matrix",
    source="Cohen, A coefficient of agreement for nominal scales, 1960; as scikit-learn's cohen_kappa_score",
    C=Matrix(0, meaning="confusion matrix, a row per true class, a column per predicted class"),
    N=Real(meaning="number of samples"),
    p_o=Real(meaning="observed agreement, the accuracy"),
    p_e=Real(meaning="agreement of independent labels with the same row and column totals"),
    kappa=Real(meaning="Cohen's kappa"),
)


CALIBRATION_ERROR = Formula(
    "calibration-error",
    "",
    statement="""
ECE = Σ_m (n_m/N) |accuracy_m - confidence_m|
MCE = max_m |accuracy_m - confidence_m|
""",
    title="Expected and maximum calibration error",
    source="Guo et al., On calibration of modern neural networks, 2017 (arXiv:1706.04599), equations 2, 3 and 5",
    conventions="""
M bins of equal width: bin m has the confidences above (m - 1)/M and up to m/M;
0 is in the first. ECE is the mean of the gaps, weighted by the number of
samples; empty bins don't count.
""",
    procedure=_calibration_error,
    procedure_outputs="count accuracy mean_confidence ECE MCE",
    confidence=Vector(0, 1, "confidence of each prediction"),
    correct=Vector(0, 1, "1 for each correct prediction, 0 for each other"),
    M=Int(1, 1000, "number of bins", default=10),
    count=Vector(meaning="samples in each bin that has any"),
    accuracy=Vector(meaning="accuracy in each of them"),
    mean_confidence=Vector(meaning="mean confidence in each of them"),
    ECE=Real(meaning="expected calibration error"),
    MCE=Real(meaning="maximum calibration error, that of the worst bin"),
)
