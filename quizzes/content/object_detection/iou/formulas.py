"""Intersection over union: formulas."""

from fractions import Fraction
from math import atan
from typing import Any

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.formula import Formula
from quizzes.symbols import Box, Int, Matrix, Rational, Real, Vector
from workbench.errors import UserError

GIOU_SOURCE = "Rezatofighi et al., Generalized intersection over union, 2019 (arXiv:1902.09630)"

DIOU_SOURCE = "Zheng et al., Distance-IoU loss, 2020 (arXiv:1911.08287)"

FIRST_BOX = Box(meaning="first box: corners x1, y1, x2, y2", unit="px")

SECOND_BOX = Box(meaning="second box: corners x1, y1, x2, y2", unit="px")

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


IOU_AREAS = Formula(
    "iou-areas",
    "iou = I/(a + b - I)",
    title="Intersection over union from areas",
    source="derivation: the union is the sum of the areas minus the intersection, which would count twice",
    a=Real(0, 1000000, "area of the first box", unit="px^2"),
    b=Real(0, 1000000, "area of the second box", unit="px^2"),
    I=Real(0, 1000000, "area of the intersection", unit="px^2"),
    iou=Rational(0, 1, "intersection over union"),
)


GIOU_DIOU = Formula(
    "giou-diou",
    """
    I = max(0, min(A[3], B[3]) - max(A[1], B[1]))*max(0, min(A[4], B[4]) - max(A[2], B[2]))
    U = (A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2]) - I
    iou = I/U
    C = (max(A[3], B[3]) - min(A[1], B[1]))*(max(A[4], B[4]) - min(A[2], B[2]))
    giou = iou - (C - U)/C
    d2 = ((A[1] + A[3] - B[1] - B[3])/2)^2 + ((A[2] + A[4] - B[2] - B[4])/2)^2
    c2 = (max(A[3], B[3]) - min(A[1], B[1]))^2 + (max(A[4], B[4]) - min(A[2], B[2]))^2
    diou = iou - d2/c2
    """,
    title="GIoU and DIoU of two boxes",
    source=f"{GIOU_SOURCE}; {DIOU_SOURCE}",
    A=FIRST_BOX,
    B=SECOND_BOX,
    I=Int(meaning="area of the intersection", unit="px^2"),
    U=Int(meaning="area of the union", unit="px^2"),
    iou=Real(meaning="intersection over union"),
    C=Int(meaning="area of the smallest box around both", unit="px^2"),
    giou=Real(meaning="generalized IoU"),
    d2=Real(meaning="squared distance of the centers", unit="px^2", notation="d²"),
    c2=Real(meaning="squared diagonal of the smallest box around both", unit="px^2", notation="c²"),
    diou=Real(meaning="distance IoU"),
)


def _angles(A: list[Value], B: list[Value]) -> dict[str, float]:
    return {name: atan((x2 - x1) / (y2 - y1)) for name, (x1, y1, x2, y2) in (("angle_A", A), ("angle_B", B))}


CIOU = Formula(
    "ciou",
    """
    v = 4/pi^2*(angle_A - angle_B)^2
    I = max(0, min(A[3], B[3]) - max(A[1], B[1]))*max(0, min(A[4], B[4]) - max(A[2], B[2]))
    iou = I/((A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2]) - I)
    d2 = ((A[1] + A[3] - B[1] - B[3])/2)^2 + ((A[2] + A[4] - B[2] - B[4])/2)^2
    c2 = (max(A[3], B[3]) - min(A[1], B[1]))^2 + (max(A[4], B[4]) - min(A[2], B[2]))^2
    alpha = where(v > 0, v/(1 - iou + v), 0)
    ciou = iou - d2/c2 - alpha*v
    """,
    title="CIoU of two boxes",
    source=DIOU_SOURCE,
    conventions="Angles are in radians.",
    procedure=_angles,
    procedure_outputs="angle_A angle_B",
    A=FIRST_BOX,
    B=SECOND_BOX,
    angle_A=Real(meaning="arctan of width over height of A"),
    angle_B=Real(meaning="arctan of width over height of B"),
    v=Real(meaning="difference of the ratios of width and height"),
    I=Int(meaning="area of the intersection", unit="px^2"),
    iou=Real(meaning="intersection over union"),
    d2=Real(meaning="squared distance of the centers", unit="px^2", notation="d²"),
    c2=Real(meaning="squared diagonal of the smallest box around both", unit="px^2", notation="c²"),
    alpha=Real(meaning="weight of v"),
    ciou=Real(meaning="complete IoU"),
)


