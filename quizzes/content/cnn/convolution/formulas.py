"""Convolution: output size, depth, parameters: formulas."""

from collections.abc import Callable
from typing import Any

from quizzes.chain import Chain, link
from quizzes.content.cnn.pooling.formulas import GAP_HEAD
from quizzes.content.cnn.shared import PARAMETERS, Map, check_maps, extract_windows, pad
from quizzes.content.shared import IN_CHANNELS, KERNEL_SIZE, OUT_CHANNELS
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Shape
from quizzes.trace import Trace
from workbench.errors import UserError

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016 (arXiv:1603.07285)"


INPUT_SIZE = Int(1, 100000, "input size", unit="px")


OUTPUT_SIZE = Int(1, meaning="output size", unit="px")


PADDING = Int(0, 100, "padding on each side", unit="px", default=0)


STRIDE = Int(1, 100, "stride", default=1)


DILATION = Int(1, 100, "dilation", default=1)


# of a dilated convolution
UNDILATED_SIZE = Int(1, 100, "kernel size, without dilation")


EFFECTIVE_SIZE = Int(1, meaning="effective kernel size", unit="px")


CONV_OUT_SIZE = Formula(
    "conv-out-size",
    "o = floor((n + 2p - d*(f - 1) - 1)/s) + 1",
    title="Output size of a convolution",
    source=GUIDE,
    o=OUTPUT_SIZE,
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    p=PADDING,
    s=STRIDE,
    d=DILATION,
)


SAME_PADDING = Formula(
    "same-padding",
    "p = d*(f - 1)/2",
    title="Padding that keeps the size, at stride 1",
    source="derivation: n + 2p - d(f - 1) - 1 + 1 = n gives p = d(f - 1)/2, an integer for odd f or even d",
    integer_constraints="d*(f - 1)/2",
    p=Int(0, 10000, "padding on each side", unit="px"),
    f=KERNEL_SIZE,
    d=DILATION,
)


TF_SAME = Formula(
    "same-padding-tensorflow",
    """
    o = ceil(n/s)
    T = max((o - 1)*s + f - n, 0)
    b = ceil(T/2)
    """,
    title="TensorFlow's SAME padding, at any stride",
    source="TensorFlow documentation, tf.nn, notes on padding",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    o=OUTPUT_SIZE,
    T=Int(0, meaning="total padding along one dimension", unit="px"),
    b=Int(0, meaning="padding after the input", unit="px"),
)


DILATED_KERNEL = Formula(
    "dilated-kernel",
    "E = f + (f - 1)*(d - 1)",
    title="Effective kernel size with dilation",
    source=GUIDE,
    E=EFFECTIVE_SIZE,
    f=UNDILATED_SIZE,
    d=DILATION,
)


DILATED_LAYER = Formula(
    "dilated-layer",
    """
    E = f + (f - 1)*(d - 1)
    W = f^2*C_in*C_out
    o = n + 2p - E + 1
    """,
    title="Dilated convolution: effective kernel size, weights, output size",
    source="derivation: d - 1 skipped pixels between adjacent weights enlarge the kernel and add no weights",
    n=INPUT_SIZE,
    p=PADDING,
    f=UNDILATED_SIZE,
    d=DILATION,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    E=EFFECTIVE_SIZE,
    W=Int(1, meaning="number of weights, without biases"),
    o=Int(1, meaning="output size at stride 1", unit="px"),
)


RECEPTIVE_FIELD = Formula(
    "receptive-field",
    """
    r = r_in + (f - 1)*d*j_in
    j = j_in*s
    """,
    title="Receptive field after one more layer",
    source="derivation: the outermost two inputs of a unit are (f - 1) d positions apart, and each position is j_in "
    "input pixels",
    r_in=Int(1, 1000000, "receptive field size before the layer", unit="px", default=1),
    j_in=Int(1, 1000000, "input distance between adjacent units before the layer", unit="px", default=1),
    f=Int(1, 1000, "kernel size"),
    s=Int(1, 1000, "stride", default=1),
    d=Int(1, 1000, "dilation", default=1),
    r=Int(1, meaning="receptive field size", unit="px"),
    j=Int(1, meaning="input distance between adjacent units", unit="px"),
)


RECEPTIVE_FIELD_OF_THREE = Trace(RECEPTIVE_FIELD, steps=3, carried={"r": "r_in", "j": "j_in"}, fresh="f s d")


def output_size(n: int, f: int, s: int, p: int) -> int:
    """Return the output size of a layer of kernel size f, stride s and padding p for input size n."""
    return (n + 2 * p - f) // s + 1


