"""YOLO v1, v2, v3 and SSD: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Box, Int, Labels, Matrix, Real, Shape, Table, Vector
from workbench.errors import UserError

YOLO_SOURCE = "Redmon et al., YOLO, 2016 (arXiv:1506.02640)"

YOLO2_SOURCE = "Redmon & Farhadi, YOLO9000, 2017 (arXiv:1612.08242)"

YOLO3_SOURCE = "Redmon & Farhadi, YOLOv3, 2018 (arXiv:1804.02767)"

SSD_SOURCE = "Liu et al., SSD, 2016 (arXiv:1512.02325)"

CLASSES = Int(1, 100000, "number of classes")

STRIDE = Int(1, 1024, "stride of the feature map", unit="px")


def _grid_shape(S: int, B: int, K: int) -> dict[str, list[int]]:
    return {"shape": [S, S, 5 * B + K]}


YOLO_OUTPUT = Formula(
    "yolo-output",
    """
    c = 5*B + K
    n = S^2*c
    boxes = S^2*B
    """,
    title="Output of YOLO v1",
    source=f"{YOLO_SOURCE}, section 2",
    conventions="Each of B boxes of a cell has x, y, w, h and a confidence; the K class probabilities belong to the "
    "cell.",
    procedure=_grid_shape,
    procedure_outputs="shape",
    S=Int(1, 1000, "cells along each side", default=7),
    B=Int(1, 100, "boxes per cell", default=2),
    K=CLASSES,
    shape=Shape(meaning="shape of the output, as HxWxC"),
    c=Int(meaning="channels of the output"),
    n=Int(meaning="number of output values"),
    boxes=Int(meaning="number of boxes"),
)


YOLO3_OUTPUT = Formula(
    "yolo-v3-output",
    """
    m = size/s
    c = B*(5 + K)
    n = m^2*c
    boxes = B*((size/32)^2 + (size/16)^2 + (size/8)^2)
    """,
    title="Output of YOLO v3",
    source=f"{YOLO3_SOURCE}, section 2.3",
    conventions="Three maps with strides 32, 16 and 8. Each anchor has 4 offsets, an objectness and K class scores of "
    "its own. YOLO v2 has one such map, of stride 32.",
    integer_constraints="size/32, size/s",
    size=Int(32, 10000, "height and width of the input", unit="px", default=416),
    s=Int(8, 32, "stride of the map", unit="px", default=32),
    B=Int(1, 100, "anchors per cell", default=3),
    K=CLASSES,
    m=Int(meaning="height and width of the map"),
    c=Int(meaning="channels of the map"),
    n=Int(meaning="number of values of the map"),
    boxes=Int(meaning="number of boxes of all three maps"),
)


YOLO_CHANNELS = Formula(
    "yolo-channels",
    "c = B*(5 + K)",
    title="Output channels of a head with anchors",
    source=f"{YOLO2_SOURCE}, section 2; {YOLO3_SOURCE}, section 2.3",
    conventions="Each anchor has 4 offsets, an objectness and K class scores.",
    B=Int(1, 100, "anchors per cell"),
    K=CLASSES,
    c=Int(1, meaning="number of output channels"),
)


YOLO_DECODE = Formula(
    "yolo-decode",
    """
    x = (sigmoid(tx) + column)*s
    y = (sigmoid(ty) + row)*s
    w = pw*exp(tw)
    h = ph*exp(th)
    """,
    title="Box of YOLO v2 and v3",
    source=f"{YOLO2_SOURCE}, section 2, direct location prediction; {YOLO3_SOURCE}, section 2.1",
    conventions="Columns and rows of cells are numbered from 0; x and y are the center. Anchors are in px.",
    tx=Real(-20, 20, "output for x"),
    ty=Real(-20, 20, "output for y"),
    tw=Real(-10, 10, "output for the width"),
    th=Real(-10, 10, "output for the height"),
    column=Int(0, 10000, "column of the cell"),
    row=Int(0, 10000, "row of the cell"),
    s=STRIDE,
    pw=Real(0, meaning="width of the anchor", unit="px"),
    ph=Real(0, meaning="height of the anchor", unit="px"),
    x=Real(meaning="x of the center", unit="px"),
    y=Real(meaning="y of the center", unit="px"),
    w=Real(meaning="width", unit="px"),
    h=Real(meaning="height", unit="px"),
)


YOLO1_DECODE = Formula(
    "yolo-v1-decode",
    """
    x = (column + tx)/S*size
    y = (row + ty)/S*size
    w = tw*size
    h = th*size
    score = confidence*p
    """,
    title="Box and score of YOLO v1",
    source=f"{YOLO_SOURCE}, section 2 and equation 1",
    conventions="Columns and rows of cells are numbered from 0. x and y are relative to the cell, w and h to the "
    "image.",
    tx=Real(0, 1, "x of the center within the cell"),
    ty=Real(0, 1, "y of the center within the cell"),
    tw=Real(0, 1, "width, as a share of the image"),
    th=Real(0, 1, "height, as a share of the image"),
    confidence=Real(0, 1, "confidence of the box"),
    p=Real(0, 1, "probability of the class in this cell"),
    column=Int(0, 1000, "column of the cell"),
    row=Int(0, 1000, "row of the cell"),
    S=Int(1, 1000, "cells along each side", default=7),
    size=Int(1, 10000, "height and width of the image", unit="px", default=448),
    x=Real(meaning="x of the center", unit="px"),
    y=Real(meaning="y of the center", unit="px"),
    w=Real(meaning="width", unit="px"),
    h=Real(meaning="height", unit="px"),
    score=Real(meaning="score of the class for this box"),
)


YOLO1_TARGET = Formula(
    "yolo-v1-target",
    """
    column = floor(cx*S/size)
    row = floor(cy*S/size)
    tx = cx*S/size - column
    ty = cy*S/size - row
    rw = sqrt(w/size)
    """,
    title="Target of an object in YOLO v1",
    source=f"{YOLO_SOURCE}, section 2: the cell with an object's center is responsible for it, and the loss compares "
    "the square roots of width and height",
    conventions="Columns and rows of cells are numbered from 0.",
    cx=Real(0, meaning="x of the object's center", unit="px"),
    cy=Real(0, meaning="y of the object's center", unit="px"),
    w=Real(0, meaning="width of the object", unit="px"),
    S=Int(1, 1000, "cells along each side", default=7),
    size=Int(1, 10000, "height and width of the image", unit="px", default=448),
    column=Int(meaning="column of the responsible cell"),
    row=Int(meaning="row of the responsible cell"),
    tx=Real(meaning="x of the center within the cell"),
    ty=Real(meaning="y of the center within the cell"),
    rw=Real(meaning="square root of the width, as a share of the image"),
)


SSD_OUTPUT = Formula(
    "ssd-output",
    """
    n = sum(j, f[j]^2*k[j])
    v = n*(K + 1 + 4)
    """,
    title="Default boxes and output values of SSD",
    source=f"{SSD_SOURCE}, sections 2.1 and 2.2",
    conventions="The maps are square. Each box has K + 1 class scores, with the background, and 4 offsets.",
    f=Vector(1, 1000, "size of each feature map"),
    k=Vector(1, 100, "default boxes per position of each map"),
    K=Int(1, 100000, "number of classes, without the background"),
    n=Int(meaning="number of default boxes"),
    v=Int(meaning="number of output values"),
)


SSD_LAYER = Formula(
    "ssd-layer",
    """
    c = k*(K + 1 + 4)
    n = f^2*k
    P = (9*C + 1)*c
    """,
    title="Outputs of one feature map of SSD",
    source=f"{SSD_SOURCE}, section 2.1: 3x3 filters predict scores and offsets at each position",
    conventions="Convolutions with biases. Each box has K + 1 class scores, with the background, and 4 offsets.",
    f=Int(1, 1000, "height and width of the feature map"),
    C=Int(1, 100000, "channels of the feature map"),
    k=Int(1, 100, "default boxes per position"),
    K=Int(1, 100000, "number of classes, without the background"),
    c=Int(meaning="output channels, of classes and offsets"),
    n=Int(meaning="number of default boxes"),
    P=Int(meaning="parameters of the 3x3 convolutions"),
)


SSD_SCALES = Formula(
    "ssd-scales",
    """
    scale = s_min + (s_max - s_min)/(m - 1)*(j - 1)
    w = scale*sqrt(a)
    h = scale/sqrt(a)
    next = s_min + (s_max - s_min)/(m - 1)*j
    extra = sqrt(scale*next)
    """,
    title="Scales of SSD's default boxes",
    source=f"{SSD_SOURCE}, section 2.2, equation 4",
    conventions="Maps are numbered from 1. Sizes are shares of the image size. a is width over height. For the ratio 1 "
    "there is an extra box, of the geometric mean of two scales.",
    s_min=Real(0, 1, "scale of the first map", default=0.2),
    s_max=Real(0, 1, "scale of the last map", default=0.9),
    m=Int(2, 100, "number of maps", default=6),
    j=Int(1, 100, "number of the map, from 1"),
    a=Real(0, 100, "ratio of width to height"),
    scale=Real(meaning="scale of the map"),
    w=Real(meaning="width of the box"),
    h=Real(meaning="height of the box"),
    next=Real(meaning="scale of the next map"),
    extra=Real(meaning="size of the extra square box"),
)


ANCHOR_COUNT = Formula(
    "anchor-count",
    "n = sum(j, H[j]*W[j]*A[j])",
    title="Number of anchors of several feature maps",
    source="derivation: every position of every map has its own anchors",
    H=Vector(1, 10000, "height of each map"),
    W=Vector(1, 10000, "width of each map"),
    A=Vector(1, 1000, "anchors per position of each map"),
    n=Int(1, meaning="number of anchors"),
)


ANCHOR_PYRAMID = Formula(
    "anchor-pyramid",
    """
    k = scales*ratios
    n = sum(j = low..high, ceil(W/2^j)*ceil(H/2^j))*k
    share = ceil(W/2^low)*ceil(H/2^low)*k/n
    """,
    title="Number of anchors of a feature pyramid",
    source="Lin et al., Focal loss for dense object detection (RetinaNet), 2017 (arXiv:1708.02002), section 4",
    conventions="Level j has stride 2^j, and its map is rounded up, as by convolutions with padding.",
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    low=Int(0, 20, "lowest level", default=3),
    high=Int(0, 20, "highest level", default=7),
    scales=Int(1, 100, "scales per level", default=3),
    ratios=Int(1, 100, "aspect ratios", default=3),
    k=Int(meaning="anchors per position"),
    n=Int(meaning="number of anchors"),
    share=Real(meaning="share of the lowest level"),
)


ANCHOR_SHAPE = Formula(
    "anchor-shape",
    """
    w = size/sqrt(r)
    h = size*sqrt(r)
    x1 = cx - w/2
    y1 = cy - h/2
    x2 = cx + w/2
    y2 = cy + h/2
    """,
    title="Anchor of a size and an aspect ratio",
    source="Ren et al., Faster R-CNN, 2015 (arXiv:1506.01497), section 3.1.1; derivation: the area w h = size^2 stays "
    "the same if the ratio h/w = r changes",
    conventions="r is height over width, as in torchvision; the size is the square root of the area.",
    size=Real(0, 100000, "size: square root of the area", unit="px"),
    r=Real(0, 1000, "aspect ratio, height over width"),
    cx=Real(meaning="x of the center", unit="px", default=0),
    cy=Real(meaning="y of the center", unit="px", default=0),
    w=Real(meaning="width", unit="px"),
    h=Real(meaning="height", unit="px"),
    x1=Real(meaning="left edge", unit="px"),
    y1=Real(meaning="top edge", unit="px"),
    x2=Real(meaning="right edge", unit="px"),
    y2=Real(meaning="bottom edge", unit="px"),
)


MAX_ANCHORS = 10_000


def _place_anchors(W: int, H: int, s: int, sizes: list[Value], ratios: list[Value], offset: Value) -> dict[str, Any]:
    rows, columns, count = H // s, W // s, len(sizes) * len(ratios)
    if not 0 < rows * columns * count <= MAX_ANCHORS:
        raise UserError(f"There are {rows * columns * count} anchors. Choose W, H and s for 1 to {MAX_ANCHORS}.")
    shapes = [(float(size) / float(r) ** 0.5, float(size) * float(r) ** 0.5) for r in ratios for size in sizes]
    table = []
    for row in range(rows):
        for column in range(columns):
            x, y = (float(k + offset) * s for k in (column, row))
            for w, h in shapes:
                corners = {"x1": x - w / 2, "y1": y - h / 2, "x2": x + w / 2, "y2": y + h / 2}
                table.append({"row": row, "column": column, "w": w, "h": h, **corners})
    return {"rows": rows, "columns": columns, "n": len(table), "table": table}


ANCHOR_GRID = Formula(
    "anchor-grid",
    "",
    title="All anchors of a feature map",
    source="Ren et al., Faster R-CNN, 2015 (arXiv:1506.01497), section 3.1.1",
    conventions="""
