"""Mask R-CNN, SAM and SAM 2: drills about RoIAlign, the mask head, and AP of masks."""

from fractions import Fraction
from math import floor
from random import Random
from typing import Any

from quizzes.content.object_detection.map.ranking import average_precision
from quizzes.content.segmentation.instance_and_promptable.formulas import (
    MASK_AP,
    MASK_HEAD,
    MASK_HEAD_PARAMS,
    MASK_LOSS,
    ROI_ALIGN,
    ROI_POINT,
    ROI_POSITIONS,
    ROI_SHIFT,
)
from quizzes.content.segmentation.instance_and_promptable.sampling import align_region, sample_points
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.procedure import list_text, number_text
from quizzes.question import Step

Grid = list[list[Value]]


@drill(
    ROI_POINT,
    id="roi-align",
    tier=1,
    asks="v",
    prompt="RoIAlign samples a feature map at the point x = {x}, y = {y}, measured in cells from the cell at the upper "
    "left. The four nearest cells have the values a = {a} (upper left, x = 0, y = 0), b = {b} (upper right, x = 1, y = "
    "0), c = {c} (lower left, x = 0, y = 1) and d = {d} (lower right).\n"
    "What is the bilinear value v at the point?",
    hint="Which of the four cells is nearest to the point? It has the largest weight.",
    mistakes=[
        Mistake(
            "nearest-cell",
            "v = where(x < 0.5, where(y < 0.5, a, c), where(y < 0.5, b, d))",
            "You rounded the coordinates, as RoIPool does. RoIAlign interpolates between the four cells.",
        ),
        Mistake(
            "weights-reversed",
            "v = x*y*a + (1 - x)*y*b + x*(1 - y)*c + (1 - x)*(1 - y)*d",
            "You reversed the weights. The weight of a cell grows as the point comes nearer to it.",
        ),
        Mistake(
            "x-and-y-swapped",
            "v = (1 - x)*(1 - y)*a + (1 - x)*y*b + x*(1 - y)*c + x*y*d",
            "You swapped x and y. x leads from a to b, y leads from a to c.",
        ),
        Mistake("mean", "v = (a + b + c + d)/4", "You averaged the cells. That is the value in the middle of them."),
    ],
)
def roi_align(rng: Random) -> Inputs:
    """Value of a sampling point"""
    x, y = rng.sample([0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.7, 0.75, 0.8, 0.9], 2)
    a, b, c, d = (rng.randint(0, 9) for _ in range(4))
    if len({a, b, c, d}) < 4:
        raise UndefinedValue("the cells must differ")
    return dict(x=x, y=y, a=a, b=b, c=c, d=d)


def _points(roi: list[int], s: int, k: int, n: int, aligned: int) -> tuple[list[Fraction], list[Fraction]]:
    """Return x and y of the sampling points."""
    return tuple(sample_points(roi[a], roi[a + 2], s, k, n, aligned) for a in (0, 1))  # type: ignore[return-value]


def _output(X: Grid, xs: list[Fraction], ys: list[Fraction], n: int) -> Grid:
    return [[sum(v) / Fraction(len(v)) for v in row] for row in align_region(X, ys, xs, n)]


def _rounded(X: Grid, roi: list[int], s: int, k: int, n: int, aligned: int) -> Grid:
    """Return the output if the coordinates of the sampling points are rounded to cells."""
    xs, ys = ([Fraction(floor(p + Fraction(1, 2))) for p in axis] for axis in _points(roi, s, k, n, aligned))
    return _output(X, xs, ys, n)


def _largest(X: Grid, roi: list[int], s: int, k: int, n: int, aligned: int) -> Grid:
    xs, ys = _points(roi, s, k, n, aligned)
    return [[max(values) for values in row] for row in align_region(X, ys, xs, n)]


def _swapped(X: Grid, roi: list[int], s: int, k: int, n: int, aligned: int) -> Grid:
    xs, ys = _points(roi, s, k, n, aligned)
    return _output(X, ys, xs, n)


def _other_alignment(axis: int) -> Any:
    def points(X: Grid, roi: list[int], s: int, k: int, n: int, aligned: int) -> Value:
        return _points(roi, s, k, n, 1 - aligned)[axis]

    return points


