"""Object detection: overlap of boxes, and which of them survive."""

from fractions import Fraction
from typing import Any

from quizzes.formulas import formula
from workbench.errors import UserError


def _width(a: list, b: list) -> Any:
    return max(0, min(a[2], b[2]) - max(a[0], b[0]))


def overlap(a: list, b: list) -> Fraction:
    """Intersection over union of two boxes [x1, y1, x2, y2], exact for exact corners."""
    shared = _width(a, b) * _width([a[1], 0, a[3]], [b[1], 0, b[3]])
    return Fraction(shared) / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


IOU = formula(
    "iou",
    """
    I = max(0, min(A[3], B[3]) - max(A[1], B[1]))*max(0, min(A[4], B[4]) - max(A[2], B[2]))
    U = (A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2]) - I
    iou = I/U
    """,
    topic="iou",
    title="Intersection over union of two boxes",
    source="derivation: the shared area over the area that either covers, which is A + B less what would count twice",
    A="vector; first box, corners x1, y1, x2, y2 [px]",
    B="vector; second box, corners x1, y1, x2, y2 [px]",
    I="int; area of the intersection [px^2]",
    U="int; area of the union [px^2]",
    iou="real; intersection over union",
)


def suppress(boxes: list, scores: list, tau: Any) -> dict[str, list[str]]:
    """Greedy non-maximum suppression: the labels A, B, C ... of the boxes that are kept, best score first."""
    if len(boxes) != len(scores) or len(boxes) > 26:
        raise UserError(f"A score for each of up to 26 boxes is needed: {len(boxes)} boxes, {len(scores)} scores came.")
    if any(len(box) != 4 or box[0] >= box[2] or box[1] >= box[3] for box in boxes):
        raise UserError("Every row of boxes is x1, y1, x2, y2 with x1 < x2 and y1 < y2.")
    kept: list[int] = []
    for k in sorted(range(len(boxes)), key=lambda k: -scores[k]):
        if all(overlap(boxes[k], boxes[other]) <= tau for other in kept):
            kept.append(k)
    return {"keep": [chr(65 + k) for k in kept]}


NMS = formula(
    "nms",
    "",
    topic="nms",
    title="Non-maximum suppression",
    source="Girshick et al., R-CNN, 2014 (arXiv:1311.2524): a region is rejected where its overlap with a "
    "higher-scoring selected region is larger than a threshold",
    procedure=suppress,
    procedure_outputs="keep",
    boxes="matrix; a row x1, y1, x2, y2 for each box [px]",
    scores="vector 0..1; score of each box",
    tau="real 0..1 = 0.5; threshold: a box goes when its IoU with a kept box is above it",
    keep="sequence; boxes that are kept, best first",
)