def _pairs(A: list[list[Value]], B: list[list[Value]]) -> dict[str, Any]:
    for name, boxes in (("A", A), ("B", B)):
        if any(len(box) != 4 or box[0] >= box[2] or box[1] >= box[3] for box in boxes):
            raise UserError(f"Every row of {name} must be x1, y1, x2, y2 with x1 < x2 and y1 < y2.")
    results = [[{**GIOU_DIOU.evaluate(dict(A=a, B=b)), **CIOU.evaluate(dict(A=a, B=b))} for b in B] for a in A]
    return {key: [[cell[key] for cell in row] for row in results] for key in ("iou", "giou", "diou", "ciou")}


PAIRWISE_IOU = Formula(
    "pairwise-iou",
    "",
    title="IoU, GIoU, DIoU and CIoU of all pairs of boxes",
    source=f"{GIOU_SOURCE}; {DIOU_SOURCE}",
    conventions="A row of each result belongs to a box of A, a column to a box of B.",
    procedure=_pairs,
    procedure_outputs="iou giou diou ciou",
    shapes="A[i, 4]; B[j, 4]",
    A=Matrix(meaning="first boxes, one row x1, y1, x2, y2 each", unit="px"),
    B=Matrix(meaning="second boxes, one row x1, y1, x2, y2 each", unit="px"),
    iou=Matrix(meaning="intersection over union"),
    giou=Matrix(meaning="generalized IoU"),
    diou=Matrix(meaning="distance IoU"),
    ciou=Matrix(meaning="complete IoU"),
)


MASK_IOU = Formula(
    "mask-iou",
    """
    I = sum(i, sum(j, A[i, j]*B[i, j]))
    U = sum(i, sum(j, A[i, j] + B[i, j])) - I
    iou = I/U
    """,
    title="Intersection over union of two masks",
    source="derivation: each pixel is counted once: in both masks for the intersection, in at least one for the union",
    conventions="A mask has 1 for a pixel of the object, and 0 for the background.",
    A=Matrix(0, 1, "first mask"),
    B=Matrix(0, 1, "second mask"),
    I=Int(0, meaning="pixels in both masks"),
    U=Int(0, meaning="pixels in at least one mask"),
    iou=Rational(0, 1, "intersection over union"),
)


GIOU_SLIDE = Formula(
    "giou-slide",
    """
    giou = (k - t)/(k + t)
    slope = -2*k/(k + t)^2
    diou = -t^2/((k + t)^2 + k^2)
    """,
    title="GIoU and DIoU of two squares that are apart",
    source=f"{GIOU_SOURCE}; {DIOU_SOURCE}; derivation: both squares have 2k^2 px, the box around them k(k + t), and "
    "the IoU is 0, so GIoU = 2k^2/(k(k + t)) - 1; the centers are t apart, the diagonal has the square (k + t)^2 + k^2",
    conventions="t is larger than k.",
    k=Real(0, meaning="side of the squares"),
    t=Real(0, meaning="shift to the right"),
    effect=Choice(
        meaning="effect of this loss on the sliding square",
        options=dict(
            zero="no gradient, so it stays where it is",
            fading="pulled back, the less the farther away it is",
            constant="pulled back, equally at every distance",
        ),
        supported_by="slope",
    ),
    giou=Real(meaning="GIoU as a function of t"),
    slope=Real(meaning="derivative of GIoU by t"),
    diou=Real(meaning="DIoU as a function of t"),
)


CLAMP_LINE, UNION_LINE = 4, 6  # of the program of debug-iou-clamp


def _print_iou(a: list[Value], b: list[list[Value]], line: int | None = None) -> dict[str, Any]:
    printed, fixed = [], []
    for box in b:
        width, height = min(a[2], box[2]) - max(a[0], box[0]), min(a[3], box[3]) - max(a[1], box[1])
        areas = Fraction((a[2] - a[0]) * (a[3] - a[1]) + (box[2] - box[0]) * (box[3] - box[1]))
        clamped = max(0, width) * max(0, height)
        inter = clamped if line == UNION_LINE else width * height
        union = areas if line == UNION_LINE else areas - inter
        if not union:  # the product of two negative extents can be as large as both areas
            raise UndefinedValue("the printed union is 0")
        printed.append(inter / union)
        fixed.append(clamped / (areas - clamped))
    return {"printed": printed, "fixed": fixed}


IOU_CODE = Formula(
    "iou-code",
    "",
    title="Incorrect IoU in PyTorch",
    source="derivation: the overlap in x or y is negative if the boxes are apart, and must be clamped at 0; the union "
    "is the sum of the areas minus the intersection",
    procedure=_print_iou,
    procedure_outputs="printed fixed",
    shapes="b[i, 4]",
    a=Box(meaning="first box"),
    b=Matrix(meaning="other boxes"),
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Vector(meaning="values that the program prints"),
    fixed=Vector(meaning="values after the correction"),
)
