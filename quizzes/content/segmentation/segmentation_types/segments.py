"""Confusion matrices of label maps, and matching of segments, by hand."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from quizzes.expressions.tree import Value
from workbench.errors import UserError

Grid = Sequence[Sequence[Value]]


def check_same_shape(P: Grid, T: Grid) -> None:
    """Check that two label maps have the same shape.

    Raises:
        UserError: If not.
    """
    if (len(P), len(P[0])) != (len(T), len(T[0])):
        raise UserError(
            f"P and T must have the same shape, not {len(P)}x{len(P[0])} and {len(T)}x{len(T[0])}: one label per pixel."
        )


def count_pairs(P: Grid, T: Grid) -> Counter[tuple[int, int]]:
    """Return how many pixels have each pair of a predicted and a true label."""
    check_same_shape(P, T)
    if any(label != int(label) for row in (*P, *T) for label in row):
        raise UserError("P and T must have integers.")
    return Counter((int(p), int(t)) for a, b in zip(P, T, strict=True) for p, t in zip(a, b, strict=True))


def confusion(P: Grid, T: Grid, K: int, ignore: int) -> list[list[int]]:
    """Return the confusion matrix of two label maps: a row per true class, a column per predicted class.

    Raises:
        UserError: If a label is not a class, or every pixel is ignored.
    """
    pairs = count_pairs(P, T)
    for p, t in pairs:
        if not (0 <= t < K or t == ignore) or not (0 <= p < K or t == ignore):
            raise UserError(f"Classes must be from 0 to {K - 1}, not {t if not 0 <= t < K else p}.")
    if all(t == ignore for _, t in pairs):
        raise UserError("Every pixel is ignored. Give at least one pixel a class.")
    return [[pairs[p, t] for p in range(K)] for t in range(K)]


def match_segments(P: Grid, T: Grid) -> dict[str, Any]:
    """Match predicted with true segments of one class, and count the matches and the errors.

    Pixels with true label 0 are void; pixels with predicted label 0 have no segment. Segments match if their IoU is
    above 1/2, without the void pixels. An unmatched predicted segment is ignored if more than half of it is void.

    Raises:
        UserError: If there is no segment.
    """
    pairs = count_pairs(P, T)
    predicted, true = (sorted({pair[k] for pair in pairs} - {0}) for k in (0, 1))
    if not predicted and not true:
        raise UserError("There are no segments. Number the segments from 1 in P and T.")
    areas = {p: sum(pairs[p, t] for t in [0, *true]) for p in predicted}
    true_areas = {t: sum(pairs[p, t] for p in [0, *predicted]) for t in true}
    rows: list[dict[str, Any]] = []
    for p, t in product(predicted, true):
        if shared := pairs[p, t]:
            union = areas[p] - pairs[p, 0] + true_areas[t] - shared
            rows.append({"predicted": p, "true": t, "shared": shared, "union": union, "iou": Fraction(shared, union)})
    matches = [row for row in rows if 2 * row["iou"] > 1]
    matched = {row["predicted"] for row in matches}
    ignored = [p for p in predicted if p not in matched and 2 * pairs[p, 0] > areas[p]]
    TP = len(matches)
    FP, FN = len(predicted) - TP - len(ignored), len(true) - TP
    half = TP + Fraction(FP + FN, 2)
    SQ = sum((row["iou"] for row in matches), Fraction(0)) / (TP or 1)
    RQ = TP / half if half else Fraction(0)
    counts = {"TP": TP, "FP": FP, "FN": FN, "SQ": SQ, "RQ": RQ, "PQ": SQ * RQ}
    return {**counts, "ignored": len(ignored), "rows": rows, "void": {p: pairs[p, 0] for p in ignored}}