def output_channels(channels: int, filters: int) -> int:
    """Return the number of output channels: the number of filters, or for pooling (0 filters) the input channels."""
    return filters or channels


def stack_shapes(
    n: int,
    C: int,
    layers: list[list[int]],
    size: Callable[[int, int, int, int], int] = output_size,
    channels: Callable[[int, int], int] = output_channels,
) -> list[list[int]]:
    """Return the shape [height, width, channels] after each layer.

    Args:
        n: Input size.
        C: Number of input channels.
        layers: A row for each layer: filters (0 for pooling), kernel size, stride, padding.
        size: Output size from input size, kernel size, stride and padding.
        channels: Number of output channels from that of input channels and of filters.
    """
    shapes = []
    for filters, f, s, p in layers:
        n, C = size(n, f, s, p), channels(C, filters)
        shapes.append([n, n, C])
    return shapes


def _conv_stack(n: int, C: int, layers: list[Any]) -> dict[str, Any]:
    if len(layers) != 3 or any(len(row) != 4 for row in layers):
        raise UserError(
            "layers must have three rows of four integers: filters (0 for pooling), kernel size, stride, padding."
        )
    if any(v != int(v) for row in layers for v in row) or any(f < 1 or s < 1 for _, f, s, _ in layers):
        raise UserError("The values in layers must be integers, and kernel size and stride must be at least 1.")
    shapes = stack_shapes(n, C, layers)
    for k, (shape, before) in enumerate(zip(shapes, [[n, n, C], *shapes], strict=False), 1):
        if shape[0] < 1:
            raise UserError(f"The window of layer {k} doesn't fit its {before[0]}x{before[0]} input.")
    return {f"S{k}": shape for k, shape in enumerate(shapes, 1)}


CONV_STACK = Formula(
    "conv-stack",
    "",
    title="Shapes through three layers of convolution and pooling",
    source=f"{GUIDE}, relationship 6, layer by layer; channels: derivation, each filter computes one output channel "
    "and pooling treats each channel separately",
    procedure=_conv_stack,
    procedure_outputs="S1 S2 S3",
    n=INPUT_SIZE,
    C=IN_CHANNELS,
    layers=Matrix(0, 100000, "a row for each layer: filters (0 for pooling), kernel size, stride, padding"),
    S1=Shape(meaning="output shape of layer 1, as HxWxC"),
    S2=Shape(meaning="output shape of layer 2, as HxWxC"),
    S3=Shape(meaning="output shape of layer 3, as HxWxC"),
)


CONV_PARAMS = Formula(
    "conv-params",
    "P = (k^2*C_in/g + 1)*C_out",
    title="Parameters of a convolution with bias",
    source="derivation: each of the C_out filters has k^2 weights for each of its C_in/g input channels, and one bias",
    integer_constraints="C_in/g, C_out/g",
    P=PARAMETERS,
    k=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    g=Int(1, 100000, "number of groups, each with C_in/g input channels", default=1),
)


CONV_MACS = Formula(
    "conv-macs-flops",
    """
    o = floor((n + 2p - f)/s) + 1
    MACs = f^2*C_in*C_out*o^2
    FLOPs = 2*MACs
    """,
    title="MACs and FLOPs of a convolution",
    source="derivation: each of the C_out o^2 output values takes f^2 C_in multiplications and additions; one MAC is "
    "two operations",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    p=PADDING,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    o=OUTPUT_SIZE,
    MACs=Int(1, meaning="multiply-accumulate operations per image, without biases"),
    FLOPs=Int(1, meaning="floating-point operations per image, two per MAC"),
)


GROUPED_CONV = Formula(
    "grouped-conv",
    "W = f^2*C_in/g*C_out",
    title="Weights of a grouped convolution",
    source="derivation: each of the C_out filters spans only the C_in/g input channels of its group",
    integer_constraints="C_in/g, C_out/g",
    f=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    g=Int(1, 100000, "number of groups"),
    W=Int(1, meaning="number of weights, without biases"),
)


CONV_3D = Formula(
    "conv3d-params",
    "P = (f_t*f^2*C_in + 1)*C_out",
    title="Parameters of a 3-D convolution with bias",
    source="derivation: a filter has f_t f^2 weights per input channel, and one bias",
    f_t=Int(1, 1000, "kernel size in time", unit="frames"),
    f=Int(1, 100, "kernel size in space", unit="px"),
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    P=PARAMETERS,
)


CONV_1D = Formula(
    "conv1d-params",
    "P = (f*C_in + 1)*C_out",
    title="Parameters of a 1-D convolution with bias",
    source="derivation: a filter has f weights per input channel, and one bias",
    f=Int(1, 1000, "kernel size", unit="steps"),
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    P=PARAMETERS,
)


