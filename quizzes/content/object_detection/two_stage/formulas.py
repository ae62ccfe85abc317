"""R-CNN, Fast R-CNN, Faster R-CNN: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice
from quizzes.content.object_detection.two_stage.regions import merge_regions, roi_bins
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Box, Distribution, Int, Matrix, Real, Shape, Table, Vector
from workbench.errors import UserError

RCNN_SOURCE = "Girshick et al., R-CNN, 2014 (arXiv:1311.2524)"

FAST_SOURCE = "Girshick, Fast R-CNN, 2015 (arXiv:1504.08083)"

FASTER_SOURCE = "Ren et al., Faster R-CNN, 2015 (arXiv:1506.01497)"

FPN_SOURCE = "Lin et al., Feature pyramid networks, 2017 (arXiv:1612.03144)"

SEARCH_SOURCE = "Uijlings et al., Selective search for object recognition, 2013"

STRIDE = Int(1, 1024, "stride of the feature map", unit="px")


def _pool_region(X: list[list[Value]], roi: list[Value], s: int, k: int) -> dict[str, Any]:
    rows = roi_bins(roi[1], roi[3], s, k, len(X))
    columns = roi_bins(roi[0], roi[2], s, k, len(X[0]))
    output = [
        [max((X[i][j] for i in range(*row) for j in range(*column)), default=0) for column in columns] for row in rows
    ]
    return {"rows": [list(row) for row in rows], "columns": [list(column) for column in columns], "O": output}


ROI_POOL = Formula(
    "roi-pool",
    "",
    title="RoI pooling of a map",
    source=f"{FAST_SOURCE}, section 2.1; rounding as in the official code and torchvision",
    conventions="""
