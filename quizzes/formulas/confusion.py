"""Confusion matrix of any number of classes, and its metrics."""

from collections import Counter
from fractions import Fraction
from typing import Any

from quizzes.formulas import formula
from workbench.errors import UserError

MAX_CLASSES = 100
AVERAGES = {
    "accuracy": "real 0..1; fraction of all samples that are predicted correctly",
    "macro_P": "real 0..1; macro precision, the mean over the classes",
    "macro_R": "real 0..1; macro recall, the mean over the classes",
    "macro_F1": "real 0..1; macro F1, the mean over the classes",
    "weighted_F1": "real 0..1; F1 averaged over the classes, weighted by support",
    "micro_F1": "real 0..1; micro F1, from the counts summed over all classes",
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


CONFUSION_MATRIX = formula(
    "confusion-matrix",
    "",
    topic="multiclass-classification",
    title="Confusion matrix of true and predicted labels, with its metrics",
    source=SOURCE,
    conventions=CONVENTIONS,
    procedure=_from_labels,
    procedure_outputs=f"C table {' '.join(AVERAGES)}",
    truth="texts; true label of each sample, such as [cat, dog, cat]",
    predicted="texts; predicted label of each sample",
    C="matrix 0..; confusion matrix, classes in the order of the table",
    table="table; counts and metrics of each class, one-vs-rest",
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


CONFUSION_REPORT = formula(
    "confusion-report",
    "",
    topic="multiclass-classification",
    title="Precision, recall and F1 of every class of a confusion matrix",
    source=SOURCE,
    conventions=CONVENTIONS,
    procedure=_from_matrix,
    procedure_outputs=f"table {' '.join(AVERAGES)}",
    C="matrix 0..; confusion matrix, a row per true class, a column per predicted class",
    names="texts?; names of the classes, by default 1, 2, 3 ...",
    table="table; counts and metrics of each class, one-vs-rest",
    **AVERAGES,
)
