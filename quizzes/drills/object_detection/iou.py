"""Intersection over union."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.object_detection import IOU


@drill(
    IOU,
    id="iou",
    tier=1,
    asks="I U iou",
    visualization="boxes",
    prompt="Two boxes, corners x1, y1, x2, y2 in px: A = {A} and B = {B}. A side is x2 - x1 long (no pixel is added). "
    "What are the area I of their intersection, the area U of their union, and their IoU?",
    hint="The overlap in x runs from the larger x1 to the smaller x2, and is never negative; the same in y.",
)
def iou(rng: Random) -> dict[str, Any]:
    """Intersection over union of two boxes"""
    x, y = rng.randint(0, 40), rng.randint(0, 40)
    a = [x, y, x + rng.randint(4, 12) * 5, y + rng.randint(4, 12) * 5]
    far = rng.random() < 0.08
    reach = 90 if far else 30
    left, top = x + rng.randint(-4, 6) * 5 + far * reach, y + rng.randint(-4, 6) * 5 + far * reach
    left, top = max(0, left), max(0, top)
    return dict(A=a, B=[left, top, left + rng.randint(4, 12) * 5, top + rng.randint(4, 12) * 5])


iou.mistake(
    "areas-added",
    "U = (A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2])",
    "The intersection lies in both boxes and counts once: take it away from the sum of the areas.",
)
iou.mistake(
    "no-clamp",
    "I = (min(A[3], B[3]) - max(A[1], B[1]))*(min(A[4], B[4]) - max(A[2], B[2]))",
    "Where the boxes don't overlap a side is negative: take 0 for it before multiplying.",
)
iou.mistake(
    "over-smaller-box",
    "iou = I/min((A[3] - A[1])*(A[4] - A[2]), (B[3] - B[1])*(B[4] - B[2]))",
    "IoU divides by the union of both boxes, not by the smaller one.",
)
iou.mistake(
    "dice",
    "iou = 2*I/((A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2]))",
    "That is the Dice coefficient, 2I/(A + B); IoU is I/U.",
)
iou.mistake(
    "hull",
    "U = (max(A[3], B[3]) - min(A[1], B[1]))*(max(A[4], B[4]) - min(A[2], B[2]))",
    "That is the box around both; the union is A + B - I, which is less where corners stay empty.",
)
iou.torch(
    """
from torchvision.ops import box_area, box_iou

iou = box_iou(A[None], B[None])[0, 0]
U = (box_area(A[None]) + box_area(B[None]))[0] / (1 + iou)
I = iou * U
"""
)