The corners are divided by the stride and rounded, halves up. The cells of both corners belong to the region. Of n rows,
bin i (from 0) has those from floor(i n/k) to ceil((i + 1) n/k), without the last, so bins may overlap. Cells outside of
the map are left out, and an empty bin has the value 0.
""",
    procedure=_pool_region,
    procedure_outputs="rows columns O",
    X=Matrix(meaning="feature map"),
    roi=Box(0, meaning="region of interest: corners x1, y1, x2, y2", unit="px"),
    s=Int(1, 1024, "stride of the feature map", unit="px", default=16),
    k=Int(1, 100, "height and width of the output", default=2),
    rows=Matrix(meaning="first row of each row of bins, and the row after its last"),
    columns=Matrix(meaning="first column of each column of bins, and the column after its last"),
    O=Matrix(meaning="output"),
)


ROI_BINS = Formula(
    "roi-bins",
    """
    a = floor(i*n/k)
    b = ceil((i + 1)*n/k)
    c = b - a
    """,
    title="Rows of a bin of RoI pooling",
    source=f"{FAST_SOURCE}, section 2.1; rounding as in the official code and torchvision",
    conventions="Rows and bins are numbered from 0.",
    n=Int(1, 1000, "rows of the region on the feature map"),
    k=Int(1, 100, "rows of the output"),
    i=Int(0, 99, "number of the bin, from 0"),
    a=Int(0, meaning="first row of the bin"),
    b=Int(0, meaning="row after the last one of the bin"),
    c=Int(0, meaning="number of rows of the bin"),
)


RPN_OUTPUT = Formula(
    "rpn-output",
    """
    rows = floor(H/s)
    columns = floor(W/s)
    n = rows*columns*k
    c_obj = o*k
    c_box = 4*k
    """,
    title="Anchors and output channels of a region proposal network",
    source=f"{FASTER_SOURCE}, section 3.1",
    conventions="The size of the feature map is rounded down, as by the pooling layers of VGG16.",
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    s=Int(1, 1024, "stride of the feature map", unit="px", default=16),
    k=Int(1, 1000, "anchors per position", default=9),
    o=Int(1, 2, "objectness outputs per anchor: 2 with softmax, 1 with sigmoid", default=2),
    rows=Int(meaning="height of the feature map"),
    columns=Int(meaning="width of the feature map"),
    n=Int(meaning="number of anchors"),
    c_obj=Int(meaning="channels of the objectness output"),
    c_box=Int(meaning="channels of the box output"),
)


RPN_PARAMS = Formula(
    "rpn-params",
    """
    P_conv = (9*C + 1)*C
    P_obj = (C + 1)*o*k
    P_box = (C + 1)*4*k
    P = P_conv + P_obj + P_box
    """,
    title="Parameters of a region proposal network",
    source=f"{FASTER_SOURCE}, section 3.1: a 3x3 convolution, then two 1x1 convolutions",
    conventions="All convolutions have biases; the 3x3 convolution keeps the number of channels.",
    C=Int(1, 100000, "channels of the feature map"),
    k=Int(1, 1000, "anchors per position", default=9),
    o=Int(1, 2, "objectness outputs per anchor: 2 with softmax, 1 with sigmoid", default=2),
    P_conv=Int(meaning="parameters of the 3x3 convolution"),
    P_obj=Int(meaning="parameters of the objectness output"),
    P_box=Int(meaning="parameters of the box output"),
    P=Int(meaning="number of all parameters"),
)


ANCHOR_ENCODE = Formula(
    "anchor-encode",
    """
    tx = (x - xa)/wa
    ty = (y - ya)/ha
    tw = ln(w/wa)
    th = ln(h/ha)
    """,
    title="Offsets of a box from its anchor",
    source=f"{RCNN_SOURCE}, appendix C; {FASTER_SOURCE}, equation 2",
    conventions="x and y are centers.",
    xa=Real(meaning="x of the anchor's center", unit="px"),
    ya=Real(meaning="y of the anchor's center", unit="px"),
    wa=Real(0, meaning="width of the anchor", unit="px"),
    ha=Real(0, meaning="height of the anchor", unit="px"),
    x=Real(meaning="x of the box's center", unit="px"),
    y=Real(meaning="y of the box's center", unit="px"),
    w=Real(0, meaning="width of the box", unit="px"),
    h=Real(0, meaning="height of the box", unit="px"),
    tx=Real(meaning="offset of x"),
    ty=Real(meaning="offset of y"),
    tw=Real(meaning="offset of the width"),
    th=Real(meaning="offset of the height"),
)


ANCHOR_DECODE = Formula(
    "anchor-decode",
    """
    x = xa + wa*tx
    y = ya + ha*ty
    w = wa*exp(tw)
    h = ha*exp(th)
    """,
    title="Box at some offsets from its anchor",
    source=f"{RCNN_SOURCE}, appendix C; {FASTER_SOURCE}, equation 2",
    conventions="x and y are centers.",
    xa=Real(meaning="x of the anchor's center", unit="px"),
    ya=Real(meaning="y of the anchor's center", unit="px"),
    wa=Real(0, meaning="width of the anchor", unit="px"),
    ha=Real(0, meaning="height of the anchor", unit="px"),
    tx=Real(meaning="offset of x"),
    ty=Real(meaning="offset of y"),
    tw=Real(-10, 10, "offset of the width"),
    th=Real(-10, 10, "offset of the height"),
    x=Real(meaning="x of the box's center", unit="px"),
    y=Real(meaning="y of the box's center", unit="px"),
    w=Real(0, meaning="width of the box", unit="px"),
    h=Real(0, meaning="height of the box", unit="px"),
)


ANCHOR_ENCODE_CORNERS = Formula(
    "anchor-encode-corners",
    """
    tx = (B[1] + B[3] - A[1] - A[3])/(2*(A[3] - A[1]))
    ty = (B[2] + B[4] - A[2] - A[4])/(2*(A[4] - A[2]))
    tw = ln((B[3] - B[1])/(A[3] - A[1]))
    th = ln((B[4] - B[2])/(A[4] - A[2]))
    """,
    title="Offsets of a box from its anchor, from the corners",
    source=f"{RCNN_SOURCE}, appendix C; {FASTER_SOURCE}, equation 2; derivation: a center is the mean of two corners",
    A=Box(meaning="anchor: corners x1, y1, x2, y2", unit="px"),
    B=Box(meaning="box: corners x1, y1, x2, y2", unit="px"),
    tx=Real(meaning="offset of x"),
    ty=Real(meaning="offset of y"),
    tw=Real(meaning="offset of the width"),
    th=Real(meaning="offset of the height"),
)


FPN_LEVEL = Formula(
    "fpn-level",
    """
    size = sqrt(w*h)
    x = k0 + log2(size/224)
    level = max(k_min, min(k_max, floor(x)))
    cells = w/2^level
    """,
    title="Pyramid level of a region of interest",
    source=f"{FPN_SOURCE}, equation 1",
    conventions="Level k has stride 2^k. Smaller and larger levels are clamped to those of the pyramid.",
    w=Real(1, 100000, "width of the region", unit="px"),
    h=Real(1, 100000, "height of the region", unit="px"),
    k0=Int(0, 20, "level of a region of 224x224 px", default=4),
    k_min=Int(0, 20, "lowest level", default=2),
    k_max=Int(0, 20, "highest level", default=5),
    size=Real(meaning="square root of the area", unit="px"),
    x=Real(meaning="level before rounding"),
    level=Int(meaning="level of the pyramid"),
    cells=Real(meaning="width of the region on the map of that level", unit="cells"),
)


def _assign(iou: list[list[Value]], high: Value, low: Value, best: int) -> dict[str, Any]:
    if low > high:
        raise UserError(f"low must be at most high, not {float(low):g} > {float(high):g}.")
    labels = []
    for column in zip(*iou, strict=True):
        largest = max(column)
        number = column.index(largest) + 1
        is_best = best and any(value > 0 and value == max(row) for value, row in zip(column, iou, strict=True))
        labels.append(number if largest >= high or is_best else 0 if largest < low else -1)
    return {"label": labels, "n": sum(label > 0 for label in labels)}


ANCHOR_ASSIGN = Formula(
    "anchor-assign",
    "",
    title="Assignment of anchors to objects by IoU",
    source=f"{FASTER_SOURCE}, section 3.1.2",
    conventions="Objects are numbered from 1. An anchor that is the best one of any object gets the object with which "
    "its own IoU is largest.",
    procedure=_assign,
    procedure_outputs="label n",
    iou=Matrix(0, 1, "IoU: a row per object, a column per anchor"),
    high=Real(0, 1, "an anchor with at least this IoU is positive", default=0.7),
    low=Real(0, 1, "an anchor whose IoU is below this with all objects is background", default=0.3),
    best=Int(0, 1, "whether the best anchor of an object is positive in any case: 1 yes, 0 no", default=1),
    label=Vector(-1, meaning="object of each anchor; 0 for background, -1 for ignored"),
    n=Int(0, meaning="number of positive anchors"),
)


REGION_SIMILARITY = Formula(
    "region-similarity",
    """
    color = sum(j, min(p[j], q[j]))
    small = 1 - (a + b)/N
    fill = 1 - (box - a - b)/N
    S = color + small + fill
    """,
    title="Similarity of two regions in selective search",
    source=f"{SEARCH_SOURCE}, section 3.2; its texture term is left out here",
    conventions="Histograms sum to 1. All terms have the weight 1.",
    p=Distribution(0, 1, "color histogram of the first region"),
    q=Distribution(0, 1, "color histogram of the second region"),
    a=Int(1, meaning="size of the first region", unit="px"),
    b=Int(1, meaning="size of the second region", unit="px"),
    box=Int(1, meaning="area of the smallest box around both", unit="px"),
    N=Int(1, meaning="size of the image", unit="px"),
    color=Real(meaning="color similarity"),
    small=Real(meaning="size similarity: large if both regions are small"),
    fill=Real(meaning="fill similarity: large if the regions fill their box"),
    S=Real(meaning="similarity"),
)


def _merge_all(X: list[list[Value]], R: list[list[Value]]) -> dict[str, Any]:
    table = [merge.row(step) for step, merge in enumerate(merge_regions(X, R), 1)]
    return {"n": len(table), "table": table}


SELECTIVE_SEARCH = Formula(
    "selective-search",
    "",
    title="Merging of regions in selective search",
    source=f"{SEARCH_SOURCE}, sections 3.1 and 3.2; its texture term is left out here",
    conventions="""
