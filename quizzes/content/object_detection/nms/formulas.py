"""NMS and its alternatives: formulas."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from quizzes.formula import Formula
from quizzes.symbols import Labels, Matrix, Real, Vector
from workbench.errors import UserError

Number = int | Fraction


Box = Sequence[Number]  # x1, y1, x2, y2


def overlap(a: Box, b: Box) -> Fraction:
    """Return the intersection over union of two boxes, exactly."""
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    intersection = Fraction(width * height)
    return intersection / (areas - intersection)


class Visit(NamedTuple):
    """The decision on one box.

    Attributes:
        box: Its index.
        overlaps: The IoU with each box kept before, by index, up to the first above the threshold.
        suppressor: The kept box that suppresses it; None if it is kept.
    """

    box: int
    overlaps: dict[int, Fraction]
    suppressor: int | None


def visits(boxes: Sequence[Box], scores: Sequence[float | Fraction], tau: Number) -> Iterator[Visit]:
    """Yield the decisions of greedy non-maximum suppression, by decreasing score.

    Raises:
        UserError: If the boxes and the scores don't fit each other, or a box is not x1 < x2, y1 < y2.
    """
    check_boxes(boxes, scores)
    selected: list[int] = []
    for k in sorted(range(len(boxes)), key=lambda k: -scores[k]):
        overlaps: dict[int, Fraction] = {}
        suppressor = None
        for other in selected:
            overlaps[other] = overlap(boxes[k], boxes[other])
            if overlaps[other] > tau:
                suppressor = other
                break
        if suppressor is None:
            selected.append(k)
        yield Visit(k, overlaps, suppressor)


def suppress(boxes: Sequence[Box], scores: Sequence[Number], tau: Number) -> dict[str, list[str]]:
    """Return the labels A, B, C ... of the boxes that greedy non-maximum suppression keeps, best score first.

    Raises:
        UserError: As `visits` does.
    """
    return {"keep": [chr(65 + visit.box) for visit in visits(boxes, scores, tau) if visit.suppressor is None]}


def check_boxes(boxes: Sequence[Box], scores: Sequence[float | Fraction]) -> None:
    """Check that there are at most 26 boxes with x1 < x2 and y1 < y2, and a score for each.

    Raises:
        UserError: If not.
    """
    if len(boxes) > 26:
        raise UserError(f"boxes must have at most 26 rows, not {len(boxes)}.")
    if len(boxes) != len(scores):
        raise UserError(f"scores must have one number per box: {len(boxes)}, not {len(scores)}.")
    if any(len(box) != 4 or box[0] >= box[2] or box[1] >= box[3] for box in boxes):
        raise UserError("Every row of boxes must be x1, y1, x2, y2 with x1 < x2 and y1 < y2.")


NMS = Formula(
    "nms",
    "",
    title="Non-maximum suppression",
    source="Girshick et al., R-CNN, 2014 (arXiv:1311.2524): a region is rejected if its IoU with a higher-scoring "
    "selected region is larger than a threshold",
    procedure=suppress,
    procedure_outputs="keep",
    boxes=Matrix(meaning="one row x1, y1, x2, y2 per box", unit="px"),
    scores=Vector(0, 1, "scores of the boxes"),
    tau=Real(0, 1, "threshold: a box is suppressed if its IoU with a kept box is above it", default=0.5),
    keep=Labels(meaning="kept boxes, best score first"),
)