def correlate(X: Map, K: Map, s: int = 1, p: int = 0, d: int = 1) -> Map:
    """Return the cross-correlation of a feature map and a kernel, which is not flipped."""
    weights = [w for row in K for w in row]
    return [
        [sum(w * x for w, x in zip(weights, values, strict=True)) for values in row]
        for row in extract_windows(pad(X, p), len(K), len(K[0]), s, d)
    ]


def add(A: Map, b: Any) -> Map:
    """Return the element-wise sum of a feature map and a number or another feature map."""
    other = b if isinstance(b, list) else [[b] * len(row) for row in A]
    return [[x + y for x, y in zip(row, line, strict=True)] for row, line in zip(A, other, strict=True)]


def check_kernel(X: Map, K: Map, p: int, d: int = 1) -> None:
    """Check that a kernel fits into a padded feature map.

    Raises:
        UserError: If it doesn't, or rows have different lengths.
    """
    check_maps(X=X, K=K)
    height, width = (d * (len(axis) - 1) + 1 for axis in (K, K[0]))
    if height > len(X) + 2 * p or width > len(X[0]) + 2 * p:
        padded = f"{len(X) + 2 * p}x{len(X[0]) + 2 * p}"
        raise UserError(f"The kernel K covers {height}x{width}, which is larger than the padded map X, {padded}.")


def _conv_values(X: Map, K: Map, b: Any, s: int, p: int, d: int = 1) -> dict[str, Any]:
    check_kernel(X, K, p, d)
    return {"O": add(correlate(X, K, s, p, d), b)}


CONV_VALUES = Formula(
    "conv-values",
    "",
    statement="""
O[i, j] = b + Σ_u Σ_v K[u, v] · X[y, x], where y = s(i-1) + d(u-1) + 1 - p,
x = s(j-1) + d(v-1) + 1 - p, and X is 0 outside of the input
""",
    title="2-D convolution, one channel",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016 (cross-correlation), plus a bias",
    procedure=_conv_values,
    procedure_outputs="O",
    X=Matrix(meaning="input"),
    K=Matrix(meaning="kernel"),
    b=Real(meaning="bias", default=0),
    s=Int(1, 100, "stride", default=1),
    p=Int(0, 100, "zero padding on each side", default=0),
    d=Int(1, 100, "dilation, 1 by default", optional=True),
    O=Matrix(meaning="pre-activation output"),
)


def _conv_channels(X1: Map, X2: Map, K1: Map, K2: Map, b: Any) -> dict[str, Any]:
    check_maps(X1=X1, X2=X2, K1=K1, K2=K2)
    if (len(X1), len(X1[0]), len(K1), len(K1[0])) != (len(X2), len(X2[0]), len(K2), len(K2[0])):
        raise UserError("X1 and X2 must have one size, and so must K1 and K2.")
    if len(K1) > len(X1) or len(K1[0]) > len(X1[0]):
        raise UserError("The kernel must not be larger than the input.")
    return {"O": add(add(correlate(X1, K1), correlate(X2, K2)), b)}


CONV_CHANNELS = Formula(
    "conv-channels",
    "",
    statement="O[i, j] = b + Σ_c Σ_u Σ_v K_c[u, v] · X_c[i + u - 1, j + v - 1]",
    title="2-D convolution, two input channels",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016: the sum includes the channels",
    procedure=_conv_channels,
    procedure_outputs="O",
    X1=Matrix(meaning="first channel of the input"),
    X2=Matrix(meaning="second channel of the input"),
    K1=Matrix(meaning="kernel for the first channel"),
    K2=Matrix(meaning="kernel for the second channel"),
    b=Real(meaning="bias", default=0),
    O=Matrix(meaning="pre-activation output"),
)