The map is rounded down. Sizes are square roots of areas, ratios are heights over widths; for each ratio come all sizes.
The center of a position is (column + offset) s, (row + offset) s.
""",
    procedure=_place_anchors,
    procedure_outputs="rows columns n table",
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    s=Int(1, 1024, "stride of the feature map", unit="px", default=16),
    sizes=Vector(1, 100000, "sizes of the anchors", unit="px"),
    ratios=Vector(0.001, 1000, "aspect ratios, heights over widths", default=[1]),
    offset=Real(0, 1, "where in its cell a center is: 0 for the corner, 0.5 for the middle", default=0),
    rows=Int(meaning="height of the map"),
    columns=Int(meaning="width of the map"),
    n=Int(meaning="number of anchors"),
    table=Table(meaning="anchors with their corners"),
)


def shape_iou(a: list[Value], b: list[Value]) -> Fraction:
    """Return the IoU of two boxes, each (width, height), with a common corner."""
    shared = min(a[0], b[0]) * min(a[1], b[1])
    return Fraction(shared) / Fraction(a[0] * a[1] + b[0] * b[1] - shared)


def nearest_anchors(boxes: list[list[Value]], anchors: list[list[Value]]) -> list[int]:
    """Return for each box the index of the anchor with the largest IoU; the first of equal ones."""
    return [max(range(len(anchors)), key=lambda k: shape_iou(box, anchors[k])) for box in boxes]


LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # of anchors


def _cluster(boxes: list[list[Value]], anchors: list[list[Value]], steps: int) -> dict[str, Any]:
    for name, rows in (("boxes", boxes), ("anchors", anchors)):
        if any(len(row) != 2 or min(row) <= 0 for row in rows):
            raise UserError(f"Every row of {name} must be a width and a height above 0.")
    if len(anchors) > len(LETTERS):
        raise UserError(f"anchors must have at most {len(LETTERS)} rows, not {len(anchors)}.")
    nearest, total = [0], Fraction(0)
    for _ in range(steps):
        nearest = nearest_anchors(boxes, anchors)
        total = sum((shape_iou(box, anchors[k]) for box, k in zip(boxes, nearest, strict=True)), Fraction(0))
        means = []
        for k, anchor in enumerate(anchors):
            own = [box for box, number in zip(boxes, nearest, strict=True) if number == k]
            means.append([Fraction(sum(sizes)) / len(own) for sizes in zip(*own, strict=True)] if own else anchor)
        if means == anchors:
            break
        anchors = means
    return {"clusters": [LETTERS[k] for k in nearest], "means": anchors, "mean_iou": total / len(boxes)}


KMEANS_ANCHORS = Formula(
    "kmeans-anchors",
    "",
    title="k-means of box shapes by 1 - IoU",
    source=f"{YOLO2_SOURCE}, section 2, dimension clusters",
    conventions="Boxes share a corner, so that only width and height count. The anchors are A, B, C ... A cluster "
    "without boxes keeps its anchor.",
    procedure=_cluster,
    procedure_outputs="clusters means mean_iou",
    shapes="boxes[i, 2]; anchors[j, 2]",
    boxes=Matrix(0, meaning="width and height of each box", unit="px"),
    anchors=Matrix(0, meaning="width and height of each initial anchor", unit="px"),
    steps=Int(1, 1000, "largest number of steps", default=1),
    clusters=Labels(meaning="anchor of each box, in the last step"),
    means=Matrix(meaning="anchors after the last step", unit="px"),
    mean_iou=Real(meaning="mean IoU of the boxes with their anchors, before the last update"),
)


def _head_shape(size: int, s: int, B: int, K: int, **_: Value) -> dict[str, list[int]]:
    return {"shape": [B * (5 + K), size // s, size // s]}


YOLO_CHAIN = Formula(
    "yolo-head",
    """
    c = B*(5 + K)
    P = (C + 1)*c
    n = (size/s)^2*B
    x = (sigmoid(tx) + column)*s
    y = (sigmoid(ty) + row)*s
    w = pw*exp(tw)
    h = ph*exp(th)
    I = max(0, min(x + w/2, T[3]) - max(x - w/2, T[1]))*max(0, min(y + h/2, T[4]) - max(y - h/2, T[2]))
    iou = I/(w*h + (T[3] - T[1])*(T[4] - T[2]) - I)
    L = ln(1 + exp(-z))
    """,
    title="Head of YOLO v3, with a decoded box",
    source=f"{YOLO3_SOURCE}, sections 2.1 to 2.3",
    conventions="Columns and rows of cells are numbered from 0. The shape is CxHxW.",
    integer_constraints="size/s",
    procedure=_head_shape,
    procedure_outputs="shape",
    size=Int(1, 10000, "height and width of the image", unit="px"),
    s=STRIDE,
    C=Int(1, 100000, "channels of the feature map"),
    B=Int(1, 100, "anchors per cell"),
    K=CLASSES,
    tx=Real(-20, 20, "output for x"),
    ty=Real(-20, 20, "output for y"),
    tw=Real(-10, 10, "output for the width"),
    th=Real(-10, 10, "output for the height"),
    column=Int(0, 10000, "column of the cell"),
    row=Int(0, 10000, "row of the cell"),
    pw=Real(0, meaning="width of the anchor", unit="px"),
    ph=Real(0, meaning="height of the anchor", unit="px"),
    T=Box(meaning="true box: corners x1, y1, x2, y2", unit="px"),
    z=Real(-50, 50, "objectness logit"),
    shape=Shape(meaning="shape of the output, as CxHxW"),
    c=Int(meaning="channels of the output"),
    P=Int(meaning="parameters of the head"),
    n=Int(meaning="number of boxes"),
    x=Real(meaning="x of the box's center", unit="px"),
    y=Real(meaning="y of the box's center", unit="px"),
    w=Real(meaning="width of the box", unit="px"),
    h=Real(meaning="height of the box", unit="px"),
    I=Real(meaning="area of the intersection", unit="px^2"),
    iou=Real(meaning="IoU with the true box"),
    L=Real(meaning="binary cross-entropy of the objectness"),
)


SSD_CHAIN = Formula(
    "ssd-match",
    """
    n = f^2*k
    P = (9*C + 1)*k*(K + 5)
    cx = (column + 1/2)*size/f
    w = size*scale*sqrt(a)
    h = size*scale/sqrt(a)
    tx = 10*(x - cx)/w
    tw = 5*ln(bw/w)
    negatives = min(3*pos, n - pos)
    """,
    title="One map of SSD: default box, offsets, hard negatives",
    source=f"{SSD_SOURCE}, section 2.2; the factors 10 and 5 are those of the official code (variances 0.1 and 0.2)",
    conventions="Columns and rows are numbered from 0. The offsets of centers are divided by 0.1, those of sizes by "
    "0.2.",
    size=Int(1, 10000, "height and width of the image", unit="px", default=300),
    f=Int(1, 1000, "height and width of the feature map"),
    C=Int(1, 100000, "channels of the feature map"),
    k=Int(1, 100, "default boxes per position"),
    K=Int(1, 100000, "number of classes, without the background"),
    column=Int(0, 1000, "column of the position"),
    scale=Real(0, 1, "scale of the map"),
    a=Real(0, 100, "ratio of width to height"),
    x=Real(meaning="x of the object's center", unit="px"),
    bw=Real(0, meaning="width of the object", unit="px"),
    pos=Int(0, 1000000, "number of positive boxes"),
    n=Int(meaning="number of default boxes of the map"),
    P=Int(meaning="parameters of the 3x3 convolutions of the map"),
    cx=Real(meaning="x of the default box's center", unit="px"),
    w=Real(meaning="width of the default box", unit="px"),
    h=Real(meaning="height of the default box", unit="px"),
    tx=Real(meaning="target for x"),
    tw=Real(meaning="target for the width"),
    negatives=Int(meaning="number of negatives that count"),
)


FOCAL_SOURCE = (
    "Lin et al., Focal loss for dense object detection (RetinaNet), 2017 (arXiv:1708.02002), section 3; derivation: "
    "the chain rule with the derivative p (1 - p) of the sigmoid"
)

FOCUS = Real(0, 20, "focusing parameter")

PROBABILITY = Real(0, 1, "predicted probability of an object, sigmoid(z)")

POINT = Real(0, 1, "given probability")


FOCAL_GRADIENT = Formula(
    "focal-gradient",
    """
    g = (1 - p)^gamma*(gamma*p*ln(p) - (1 - p))
    v = (1 - p0)^gamma*(gamma*p0*ln(p0) - (1 - p0))
    r = v/(p0 - 1)
    """,
    title="Gradient of the focal loss of a positive",
    source=FOCAL_SOURCE,
    conventions="The loss is -(1 - p)^gamma ln p, without the weight alpha.",
    gamma=FOCUS,
    p=PROBABILITY,
    p0=POINT,
    g=Real(meaning="derivative of the loss by the logit z, in terms of p"),
    v=Real(meaning="its value at p0"),
    r=Real(meaning="its ratio to the derivative of the cross-entropy at p0"),
)


FOCAL_GRADIENT_NEGATIVE = Formula(
    "focal-gradient-negative",
    """
    g = p^gamma*(p - gamma*(1 - p)*ln(1 - p))
    v = p0^gamma*(p0 - gamma*(1 - p0)*ln(1 - p0))
    r = v/p0
    """,
    title="Gradient of the focal loss of a negative",
    source=FOCAL_SOURCE,
    conventions="The loss is -p^gamma ln(1 - p), without the weight alpha.",
    gamma=FOCUS,
    p=PROBABILITY,
    p0=POINT,
    g=Real(meaning="derivative of the loss by the logit z, in terms of p"),
    v=Real(meaning="its value at p0"),
    r=Real(meaning="its ratio to the derivative of the cross-entropy at p0"),
)
