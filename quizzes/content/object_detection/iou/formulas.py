"""Intersection over union: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Box, Int, Real

IOU = Formula(
    "iou",
    """
    I = max(0, min(A[3], B[3]) - max(A[1], B[1]))*max(0, min(A[4], B[4]) - max(A[2], B[2]))
    U = (A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2]) - I
    iou = I/U
    """,
    title="Intersection over union of two boxes",
    source="derivation: the area of the intersection over the area of the union, which is the sum of the areas minus "
    "the intersection, as it would count twice",
    A=Box(meaning="first box: corners x1, y1, x2, y2", unit="px"),
    B=Box(meaning="second box: corners x1, y1, x2, y2", unit="px"),
    I=Int(meaning="area of the intersection", unit="px^2"),
    U=Int(meaning="area of the union", unit="px^2"),
    iou=Real(meaning="intersection over union"),
)
