"""Intersection over union: drills."""

from random import Random
from typing import Any

from quizzes.content.object_detection.iou.formulas import (
    CIOU,
    CLAMP_LINE,
    GIOU_DIOU,
    GIOU_SLIDE,
    IOU,
    IOU_AREAS,
    IOU_CODE,
    MASK_IOU,
    UNION_LINE,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


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


@drill(
    IOU_AREAS,
    id="iou:areas",
    tier=1,
    asks=one_of("iou", "I", "a"),
    prompt="Two boxes have the areas a = {a} and b = {b} px^2. Their intersection has I = {I} px^2, and their "
    "intersection over union is iou = {iou}.",
    hint="The intersection lies in both boxes. How large is their union?",
    mistakes=[
        Mistake("areas-added", "iou = I/(a + b)", "You counted the intersection twice. Subtract it once."),
        Mistake("dice", "iou = 2*I/(a + b)", "That is the Dice coefficient. IoU divides by the union."),
        Mistake("over-first", "iou = I/a", "You divided by the first box alone. IoU divides by the union of both."),
        Mistake(
            "subtracted-twice", "iou = I/(a + b - 2*I)", "You subtracted the intersection twice. Subtract it once."
        ),
    ],
)
def iou_areas(rng: Random) -> Inputs:
    """Intersection over union from areas"""
    inner = 10 * rng.randint(2, 60)
    a, b = (inner + 10 * rng.randint(1, 80) for _ in range(2))
    if a == b:
        raise UndefinedValue("the areas must differ")
    return dict(a=a, b=b, I=inner)


def _two_boxes(rng: Random) -> Inputs:
    """Return two boxes of different shapes, which overlap for about two thirds of the seeds."""
    x, y = rng.randint(0, 20), rng.randint(0, 20)
    a = [x, y, x + 10 * rng.randint(2, 8), y + 10 * rng.randint(2, 8)]
    apart = rng.random() < 0.3
    left = a[2] + rng.randint(1, 4) * 5 if apart else x + rng.randint(-2, 4) * 5
    top = y + rng.randint(-3, 5) * 5
    left, top = max(0, left), max(0, top)
    return dict(A=a, B=[left, top, left + 10 * rng.randint(2, 8), top + 10 * rng.randint(2, 8)])


@drill(
    GIOU_DIOU,
    tier=2,
    asks=("iou", "C", "giou", "d2", "diou"),
    visualization="boxes",
    prompt="Two boxes are given by their corners x1, y1, x2, y2 in px: A = {A} and B = {B}. What are their IoU (iou), "
    "the area C of the smallest box around both, their GIoU (giou), the squared distance d2 of their centers, and "
    "their DIoU (diou)?\n"
    "Conventions: GIoU and DIoU are the values, not the losses 1 - GIoU and 1 - DIoU.",
    hints=(
        "Which part of the box around both is covered by neither box? How far apart are the centers, compared with the "
        "diagonal of that box?",
        "GIoU = IoU - (C - U)/C with the union U. DIoU = IoU - d2/c2 with the squared diagonal c2 of the box around "
        "both.",
    ),
    mistakes=[
        Mistake(
            "areas-added",
            "iou = I/((A[3] - A[1])*(A[4] - A[2]) + (B[3] - B[1])*(B[4] - B[2]))",
            "You divided by the sum of the areas. The union has the intersection once.",
        ),
        Mistake("union-for-hull", "C = U", "That is the union. C is the area of one box that contains both."),
        Mistake("over-union", "giou = iou - (C - U)/U", "You divided by the union. GIoU divides by C."),
        Mistake("hull-over-union", "giou = iou - U/C", "U/C is the covered share. Subtract the share without a box."),
        Mistake(
            "intersection", "giou = iou - (C - I)/C", "You subtracted the intersection. Subtract the union from C."
        ),
        Mistake(
            "corner-distance",
            "d2 = (A[1] - B[1])^2 + (A[2] - B[2])^2",
            "That is the distance of the top left corners. DIoU uses the centers.",
        ),
        Mistake(
            "not-squared",
            "diou = iou - sqrt(d2/c2)",
            "You used the distances. DIoU uses the squared distance over the squared diagonal.",
        ),
        Mistake(
            "area-for-diagonal",
            "diou = iou - d2/C",
            "You divided by an area. DIoU divides by the squared diagonal of the box around both.",
        ),
    ],
)
def giou_diou(rng: Random) -> Inputs:
    """GIoU and DIoU of two boxes"""
    return _two_boxes(rng)


@drill(
    CIOU,
    id="giou-diou:ciou",
    tier=3,
    asks=("v", "alpha", "ciou"),
    visualization="boxes",
    prompt="Two boxes are given by their corners x1, y1, x2, y2 in px: A = {A} and B = {B}. CIoU subtracts two terms "
    "from the IoU: the squared distance of the centers over the squared diagonal of the smallest box around both, and "
    "alpha*v, with\n"
    "  v = (4/pi^2)*(arctan(w_A/h_A) - arctan(w_B/h_B))^2 and alpha = v/(1 - IoU + v).\n"
    "What are v, alpha and the CIoU (ciou)?\n"
    "Conventions: angles in radians; w is the width and h the height of a box.",
    hints=(
        "What are the width and the height of each box? How much do the two boxes overlap?",
        "CIoU = IoU - d2/c2 - alpha*v, with the squared distance d2 of the centers and the squared diagonal c2.",
    ),
    mistakes=[
        Mistake(
            "in-degrees",
            "v = 4/pi^2*(180/pi*(angle_A - angle_B))^2",
            "Your angles are in degrees. The formula needs radians.",
        ),
        Mistake(
            "not-normalized",
            "v = (angle_A - angle_B)^2",
            "You left out the factor 4/pi^2, which makes v at most 1.",
        ),
        Mistake("overlap-in-alpha", "alpha = v/(iou + v)", "Alpha has 1 - IoU, so that it grows with the overlap."),
        Mistake("weight-left-out", "ciou = iou - d2/c2 - v", "You left out the weight alpha of the last term."),
        Mistake("ratio-left-out", "ciou = iou - d2/c2", "That is DIoU. CIoU also subtracts alpha*v."),
        Mistake("distance-left-out", "ciou = iou - alpha*v", "You left out the distance of the centers."),
        Mistake("added", "ciou = iou + d2/c2 + alpha*v", "Both terms are penalties: subtract them."),
    ],
)
def ciou(rng: Random) -> Inputs:
    """CIoU of two boxes"""
    boxes = _two_boxes(rng)
    if CIOU.evaluate(boxes)["v"] < 0.02:
        raise UndefinedValue("the boxes have almost the same ratio")
    return boxes


@drill(
    MASK_IOU,
    tier=1,
    asks=("I", "U", "iou"),
    visualization="matrices A B",
    prompt="Two masks have 1 for a pixel of the object and 0 for the background.\n"
    "A = {A}\n"
    "B = {B}\n"
    "How many pixels are in both masks (I), and how many in at least one (U)? What is their intersection over union "
    "(iou)?\n"
    "Conventions: give iou as a fraction.",
    hint="Compare the masks pixel by pixel. Which pixels are 1 in both, and which in at least one?",
    mistakes=[
        Mistake(
            "background-counted",
            "I = sum(i, sum(j, A[i, j]*B[i, j] + (1 - A[i, j])*(1 - B[i, j])))",
            "You counted equal pixels of the background as well. Only pixels of the object count.",
        ),
        Mistake(
            "all-pixels",
            "U = sum(i, sum(j, A[i, j] + 1 - A[i, j]))",
            "You counted all pixels. The union has those of the objects.",
        ),
        Mistake(
            "areas-added",
            "U = sum(i, sum(j, A[i, j] + B[i, j]))",
            "You counted the shared pixels twice. Subtract them once.",
        ),
        Mistake(
            "dice",
            "iou = 2*I/sum(i, sum(j, A[i, j] + B[i, j]))",
            "That is the Dice coefficient. IoU divides by the union.",
        ),
        Mistake("over-first", "iou = I/sum(i, sum(j, A[i, j]))", "You divided by mask A alone. Divide by the union."),
    ],
)
def mask_iou(rng: Random) -> Inputs:
    """Intersection over union of masks"""
    rows, columns = rng.choice([(4, 4), (4, 5), (5, 5), (3, 6)])
    share = rng.choice([0.35, 0.5, 0.6])
    a = [[int(rng.random() < share) for _ in range(columns)] for _ in range(rows)]
    b = [[bit if rng.random() < 0.7 else 1 - bit for bit in row] for row in a]
    if not any(x and y for row, other in zip(a, b, strict=True) for x, y in zip(row, other, strict=True)):
        raise UndefinedValue("the masks must overlap")
    return dict(A=a, B=b)


LOSSES = {
    "zero": ["1 - IoU", "-ln(IoU + 0.01)"],
    "fading": ["1 - GIoU", "1 - DIoU"],
    "constant": ["the L1 distance of the corners", "the L1 distance of the centers"],
}


REASONS = {
    "zero": "This loss depends on the overlap alone, which stays 0: its derivative by t is 0, so nothing pulls.",
    "fading": "The derivative of this loss by t is positive and shrinks as t grows: the farther, the weaker the pull.",
    "constant": "This loss grows in proportion to t: its derivative is the same at every distance.",
}


def _slide_steps(giou: str, slope: str, diou: str, effect: str, **_: Any) -> list[Step]:
    return [
        Step(
            "Once the squares are apart, their IoU is 0, and the box around both is t wider than a square. GIoU is the "
            "share of it that they cover, minus 1.",
            [f"giou = {giou}"],
        ),
        Step("Derive by t with the quotient rule.", [f"slope = {slope}"]),
        Step(
            "The centers are t apart. The squared diagonal is the sum of the squares of both sides of the box around "
            "both.",
            [f"diou = {diou}"],
        ),
        Step(REASONS[effect]),
    ]


@drill(
    GIOU_SLIDE,
    tier=3,
    steps=_slide_steps,
    asks=(derive("giou"), derive("slope"), derive("diou"), "effect"),
    prompt="Two squares of side {side} start in the same place, and one of them slides to the right by t.\n"
    "For t > {side}, derive their GIoU as a function of t (giou), the derivative of GIoU by t (slope), and their DIoU "
    "(diou). Answer in terms of {terms}. What does gradient descent on the loss {loss} do to the sliding square there "
    "(effect)?\n"
    "Conventions: GIoU and DIoU are the values, not the losses.",
    hints=(
        "How large are the union and the smallest box around both squares, once the squares are apart?",
        "GIoU = IoU - (C - U)/C and DIoU = IoU - d^2/c^2, with the box around both of area C and diagonal c, and the "
        "distance d of the centers.",
        "First step: the IoU is 0, and the box around both is t wider than a square.",
    ),
    mistakes=[
        Mistake(
            "plain-iou", "giou = 0; slope = 0", "That is the IoU. GIoU subtracts the share of the box around both."
        ),
        Mistake(
            "over-union",
            "giou = (k - t)/(2*k); slope = -1/(2*k)",
            "You divided by the union. GIoU divides by the area of the box around both.",
        ),
        Mistake(
            "distance-not-squared",
            "diou = -t/sqrt((k + t)^2 + k^2)",
            "You used the distances. DIoU uses the squared distance over the squared diagonal.",
        ),
        Mistake(
            "width-for-diagonal",
            "diou = -t^2/(k + t)^2",
            "You used the width of the box around both. DIoU uses its diagonal.",
        ),
        Mistake(
            "slope-of-gap",
            "slope = -1/(k + t)",
            "You held the denominator constant. The box around both grows with t as well: use the quotient rule.",
        ),
        Mistake(
            "other-effect",
            {"effect": lambda effect, **_: "fading" if effect == "zero" else "zero"},
            "Derive this loss by t: a derivative of 0 has no effect, and one that shrinks with t fades.",
        ),
    ],
)
def giou_slide(rng: Random) -> Inputs:
    """Sliding squares"""
    effect = rng.choice(list(LOSSES))
    values = dict(effect=effect, loss=rng.choice(LOSSES[effect]))
    if rng.random() < 0.2:
        return dict(values, side="k", terms="k and t", variables={"k": [1, 3], "t": [4, 12]})
    k = rng.randint(2, 16)
    return dict(values, k=k, side=k, terms="t", variables={"t": [k + 1, 6 * k]})


def _one_negative(a: list[Value], b: list[list[Value]], line: int) -> list[Value]:
    """Return the values if the product of one negative overlap counts as 0."""
    values = IOU_CODE.evaluate(dict(a=a, b=b, line=line))
    return [
        max(0, printed) if _is_apart_once(a, box) else printed
        for printed, box in zip(values["printed"], b, strict=True)
    ]


def _is_apart_once(a: list[Value], box: list[Value]) -> bool:
    return bool((min(a[2], box[2]) < max(a[0], box[0])) != (min(a[3], box[3]) < max(a[1], box[1])))


def _dice(a: list[Value], b: list[list[Value]], line: int) -> list[Value]:
    return [2 * iou / (1 + iou) for iou in IOU_CODE.evaluate(dict(a=a, b=b, line=line))["fixed"]]


def _code_steps(line: int, printed: list[Value], fixed: list[Value], **_: Any) -> list[Step]:
    def texts(values: list[Value]) -> str:
        return ", ".join(f"{float(value):.4f}" for value in values)

    reason = (
        f"Line {line} adds the areas, so the intersection counts twice. Subtract it."
        if line == UNION_LINE
        else f"rb - lt is negative if the boxes are apart. Line {line} must clamp both at 0 before it multiplies them."
    )
    return [
        Step(reason),
        Step("The program computes these values as it stands.", [f"printed = [{texts(printed)}]"]),
        Step("After the correction, boxes that are apart have IoU 0.", [f"fixed = [{texts(fixed)}]"]),
    ]


@drill(
    IOU_CODE,
    id="debug-iou-clamp",
    tier=2,
    asks=("line", "printed", "fixed"),
    visualization="code program",
    prompt="This function should compute the IoU of each box of a with each box of b, but one line is incorrect.\n"
    "Which line is it (line)? What does the program print (printed), and what does the corrected program print "
    "(fixed)? Give the values of the only row.",
    hints=(
        "What is rb - lt if two boxes are apart? How is the union computed?",
        "The overlap in x is min(x2) - max(x1), and at least 0. The union is the sum of the areas minus the "
        "intersection.",
        "First step: compute lt and rb for each box of b.",
    ),
    steps=_code_steps,
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: UNION_LINE if line == CLAMP_LINE else CLAMP_LINE},
            "That line is correct. Follow the program with two boxes that are apart, and with two that overlap.",
        ),
        Mistake("blames-corner", {"line": 2}, "lt must be the larger of both top left corners, as it is."),
        Mistake(
            "already-correct",
            {"printed": lambda a, b, line: IOU_CODE.evaluate(dict(a=a, b=b, line=line))["fixed"]},
            "Those are the correct values. This program prints others: follow it as it stands.",
        ),
        Mistake(
            "one-negative-overlooked",
            {"printed": _one_negative},
            "If rb - lt is negative in one direction only, the product is negative, not 0.",
        ),
        Mistake("dice", {"fixed": _dice}, "That is the Dice coefficient. IoU divides by the union."),
    ],
)
def debug_iou_clamp(rng: Random) -> Inputs:
    """IoU in PyTorch"""
    line = rng.choice([CLAMP_LINE, CLAMP_LINE, UNION_LINE])
    x, y, size = rng.randint(0, 3), rng.randint(0, 3), rng.choice([2, 3, 4])
    a = [x, y, x + size, y + rng.choice([2, 3, 4])]
    overlapping = [a[0] + rng.randint(0, 1), a[1] + 1, a[2] + rng.randint(0, 2), a[3] + rng.randint(0, 2)]
    diagonal = [a[2] + rng.randint(1, 3), a[3] + rng.randint(1, 3)]
    diagonal += [diagonal[0] + rng.randint(1, 2), diagonal[1] + rng.randint(1, 2)]
    right = [a[2] + rng.randint(1, 3), a[1]]
    right += [right[0] + rng.randint(1, 2), right[1] + rng.randint(1, 3)]
    b = rng.sample([overlapping, diagonal, right], 3)
    values = IOU_CODE.evaluate(dict(a=a, b=b, line=line))
    if any(abs(value) > 20 for value in values["printed"]):
        raise UndefinedValue("a union is almost 0")
    clamp = ".clamp(min=0)" if line == UNION_LINE else ""
    union = "area(a)[:, None] + area(b)" + ("" if line == UNION_LINE else " - inter")
    program = f"""
def iou(a, b):  # (N, 4), (M, 4)
    lt = torch.max(a[:, None, :2], b[:, :2])
    rb = torch.min(a[:, None, 2:], b[:, 2:])
    inter = (rb - lt){clamp}.prod(-1)
    area = lambda t: (t[:, 2:] - t[:, :2]).prod(1)
    return inter / ({union})
a = torch.tensor([{a}]).float()
b = torch.tensor({b}).float()
print(iou(a, b))
""".strip()
    return dict(a=a, b=b, line=line, program=program)
