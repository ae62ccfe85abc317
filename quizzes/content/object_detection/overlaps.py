"""Intersection over union of boxes, exactly."""

from collections.abc import Sequence
from fractions import Fraction

Number = int | Fraction
Box = Sequence[Number]  # x1, y1, x2, y2


def overlap(a: Box, b: Box) -> Fraction:
    """Return the intersection over union of two boxes, exactly."""
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    intersection = Fraction(width * height)
    return intersection / (areas - intersection)


def iou_matrix(boxes: Sequence[Box], objects: Sequence[Box]) -> list[list[Fraction]]:
    """Return the IoU of each box with each object."""
    return [[overlap(box, one) for one in objects] for box in boxes]