The similarity of two neighboring regions is the sum of three terms: the intersection of their histograms of the levels
in X, 1 minus their share of the image, and 1 minus the share of the image that the box around both has in addition to
them. Regions are neighbors if two of their pixels share an edge. Of equal similarities, the pair with the smaller
numbers is merged. A box has the corners x1, y1, x2, y2, of which the second is behind the last pixel.
""",
    procedure=_merge_all,
    procedure_outputs="n table",
    X=Matrix(meaning="level of each pixel"),
    R=Matrix(0, meaning="region of each pixel"),
    n=Int(0, meaning="number of merges"),
    table=Table(meaning="merged regions with their similarity and box"),
)


def _best_detector(
    N: int,
    budget: Value,
    search: Value,
    fast: Value,
    each: Value,
    backbone: Value,
    rpn: Value,
    ssd: Value,
    yolo: Value,
    ap: list[Value],
) -> dict[str, Any]:
    times = [search + fast + each * N, backbone + rpn + each * N, ssd, yolo]
    fitting = [k for k, time in enumerate(times) if time <= budget]
    if not fitting:
        raise UserError("No detector is within the budget. Increase it.")
    best = max(fitting, key=lambda k: ap[k])
    return {"times": times, "best": list(DETECTORS)[best], "latency": times[best]}


DETECTORS = dict(fast="Fast R-CNN", faster="Faster R-CNN", ssd="SSD", yolo="YOLO")


DETECTOR_LATENCY = Formula(
    "detector-latency",
    "most = floor((budget - backbone - rpn)/each)",
    title="Best detector within a time budget",
    source=f"{FAST_SOURCE}; {FASTER_SOURCE}; derivation: the time of a two-stage detector is that of its proposals, "
    "its "
    "backbone, and its head once per proposal",
    procedure=_best_detector,
    procedure_outputs="times best latency",
    N=Int(1, 100000, "number of proposals"),
    budget=Real(0, meaning="time budget per image", unit="ms"),
    search=Real(0, meaning="time of selective search", unit="ms"),
    fast=Real(0, meaning="time of Fast R-CNN's backbone", unit="ms"),
    each=Real(0, meaning="time of the head per proposal", unit="ms"),
    backbone=Real(0, meaning="time of Faster R-CNN's backbone", unit="ms"),
    rpn=Real(0, meaning="time of the region proposal network", unit="ms"),
    ssd=Real(0, meaning="time of SSD", unit="ms"),
    yolo=Real(0, meaning="time of YOLO", unit="ms"),
    ap=Vector(0, 100, "AP of the four detectors"),
    times=Vector(meaning="times of the four detectors", unit="ms"),
    best=Choice(meaning="detector with the best AP within the budget", options=DETECTORS, supported_by="latency"),
    latency=Real(meaning="its time per image", unit="ms"),
    most=Int(0, meaning="largest number of proposals with which Faster R-CNN stays within the budget"),
)


def _mask_shape(D: int, K: int, **_: Value) -> dict[str, list[int]]:
    return {"masks": [D, K, 28, 28]}


RPN_CHAIN = Formula(
    "rpn-chain",
    """
    n = floor(W/s)*floor(H/s)*k
    P = (9*C + 1)*C + (C + 1)*5*k
    bin = (roi[3] - roi[1])/(s*g)
    center = roi[1]/s + bin/2
    P_fc = (g^2*C + 1)*F
    M_fc = g^2*C*F*n_rois
    """,
    title="From anchors to the heads of a two-stage detector",
    source=f"{FASTER_SOURCE}; He et al., Mask R-CNN, 2017 (arXiv:1703.06870)",
    conventions="One objectness logit per anchor. RoIAlign does not round; without the shift of half a cell.",
    shapes="roi[4]",
    procedure=_mask_shape,
    procedure_outputs="masks",
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    s=STRIDE,
    C=Int(1, 100000, "channels of the feature map"),
    k=Int(1, 1000, "anchors per position"),
    roi=Box(meaning="region of interest: corners x1, y1, x2, y2", unit="px"),
    g=Int(1, 100, "height and width of the RoIAlign grid"),
    F=Int(1, 100000, "outputs of the first dense layer"),
    n_rois=Int(1, 100000, "number of regions"),
    D=Int(1, 100000, "number of boxes with masks"),
    K=Int(1, 100000, "number of classes"),
    n=Int(meaning="number of anchors"),
    P=Int(meaning="parameters of the region proposal network"),
    bin=Real(meaning="width of a bin on the feature map", unit="cells"),
    center=Real(meaning="x of the center of the first bin on the feature map", unit="cells"),
    P_fc=Int(meaning="parameters of the first dense layer"),
    M_fc=Int(meaning="MACs of the first dense layer for all regions"),
    masks=Shape(meaning="shape of the mask logits"),
)
