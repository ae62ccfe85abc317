"""Mask R-CNN, SAM and SAM 2: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice
from quizzes.content.object_detection.map.ranking import average_precision
from quizzes.content.segmentation.instance_and_promptable.sampling import align_region, sample_points
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Box, Int, Matrix, Real, Shape, Vector, Word
from workbench.errors import UserError

MASK_SOURCE = "He et al., Mask R-CNN, 2017 (arXiv:1703.06870)"

SAM_SOURCE = "Kirillov et al., Segment anything, 2023 (arXiv:2304.02643)"

SAM2_SOURCE = "Ravi et al., SAM 2, 2024 (arXiv:2408.00714)"


def _align(X: list[list[Value]], roi: list[Value], s: int, k: int, n: int, aligned: int) -> dict[str, Any]:
    xs = sample_points(roi[0], roi[2], s, k, n, aligned)
    ys = sample_points(roi[1], roi[3], s, k, n, aligned)
    bins = align_region(X, ys, xs, n)
    return {"x": xs, "y": ys, "O": [[sum(values) / len(values) for values in row] for row in bins]}


ROI_ALIGN = Formula(
    "roi-align",
    "",
    title="RoIAlign of a map",
    source=f"{MASK_SOURCE}; torchvision documentation, roi_align",
    conventions="""
