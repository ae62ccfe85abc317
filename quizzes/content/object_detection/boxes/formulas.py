"""Boxes, formats, localization: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word
from workbench.errors import UserError

FORMAT_SOURCE = (
    "derivation: the center is the middle of the two corners; the width and height are their differences. Pascal VOC "
    "stores corners, COCO the top left corner with width and height, YOLO the center with width and height"
)

NO_EXTRA_PIXEL = "A box is x2 - x1 wide and y2 - y1 high, without an extra pixel. y points down."


BOX_TO_CENTER = Formula(
    "box-format",
    """
    w = x2 - x1
    h = y2 - y1
    cx = x1 + w/2
    cy = y1 + h/2
    """,
    title="Corners of a box to its center and size",
    source=FORMAT_SOURCE,
    conventions=NO_EXTRA_PIXEL,
    x1=Real(meaning="left edge", unit="px"),
    y1=Real(meaning="top edge", unit="px"),
    x2=Real(meaning="right edge", unit="px"),
    y2=Real(meaning="bottom edge", unit="px"),
    w=Real(0, meaning="width", unit="px"),
    h=Real(0, meaning="height", unit="px"),
    cx=Real(meaning="x of the center", unit="px"),
    cy=Real(meaning="y of the center", unit="px"),
)


BOX_TO_CORNERS = Formula(
    "box-corners",
    """
    x1 = cx - w/2
    y1 = cy - h/2
    x2 = cx + w/2
    y2 = cy + h/2
    """,
    title="Center and size of a box to its corners",
    source=FORMAT_SOURCE,
    conventions=NO_EXTRA_PIXEL,
    cx=Real(meaning="x of the center", unit="px"),
    cy=Real(meaning="y of the center", unit="px"),
    w=Real(0, meaning="width", unit="px"),
    h=Real(0, meaning="height", unit="px"),
    x1=Real(meaning="left edge", unit="px"),
    y1=Real(meaning="top edge", unit="px"),
    x2=Real(meaning="right edge", unit="px"),
    y2=Real(meaning="bottom edge", unit="px"),
)


BOX_NORMALIZED = Formula(
    "box-normalized",
    """
    cx = (x + w/2)/W
    cy = (y + h/2)/H
    nw = w/W
    nh = h/H
    """,
    title="COCO box to a normalized YOLO label",
    source=FORMAT_SOURCE,
    conventions="x and w are divided by the image width, y and h by its height.",
    x=Real(meaning="left edge", unit="px"),
    y=Real(meaning="top edge", unit="px"),
    w=Real(0, meaning="width of the box", unit="px"),
    h=Real(0, meaning="height of the box", unit="px"),
    W=Int(1, meaning="width of the image", unit="px"),
    H=Int(1, meaning="height of the image", unit="px"),
    cx=Real(meaning="x of the center, normalized"),
    cy=Real(meaning="y of the center, normalized"),
    nw=Real(meaning="width, normalized"),
    nh=Real(meaning="height, normalized"),
)


BOX_LETTERBOX = Formula(
    "box-letterbox",
    """
    r = min(n/W, n/H)
    left = (n - r*W)/2
    top = (n - r*H)/2
    x_new = r*x + left
    y_new = r*y + top
    w_new = r*w
    """,
    title="Box in a resized and padded image",
    source="derivation: an image that keeps its ratio is scaled by the smaller of both factors, and the rest of the "
    "square is padded, half on each side",
    conventions="Both sides are scaled by the same factor, and the padding is equal on opposite sides.",
    W=Int(1, meaning="width of the image", unit="px"),
    H=Int(1, meaning="height of the image", unit="px"),
    n=Int(1, meaning="height and width of the network's input", unit="px"),
    x=Real(meaning="x of a corner of the box", unit="px"),
    y=Real(meaning="y of that corner", unit="px"),
    w=Real(0, meaning="width of the box", unit="px"),
    r=Real(meaning="scale factor"),
    left=Real(meaning="padding at the left", unit="px"),
    top=Real(meaning="padding at the top", unit="px"),
    x_new=Real(meaning="x of the corner in the input", unit="px"),
    y_new=Real(meaning="y of the corner in the input", unit="px"),
    w_new=Real(meaning="width of the box in the input", unit="px"),
)


SLIDING_WINDOWS = Formula(
    "sliding-window-count",
    """
    columns = floor((W - w)/s) + 1
    rows = floor((H - h)/s) + 1
    n = columns*rows
    """,
    title="Number of positions of a sliding window",
    source="derivation: a window of w pixels in an image of W has W - w further positions, of which every s-th is "
    "used, "
    "and the first one",
    conventions="Only windows that lie within the image count.",
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    w=Int(1, 100000, "width of the window", unit="px"),
    h=Int(1, 100000, "height of the window", unit="px"),
    s=Int(1, 100000, "stride", unit="px"),
    columns=Int(1, meaning="positions along a row"),
    rows=Int(1, meaning="positions along a column"),
    n=Int(1, meaning="number of windows"),
)


SLIDING_SQUARE = Formula(
    "sliding-window-square",
    "n = (floor((W - w)/s) + 1)^2",
    title="Number of positions of a square window in a square image",
    source="derivation: as of any window, with as many rows as columns",
    W=Int(1, 4096, "width and height of the image", unit="px"),
    w=Int(1, 1024, "width and height of the window", unit="px"),
    s=Int(1, 256, "stride", unit="px"),
    n=Int(1, meaning="number of windows"),
)


SLIDING_SCALES = Formula(
    "sliding-window-scales",
    """
    c[k] = floor((W - w[k])/s) + 1
    r[k] = floor((H - w[k])/s) + 1
    n = sum(k, c[k]*r[k])
    t = n*ms/1000
    """,
    title="Cost of a sliding window of several sizes",
    source="derivation: every size has its own positions, and the classifier runs once per window",
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    w=Vector(1, 100000, "sizes of the square windows", unit="px"),
    s=Int(1, 100000, "stride", unit="px"),
    ms=Real(0, meaning="time of the classifier per window", unit="ms"),
    c=Vector(1, meaning="positions along a row, for each size"),
    r=Vector(1, meaning="positions along a column, for each size"),
    n=Int(1, meaning="number of windows of all sizes"),
    t=Real(meaning="time per image", unit="s"),
)


SLIDING_REUSE = Formula(
    "sliding-window-reuse",
    """
    n = (floor((W - w)/s) + 1)*(floor((H - w)/s) + 1)
    R = n*w^2/(W*H)
    """,
    title="How often a sliding window processes a pixel",
    source="derivation: n windows have n w^2 pixels, the image has W H; one pass of a convolution over the image "
    "processes each pixel once (Sermanet et al., OverFeat, 2014, arXiv:1312.6229)",
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    w=Int(1, 100000, "width and height of the window", unit="px"),
    s=Int(1, 100000, "stride", unit="px"),
    n=Int(1, meaning="number of windows"),
    R=Real(meaning="windows that a pixel is in, on average"),
)


LOCALIZATION_HEAD = Formula(
    "localization-head",
    """
    P_class = (F + 1)*K
    P_box = (F + 1)*4
    P_specific = (F + 1)*4*K
    """,
    title="Heads of classification and localization",
    source="derivation: a dense layer from F features has F weights and a bias per output; a box has 4 numbers, and "
    "with a box per class 4K",
    conventions="Dense layers with biases.",
    F=Int(1, 1000000, "number of features"),
    K=Int(2, 100000, "number of classes"),
    P_class=Int(meaning="parameters of the class head"),
    P_box=Int(meaning="parameters of a box head with one box"),
    P_specific=Int(meaning="parameters of a box head with a box per class"),
)


OBJECT_CELLS = Formula(
    "object-cells",
    "c = a*n/(W*s)",
    title="Size of an object on a feature map",
    source="derivation: resizing an image of W to n pixels scales its objects by n/W, and a map of stride s has one "
    "cell per s pixels",
    a=Real(0, 100000, "width of the object in the image", unit="px"),
    W=Int(1, 100000, "width of the image", unit="px"),
    n=Real(1, 100000, "width of the network's input", unit="px"),
    s=Int(1, 1024, "stride of the feature map", unit="px"),
    c=Real(0, meaning="width of the object on the feature map", unit="cells"),
)


def _to_corners(box: list[Value], format: str) -> list[Value]:
    a, b, c, d = box
    if format == "xyxy":
        return box
    if format == "xywh":
        return [a, b, a + c, b + d]
    return [a - Fraction(c) / 2, b - Fraction(d) / 2, a + Fraction(c) / 2, b + Fraction(d) / 2]


def _convert(boxes: list[list[Value]], format: str, W: int, H: int) -> dict[str, Any]:
    corners = [_to_corners(box, format) for box in boxes]
    for number, (x1, y1, x2, y2) in enumerate(corners, 1):
        if x1 >= x2 or y1 >= y2:
            raise UserError(f"Box {number} has no area as {format}. Check the format: xyxy, xywh or cxcywh.")
    sizes = [(x2 - x1, y2 - y1) for x1, y1, x2, y2 in corners]
    centers = [
        [x1 + Fraction(w) / 2, y1 + Fraction(h) / 2, w, h] for (x1, y1, *_), (w, h) in zip(corners, sizes, strict=True)
    ]
    return {
        "xyxy": corners,
        "xywh": [[x1, y1, w, h] for (x1, y1, *_), (w, h) in zip(corners, sizes, strict=True)],
        "cxcywh": centers,
        "normalized": [[Fraction(v) / size for v, size in zip(box, (W, H, W, H), strict=True)] for box in centers],
        "areas": [w * h for w, h in sizes],
    }


BOX_CONVERT = Formula(
    "box-convert",
    "",
    title="Boxes in all formats",
    source=FORMAT_SOURCE,
    conventions=NO_EXTRA_PIXEL,
    procedure=_convert,
    procedure_outputs="xyxy xywh cxcywh normalized areas",
    shapes="boxes[i, 4]",
    boxes=Matrix(meaning="one box per row", unit="px"),
    format=Word(words=("xyxy", "xywh", "cxcywh"), meaning="format of the boxes", default="xyxy"),
    W=Int(1, 1000000, "width of the image", unit="px", default=1),
    H=Int(1, 1000000, "height of the image", unit="px", default=1),
    xyxy=Matrix(meaning="corners: left, top, right, bottom"),
    xywh=Matrix(meaning="top left corner, width, height"),
    cxcywh=Matrix(meaning="center, width, height"),
    normalized=Matrix(meaning="center, width, height, divided by the image size"),
    areas=Vector(meaning="areas"),
)