def _align_steps(
    X: Grid, roi: list[int], s: int, k: int, n: int, aligned: int, x: list[Value], y: list[Value], O: Grid, **_: Any
) -> list[Step]:
    xs, ys = _points(roi, s, k, n, aligned)
    half = " and subtract 0.5" if aligned else ""
    width, height = (Fraction(roi[a + 2] - roi[a], s * k) for a in (0, 1))
    first = align_region(X, ys, xs, n)[0][0]
    return [
        Step(
            f"Divide the corners by the stride {s}{half}, without rounding. A bin is {number_text(width)} cells wide "
            f"and "
            f"{number_text(height)} in y."
        ),
        Step(
            f"Divide each bin into {n}x{n} parts. The sampling points are their centers.",
            [f"x = {list_text(xs)}", f"y = {list_text(ys)}"],
        ),
        Step(
            f"Interpolate at each point, and average. The first bin has the values {list_text(first)}.",
            [f"O = [{', '.join(list_text(row) for row in O)}]"],
        ),
    ]


@drill(
    ROI_ALIGN,
    id="roi-align:bins",
    tier=3,
    asks=("x", "y", "O"),
    steps=_align_steps,
    visualization="matrices X",
    prompt="A feature map of stride {s} has the values X = {X}. RoIAlign pools the region roi = {roi} (corners x1, y1, "
    "x2, y2 in px of the image) to {k}x{k} values, with {n}x{n} sampling points per bin (aligned = {aligned}).\n"
    "At which x (from left to right) and y (from top to bottom) on the map are the sampling points, and what is the "
    "output O?\n"
    "Conventions: nothing is rounded; {half}; cell (0, 0) of the map has the coordinates (0, 0); an output is the mean "
    "of the bilinear values of its bin.",
    hints=(
        "How wide is a bin on the map? Where are the centers of its parts?",
        "x = x1/s - offset + (i + 1/2) bin/n for the sampling points i = 0, 1, ... from the left.",
        "First step: divide the corners by the stride.",
    ),
    mistakes=[
        Mistake(
            "other-alignment",
            {"x": _other_alignment(0), "y": _other_alignment(1)},
            "Look at the conventions again: they say whether half a cell is subtracted.",
        ),
        Mistake("rounded", {"O": _rounded}, "You rounded the sampling points to cells. RoIAlign interpolates."),
        Mistake("maximum", {"O": _largest}, "You took the maximum of the sampling points. RoIAlign averages them."),
        Mistake("x-and-y-swapped", {"O": _swapped}, "You swapped x and y. x counts columns, y counts rows."),
    ],
)
def roi_align_bins(rng: Random) -> Inputs:
    """RoIAlign of a small map"""
    s, aligned = rng.choice([8, 16, 16, 32]), rng.choice([0, 0, 1])
    k, n = rng.choice([(1, 2), (2, 1), (2, 1)])
    quarter = s // 4
    x1, y1 = quarter * rng.randint(2, 6), quarter * rng.randint(2, 5)
    width, height = (2 * quarter * rng.choice([3, 4, 5]) for _ in range(2))
    X = [[rng.randint(0, 9) for _ in range(5)] for _ in range(4)]
    roi = [x1, y1, x1 + width, y1 + height]
    xs, ys = _points(roi, s, k, n, aligned)
    if max(xs) > 4 or max(ys) > 3 or min(xs) < 0 or min(ys) < 0 or xs == ys:
        raise UndefinedValue("the points must lie on the map")
    half = "half a cell is subtracted from the coordinates on the map" if aligned else "no half cell is subtracted"
    return dict(X=X, roi=roi, s=s, k=k, n=n, aligned=aligned, half=half)


