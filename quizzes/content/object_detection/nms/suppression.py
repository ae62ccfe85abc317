"""Non-maximum suppression of a few boxes, exactly: greedy, with thresholds per box or per class, and soft."""

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from workbench.errors import UserError

Number = int | Fraction


Box = Sequence[Number]  # x1, y1, x2, y2
Factor = Callable[[Fraction], Number | float]  # of a score, from the IoU


def overlap(a: Box, b: Box) -> Fraction:
    """Return the intersection over union of two boxes, exactly."""
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    intersection = Fraction(width * height)
    return intersection / (areas - intersection)


def letters(indices: Sequence[int]) -> list[str]:
    """Return the labels of boxes by index: A, B, C ..."""
    return [chr(65 + k) for k in indices]


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


def visits(
    boxes: Sequence[Box],
    scores: Sequence[float | Fraction],
    thresholds: Sequence[Number],
    classes: Sequence[Number] = (),
) -> Iterator[Visit]:
    """Yield the decisions of greedy non-maximum suppression, by decreasing score.

    Args:
        boxes: The boxes.
        scores: Their scores.
        thresholds: For each box, the IoU above which it suppresses others if it is kept.
        classes: The class of each box, if boxes of different classes don't suppress each other.

    Raises:
        UserError: If the boxes and the scores don't fit each other, or a box is not x1 < x2, y1 < y2.
    """
    check_boxes(boxes, scores)
    selected: list[int] = []
    for k in by_score(scores):
        overlaps: dict[int, Fraction] = {}
        suppressor = None
        for other in selected:
            if classes and classes[other] != classes[k]:
                continue
            overlaps[other] = overlap(boxes[k], boxes[other])
            if overlaps[other] > thresholds[other]:
                suppressor = other
                break
        if suppressor is None:
            selected.append(k)
        yield Visit(k, overlaps, suppressor)


def keep_labels(decisions: Iterator[Visit]) -> list[str]:
    """Return the labels of the boxes that are kept, best score first."""
    return letters([visit.box for visit in decisions if visit.suppressor is None])


def by_score(scores: Sequence[float | Fraction]) -> list[int]:
    """Return the indices of the boxes, best score first."""
    return sorted(range(len(scores)), key=lambda k: -scores[k])


class Pick(NamedTuple):
    """One round of Soft-NMS: the best remaining box, and what it does to the scores of the others.

    Attributes:
        box: Its index.
        factors: The IoU with each remaining box and the factor of its score, by index.
        scores: The scores of all boxes after the round.
    """

    box: int
    factors: dict[int, tuple[Fraction, Number | float]]
    scores: list[Number | float]


def linear_factor(threshold: Number) -> Factor:
    """Return the linear decay of Soft-NMS: 1 - IoU from a threshold on, else 1."""
    return lambda iou: 1 - iou if iou >= threshold else 1


def gaussian_factor(sigma: Number) -> Factor:
    """Return the Gaussian decay of Soft-NMS, exp(-IoU^2/sigma)."""
    return lambda iou: math.exp(-(iou**2) / sigma)


def soft_picks(boxes: Sequence[Box], scores: Sequence[Number], factor: Factor) -> Iterator[Pick]:
    """Yield the rounds of Soft-NMS; ties go to the first box.

    Raises:
        UserError: If the boxes and the scores don't fit each other, or a box is not x1 < x2, y1 < y2.
    """
    check_boxes(boxes, scores)
    current: list[Number | float] = list(scores)
    remaining = list(range(len(boxes)))
    while remaining:
        best = max(remaining, key=lambda k: current[k])
        remaining.remove(best)
        factors: dict[int, tuple[Fraction, Number | float]] = {}
        for k in remaining:
            iou = overlap(boxes[best], boxes[k])
            factors[k] = iou, factor(iou)
            current[k] = current[k] * factors[k][1]
        yield Pick(best, factors, list(current))


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
