"""YOLO v1, v2, v3 and SSD: drills about boxes, anchors and default boxes."""

from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.object_detection.one_stage.formulas import (
    ANCHOR_SHAPE,
    KMEANS_ANCHORS,
    LETTERS,
    SSD_SCALES,
    YOLO1_DECODE,
    YOLO1_TARGET,
    YOLO_DECODE,
    nearest_anchors,
    shape_iou,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

YOLO_ANCHORS = [(10, 13), (16, 30), (33, 23), (30, 61), (62, 45), (59, 119), (116, 90), (156, 198), (373, 326)]


@drill(
    YOLO_DECODE,
    tier=2,
    asks=("x", "y", "w", "h"),
    prompt="A YOLO v3 head outputs tx = {tx}, ty = {ty}, tw = {tw}, th = {th} in the cell of column {column} and row "
    "{row} of a map with stride {s}, for an anchor of width {pw} and height {ph} px. What are the center (x, y), the "
    "width w and the height h of the box, in px?\n"
    "Conventions: columns and rows are numbered from 0.",
    hint="The center stays within its cell. Which function keeps a number between 0 and 1? The anchor is rescaled by a "
    "factor that is always positive.",
    mistakes=[
        Mistake("no-sigmoid", "x = (tx + column)*s; y = (ty + row)*s", "You left out the sigmoid of the offsets."),
        Mistake("in-cells", "x = sigmoid(tx) + column; y = sigmoid(ty) + row", "That is in cells: times the stride."),
        Mistake(
            "offset-not-scaled",
            "x = sigmoid(tx) + column*s; y = sigmoid(ty) + row*s",
            "The sigmoid is a part of the cell: multiply it by the stride as well.",
        ),
        Mistake(
            "row-for-column",
            "x = (sigmoid(tx) + row)*s; y = (sigmoid(ty) + column)*s",
            "You swapped row and column. x grows with the column.",
        ),
        Mistake("cell-center", "x = (column + 1/2)*s; y = (row + 1/2)*s", "That is the cell's center, without offset."),
        Mistake("size-added", "w = pw + exp(tw); h = ph + exp(th)", "The anchor is multiplied by exp(tw)."),
        Mistake("no-exponential", "w = pw*tw; h = ph*th", "tw is a logarithm: multiply by exp(tw)."),
        Mistake("size-in-cells", "w = pw*exp(tw)*s; h = ph*exp(th)*s", "The anchor is in px already."),
    ],
)
def yolo_decode(rng: Random) -> Inputs:
    """Box of YOLO v3"""
    s = rng.choice([8, 16, 32])
    pw, ph = rng.choice(YOLO_ANCHORS)
    row, column = rng.sample(range(416 // s), 2)
    outputs = {name: rng.choice([-1, 1]) * rng.randint(2, 15) / 10 for name in ("tx", "ty")}
    outputs |= {name: rng.choice([-1, 1]) * rng.randint(1, 8) / 10 for name in ("tw", "th")}
    return dict(outputs, column=column, row=row, s=s, pw=pw, ph=ph)


@drill(
    YOLO1_DECODE,
    id="yolo-decode:v1",
    tier=2,
    asks=("x", "y", "w", "h", "score"),
    prompt="YOLO v1 divides an image of {size}x{size} px into {S}x{S} cells. In the cell of column {column} and row "
    "{row} it predicts a box with x = {tx} and y = {ty} (relative to the cell), w = {tw} and h = {th} (relative to the "
    "image), the confidence {confidence}, and a class with probability {p}.\n"
    "What are the center (x, y), the width w and the height h of the box in px, and the score of that class for this "
    "box (score)?\n"
    "Conventions: columns and rows are numbered from 0.",
    hint="How wide is a cell? To what are the position and the size relative?",
    mistakes=[
        Mistake("relative-to-image", "x = tx*size; y = ty*size", "x and y are relative to the cell, not to the image."),
        Mistake(
            "cells-from-1",
            "x = (column - 1 + tx)/S*size; y = (row - 1 + ty)/S*size",
            "You counted the cells from 1. They are numbered from 0 here.",
        ),
        Mistake(
            "row-for-column",
            "x = (row + tx)/S*size; y = (column + ty)/S*size",
            "You swapped row and column. x grows with the column.",
        ),
        Mistake("size-of-cell", "w = tw*size/S; h = th*size/S", "The size is relative to the whole image."),
        Mistake("confidence-only", "score = confidence", "Multiply the confidence by the class probability."),
        Mistake("class-only", "score = p", "That holds if there is an object. Multiply by the confidence."),
        Mistake("averaged", "score = (confidence + p)/2", "The score is the product of both, not their mean."),
    ],
)
def yolo1_decode(rng: Random) -> Inputs:
    """Box of YOLO v1"""
    S = rng.choice([7, 7, 8, 10])
    row, column = rng.sample(range(1, S), 2)
    tx, ty, tw, th, confidence, p = (k / 100 for k in rng.sample(range(12, 96), 6))
    size = 64 * S if rng.random() < 0.7 else 40 * S
    values = dict(tx=tx, ty=ty, tw=tw, th=th, confidence=confidence, p=p, column=column, row=row)
    return dict(values, S=S, size=size)


@drill(
    YOLO1_TARGET,
    id="yolo-decode:target",
    tier=1,
    asks=("column", "row", "tx", "ty", "rw"),
    prompt="YOLO v1 divides an image of {size}x{size} px into {S}x{S} cells. An object has its center at ({cx}, {cy}) "
    "and the width {w} px.\n"
    "Which cell is responsible for it (column and row, numbered from 0)? Where in the cell is the center, as a share "
    "of "
    "the cell (tx, ty)? The loss compares square roots of widths, relative to the image: what is that of this object "
    "(rw)?",
    hint="How wide is a cell? In which cell does the center lie?",
    mistakes=[
        Mistake(
            "cells-from-1",
            "column = floor(cx*S/size) + 1; row = floor(cy*S/size) + 1",
            "You counted the cells from 1. They are numbered from 0 here.",
        ),
        Mistake(
            "row-for-column",
            "column = floor(cy*S/size); row = floor(cx*S/size)",
            "You swapped row and column. x counts columns.",
        ),
        Mistake("relative-to-image", "tx = cx/size; ty = cy/size", "That is relative to the image, not to the cell."),
        Mistake(
            "in-pixels", "tx = cx - column*size/S; ty = cy - row*size/S", "That is in px: divide by the cell size."
        ),
        Mistake("no-root", "rw = w/size", "You left out the square root."),
        Mistake("root-of-pixels", "rw = sqrt(w)", "Divide by the size of the image first."),
    ],
)
def yolo1_target(rng: Random) -> Inputs:
    """Responsible cell of YOLO v1"""
    S = rng.choice([7, 7, 8, 10])
    size = 64 * S if rng.random() < 0.7 else 40 * S
    cell = size // S
    cx, cy = (rng.randrange(size) for _ in range(2))
    if any(v % cell < cell // 2 or not v % cell for v in (cx, cy)) or cx // cell == cy // cell:
        raise UndefinedValue("rounding must matter, and column and row must differ")
    return dict(cx=cx, cy=cy, w=rng.randrange(20, size - 20, 4), S=S, size=size)


@drill(
    SSD_SCALES,
    tier=2,
    asks=("scale", "w", "h", "extra"),
    prompt="An SSD has m = {m} feature maps. The scales of their default boxes grow linearly from s_min = {s_min} for "
    "the first to s_max = {s_max} for the last one; they are shares of the image size.\n"
    "What is the scale of map {j}, counted from 1 (scale)? How wide and how high is its default box with the ratio a = "
    "{a} of width to height (w, h)? How large is its extra square box, the geometric mean of this scale and the next "
    "one (extra)?",
    hint="By how much does the scale grow from map to map? The area of a box does not depend on its ratio.",
    mistakes=[
        Mistake(
            "maps-from-0",
            "scale = s_min + (s_max - s_min)/(m - 1)*j",
            "You counted the maps from 0. The first map has the scale s_min.",
        ),
        Mistake(
            "m-intervals",
            "scale = s_min + (s_max - s_min)/m*(j - 1)",
            "Between m maps are m - 1 steps, so that the last one has the scale s_max.",
        ),
        Mistake("no-root", "w = scale*a; h = scale/a", "You used the ratio itself. Its square root keeps the area."),
        Mistake("height-unchanged", "h = scale", "Both sides change, by the square root of the ratio."),
        Mistake("inverted", "w = scale/sqrt(a); h = scale*sqrt(a)", "You inverted the ratio: it is width over height."),
        Mistake("arithmetic-mean", "extra = (scale + next)/2", "That is the arithmetic mean, not the geometric one."),
        Mistake("not-next", "extra = scale", "That is the plain square box. The extra one lies between two scales."),
    ],
)
def ssd_scales(rng: Random) -> Inputs:
    """Scales of default boxes"""
    m = rng.choice([4, 5, 6, 6, 7])
    s_min, s_max = rng.choice([(0.2, 0.9), (0.2, 0.9), (0.1, 0.9), (0.15, 0.9), (0.2, 0.8), (0.1, 0.7)])
    return dict(s_min=s_min, s_max=s_max, m=m, j=rng.randint(2, m - 1), a=rng.choice([2, 3, 0.5, 4, 1.5]))


@drill(
    ANCHOR_SHAPE,
    id="anchor-count:shape",
    tier=1,
    asks=("w", "h", "x1", "y1", "x2", "y2"),
    prompt="An anchor has the size {size} px (the square root of its area), the aspect ratio {r} (height over width), "
    "and its center at ({cx}, {cy}). What are its width w, its height h, and its corners x1, y1, x2, y2?",
    hint="Which width and height have this ratio and this area?",
    mistakes=[
        Mistake(
            "no-root",
            "w = size/r; h = size*r",
            "You used the ratio itself, which gives its square. Use its square root.",
        ),
        Mistake(
            "inverted", "w = size*sqrt(r); h = size/sqrt(r)", "You inverted the ratio. It is height over width here."
        ),
        Mistake("width-unchanged", "w = size", "That changes the area. Both sides change by the square root."),
        Mistake("corner", "x1 = cx; y1 = cy", "You used the center as the corner. Move by half of the size."),
        Mistake("not-halved", "x2 = cx + w; y2 = cy + h", "You moved by the full size. Move by half of it."),
    ],
)
def anchor_shape(rng: Random) -> Inputs:
    """Anchor of a size and a ratio"""
    r = rng.choice([0.5, 2, 0.25, 4, 3, 1.5])
    return dict(size=rng.choice([32, 64, 96, 128, 256]), r=r, cx=8 * rng.randint(20, 60), cy=8 * rng.randint(20, 60))


Shapes = list[list[Value]]
Distance = Callable[[list[Value], list[Value]], Value]


def _assign_by(boxes: Shapes, anchors: Shapes, distance: Distance) -> list[str]:
    return [LETTERS[min(range(len(anchors)), key=lambda k: distance(box, anchors[k]))] for box in boxes]


def _euclidean(a: list[Value], b: list[Value]) -> Value:
    return (a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2


def _area_gap(a: list[Value], b: list[Value]) -> Value:
    return abs(a[0] * a[1] - b[0] * b[1])


def _with_anchor(boxes: Shapes, anchors: Shapes, steps: int) -> Shapes:
    """Return the means if the old anchor counts as one of its boxes."""
    nearest, means = nearest_anchors(boxes, anchors), []
    for k, anchor in enumerate(anchors):
        own = [anchor, *(box for box, number in zip(boxes, nearest, strict=True) if number == k)]
        means.append([Fraction(sum(sizes), len(own)) for sizes in zip(*own, strict=True)])
    return means


def _medians(boxes: Shapes, anchors: Shapes, steps: int) -> Shapes:
    """Return the middle of the smallest and the largest width and height of each cluster."""
    nearest, result = nearest_anchors(boxes, anchors), []
    for k in range(len(anchors)):
        own = [box for box, number in zip(boxes, nearest, strict=True) if number == k]
        result.append([Fraction(min(sizes) + max(sizes), 2) for sizes in zip(*own, strict=True)])
    return result


def _kmeans_steps(boxes: Shapes, anchors: Shapes, clusters: list[str], means: Shapes, **_: Any) -> list[Step]:
    rows = []
    for box, letter in zip(boxes, clusters, strict=True):
        values = ", ".join(f"{float(shape_iou(box, anchor)):.4f}" for anchor in anchors)
        rows.append(f"Box {box[0]:g}x{box[1]:g}: IoU {values}, so anchor {letter}.")
    texts = [[f"{float(v):.4f}".rstrip("0").rstrip(".") for v in mean] for mean in means]
    return [
        Step(
            "Compare each box with each anchor, both with the same corner: the intersection is the smaller width times "
            "the smaller height. " + " ".join(rows)
        ),
        Step(
            "A new anchor is the mean width and the mean height of its boxes.",
            [f"means = [{', '.join(f'[{w}, {h}]' for w, h in texts)}]"],
        ),
    ]


@drill(
    KMEANS_ANCHORS,
    tier=2,
    asks=("clusters", "means"),
    visualization="anchors anchors boxes",
    steps=_kmeans_steps,
    prompt="YOLO v2 finds its anchors by k-means with the distance 1 - IoU, of boxes that share a corner. The boxes "
    "(width, height in px) are boxes = {boxes}, the anchors A and B are {anchors}.\n"
    "To which anchor, A or B, is each box assigned (clusters, in the order of the boxes)? What are the anchors after "
    "this step (means)?",
    hints=(
        "How large is the IoU of each box with each anchor?",
        "With a common corner, the intersection is min(w, w_a) min(h, h_a). The new anchor is the mean of its boxes.",
    ),
    mistakes=[
        Mistake(
            "euclidean",
            {"clusters": lambda boxes, anchors, steps: _assign_by(boxes, anchors, _euclidean)},
            "You took the Euclidean distance of the sizes, which depends on the scale. The distance is 1 - IoU.",
        ),
        Mistake(
            "farthest",
            {"clusters": lambda boxes, anchors, steps: _assign_by(boxes, anchors, shape_iou)},
            "You took the smallest IoU. The smallest distance 1 - IoU is the largest IoU.",
        ),
        Mistake(
            "areas",
            {"clusters": lambda boxes, anchors, steps: _assign_by(boxes, anchors, _area_gap)},
            "You compared the areas only. Boxes of one area can have different shapes.",
        ),
        Mistake(
            "middle-of-extremes",
            {"means": _medians},
            "You took the middle between the smallest and the largest box. Take the mean of all boxes.",
        ),
        Mistake(
            "anchors-kept",
            {"means": lambda boxes, anchors, steps: anchors},
            "Those are the anchors before this step. Replace each one by the mean of its boxes.",
        ),
        Mistake(
            "anchor-included",
            {"means": _with_anchor},
            "You averaged the old anchor as well. Only the boxes count.",
        ),
    ],
)
def kmeans_anchors(rng: Random) -> Inputs:
    """One step of k-means anchors"""
    small, large = rng.randint(8, 14), rng.randint(26, 36)
    anchors = [[small, small + rng.randint(-3, 4)], [large, large + rng.randint(-6, 8)]]
    boxes = []
    for _ in range(rng.choice([4, 5])):
        scale = rng.uniform(small, 1.3 * large)
        boxes.append([max(4, round(scale * rng.uniform(0.7, 1.3))), max(4, round(scale * rng.uniform(0.7, 1.3)))])
    nearest = nearest_anchors(boxes, anchors)
    gaps = [abs(shape_iou(box, anchors[0]) - shape_iou(box, anchors[1])) for box in boxes]
    counts = [nearest.count(0), nearest.count(1)]
    if min(counts) < 1 or min(gaps) < 0.02:
        raise UndefinedValue("a cluster is empty, or a choice is close")
    if any(100 % count for count in counts):
        raise UndefinedValue("a mean has no finite decimals")
    return dict(boxes=boxes, anchors=anchors, steps=1, labels=["A", "B"])