Nothing is rounded. Cell (0, 0) of the map has the coordinates (0, 0). Each bin has n x n sampling points, evenly
spaced, and its value is the mean of their bilinear values. With aligned = 1, half a cell is subtracted from the
coordinates of the region, because pixel coordinates count from the edge of a cell.
""",
    procedure=_align,
    procedure_outputs="x y O",
    X=Matrix(meaning="feature map"),
    roi=Box(meaning="region of interest: corners x1, y1, x2, y2", unit="px"),
    s=Int(1, 1024, "stride of the feature map", unit="px", default=16),
    k=Int(1, 100, "height and width of the output", default=2),
    n=Int(1, 10, "sampling points per side of a bin", default=2),
    aligned=Int(0, 1, "1 to subtract half a cell from the coordinates, 0 for the first version", default=1),
    x=Vector(meaning="x of the sampling points on the map, from left to right"),
    y=Vector(meaning="y of the sampling points on the map, from top to bottom"),
    O=Matrix(meaning="output"),
)


ROI_POINT = Formula(
    "roi-align-point",
    "v = (1 - x)*(1 - y)*a + x*(1 - y)*b + (1 - x)*y*c + x*y*d",
    title="Value of a sampling point of RoIAlign",
    source=f"{MASK_SOURCE}: bilinear interpolation from the four nearest cells",
    x=Real(0, 1, "x of the point, from the left cells"),
    y=Real(0, 1, "y of the point, from the upper cells"),
    a=Real(meaning="value of the cell at the upper left"),
    b=Real(meaning="value of the cell at the upper right"),
    c=Real(meaning="value of the cell at the lower left"),
    d=Real(meaning="value of the cell at the lower right"),
    v=Real(meaning="value at the point"),
)


ROI_POSITIONS = Formula(
    "roi-align-positions",
    """
    first = x1/s - h
    bin = (x2 - x1)/(s*k)
    x = first + i*bin + (j + 1/2)*bin/n
    """,
    title="Sampling points of RoIAlign along x",
    source=f"{MASK_SOURCE}; torchvision documentation, roi_align",
    conventions="Bins and sampling points are numbered from 0.",
    x1=Real(0, 100000, "left edge of the region", unit="px"),
    x2=Real(0, 100000, "right edge of the region", unit="px"),
    s=Int(1, 1024, "stride of the feature map", unit="px"),
    k=Int(1, 100, "bins per row"),
    n=Int(1, 10, "sampling points per side of a bin"),
    h=Real(0, 0.5, "part of a cell that is subtracted: 0.5 if aligned, else 0"),
    i=Int(0, 99, "number of the bin"),
    j=Int(0, 9, "number of the sampling point in its bin"),
    first=Real(meaning="left edge of the region on the map", unit="cells"),
    bin=Real(meaning="width of a bin", unit="cells"),
    x=Real(meaning="x of the sampling point", unit="cells"),
)


ROI_SHIFT = Formula(
    "roi-pool-shift",
    """
    exact = x1/s
    cell = floor(x1/s + 1/2)
    shift = abs(s*cell - x1)
    mask_shift = shift*m/(x2 - x1)
    """,
    title="Misalignment that RoIPool causes",
    source=f"{MASK_SOURCE}: RoIPool rounds x/16, RoIAlign uses x/16",
    x1=Int(0, 100000, "left edge of the region", unit="px"),
    x2=Int(1, 100000, "right edge of the region", unit="px"),
    s=Int(1, 1024, "stride of the feature map", unit="px"),
    m=Int(1, 1000, "width of the mask that is predicted", unit="cells", default=28),
    exact=Real(meaning="left edge on the map with RoIAlign", unit="cells"),
    cell=Int(meaning="left edge on the map with RoIPool", unit="cells"),
    shift=Real(meaning="misalignment in the image", unit="px"),
    mask_shift=Real(meaning="misalignment in the mask", unit="cells"),
)


def _mask_shapes(N: int, K: int, r: int, C: int) -> dict[str, list[int]]:
    return {"features": [N, C, r, r], "masks": [N, K, 2 * r, 2 * r]}


MASK_HEAD = Formula(
    "maskrcnn-head",
    """
    logits = 4*N*K*r^2
    final = 4*N*r^2
    """,
    title="Output of Mask R-CNN's mask head",
    source=f"{MASK_SOURCE}: RoIAlign to 14x14, then a transposed convolution to 28x28",
    conventions="The background has no mask. Shapes are N x C x H x W.",
    procedure=_mask_shapes,
    procedure_outputs="features masks",
    N=Int(1, 100000, "number of regions"),
    K=Int(1, 10000, "number of classes, without the background"),
    r=Int(1, 100, "height and width after RoIAlign", default=14),
    C=Int(1, 10000, "channels of the feature map", default=256),
    features=Shape(meaning="shape after RoIAlign"),
    masks=Shape(meaning="shape of the mask logits"),
    logits=Int(meaning="number of mask logits"),
    final=Int(meaning="number of logits of the masks of the predicted classes"),
)


MASK_HEAD_PARAMS = Formula(
    "maskrcnn-head-params",
    """
    P_conv = t*(9*C + 1)*C
    P_up = (4*C + 1)*C
    P_out = (C + 1)*K
    P = P_conv + P_up + P_out
    """,
    title="Parameters of Mask R-CNN's mask head",
    source=f"{MASK_SOURCE}, figure 4 (with FPN): 3x3 convolutions, a 2x2 transposed convolution of stride 2, and a 1x1 "
    "convolution",
    conventions="All layers have biases and C output channels, except for the last one.",
    C=Int(1, 10000, "number of channels", default=256),
    t=Int(1, 20, "number of 3x3 convolutions", default=4),
    K=Int(1, 10000, "number of classes"),
    P_conv=Int(meaning="parameters of the 3x3 convolutions"),
    P_up=Int(meaning="parameters of the transposed convolution"),
    P_out=Int(meaning="parameters of the 1x1 convolution"),
    P=Int(meaning="number of all parameters"),
)


def _row_of_class(Z: list[list[Value]], g: list[Value], c: Value) -> dict[str, list[Value]]:
    if not 0 <= c < len(Z):
        raise UserError(f"c must be a class from 0 to {len(Z) - 1}, not {int(c)}.")
    return {"z": Z[int(c)]}


MASK_LOSS = Formula(
    "mask-loss",
    "L = mean(i, softplus(z[i]) - g[i]*z[i])",
    title="Mask loss of Mask R-CNN",
    source=f"{MASK_SOURCE}: the mean binary cross-entropy of the mask of the true class; the other masks "
    "don't contribute; derivation: -g ln sigmoid(z) - (1 - g) ln(1 - sigmoid(z)) = ln(1 + exp(z)) - g z",
    conventions="Natural logarithm. Classes are numbered from 0.",
    shapes="Z[k, i]; g[i]",
    procedure=_row_of_class,
    procedure_outputs="z",
    Z=Matrix(meaning="mask logits: a row per class, a column per pixel"),
    g=Vector(0, 1, "true mask of the object"),
    c=Int(0, 1000, "true class"),
    z=Vector(meaning="logits of the mask of the true class"),
    L=Real(meaning="mask loss"),
)


def _mask_ap(iou: list[Value], n: int) -> dict[str, Value]:
    if sum(value > 0 for value in iou) > n:
        raise UserError(f"n must be at least the number of detections with an object, not {int(n)}.")

    def ap(percent: int) -> Fraction:
        return Fraction(average_precision([int(100 * value >= percent) for value in iou], n))

    values = [ap(percent) for percent in range(50, 100, 5)]
    return {"AP50": values[0], "AP75": values[5], "AP": sum(values) / len(values)}


MASK_AP = Formula(
    "mask-ap",
    "",
    title="COCO's AP of masks",
    source="COCO evaluation (pycocotools.cocoeval): as for boxes, with the IoU of masks, averaged over ten thresholds",
    conventions="Each detection has an object of its own, or none (IoU 0). AP is the area under the envelope of "
    "precision over recall, with every recall in place of 101.",
    procedure=_mask_ap,
    procedure_outputs="AP50 AP75 AP",
    iou=Vector(0, 1, "mask IoU of each detection with its object, best score first"),
    n=Int(1, 1000, "number of objects"),
    AP50=Real(meaning="AP at IoU 0.50"),
    AP75=Real(meaning="AP at IoU 0.75"),
    AP=Real(meaning="mean over the IoU thresholds 0.50, 0.55, ..., 0.95"),
)


def _sam_shapes(S: int, p: int, masks: str) -> dict[str, Any]:
    if S % p:
        raise UserError(f"The image size S must be a multiple of the patch size, {int(p)}, not {int(S)}.")
    grid, count = S // p, 3 if masks == "several" else 1
    return {"embedding": [256, grid, grid], "low": [count, 4 * grid, 4 * grid]}


SAM_SHAPES = Formula(
    "sam-shapes",
    """
    n = (S/p)^2
    up = p/4
    """,
    title="Shapes of SAM",
    source=f"{SAM_SOURCE}, appendix A: a 1024x1024 image, 64x64 embedding with 256 channels, upscaled 4 times",
    conventions="Shapes are C x H x W. SAM outputs 3 masks for an ambiguous prompt, and 1 otherwise.",
    procedure=_sam_shapes,
    procedure_outputs="embedding low",
    S=Int(16, 10000, "height and width of the image", unit="px", default=1024),
    p=Int(4, 1000, "patch size", unit="px", default=16),
    masks=Word(words=("several", "single"), meaning="masks per prompt", default="several"),
    n=Int(meaning="number of tokens of the image encoder"),
    embedding=Shape(meaning="shape of the image embedding"),
    low=Shape(meaning="shape of the low-resolution mask logits"),
    up=Real(meaning="factor by which masks are enlarged to the image"),
)


SAM_TOKENS = Formula(
    "sam-tokens",
    """
    sparse = points + 2*box + (1 - box)*[points > 0]
    tokens = 5 + sparse
    self_pairs = tokens^2
    image_pairs = tokens*n
    """,
    title="Tokens of SAM's mask decoder",
    source=f"{SAM_SOURCE}, appendix A: a point is a token, a box two; the official code (segment_anything) adds a "
    f"padding "
    "token to points without a box, and has 1 IoU token and 4 mask tokens",
    points=Int(0, 1000, "number of points"),
    box=Int(0, 1, "1 with a box, else 0"),
    n=Int(1, 1000000, "number of image tokens", default=4096),
    sparse=Int(meaning="number of prompt tokens"),
    tokens=Int(meaning="number of tokens, with those of the outputs"),
    self_pairs=Int(meaning="query-key pairs of the self-attention of the tokens"),
    image_pairs=Int(meaning="query-key pairs of the attention from tokens to the image"),
)


SAM_WINDOWS = Formula(
    "sam-windows",
    """
    padded = w*ceil(g/w)
    windows = (padded/w)^2
    local = windows*w^4
    whole = g^4
    ratio = whole/local
    """,
    title="Windowed attention of SAM's image encoder",
    source=f"{SAM_SOURCE}, appendix A: 14x14 windowed attention and four equally-spaced global attention blocks; Li et "
    "al., ViTDet, 2022 (arXiv:2203.16527)",
    conventions="The grid is padded to whole windows, and padding tokens count.",
    g=Int(1, 1000, "height and width of the grid of tokens", default=64),
    w=Int(1, 1000, "height and width of a window", unit="tokens", default=14),
    padded=Int(meaning="height and width of the padded grid", unit="tokens"),
    windows=Int(meaning="number of windows"),
    local=Int(meaning="query-key pairs of windowed attention"),
    whole=Int(meaning="query-key pairs of global attention"),
    ratio=Real(meaning="ratio of global to windowed pairs"),
)


SAM_MASK_HEAD = Formula(
    "sam-mask-head",
    """
    c = C/8
    size = 4*g
    P = 9*C^2/8 + 3*C/8
    M = c*size^2*m
    """,
    title="Upscaling and masks of SAM's decoder",
    source=f"{SAM_SOURCE}, appendix A: two 2x2 transposed convolutions of stride 2 to C/4 and C/8 channels; a mask is "
    f"the "
    "product of the embedding with the vector that an MLP computes from its token; derivation: 4 C C/4 + C/4 and "
    "4 C/4 C/8 + C/8 parameters",
    integer_constraints="C/8",
    C=Int(8, 10000, "channels of the image embedding", default=256),
    g=Int(1, 1000, "height and width of the embedding", default=64),
    m=Int(1, 100, "number of masks", default=4),
    c=Int(meaning="channels of the upscaled embedding"),
    size=Int(meaning="height and width of the masks", unit="px"),
    P=Int(meaning="parameters of the two transposed convolutions, with biases"),
    M=Int(meaning="MACs of the products of embedding and mask vectors"),
)


SAM_LOSS = Formula(
    "sam-loss",
    """
    t[m] = 20*f[m] + d[m]
    best = argmax(m, -t[m])
    L = min(t) + sum(m, [m = best]*(s[m] - u[m])^2)
    pick = argmax(s)
    """,
    title="SAM's loss of several masks",
    source=f"{SAM_SOURCE}: focal and Dice loss 20:1, backpropagated for the best mask alone; "
    "the IoU prediction has a squared error with factor 1",
    conventions="Masks are numbered from 1. The squared error is that of the best mask.",
    shapes="f[m]; d[m]; s[m]; u[m]",
    f=Vector(0, meaning="focal loss of each mask"),
    d=Vector(0, 1, "Dice loss of each mask"),
    s=Vector(0, 1, "predicted IoU of each mask"),
    u=Vector(0, 1, "true IoU of each mask"),
    t=Vector(meaning="mask loss of each mask"),
    best=Int(meaning="mask with the smallest loss"),
    L=Real(meaning="loss"),
    pick=Int(meaning="mask that is output if one is requested"),
)


SAM_CLICK = Formula(
    "sam-ambiguous-click",
    """
    p = r
    L = -(b - a)/b*(r*ln(r) + (1 - r)*ln(1 - r))
    d_part = 2*a/(2*a + (b - a)*r)
    d_whole = 2*(a + (b - a)*r)/(a + (b - a)*r + b)
    hard = where(r > 1/2, 1, 2)
    """,
    title="A single mask for an ambiguous click",
    source=f"{SAM_SOURCE}: resolving ambiguity; derivation: -r ln p - (1 - r) ln(1 - p) is smallest at p = "
    f"r; "
    "the pixels of the part are foreground in every target",
    conventions="Natural logarithm. Soft Dice is 2 sum(p g)/(sum p + sum g).",
    a=Int(1, 1000000, "pixels of the part"),
    b=Int(2, 1000000, "pixels of the whole object, with the part"),
    r=Real(0, 1, "share of the images whose target is the whole object"),
    p=Real(meaning="probability of the pixels outside of the part"),
    L=Real(meaning="mean binary cross-entropy over the object"),
    d_part=Real(meaning="soft Dice with the part"),
    d_whole=Real(meaning="soft Dice with the whole object"),
    hard=Choice(
        meaning="mask after thresholding at 0.5",
        options=dict(
            whole="the whole object, whatever the user means",
            part="the part, whatever the user means",
            mixed="the part with half of the other pixels",
        ),
        supported_by="p",
    ),
)


SAM2_MEMORY = Formula(
    "sam2-memory",
    """
    n = (N + M)*g^2 + 4*q
    values = 64*n
    MiB = values*bytes/2^20
    pairs = g^2*n
    """,
    title="Tokens of SAM 2's memory",
    source=f"{SAM2_SOURCE}: N recent and M prompted frames, memories with 64 "
    "channels, and object pointers of 256 values, split into 4 tokens of 64",
    N=Int(0, 1000, "number of recent frames", default=6),
    M=Int(0, 1000, "number of prompted frames", default=1),
    q=Int(0, 1000, "number of object pointers"),
    g=Int(1, 1000, "height and width of a memory: 64 for 1024 px at stride 16", default=64),
    bytes=Int(1, 8, "bytes per value", default=2),
    n=Int(meaning="number of memory tokens"),
    values=Int(meaning="number of values"),
    MiB=Real(meaning="memory", unit="MiB"),
    pairs=Int(meaning="query-key pairs of the attention of a frame to the memory"),
)


def _remember(t: int, N: int, prompted: list[Value], **_: Value) -> dict[str, Any]:
    if any(frame != int(frame) or not 0 <= frame < t for frame in prompted):
        raise UserError(f"prompted must have frames from 0 to {int(t) - 1}, those before frame {int(t)}.")
    recent = [frame for frame in range(int(t)) if frame not in prompted][-int(N) :] if N else []
    frames = sorted({*map(int, prompted), *recent})
    return {"frames": frames, "count": len(frames), "oldest": min(recent, default=-1)}


SAM2_BANK = Formula(
    "sam2-bank",
    "n = count*g^2",
    title="Frames in SAM 2's memory bank",
    source=f"{SAM2_SOURCE}: a first-in-first-out queue of recent frames, and another one of prompted frames",
    conventions="Frames are numbered from 0. All prompted frames stay, and the N most recent frames without a prompt.",
    procedure=_remember,
    procedure_outputs="frames count oldest",
    t=Int(1, 100000, "number of the current frame"),
    N=Int(0, 100, "size of the queue of recent frames", default=6),
    prompted=Vector(0, meaning="prompted frames before the current one"),
    g=Int(1, 1000, "height and width of a memory", default=64),
    frames=Vector(meaning="frames in the memory, in increasing order"),
    count=Int(meaning="number of frames in the memory"),
    oldest=Int(-1, meaning="oldest frame without a prompt in the memory; -1 for none"),
    n=Int(meaning="number of spatial memory tokens"),
)