@drill(
    ROI_POSITIONS,
    id="roi-align:points",
    tier=2,
    asks=("first", "bin", "x"),
    prompt="A region of interest extends from x1 = {x1} to x2 = {x2} px in the image. The feature map has stride s = "
    "{s}. RoIAlign divides the region into k = {k} bins per row, with n = {n} sampling points per side of a bin.\n"
    "Where on the map is the left edge of the region (first)? How wide is a bin (bin)? What is x of the sampling point "
    "j = {j} of bin i = {i}, both numbered from 0?\n"
    "Conventions: coordinates in cells; h = {h} cells are subtracted from the edge on the map; nothing is rounded.",
    hint="How many bins lie to the left of this one? Where in its part of the bin is the sampling point?",
    mistakes=[
        Mistake("rounded-edge", "first = floor(x1/s - h + 1/2)", "You rounded the edge. RoIAlign rounds nothing."),
        Mistake("half-cell", "first = x1/s - (1/2 - h)", "Subtract h cells, as the conventions say."),
        Mistake("bin-in-pixels", "bin = (x2 - x1)/k", "That is the width in the image. Divide it by the stride."),
        Mistake(
            "bin-rounded", "bin = floor((x2 - x1)/(s*k))", "You rounded the width of a bin. RoIAlign rounds nothing."
        ),
        Mistake(
            "edge-of-part",
            "x = first + i*bin + j*bin/n",
            "That is the left edge of the part. The point is in its center.",
        ),
        Mistake("from-1", "x = first + (i - 1)*bin + (j - 1/2)*bin/n", "Bins and sampling points are numbered from 0."),
    ],
)
def roi_align_points(rng: Random) -> Inputs:
    """Sampling points of RoIAlign"""
    s, k, n = rng.choice([4, 8, 16, 32]), rng.choice([7, 7, 14, 5]), rng.choice([2, 2, 3])
    x1 = rng.randint(s, 12 * s)
    x2 = x1 + rng.randint(k * s // 2, 3 * k * s)
    if (x2 - x1) % (s * k) == 0 or x2 - x1 < s * k:
        raise UndefinedValue("a bin must not be whole cells")
    return dict(x1=x1, x2=x2, s=s, k=k, n=n, h=rng.choice([0, 0.5]), i=rng.randint(1, k - 1), j=rng.randrange(n))


@drill(
    ROI_SHIFT,
    id="roi-align:shift",
    tier=1,
    asks=("exact", "cell", "shift", "mask_shift"),
    prompt="A region of interest extends from x1 = {x1} to x2 = {x2} px. The feature map has stride s = {s}.\n"
    "At which x of the map does the region begin with RoIAlign (exact: x1/s), and at which with RoIPool (cell: "
    "rounded, "
    "halves up)? By how many px does RoIPool shift the edge in the image (shift)? How many cells of a mask that is m = "
    "{m} cells wide are that (mask_shift)?",
    hint="Which pixel does the rounded cell belong to?",
    mistakes=[
        Mistake("rounded-down", "cell = floor(x1/s)", "You rounded down. RoIPool rounds to the nearest cell."),
        Mistake(
            "shift-in-cells", "shift = abs(cell - exact)", "That is the shift in cells. Multiply it by the stride."
        ),
        Mistake("half-stride", "shift = s/2", "That is the largest shift that is possible."),
        Mistake(
            "no-region", "mask_shift = shift/s", "The mask covers the region: one of its cells is (x2 - x1)/m px wide."
        ),
    ],
)
def roi_align_shift(rng: Random) -> Inputs:
    """Misalignment of RoIPool"""
    s = rng.choice([8, 16, 16, 32])
    x1 = rng.randint(s, 20 * s)
    if x1 % s in (0, s // 2):
        raise UndefinedValue("the edge must be rounded")
    return dict(x1=x1, x2=x1 + 4 * rng.randint(10, 80), s=s, m=rng.choice([14, 28, 28]))


@drill(
    MASK_HEAD,
    tier=1,
    asks=("features", "masks", "logits", "final"),
    prompt="Mask R-CNN's mask head receives N = {N} regions. RoIAlign pools each of them to {r}x{r} from a feature map "
    "with {C} channels. Same-padded convolutions follow, then a 2x2 transposed convolution of stride 2 and a 1x1 "
    "convolution to K = {K} classes.\n"
    "Which shape do the pooled features have (features), and which the mask logits (masks), as NxCxHxW? How many mask "
    "logits are there (logits), and how many of them belong to the masks of the predicted classes (final)?",
    hint="Which layer changes the height and width? How many masks does the head output per region?",
    mistakes=[
        Mistake("one-mask", {"masks": lambda N, r, **_: [N, 1, 2 * r, 2 * r]}, "The head outputs one mask per class."),
        Mistake(
            "no-upsampling",
            {"masks": lambda N, K, r, **_: [N, K, r, r]},
            "The transposed convolution doubles height and width.",
        ),
        Mistake(
            "background-mask", {"masks": lambda N, K, r, **_: [N, K + 1, 2 * r, 2 * r]}, "The background has no mask."
        ),
        Mistake(
            "not-doubled",
            "logits = N*K*r^2; final = N*r^2",
            "The masks are twice as high and wide as the pooled features.",
        ),
        Mistake("one-region", "logits = 4*K*r^2; final = 4*r^2", "You counted one region."),
    ],
)
def maskrcnn_head(rng: Random) -> Inputs:
    """Shapes of the mask head"""
    return dict(
        N=rng.choice([20, 50, 100, 100, 200]),
        K=rng.choice([3, 8, 20, 80, 80, 91]),
        r=rng.choice([14, 14, 14, 7]),
        C=rng.choice([64, 128, 256, 256]),
    )


@drill(
    MASK_HEAD_PARAMS,
    id="maskrcnn-head:params",
    tier=2,
    asks=("P_conv", "P_up", "P_out", "P"),
    prompt="A mask head has {t} 3x3 convolutions from {C} to {C} channels, a 2x2 transposed convolution of stride 2 "
    "from "
    "{C} to {C} channels, and a 1x1 convolution to {K} classes, all with biases.\n"
    "How many parameters do the 3x3 convolutions have together (P_conv), the transposed convolution (P_up), the 1x1 "
    "convolution (P_out), and all of them (P)?",
    hint="How many weights does each output channel have, and how many biases?",
    mistakes=[
        Mistake(
            "no-biases",
            "P_conv = 9*t*C^2; P_up = 4*C^2; P_out = C*K",
            "You left out the biases, one per output channel.",
        ),
        Mistake("one-convolution", "P_conv = (9*C + 1)*C", "You counted one of the 3x3 convolutions."),
        Mistake("three-by-three", "P_up = (9*C + 1)*C", "The transposed convolution has 2x2 kernels."),
        Mistake("not-learned", "P_up = 0", "A transposed convolution has weights. Only interpolation has none."),
        Mistake("mask-pixels", "P_out = (C + 1)*K*28^2", "A 1x1 convolution has the same weights at every pixel."),
    ],
)
def maskrcnn_head_params(rng: Random) -> Inputs:
    """Parameters of the mask head"""
    return dict(C=rng.choice([64, 128, 256, 256]), t=rng.choice([2, 3, 4, 4]), K=rng.choice([2, 3, 21, 80, 81, 91]))


@drill(
    MASK_LOSS,
    id="maskrcnn-head:loss",
    tier=2,
    asks="L",
    visualization="matrices Z",
    prompt="A mask head outputs the logits Z = {Z} for a region: a row per class (from 0), a column per pixel. The "
    "true "
    "class is c = {c}, and the true mask is g = {g}.\n"
    "What is Mask R-CNN's mask loss L?\n"
    "Conventions: natural log; mean over the pixels; a sigmoid per pixel.",
    hint="Which masks contribute to the loss? Do the classes compete with each other?",
    mistakes=[
        Mistake(
            "softmax",
            {"L": lambda Z, g, c: _softmax_loss(Z, g, c)},
            "You applied a softmax over the classes. Each mask has a sigmoid of its own, so classes don't compete.",
        ),
        Mistake(
            "all-classes",
            {"L": lambda Z, g, c: sum(MASK_LOSS.evaluate(dict(Z=Z, g=g, c=k))["L"] for k in range(len(Z))) / len(Z)},
            "You averaged over all masks. Only that of the true class contributes.",
        ),
        Mistake(
            "sum", "L = sum(i, softplus(z[i]) - g[i]*z[i])", "You took the sum. The loss is the mean over the pixels."
        ),
        Mistake(
            "object-only",
            "L = mean(i, g[i]*(softplus(z[i]) - z[i]))",
            "Background pixels of the region have a loss too.",
        ),
        Mistake(
            "mask-inverted", "L = mean(i, softplus(z[i]) - (1 - g[i])*z[i])", "You inverted the mask: 1 is the object."
        ),
    ],
)
def maskrcnn_head_loss(rng: Random) -> Inputs:
    """Mask loss of the true class"""
    classes, pixels = rng.choice([2, 3]), rng.choice([3, 4])
    g = [1, 0] + [rng.randint(0, 1) for _ in range(pixels - 2)]
    rng.shuffle(g)
    return dict(Z=[[rng.randint(-3, 3) for _ in g] for _ in range(classes)], g=g, c=rng.randrange(classes))


def _softmax_loss(Z: Grid, g: list[int], c: int) -> float:
    """Return the mean cross-entropy if the probability of the mask is a softmax over the classes."""
    from math import exp, log

    total = 0.0
    for i, target in enumerate(g):
        weights = [exp(row[i]) for row in Z]
        p = weights[c] / sum(weights)
        total -= log(p if target else 1 - p)
    return total / len(g)


def _ap_at(iou: list[Value], n: int, percent: int) -> Fraction:
    return Fraction(average_precision([int(100 * value >= percent) for value in iou], n))


def _ap_steps(iou: list[Value], n: int, **values: Any) -> list[Step]:
    rows = []
    for percent in range(50, 100, 5):
        hits = [int(100 * value >= percent) for value in iou]
        rows.append(f"{percent / 100:.2f}: {''.join(map(str, hits))}, AP {float(average_precision(hits, n)):.4f}")
    return [
        Step("At each threshold, a detection is correct (1) if its IoU is at least that. " + "; ".join(rows) + "."),
        Step("Average the ten values.", [f"AP = {float(values['AP']):.4f}"]),
    ]


@drill(
    MASK_AP,
    tier=3,
    asks=("AP50", "AP75", "AP"),
    steps=_ap_steps,
    prompt="An instance segmentation has these mask IoUs with objects of its class, from the highest score down: iou = "
    "{iou}. Each detection has an object of its own (0: none), and there are n = {n} objects in all.\n"
    "What are AP50, AP75, and COCO's AP, the mean over the IoU thresholds 0.50, 0.55, ..., 0.95?\n"
    "Conventions: a match needs an IoU of at least the threshold; AP at a threshold is the area under the monotone "
    "envelope of precision over recall, with every recall.",
    hints=(
        "Which detections are correct at the threshold 0.50, and which at 0.75?",
        "AP adds the envelope's precision at each correct detection, divided by the number of objects.",
        "First step: write down which detections are correct at each of the ten thresholds.",
    ),
    mistakes=[
        Mistake(
            "objects-missed",
            {"AP50": lambda iou, n: _ap_at(iou, max(1, sum(v > 0 for v in iou)), 50)},
            "You divided by the objects with a detection. Missed objects count too.",
        ),
        Mistake(
            "ap70", {"AP75": lambda iou, n: _ap_at(iou, n, 70)}, "That is the AP at 0.70. 0.75 is the sixth threshold."
        ),
        Mistake(
            "mean-of-two",
            {"AP": lambda iou, n: (_ap_at(iou, n, 50) + _ap_at(iou, n, 75)) / 2},
            "You averaged AP50 and AP75. COCO's AP averages ten thresholds.",
        ),
        Mistake(
            "mean-iou",
            {"AP": lambda iou, n: sum(map(Fraction, map(str, map(float, iou)))) / n},
            "That is the mean IoU. Compute an AP at each threshold.",
        ),
    ],
)
def mask_ap(rng: Random) -> Inputs:
    """AP of masks over ten thresholds"""
    count = rng.choice([3, 3, 4])
    iou = [rng.choice([0, *range(52, 97)]) if k else rng.randint(72, 96) for k in range(count)]
    iou[rng.randrange(1, count)] = rng.choice([0, 30, 41])
    overlapping = sum(value > 0 for value in iou)
    if any(value % 5 == 0 and value for value in iou):
        raise UndefinedValue("an IoU must not equal a threshold")
    return dict(iou=[value / 100 for value in iou], n=overlapping + rng.choice([1, 1, 2]))
