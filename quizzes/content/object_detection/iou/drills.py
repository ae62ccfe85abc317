"""Intersection over union: drills."""

from random import Random

from quizzes.content.object_detection.iou.formulas import IOU
from quizzes.drill import Inputs, Mistake, drill


@drill(
    IOU,
    id="iou",
    tier=1,
    asks=("I", "U", "iou"),
    visualization="boxes",
    prompt="Two boxes are given by their corners x1, y1, x2, y2 in px: A = {A} and B = {B}. "
    "What are the area I of their intersection, the area U of their union, and their IoU (iou)?\n"
    "Conventions: a box is x2 - x1 wide and y2 - y1 high, without an extra pixel.",
    hint="The overlap in x extends from the larger x1 to the smaller x2 and is at least 0. What is the overlap in y?",
    mistakes=[
        Mistake(
            "areas-added",
            "U = (A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2])",
            "You counted the intersection twice. It lies in both boxes, so subtract I from the sum of the areas.",
        ),
        Mistake(
            "no-clamp",
            "I = (min(A[3], B[3]) - max(A[1], B[1]))*(min(A[4], B[4]) - max(A[2], B[2]))",
            "You multiplied a negative overlap. If the boxes do not overlap in x or y, that overlap is 0.",
        ),
        Mistake(
            "over-smaller-box",
            "iou = I/min((A[3] - A[1])*(A[4] - A[2]), (B[3] - B[1])*(B[4] - B[2]))",
            "You divided by the area of the smaller box. IoU divides by the area U of the union.",
        ),
        Mistake(
            "dice",
            "iou = 2*I/((A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2]))",
            "That is the Dice coefficient, 2I divided by the sum of the areas. IoU is I/U.",
        ),
        Mistake(
            "hull",
            "U = (max(A[3], B[3]) - min(A[1], B[1]))*(max(A[4], B[4]) - min(A[2], B[2]))",
            "That is the area of the box around both. The union is smaller: the sum of the areas minus I.",
        ),
    ],
)
def iou(rng: Random) -> Inputs:
    """Intersection over union of two boxes"""
    x, y = rng.randint(0, 40), rng.randint(0, 40)
    a = [x, y, x + rng.randint(4, 12) * 5, y + rng.randint(4, 12) * 5]
    far = rng.random() < 0.08
    distance = 90 if far else 30
    left, top = x + rng.randint(-4, 6) * 5 + far * distance, y + rng.randint(-4, 6) * 5 + far * distance
    left, top = max(0, left), max(0, top)
    return dict(A=a, B=[left, top, left + rng.randint(4, 12) * 5, top + rng.randint(4, 12) * 5])
