"""R-CNN, Fast R-CNN, Faster R-CNN: drills about anchors and the region proposal network."""

from random import Random

from quizzes.content.object_detection.two_stage.formulas import (
    ANCHOR_ASSIGN,
    ANCHOR_DECODE,
    ANCHOR_ENCODE,
    ANCHOR_ENCODE_CORNERS,
    RPN_OUTPUT,
    RPN_PARAMS,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


@drill(
    RPN_OUTPUT,
    tier=1,
    asks=("n", "c_obj", "c_box"),
    prompt="A region proposal network reads the feature map of an image that is {W} px wide and {H} px high, with "
    "stride {s}, and has {k} anchors per position. Per anchor it outputs {o} objectness {values} and 4 offsets of a "
    "box.\n"
    "How many anchors are there (n)? How many channels do the objectness output (c_obj) and the box output (c_box) "
    "have?\n"
    "Conventions: the size of the feature map is rounded down.",
    hint="How many positions does the feature map have? Which outputs does one position need?",
    mistakes=[
        Mistake(
            "pixels",
            "n = H*W*k",
            "You placed anchors at every pixel. They are at the positions of the feature map.",
        ),
        Mistake("rounded-up", "n = ceil(H/s)*ceil(W/s)*k", "You rounded up. The feature map is rounded down here."),
        Mistake("positions", "n = rows*columns", "That is the number of positions. Each has several anchors."),
        Mistake(
            "other-objectness",
            "c_obj = (3 - o)*k",
            "Look at the number of objectness outputs per anchor: it is 2 with softmax, and 1 with sigmoid.",
        ),
        Mistake("one-anchor", "c_obj = o; c_box = 4", "Every anchor has outputs of its own: multiply by their number."),
        Mistake("two-offsets", "c_box = 2*k", "A box has 4 offsets: of x, y, width and height."),
    ],
)
def rpn_output(rng: Random) -> Inputs:
    """Output of a region proposal network"""
    W, H = rng.choice([(800, 600), (600, 1000), (640, 480), (1000, 600), (1333, 800), (500, 375), (1280, 720)])
    o = rng.choice([1, 2])
    s, k = rng.choice([16, 16, 32, 8]), rng.choice([3, 9, 12, 15])
    return dict(W=W, H=H, s=s, k=k, o=o, values=("logit", "logits")[o - 1])


@drill(
    RPN_PARAMS,
    id="rpn-output:params",
    tier=2,
    asks=("P_conv", "P_obj", "P_box", "P"),
    prompt="A region proposal network reads a feature map of {C} channels: a 3x3 convolution that keeps the number of "
    "channels, then two 1x1 convolutions next to each other, with {o} objectness {values} and 4 offsets for each of "
    "{k} anchors. All convolutions have biases.\n"
    "How many parameters do the 3x3 convolution (P_conv), the objectness output (P_obj), the box output (P_box) and "
    "all three (P) have?",
    hint="How many weights does one filter have? How many filters does each layer have?",
    mistakes=[
        Mistake("no-biases", "P_conv = 9*C^2; P_obj = C*o*k; P_box = 4*C*k", "You left out the biases."),
        Mistake("one-by-one", "P_conv = (C + 1)*C", "A 3x3 filter has 9 weights per input channel."),
        Mistake("one-channel", "P_conv = (9 + 1)*C", "Each filter spans all input channels: 9C weights."),
        Mistake("one-anchor", "P_obj = (C + 1)*o; P_box = (C + 1)*4", "Every anchor has outputs of its own."),
        Mistake("three-by-three", "P_obj = (9*C + 1)*o*k; P_box = (9*C + 1)*4*k", "The outputs are 1x1 convolutions."),
        Mistake("one-offset", "P_box = (C + 1)*k", "Every anchor has 4 offsets."),
    ],
)
def rpn_params(rng: Random) -> Inputs:
    """Parameters of a region proposal network"""
    o = rng.choice([1, 2])
    C, k = rng.choice([16, 32, 64, 128, 256, 512, 1024]), rng.choice([3, 5, 6, 9, 12, 15])
    return dict(C=C, k=k, o=o, values=("logit", "logits")[o - 1])


def _anchor(rng: Random) -> dict[str, int]:
    wa, ha = rng.sample([16, 20, 32, 40, 50, 64, 80, 100, 128, 160, 200], 2)
    return dict(xa=5 * rng.randint(10, 60), ya=5 * rng.randint(10, 60), wa=wa, ha=ha)


@drill(
    ANCHOR_ENCODE,
    tier=1,
    asks=("tx", "ty", "tw", "th"),
    prompt="An anchor has its center at ({xa}, {ya}), width {wa} and height {ha} px. A box has its center at ({x}, "
    "{y}), width {w} and height {h} px. Which offsets tx, ty, tw, th of the box from the anchor does a network learn?\n"
    "Conventions: the parametrization of R-CNN, without weights; natural logarithm.",
    hint="How far is the box moved, compared with the size of the anchor? How many times as large is it?",
    mistakes=[
        Mistake(
            "not-normalized",
            "tx = x - xa; ty = y - ya",
            "You gave the distance in px. Divide it by the size of the anchor.",
        ),
        Mistake(
            "box-size",
            "tx = (x - xa)/w; ty = (y - ya)/h",
            "You divided by the size of the box, which the network doesn't know. Divide by that of the anchor.",
        ),
        Mistake(
            "sides-swapped",
            "tx = (x - xa)/ha; ty = (y - ya)/wa",
            "You swapped the sides. x is divided by the width, y by the height.",
        ),
        Mistake("reversed", "tx = (xa - x)/wa; ty = (ya - y)/ha", "You reversed the sign: box minus anchor."),
        Mistake("no-logarithm", "tw = w/wa; th = h/ha", "You left out the logarithm of the ratio."),
        Mistake("inverted", "tw = ln(wa/w); th = ln(ha/h)", "You inverted the ratio: box over anchor."),
        Mistake(
            "relative-difference",
            "tw = (w - wa)/wa; th = (h - ha)/ha",
            "That is the relative change. The offset is the logarithm of the ratio.",
        ),
    ],
)
def anchor_encode(rng: Random) -> Inputs:
    """Offsets of a box from its anchor"""
    anchor = _anchor(rng)
    dx, dy = (rng.choice([-1, 1]) * rng.randint(2, 20) for _ in range(2))
    w, h = (max(8, round(anchor[name] * rng.choice([0.6, 0.75, 0.8, 1.25, 1.5, 1.75]))) for name in ("wa", "ha"))
    return dict(anchor, x=anchor["xa"] + dx, y=anchor["ya"] + dy, w=w, h=h)


@drill(
    ANCHOR_DECODE,
    id="anchor-encode:decode",
    tier=1,
    asks=("x", "y", "w", "h"),
    prompt="A region proposal network outputs the offsets tx = {tx}, ty = {ty}, tw = {tw}, th = {th} for an anchor "
    "with its center at ({xa}, {ya}), width {wa} and height {ha} px. What are the center (x, y), the width w and the "
    "height h of the predicted box?",
    hint="The offsets of the center are in units of the anchor's size. Which function undoes the logarithm?",
    mistakes=[
        Mistake(
            "in-pixels", "x = xa + tx; y = ya + ty", "You added the offset in px. Multiply it by the anchor's size."
        ),
        Mistake("sides-swapped", "x = xa + ha*tx; y = ya + wa*ty", "You swapped the sides: x goes with the width."),
        Mistake("subtracted", "x = xa - wa*tx; y = ya - ha*ty", "You moved against the offset: add it."),
        Mistake("no-exponential", "w = wa*tw; h = ha*th", "tw is a logarithm: multiply by exp(tw)."),
        Mistake("linear", "w = wa*(1 + tw); h = ha*(1 + th)", "That is only close for small offsets: use exp(tw)."),
        Mistake("size-added", "w = wa + exp(tw); h = ha + exp(th)", "The exponential is a factor: multiply by it."),
    ],
)
def anchor_decode(rng: Random) -> Inputs:
    """Box at some offsets from its anchor"""
    offsets = {name: rng.choice([-1, 1]) * rng.randint(5, 60) / 100 for name in ("tx", "ty", "tw", "th")}
    return dict(_anchor(rng), **offsets)


@drill(
    ANCHOR_ENCODE_CORNERS,
    id="anchor-encode:corners",
    tier=2,
    asks=("tx", "ty", "tw", "th"),
    prompt="An anchor A = {A} and a box B = {B} are given by their corners x1, y1, x2, y2 in px. Which offsets tx, ty, "
    "tw, th of the box from the anchor does a network learn?\n"
    "Conventions: the parametrization of R-CNN, by centers and sizes, without weights; natural logarithm.",
    hint="What are the centers and the sizes of both?",
    mistakes=[
        Mistake(
            "corners-compared",
            "tx = (B[1] - A[1])/(A[3] - A[1]); ty = (B[2] - A[2])/(A[4] - A[2])",
            "You compared the top left corners. The offsets are those of the centers.",
        ),
        Mistake(
            "center-not-halved",
            "tx = (B[1] + B[3] - A[1] - A[3])/(A[3] - A[1]); ty = (B[2] + B[4] - A[2] - A[4])/(A[4] - A[2])",
            "You added the corners. A center is their mean.",
        ),
        Mistake(
            "read-as-center",
            "tx = (B[1] - A[1])/A[3]; ty = (B[2] - A[2])/A[4]; tw = ln(B[3]/A[3]); th = ln(B[4]/A[4])",
            "You read the last two numbers as width and height. They are the second corner.",
        ),
        Mistake(
            "no-logarithm",
            "tw = (B[3] - B[1])/(A[3] - A[1]); th = (B[4] - B[2])/(A[4] - A[2])",
            "You left out the logarithm of the ratio.",
        ),
        Mistake(
            "inverted",
            "tw = ln((A[3] - A[1])/(B[3] - B[1])); th = ln((A[4] - A[2])/(B[4] - B[2]))",
            "You inverted the ratio: box over anchor.",
        ),
    ],
)
def anchor_corners(rng: Random) -> Inputs:
    """Offsets from corners"""

    def box(x: int, y: int) -> list[int]:
        return [x, y, x + 10 * rng.randint(3, 16), y + 10 * rng.randint(3, 16)]

    x, y = 5 * rng.randint(4, 40), 5 * rng.randint(4, 40)
    return dict(A=box(x, y), B=box(x + 5 * rng.randint(-3, 6), y + 5 * rng.randint(-3, 6)))


Overlaps = list[list[Value]]


def _labels(iou: Overlaps, high: Value, low: Value, best: int, keep: bool = True) -> list[int]:
    labels: list[int] = ANCHOR_ASSIGN.evaluate(dict(iou=iou, high=high, low=low, best=int(keep)))["label"]
    return labels


def _first_object(iou: Overlaps, high: Value, low: Value, best: int) -> list[int]:
    """Return the labels if a positive anchor gets the first object that it overlaps at all."""
    first = [next((g for g, value in enumerate(column, 1) if value > 0), 0) for column in zip(*iou, strict=True)]
    labels = _labels(iou, high, low, best)
    return [other if label > 0 else label for label, other in zip(labels, first, strict=True)]


def _assign_steps(iou: Overlaps, high: Value, low: Value, label: list[int], **_: Value) -> list[Step]:
    largest = [max(column) for column in zip(*iou, strict=True)]
    best = [row.index(max(row)) + 1 for row in iou]
    return [
        Step("Take the largest IoU of each anchor.", [f"largest = [{', '.join(f'{float(v):g}' for v in largest)}]"]),
        Step(
            f"An anchor is positive from {float(high):g} on, background below {float(low):g}, and ignored in between. "
            "It belongs to the object with which its IoU is largest."
        ),
        Step(
            "The best anchor of an object is positive in any case. "
            + " ".join(f"Object {g}: anchor {k}." for g, k in enumerate(best, 1)),
            [f"label = {[int(v) for v in label]}"],
        ),
    ]


@drill(
    ANCHOR_ASSIGN,
    id="rpn-assign",
    tier=2,
    asks="label",
    decimals=None,
    visualization="matrices iou",
    steps=_assign_steps,
    prompt="The IoU of the objects (rows, numbered from 1) with some anchors (columns) is iou = {iou}. To train a "
    "region "
    "proposal network, an anchor is positive if its largest IoU is at least {high}, or if it is the best anchor of an "
    "object; else it is background if its largest IoU is below {low}, and ignored if not. A positive anchor belongs to "
    "the object with which its IoU is largest.\n"
    "Label each anchor: the number of its object, 0 for background, -1 for ignored.",
    hints=(
        "Go through the columns: how large is the largest IoU? Which anchor is the best one of each row?",
        "First the thresholds decide, column by column. Then the best anchor of each row becomes positive.",
    ),
    mistakes=[
        Mistake(
            "best-anchor-left-out",
            {"label": lambda iou, high, low, best: _labels(iou, high, low, best, keep=False)},
            "You used the thresholds only. The best anchor of an object is positive in any case.",
        ),
        Mistake(
            "ignored-as-background",
            {"label": lambda iou, high, low, best: [max(0, k) for k in _labels(iou, high, low, best)]},
            "You labeled the anchors between the thresholds as background. They are ignored.",
        ),
        Mistake(
            "background-as-ignored",
            {"label": lambda iou, high, low, best: [k or -1 for k in _labels(iou, high, low, best)]},
            "You ignored the anchors below the lower threshold. They are background.",
        ),
        Mistake(
            "first-object",
            {"label": _first_object},
            "You took the first object that an anchor overlaps. It belongs to the one with the largest IoU.",
        ),
        Mistake(
            "lower-threshold",
            {
                "label": lambda iou, high, low, best: [
                    column.index(max(column)) + 1 if max(column) >= low else 0
                    for column in map(list, zip(*iou, strict=True))
                ]
            },
            "You took every anchor above the lower threshold as positive. It must reach the upper one.",
        ),
    ],
)
def rpn_assign(rng: Random) -> Inputs:
    """Assignment of anchors to objects"""
    objects, anchors = rng.choice([(2, 4), (2, 5), (3, 4), (3, 5)])
    high, low = rng.choice([(0.7, 0.3), (0.7, 0.3), (0.6, 0.4), (0.5, 0.4)])
    values = rng.sample([k / 100 for k in range(2, 95) if k not in (30, 40, 50, 60, 70)], objects * anchors)
    iou = [[0.0 if rng.random() < 0.35 else values.pop() for _ in range(anchors)] for _ in range(objects)]
    if any(max(row) == 0 for row in iou):
        raise UndefinedValue("every object needs an anchor")
    return dict(iou=iou, high=high, low=low, best=1)
