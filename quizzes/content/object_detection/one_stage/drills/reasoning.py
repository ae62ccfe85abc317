"""YOLO v1, v2, v3 and SSD: drills that derive, and that join several steps."""

import re
from random import Random
from typing import Any

from quizzes.content.object_detection.one_stage.formulas import (
    FOCAL_GRADIENT,
    FOCAL_GRADIENT_NEGATIVE,
    SSD_CHAIN,
    YOLO_CHAIN,
)
from quizzes.drill import Inputs, Mistake, derive, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


@drill(
    YOLO_CHAIN,
    id="chain-yolo-head",
    tier=3,
    joins=("iou",),
    asks=("shape", "P", "n", "x", "y", "w", "h", "iou", "L"),
    prompt="A detector reads images of {size}x{size} px. Its last feature map has stride {s} and {C} channels, and a "
    "head as in YOLO v3, a 1x1 convolution with bias, predicts {B} anchors per cell and {K} classes.\n"
    "Which shape does the output have, as CxHxW (shape)? How many parameters does the head have (P), and how many "
    "boxes "
    "does it predict (n)? In the cell of column {column} and row {row}, an anchor of {pw}x{ph} px (width x height) "
    "gets "
    "the outputs tx = {tx}, ty = {ty}, tw = {tw}, th = {th}: which center (x, y), width w and height h does its box "
    "have? What is its IoU with the true box T = {T} (iou)? Which binary cross-entropy does this positive box have for "
    "the objectness logit {z} (L)?\n"
    "Conventions: cells are numbered from 0; boxes are corners x1, y1, x2, y2 in px; natural logarithm.",
    hints=(
        "What belongs to one anchor? Where does the cell begin, and what does the sigmoid add?",
        "x = (sigmoid(tx) + column) stride and w = anchor width times exp(tw). The cross-entropy of a positive is "
        "-ln(sigmoid(z)).",
    ),
    mistakes=[
        Mistake(
            "layout-of-v1",
            {"shape": lambda size, s, B, K, **_: [5 * B + K, size // s, size // s]},
            "That is the layout of YOLO v1. Here every anchor has class scores of its own.",
        ),
        Mistake(
            "no-objectness",
            {"shape": lambda size, s, B, K, **_: [B * (4 + K), size // s, size // s]},
            "You left out the objectness of each anchor.",
        ),
        Mistake("no-biases", "P = C*B*(5 + K)", "You left out the biases, one per output channel."),
        Mistake("three-by-three", "P = (9*C + 1)*B*(5 + K)", "The head is a 1x1 convolution."),
        Mistake("cells", "n = (size/s)^2", "Those are the cells. Each has several anchors."),
        Mistake("no-sigmoid", "x = (tx + column)*s; y = (ty + row)*s", "You left out the sigmoid of the offsets."),
        Mistake(
            "row-for-column",
            "x = (sigmoid(tx) + row)*s; y = (sigmoid(ty) + column)*s",
            "You swapped row and column. x grows with the column.",
        ),
        Mistake("no-exponential", "w = pw*(1 + tw); h = ph*(1 + th)", "The anchor is multiplied by exp(tw)."),
        Mistake(
            "dice",
            "iou = 2*I/(w*h + (T[3] - T[1])*(T[4] - T[2]))",
            "That is the Dice coefficient. IoU divides by the union.",
        ),
        Mistake("negative", "L = ln(1 + exp(z))", "That is the loss of a negative. This box is a positive."),
    ],
)
def chain_yolo_head(rng: Random) -> Inputs:
    """Head of YOLO v3"""
    s = rng.choice([8, 16, 16, 32])
    cells = rng.choice([10, 12, 13, 16, 20])
    row, column = rng.sample(range(2, cells - 2), 2)
    pw, ph = rng.choice([(2, 3), (3, 2), (2, 4), (4, 3), (3, 5), (3, 4)])
    pw, ph = pw * s, ph * s
    tx, ty = (rng.choice([0, 0.5, -0.5, 1, -1, 0.8, -0.4]) for _ in range(2))
    tw, th = (rng.choice([0, 0.2, -0.2, 0.4, -0.3, 0.5]) for _ in range(2))
    if 0 in (tw + th, tx + ty) or tw == 0 == th:
        raise UndefinedValue("the box must differ from the anchor")
    x1, y1 = (int((k + 0.5) * s - length / 2 + rng.choice([-4, 0, 4])) for k, length in ((column, pw), (row, ph)))
    T = [x1, y1, x1 + pw + rng.choice([-8, 0, 8]), y1 + ph + rng.choice([-8, 0, 8])]
    return dict(
        size=cells * s, s=s, C=rng.choice([64, 128, 256, 512]), B=rng.choice([2, 3, 3]), K=rng.choice([2, 3, 4, 6, 20]),
        tx=tx, ty=ty, tw=tw, th=th, column=column, row=row, pw=pw, ph=ph, T=T,
        z=rng.choice([-2, -1, -0.6, 0.4, 1.2, 2]),
    )  # fmt: skip


@drill(
    SSD_CHAIN,
    id="chain-ssd-match",
    tier=3,
    asks=("n", "P", "cx", "w", "h", "tx", "tw", "negatives"),
    prompt="An SSD for images of {size}x{size} px predicts {K} classes (without the background) from a map of {f}x{f} "
    "positions with {C} channels, by 3x3 convolutions with biases, for {k} default boxes per position.\n"
    "How many default boxes does the map have (n), and how many parameters do its convolutions for classes and offsets "
    "have (P)? The map has the scale {scale} of the image size. A default box with the ratio {a} of width to height is "
    "in column {column}, numbered from 0, centered in its cell: what are x of its center (cx), its width (w) and its "
    "height (h) in px? It is matched to an object with its center at x = {x} and the width {bw} px: what are the "
    "targets of x (tx) and of the width (tw)? If {pos} boxes of the map are positive, how many negatives count in the "
    "loss (negatives)?\n"
    "Conventions: offsets of centers are divided by 0.1, logarithms of sizes by 0.2; at most 3 negatives per positive.",
    hints=(
        "What is predicted for one default box? How wide is a cell in px?",
        "The center is (column + 1/2) times the cell size. tx = (x - cx)/w/0.1 and tw = ln(width/w)/0.2.",
    ),
    mistakes=[
        Mistake("one-row", "n = f*k", "You counted one row of positions."),
        Mistake("no-background", "P = (9*C + 1)*k*(K + 4)", "You left out the background class."),
        Mistake("one-by-one", "P = (C + 1)*k*(K + 5)", "The convolutions are 3x3."),
        Mistake("cell-corner", "cx = column*size/f", "That is the left edge of the cell. The box is in its center."),
        Mistake("no-root", "w = size*scale*a; h = size*scale/a", "You used the ratio itself. Its root keeps the area."),
        Mistake("inverted", "w = size*scale/sqrt(a); h = size*scale*sqrt(a)", "You inverted the ratio."),
        Mistake("variances-left-out", "tx = (x - cx)/w; tw = ln(bw/w)", "You left out the divisors 0.1 and 0.2."),
        Mistake("variance-multiplied", "tx = (x - cx)/w/10; tw = ln(bw/w)/5", "You multiplied by 0.1 and 0.2. Divide."),
        Mistake("object-width", "tx = 10*(x - cx)/bw", "Divide by the width of the default box."),
        Mistake("all-negatives", "negatives = n - pos", "Only the hardest negatives count, 3 per positive."),
        Mistake("one-to-one", "negatives = pos", "There are 3 negatives per positive."),
    ],
)
def chain_ssd_match(rng: Random) -> Inputs:
    """One map of SSD"""
    size, f = rng.choice([(300, 10), (300, 5), (300, 3), (512, 16), (512, 8), (320, 10), (320, 20)])
    scale, a = rng.choice([0.2, 0.3, 0.37, 0.4, 0.54]), rng.choice([2, 3, 0.5])
    column = rng.randrange(f)
    width = size * scale * a**0.5
    x = round((column + 0.5) * size / f + rng.choice([-1, 1]) * rng.uniform(0.04, 0.3) * width)
    return dict(
        size=size, f=f, C=rng.choice([128, 256, 512]), k=rng.choice([4, 6]), K=rng.choice([3, 10, 20, 80]),
        column=column, scale=scale, a=a, x=x, bw=round(width * rng.choice([0.7, 0.8, 1.2, 1.4])), pos=rng.randint(2, 8),
    )  # fmt: skip


FOCAL_HINTS = (
    "The factor of the logarithm depends on p as well. Which rule do products need?",
    "dL/dz = dL/dp * dp/dz, with dp/dz = p*(1 - p) for the sigmoid.",
    "First step: derive L by p with the product rule, then multiply by p*(1 - p).",
)


def _focal_steps(derivative: str, plain: str, g: str, p0: Value, v: Value, r: Value) -> list[Step]:
    """Return the steps from the derivative of the loss by p, and of the cross-entropy by the logit."""
    point = f"({float(p0):g})"
    return [
        Step("Derive the loss by p, with the product rule.", [f"d = {derivative}"]),
        Step("Multiply by the derivative of the sigmoid, p*(1 - p), and simplify.", [f"g = {g}"]),
        Step(
            f"Put in p = {float(p0):g}.",
            [f"v = {re.sub(r'(?<![a-z])p(?![a-z])', point, g)}", f"v = {float(v):.4f}"],
        ),
        Step(
            f"The derivative of the cross-entropy by z is {plain}. Divide by it.",
            [f"r = {float(v):.6f}/({plain.replace('p', f'{float(p0):g}')})", f"r = {float(r):.4f}"],
        ),
    ]


def _positive_steps(gamma: int, **values: Any) -> list[Step]:
    derivative = f"{gamma}*(1 - p)^({gamma} - 1)*ln(p) - (1 - p)^{gamma}/p"
    return _focal_steps(derivative, "p - 1", **{name: values[name] for name in ("g", "p0", "v", "r")})


def _negative_steps(gamma: int, **values: Any) -> list[Step]:
    derivative = f"p^{gamma}/(1 - p) - {gamma}*p^({gamma} - 1)*ln(1 - p)"
    return _focal_steps(derivative, "p", **{name: values[name] for name in ("g", "p0", "v", "r")})


@drill(
    FOCAL_GRADIENT,
    tier=3,
    asks=(derive("g"), "v", "r"),
    prompt="A one-stage detector predicts an object with probability p = sigmoid(z). The focal loss of a positive is "
    "L = -(1 - p)^{gamma} ln p.\n"
    "Derive dL/dz in terms of p (g). What is its value at p = {p0} (v), and by which factor does it differ from the "
    "derivative of the cross-entropy -ln p there (r)?",
    hints=FOCAL_HINTS,
    steps=_positive_steps,
    mistakes=[
        Mistake(
            "factor-constant",
            "g = -(1 - p)^(gamma + 1); v = -(1 - p0)^(gamma + 1)",
            "You held the factor (1 - p)^gamma constant. It depends on p: use the product rule.",
        ),
        Mistake(
            "stopped-at-p",
            "g = gamma*(1 - p)^(gamma - 1)*ln(p) - (1 - p)^gamma/p; "
            "v = gamma*(1 - p0)^(gamma - 1)*ln(p0) - (1 - p0)^gamma/p0",
            "That is dL/dp. Multiply by the derivative of the sigmoid, p(1 - p).",
        ),
        Mistake(
            "cross-entropy",
            "g = p - 1; v = p0 - 1",
            "That is the gradient of the cross-entropy, without the focal factor.",
        ),
        Mistake("inverted", "r = (p0 - 1)/v", "You inverted the ratio. Divide by the cross-entropy's derivative."),
    ],
)
def focal_gradient(rng: Random) -> Inputs:
    """Gradient of the focal loss"""
    return dict(gamma=rng.choice([1, 2, 2, 3, 4, 5]), p0=rng.randint(3, 19) / 20, variables={"p": [0.1, 0.9]})


@drill(
    FOCAL_GRADIENT_NEGATIVE,
    id="focal-gradient:negative",
    tier=3,
    asks=(derive("g"), "v", "r"),
    prompt="A one-stage detector predicts an object with probability p = sigmoid(z). The focal loss of a background "
    "box "
    "is L = -p^{gamma} ln(1 - p).\n"
    "Derive dL/dz in terms of p (g). What is its value at p = {p0} (v), and by which factor does it differ from the "
    "derivative of the cross-entropy -ln(1 - p) there (r)?",
    hints=FOCAL_HINTS,
    steps=_negative_steps,
    mistakes=[
        Mistake(
            "factor-constant",
            "g = p^(gamma + 1); v = p0^(gamma + 1)",
            "You held the factor p^gamma constant. It depends on p: use the product rule.",
        ),
        Mistake(
            "stopped-at-p",
            "g = p^gamma/(1 - p) - gamma*p^(gamma - 1)*ln(1 - p); v = p0^gamma/(1 - p0) - gamma*p0^(gamma - 1)*ln(1 - "
            "p0)",
            "That is dL/dp. Multiply by the derivative of the sigmoid, p(1 - p).",
        ),
        Mistake(
            "cross-entropy", "g = p; v = p0", "That is the gradient of the cross-entropy, without the focal factor."
        ),
        Mistake(
            "sign",
            "g = p^gamma*(p + gamma*(1 - p)*ln(1 - p)); v = p0^gamma*(p0 + gamma*(1 - p0)*ln(1 - p0))",
            "The logarithm is negative, and so is its sign in the loss: both terms of the gradient are positive.",
        ),
        Mistake("inverted", "r = p0/v", "You inverted the ratio. Divide by the derivative of the cross-entropy."),
    ],
)
def focal_gradient_negative(rng: Random) -> Inputs:
    """Gradient of the focal loss of a negative"""
    return dict(gamma=rng.choice([1, 2, 2, 3, 4, 5]), p0=rng.randint(2, 17) / 20, variables={"p": [0.1, 0.9]})
