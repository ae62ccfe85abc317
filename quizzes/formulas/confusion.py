"""A confusion matrix of any number of classes, and what is read off it."""

from collections import Counter
from fractions import Fraction
from typing import Any

from quizzes.formulas import formula
from workbench.errors import UserError

CLASSES = 100
AVERAGES = {
    "accuracy": "real 0..1; share of all samples that are predicted right",
    "macro_P": "real 0..1; macro precision: mean over the classes",
    "macro_R": "real 0..1; macro recall: mean over the classes",
    "macro_F1": "real 0..1; macro F1: mean over the classes",
    "weighted_F1": "real 0..1; F1 averaged over the classes by their support",
    "micro_F1": "real 0..1; micro F1, of the counts of all classes together",
}
MACRO = {"macro_P": "precision", "macro_R": "recall", "macro_F1": "F1"}
CONVENTIONS = """
A row of the confusion matrix is a true class, a column a predicted one. support
is how many samples a class truly has. What would divide by zero is 0, as in
scikit-learn: the precision of a class that is never predicted, the recall of one
that has no samples, the F1 of both. As each sample has one label, micro
precision, micro recall and micro F1 are all the accuracy.
"""
SOURCE = "scikit-learn documentation, precision_recall_fscore_support, average None, macro, micro and weighted"


def _share(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)


def report(C: list[list[int]], names: list[str]) -> list[dict[str, Any]]:
    """Counts and measures of each class, one against all others."""
    total, rows = sum(map(sum, C)), []
    for k, name in enumerate(names):
        TP, support, predicted = C[k][k], sum(C[k]), sum(row[k] for row in C)
        counts = {"TP": TP, "FP": predicted - TP, "FN": support - TP, "TN": total - support - predicted + TP}
        measures = {"precision": _share(TP, predicted), "recall": _share(TP, support)}
        rows.append(
            {"class": name, **counts, **measures, "F1": _share(2 * TP, predicted + support), "support": support}
        )
    return rows


def measures(C: list[list[int]], names: list[str]) -> dict[str, Any]:
    """The report of a confusion matrix and its averages."""
    rows = report(C, names)
    total, right = sum(row["support"] for row in rows), sum(row["TP"] for row in rows)
    if not total:
        raise UserError("The confusion matrix C counts no samples: every entry is 0.")
    macro = {name: sum(row[column] for row in rows) / len(rows) for name, column in MACRO.items()}
    weighted = sum(row["F1"] * row["support"] for row in rows) / total
    accuracy = Fraction(right, total)
    return {"table": rows, "accuracy": accuracy, **macro, "weighted_F1": weighted, "micro_F1": accuracy}


def _in_order(label: str) -> tuple[bool, int, str]:
    return (False, int(label), label) if label.isdecimal() else (True, 0, label)  # 2 stands before 10, and b before c


def _of_labels(truth: list[str], predicted: list[str]) -> dict[str, Any]:
    if len(truth) != len(predicted):
        raise UserError(f"Each sample has a true and a predicted label: there are {len(truth)} and {len(predicted)}.")
    names = sorted({*truth, *predicted}, key=_in_order)
    if len(names) > CLASSES:
        raise UserError(f"There are {len(names)} different labels: up to {CLASSES} classes are counted.")
    pairs = Counter(zip(truth, predicted, strict=True))
    C = [[pairs[true, guess] for guess in names] for true in names]
    return {"C": C, **measures(C, names)}


CONFUSION_MATRIX = formula(
    "confusion-matrix",
    "",
    topic="multiclass-classification",
    title="Confusion matrix of true and predicted labels, and what is read off it",
    source=SOURCE,
    conventions=CONVENTIONS,
    procedure=_of_labels,
    procedure_outputs=f"C table {' '.join(AVERAGES)}",
    truth="texts; true label of each sample, as [cat, dog, cat]",
    predicted="texts; predicted label of each sample",
    C="matrix 0..; confusion matrix, classes in the order of the table",
    table="table; each class against all others",
    **AVERAGES,
)


def _of_matrix(C: list[list[Any]], names: list[str] | None = None) -> dict[str, Any]:
    if any(len(row) != len(C) for row in C) or len(C) > CLASSES:
        raise UserError(f"C has as many columns as rows, a column and a row for each of up to {CLASSES} classes.")
    if any(count != int(count) for row in C for count in row):
        raise UserError("The entries of C count samples: write whole numbers.")
    names = names or [str(k) for k in range(1, len(C) + 1)]
    if len(names) != len(C):
        raise UserError(f"names has a name for each class: C has {len(C)}, and {len(names)} came.")
    return measures(C, names)


CONFUSION_REPORT = formula(
    "confusion-report",
    "",
    topic="multiclass-classification",
    title="Precision, recall and F1 of every class of a confusion matrix",
    source=SOURCE,
    conventions=CONVENTIONS,
    procedure=_of_matrix,
    procedure_outputs=f"table {' '.join(AVERAGES)}",
    C="matrix 0..; confusion matrix, a row for each true class, a column for each predicted one",
    names="texts?; names of the classes; 1, 2, 3 ... where they are left out",
    table="table; each class against all others",
    **AVERAGES,
)