SMALL_CNN = Chain(
    "small-cnn",
    [
        link(CONV_MACS, n="n0", f="k1", s=1, p="p1", C_in="C0", C_out="C1", o="n1", MACs="M1", FLOPs=None),
        "n2 = floor(n1/2)",
        link(CONV_MACS, n="n2", f="k2", s="s2", p="p2", C_in="C1", C_out="C2", o="n3", MACs="M2", FLOPs=None),
        link(CONV_PARAMS, k="k1", C_in="C0", C_out="C1", P="P1"),
        link(CONV_PARAMS, k="k2", C_in="C1", C_out="C2", P="P2"),
        link(GAP_HEAD, n="n3", C="C2", P="P3", D=None),
        "params = P1 + P2 + P3",
        "MACs = M1 + M2 + C2*K",
        "field = k1 + 1 + 2*(k2 - 1)",
        "bytes = 4*B*C1*n1^2",
    ],
    title="Sizes, parameters and MACs of a small CNN",
    source="derivation: the formulas of its layers, one after the other; pooling adds a pixel to the receptive field "
    "and doubles the distance of the values after it",
    P1=Int(1, meaning="number of parameters of convolution 1"),
    P2=Int(1, meaning="number of parameters of convolution 2"),
    M1=Int(1, meaning="MACs of convolution 1"),
    M2=Int(1, meaning="MACs of convolution 2"),
    C0=Int(1, 1000, "number of input channels"),
    n1=Int(1, meaning="output size of convolution 1", unit="px"),
    n2=Int(1, meaning="output size of the max pooling", unit="px"),
    n3=Int(1, meaning="output size of convolution 2", unit="px"),
    B=Int(1, 100000, "batch size"),
    params=Int(1, meaning="number of parameters of the network"),
    MACs=Int(1, meaning="MACs of the convolutions and the linear layer, per image"),
    field=Int(1, meaning="receptive field of a value after convolution 2", unit="px"),
    bytes=Int(1, meaning="memory of the output of convolution 1 for the batch, in fp32", unit="bytes"),
)


CONV_FIT = Formula(
    "conv-fit",
    """
    room = n + 2p - d*(f - 1) - 1
    left = room - s*floor(room/s)
    o = floor(room/s) + 1
    """,
    title="Does a convolution fit? Columns that its last position leaves out",
    source="derivation: positions are s apart, and room is how far the filter can move; where s does not divide it, "
    "PyTorch rounds down and the last columns of the padded input are not read",
    n=Int(1, 100000, "input size", unit="px"),
    f=Int(1, 1000, "filter size"),
    p=Int(0, 1000, "padding per side", unit="px", default=0),
    s=Int(1, 1000, "stride", default=1),
    d=Int(1, 1000, "dilation", default=1),
    room=Int(meaning="how far the filter can move", unit="px"),
    left=Int(meaning="columns of the padded input that are left out: 0 if the convolution fits", unit="px"),
    o=Int(1, meaning="output size, rounded down", unit="px"),
)


IM2COL = Formula(
    "im2col",
    """
    o_h = floor((n_h + 2p - f)/s) + 1
    o_w = floor((n_w + 2p - f)/s) + 1
    rows = C_in*f^2
    columns = N*o_h*o_w
    numbers = rows*columns
    times = numbers/(N*C_in*n_h*n_w)
    """,
    title="Convolution as a matrix product (im2col)",
    source="derivation: each window becomes a column of C_in f^2 numbers, and the filters are a matrix of C_out rows; "
    "as torch.nn.functional.unfold",
    N=Int(1, 100000, "number of images", default=1),
    C_in=Int(1, 100000, "input channels"),
    n_h=Int(1, 100000, "input height", unit="px"),
    n_w=Int(1, 100000, "input width", unit="px"),
    f=Int(1, 1000, "filter size"),
    p=Int(0, 1000, "padding per side", unit="px", default=0),
    s=Int(1, 1000, "stride", default=1),
    o_h=Int(1, meaning="output height", unit="px"),
    o_w=Int(1, meaning="output width", unit="px"),
    rows=Int(meaning="rows of the matrix of windows"),
    columns=Int(meaning="columns of the matrix of windows"),
    numbers=Int(meaning="numbers in it"),
    times=Real(meaning="how many times as many numbers as the input has"),
)


LOCALLY_CONNECTED = Formula(
    "locally-connected",
    """
    o = floor((n + 2p - f)/s) + 1
    P = o^2*C_out*(C_in*f^2 + 1)
    P_conv = C_out*(C_in*f^2 + 1)
    P_dense = o^2*C_out*(C_in*n^2 + 1)
    """,
    title="Parameters of a locally connected layer, a convolution and a dense layer of the same sizes",
    source="derivation: without weight sharing, each of the o x o positions has filters and biases of its own",
    n=Int(1, 100000, "input height and width", unit="px"),
    C_in=Int(1, 100000, "input channels"),
    C_out=Int(1, 100000, "output channels"),
    f=Int(1, 1000, "filter size"),
    p=Int(0, 1000, "padding per side", unit="px", default=0),
    s=Int(1, 1000, "stride", default=1),
    o=Int(1, meaning="output height and width", unit="px"),
    P=Int(meaning="parameters of the locally connected layer"),
    P_conv=Int(meaning="parameters of the convolution"),
    P_dense=Int(meaning="parameters of the dense layer"),
)
