"""Ranked detections, exactly: which are correct, precision and recall at each rank, and average precision."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate

from quizzes.content.object_detection.nms.suppression import overlap
from workbench.errors import UserError

Number = int | Fraction

VOC_RECALLS = [Fraction(k, 10) for k in range(11)]
COCO_RECALLS = [Fraction(k, 100) for k in range(101)]
THRESHOLDS = [Fraction(50 + 5 * k, 100) for k in range(10)]  # of COCO's AP


def match(iou: Sequence[Sequence[Number]], tau: Number) -> list[int | None]:
    """Return the object of each detection as COCO matches them, None for a false positive.

    Args:
        iou: The IoU of each detection with each object, best score first.
        tau: The least IoU of a match.
    """
    matches: list[int | None] = []
    for row in iou:
        free = [j for j in range(len(row)) if j not in matches and row[j] >= tau]
        matches.append(max(free, key=lambda j: row[j]) if free else None)
    return matches


def hits_of(iou: Sequence[Sequence[Number]], tau: Number) -> list[int]:
    """Return 1 for each detection that matches an object, else 0."""
    return [int(partner is not None) for partner in match(iou, tau)]


def iou_matrix(boxes: Sequence[Sequence[Number]], objects: Sequence[Sequence[Number]]) -> list[list[Fraction]]:
    """Return the IoU of each box with each object."""
    return [[overlap(box, one) for one in objects] for box in boxes]


def precisions(hits: Sequence[Number]) -> list[Fraction]:
    """Return the precision at each rank."""
    return [Fraction(count) / rank for rank, count in enumerate(accumulate(hits), 1)]


def recalls(hits: Sequence[Number], n: Number) -> list[Fraction]:
    """Return the recall at each rank, of n objects."""
    return [Fraction(count) / n for count in accumulate(hits)]


def envelope(hits: Sequence[Number]) -> list[Fraction]:
    """Return the best precision at each rank or below: the monotone envelope."""
    return list(accumulate(reversed(precisions(hits)), max))[::-1]


def interpolate(hits: Sequence[Number], n: Number, at: Sequence[Number]) -> list[Fraction]:
    """Return the best precision at each recall or above; 0 beyond the largest recall."""
    points = list(zip(recalls(hits, n), precisions(hits), strict=True))
    return [max((p for r, p in points if r >= recall), default=Fraction(0)) for recall in at]


def average_precision(hits: Sequence[Number], n: Number) -> Fraction:
    """Return the area under the monotone envelope of precision over recall."""
    return Fraction(sum(p for hit, p in zip(hits, envelope(hits), strict=True) if hit)) / n


def check_hits(hits: Sequence[Number], n: Number) -> None:
    """Check that hits are 0 or 1, and that there are at least as many objects.

    Raises:
        UserError: If not.
    """
    if any(hit not in (0, 1) for hit in hits):
        raise UserError("hits must be 1 for a correct detection and 0 for any other.")
    if sum(hits) > n:
        raise UserError(f"hits has {sum(hits)} correct detections, and there are n = {n} objects. Increase n.")
