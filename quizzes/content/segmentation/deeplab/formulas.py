"""DeepLab: output stride, dilation, ASPP and the CRF: formulas."""

from collections.abc import Sequence
from math import ceil
from typing import Any

from quizzes.answer_symbols import Choice, Line
from quizzes.content.segmentation.deeplab.mean_field import (
    Rows,
    Widths,
    best_labels,
    check_pixels,
    infer,
    kernel_matrix,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Table, Vector
from workbench.errors import UserError

V1 = "Chen et al., DeepLab v1, 2015 (arXiv:1412.7062)"

V2 = "Chen et al., DeepLab v2, 2017 (arXiv:1606.00915)"

V3 = "Chen et al., DeepLab v3, 2017 (arXiv:1706.05587)"

V3PLUS = "Chen et al., DeepLab v3+, 2018 (arXiv:1802.02611)"

CRF_SOURCE = "Krähenbühl & Koltun, Efficient inference in fully connected CRFs, 2011 (arXiv:1210.5644)"

HDC = "Wang et al., Understanding convolution for semantic segmentation, 2018 (arXiv:1702.08502)"


def dilate_strides(s: Sequence[Value], c: int) -> tuple[list[int], list[int]]:
    """Return the strides and the dilations of layers after the last c strides above 1 were replaced by dilation.

    Raises:
        UserError: If fewer strides are above 1.
    """
    strides = [int(value) for value in s]
    above = [k for k, stride in enumerate(strides) if stride > 1]
    if c > len(above):
        raise UserError(f"Only {len(above)} of the strides are above 1, so at most {len(above)} can be replaced.")
    replaced = set(above[len(above) - c :])
    rates, rate = [], 1
    for k, stride in enumerate(strides):
        rates.append(rate)  # a layer still has the dilation of the one before; what it skipped, the next ones skip
        rate *= stride if k in replaced else 1
    return [1 if k in replaced else stride for k, stride in enumerate(strides)], rates


def _output_strides(n: int, s: Sequence[Value], c: int) -> dict[str, Any]:
    strides, rates = dilate_strides(s, c)
    size, jump, table = n, 1, []
    for number, (stride, rate) in enumerate(zip(strides, rates, strict=True), 1):
        size, jump = ceil(size / stride), jump * stride
        table.append({"layer": number, "stride": stride, "dilation": rate, "output stride": jump, "size": size})
    return {"S": jump, "d": rates, "o": size, "table": table}


OUTPUT_STRIDE = Formula(
    "output-stride",
    "",
    title="Output stride and dilations after strides were replaced",
    source=f"{V3}: an output stride of 8 needs rates of 2 and 4 in the layers behind removed strides",
    conventions="""
The output stride is the input size divided by that of the map. The last c strides above 1 become 1, and all layers
behind a removed stride are dilated by it, so that their weights see the same inputs as before. Padding keeps the size
at stride 1; a size that the stride does not divide is rounded up.
""",
    procedure=_output_strides,
    procedure_outputs="S d o table",
    n=Int(1, 100000, "size of the image", unit="px"),
    s=Vector(1, 64, "strides of the layers, first to last"),
    c=Int(0, 64, "number of strides that are replaced by dilation", default=0),
    S=Int(1, meaning="output stride"),
    d=Vector(1, meaning="dilation of each layer"),
    o=Int(1, meaning="size of the last map", unit="px"),
    table=Table(meaning="stride, dilation and size of each layer"),
)


RESNET_STRIDE = Formula(
    "output-stride-resnet",
    """
    S = 32/2^c
    o = ceil(n/S)
    rate = 2^c
    A = 4^c
    """,
    title="ResNet with dilated last stages",
    source=f"{V3}: the strides of the last stages are replaced by dilation; derivation: each stride of 2 "
    "that is removed halves the output stride and doubles the dilation of all later layers",
    conventions="A ResNet has the strides 2 (first convolution), 2 (max pooling) and 1, 2, 2, 2 in its four stages.",
    n=Int(32, 100000, "size of the image", unit="px"),
    c=Int(0, 3, "number of last stages that are dilated instead of strided"),
    S=Int(1, meaning="output stride"),
    o=Int(1, meaning="size of the last map", unit="px"),
    rate=Int(1, meaning="dilation of the 3x3 convolutions of the last stage, but for its first block"),
    A=Int(1, meaning="factor by which the last map has more pixels, if 32 divides the size"),
)


def _reached(f: int, d: Sequence[Value]) -> dict[str, Any]:
    cells = {0}
    for rate in d:
        cells = {cell + k * int(rate) for cell in cells for k in range(f)}
    size = max(cells) + 1
    return {"r": size, "u": len(cells), "dense": "all" if len(cells) == size else "gaps"}


ATROUS_STACK = Formula(
    "atrous-stack",
    "",
    title="Inputs that a stack of dilated convolutions reads: gridding",
    source=f"{HDC}: with rates that share a factor, an output depends on a part of its receptive field only",
    conventions="Stride 1; counts are for one dimension.",
    procedure=_reached,
    procedure_outputs="r u dense",
    f=Int(2, 9, "kernel size"),
    d=Vector(1, 32, "dilation of each layer"),
    r=Int(1, meaning="size of the receptive field", unit="px"),
    u=Int(1, meaning="number of inputs that an output depends on"),
    dense=Choice(
        meaning="which inputs of the receptive field are used",
        options=dict(all="all of them", gaps="not all of them: there are gaps"),
        supported_by="u",
    ),
)


ATROUS_FIELD = Formula(
    "atrous-field",
    """
    r = 1 + (f - 1)*(b^n - 1)/(b - 1)
    v = 1 + (f - 1)*(b^m - 1)/(b - 1)
    """,
    title="Receptive field of convolutions whose dilation grows by a factor",
    source="derivation: layer i adds (f - 1) b^(i - 1), and the geometric series 1 + b + ... + b^(n - 1) is "
    "(b^n - 1)/(b - 1)",
    f=Int(2, 9, "kernel size"),
    b=Int(2, 9, "factor of the dilations"),
    n=Int(1, 20, "number of layers"),
    m=Int(1, 20, "number of layers in an example"),
    r=Real(meaning="size of the receptive field of n layers", unit="px"),
    v=Int(1, meaning="size of the receptive field in the example", unit="px"),
)


ASPP_BRANCH = Formula(
    "aspp-branch",
    """
    E = f + (f - 1)*(d - 1)
    D = (f - 1)*d*S
    T = (1 + [i >= d] + [i + d < n])*(1 + [j >= d] + [j + d < n])
    """,
    title="Reach of a branch of atrous spatial pyramid pooling",
    source=f"{V2}; {V3}: if the rate is close to the size of the map, only the center weight "
    "of a 3x3 kernel is on the map",
    conventions="Rows and columns are numbered from 0. T is for a 3x3 kernel, whose center is at (i, j).",
    f=Int(1, 9, "kernel size", default=3),
    d=Int(1, 100, "rate of the branch"),
    S=Int(1, 64, "output stride", default=16),
    n=Int(1, 1000, "size of the map", unit="px"),
    i=Int(0, 999, "row"),
    j=Int(0, 999, "column"),
    E=Int(1, meaning="effective kernel size on the map", unit="px"),
    D=Int(0, meaning="distance between the outermost weights, in pixels of the image", unit="px"),
    T=Int(1, 9, meaning="weights that are on the map, not on the padding"),
)


ASPP_PARAMS = Formula(
    "aspp-params",
    """
    P_1 = C_in*C + 2C
    P_a = 9*C_in*C + 2C
    P_out = (m + 2)*C^2 + 2C
    P = 2*P_1 + m*P_a + P_out
    """,
    title="Parameters of DeepLab v3's ASPP",
    source=f"{V3}; its layers as in torchvision.models.segmentation.deeplabv3.ASPP",
    conventions="""
A 1x1 branch, m atrous 3x3 branches, and global average pooling with a 1x1 convolution are concatenated and projected by
a 1x1 convolution. Convolutions have no biases; each is followed by batch normalization.
""",
    C_in=Int(1, 100000, "channels of the feature map"),
    C=Int(1, 100000, "output channels of each branch", default=256),
    m=Int(1, 20, "number of atrous branches", default=3),
    P_1=Int(1, meaning="parameters of the 1x1 branch"),
    P_a=Int(1, meaning="parameters of one atrous branch"),
    P_out=Int(1, meaning="parameters of the projection"),
    P=Int(1, meaning="number of all parameters"),
)


DEEPLAB_DECODER = Formula(
    "deeplab-decoder",
    """
    h = n/S
    u = S/4
    C = C_a + C_l
    P = 9*C*C_a
    M = P*(n/4)^2
    """,
    title="Decoder of DeepLab v3+",
    source=f"{V3PLUS}: the ASPP map is upsampled to a quarter of the image, concatenated "
    "with low-level features whose channels a 1x1 convolution reduced, refined by 3x3 convolutions, and upsampled by 4",
    conventions="P and M are those of the first 3x3 convolution after the concatenation, without biases.",
    integer_constraints="n/S, S/4",
    n=Int(16, 100000, "size of the image", unit="px"),
    S=Int(4, 32, "output stride of the encoder", default=16),
    C_a=Int(1, 100000, "channels of the ASPP's output", default=256),
    C_l=Int(1, 100000, "low-level channels after the 1x1 convolution", default=48),
    h=Int(1, meaning="size of the ASPP's output", unit="px"),
    u=Int(1, meaning="factor of the first upsampling"),
    C=Int(1, meaning="channels after the concatenation"),
    P=Int(1, meaning="weights of the first 3x3 convolution"),
    M=Int(1, meaning="its MACs"),
)


DILATED_BLOCK_CODE = Formula(
    "dilated-block-code",
    """
    o = n + 2p - d*(f - 1)
    g = d*(f - 1)/2
    """,
    title="Dilated convolution whose padding is too small",
    source="PyTorch documentation, torch.nn.Conv2d: the output size; derivation: n + 2p - d(f - 1) = n gives "
    "p = d(f - 1)/2",
    n=Int(1, 1000, "input size", unit="px"),
    f=Int(1, 9, "kernel size"),
    p=Int(0, 100, "padding in the program", unit="px"),
    d=Int(1, 100, "dilation"),
    o=Int(1, meaning="height that is printed", unit="px"),
    g=Int(0, meaning="padding that keeps the size", unit="px"),
    fix=Line(
        meaning="the line, corrected",
        signatures=(
            "nn.Conv2d(in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True, "
            "padding_mode='zeros', device=None, dtype=None)",
        ),
    ),
)


CRF_KERNEL = Formula(
    "crf-kernel",
    """
    A = w1*exp(-t^2/(2*alpha^2) - g^2/(2*beta^2))
    B = w2*exp(-t^2/(2*gamma^2))
    k = A + B
    """,
    title="Kernel of two pixels in a fully connected CRF",
    source=f"{CRF_SOURCE}; {V1}",
    t=Real(0, 10000, "distance of the pixels", unit="px"),
    g=Real(-1000, 1000, "difference of their intensities"),
    w1=Real(0, 1000, "weight of the appearance kernel"),
    w2=Real(0, 1000, "weight of the smoothness kernel"),
    alpha=Real(0.01, 10000, "width of the appearance kernel in positions"),
    beta=Real(0.01, 10000, "width of the appearance kernel in intensities"),
    gamma=Real(0.01, 10000, "width of the smoothness kernel"),
    A=Real(meaning="appearance kernel, with its weight"),
    B=Real(meaning="smoothness kernel, with its weight"),
    k=Real(meaning="kernel"),
)


CRF_TWO_PIXELS = Formula(
    "crf-mean-field",
    """
    a1 = p1*exp(-k*(1 - p2))
    b1 = (1 - p1)*exp(-k*p2)
    q1 = a1/(a1 + b1)
    a2 = p2*exp(-k*(1 - p1))
    b2 = (1 - p2)*exp(-k*p1)
    q2 = a2/(a2 + b2)
    """,
    title="Mean field update of two pixels in a fully connected CRF",
    source=f"{CRF_SOURCE} with the Potts model; {V1}: the unary cost is -ln(p)",
    conventions="""
Two labels, foreground and background. Both pixels are updated at once, from the network's probabilities. A label costs
the kernel times the probability that the other pixel has the other label.
""",
    p1=Real(0, 1, "network's foreground probability of pixel 1"),
    p2=Real(0, 1, "network's foreground probability of pixel 2"),
    k=Real(0, 100, "kernel of the two pixels"),
    a1=Real(meaning="foreground of pixel 1, not normalized"),
    b1=Real(meaning="background of pixel 1, not normalized"),
    q1=Real(meaning="foreground probability of pixel 1 after the update"),
    a2=Real(meaning="foreground of pixel 2, not normalized"),
    b2=Real(meaning="background of pixel 2, not normalized"),
    q2=Real(meaning="foreground probability of pixel 2 after the update"),
)


CRF_FLIP = Formula(
    "crf-flip",
    """
    x1 = ln(p1/(1 - p1))
    m = 2*p2 - 1
    k_min = -x1/m
    """,
    title="Kernel from which on a neighbor changes a pixel's label",
    source="derivation: after a mean field update, the logit of pixel 1 is ln(p1/(1 - p1)) + k(2*p2 - 1), because the "
    "foreground costs k(1 - p2) and the background k p2; the label changes where it is 0",
    conventions="Two labels; the unary cost is -ln(p); one update from the network's probabilities, with the Potts "
    "model.",
    p1=Real(0, 1, "network's foreground probability of pixel 1"),
    p2=Real(0, 1, "network's foreground probability of pixel 2"),
    x1=Real(meaning="logit of pixel 1 before the update"),
    m=Real(meaning="change of the logit per unit of the kernel"),
    k_min=Real(meaning="kernel at which the label of pixel 1 changes"),
)


def _dense_crf(
    U: Rows,
    P: Rows,
    I: Sequence[Value],
    w1: Value,
    w2: Value,
    alpha: Value,
    beta: Value,
    gamma: Value,
    T: int,
) -> dict[str, Any]:
    check_pixels(U, P, I, T)
    K = kernel_matrix(P, I, Widths(*(float(value) for value in (w1, w2, alpha, beta, gamma))))
    Q = [marginals for _, marginals in infer(U, K, T)][-1]
    return {"K": K, "Q": Q, "label": best_labels(Q)}


DENSE_CRF = Formula(
    "dense-crf",
    "",
    title="Mean field inference in a fully connected CRF",
    source=f"{CRF_SOURCE}, with the Potts model; {V1}",
    conventions="""
The marginals begin as softmax(-U). In each step, all pixels are updated at once: a label costs its unary cost, and for
each other pixel the kernel times the probability that this pixel has another label. Labels are numbered from 1.
""",
    procedure=_dense_crf,
    procedure_outputs="K Q label",
    shapes="P[n, 2]",
    U=Matrix(meaning="unary costs: a row per pixel, a column per label"),
    P=Matrix(meaning="position x, y of each pixel", unit="px"),
    I=Vector(meaning="intensity of each pixel"),
    w1=Real(0, 1000, "weight of the appearance kernel", default=1),
    w2=Real(0, 1000, "weight of the smoothness kernel", default=1),
    alpha=Real(0.01, 10000, "width of the appearance kernel in positions", default=10),
    beta=Real(0.01, 10000, "width of the appearance kernel in intensities", default=10),
    gamma=Real(0.01, 10000, "width of the smoothness kernel", default=1),
    T=Int(1, 50, "number of updates", default=5),
    K=Matrix(meaning="kernel of each pair of pixels"),
    Q=Matrix(meaning="marginals: a row per pixel, a column per label"),
    label=Vector(meaning="most probable label of each pixel"),
)
