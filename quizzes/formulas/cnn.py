"""Convolutional networks: output sizes, padding, receptive fields."""

from collections.abc import Callable
from typing import Any

from quizzes.formulas import formula
from quizzes.trace import trace
from workbench.errors import UserError

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016 (arXiv:1603.07285)"

INPUT_SIZE = "int 1..100000; input size [px]"
OUTPUT_SIZE = "int 1..; output size [px]"
KERNEL_SIZE = "int 1..100; kernel size [px]"
PADDING = "int 0..100 = 0; padding on each side [px]"
STRIDE = "int 1..100 = 1; stride"
DILATION = "int 1..100 = 1; dilation"
IN_CHANNELS = "int 1..100000; number of input channels"
OUT_CHANNELS = "int 1..100000; number of output channels"

# of a dilated convolution
UNDILATED_SIZE = "int 1..100; kernel size, without dilation"
EFFECTIVE_SIZE = "int 1..; effective kernel size [px]"

CONV_OUT_SIZE = formula(
    "conv-out-size",
    "o = floor((n + 2p - d*(f - 1) - 1)/s) + 1",
    topic="convolution",
    title="Output size of a convolution",
    source=GUIDE,
    o=OUTPUT_SIZE,
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    p=PADDING,
    s=STRIDE,
    d=DILATION,
)

SAME_PADDING = formula(
    "same-padding",
    "p = d*(f - 1)/2",
    topic="convolution",
    title="Padding that keeps the size, at stride 1",
    source="derivation: n + 2p - d(f - 1) - 1 + 1 = n gives p = d(f - 1)/2, an integer for odd f or even d",
    integer_constraints="d*(f - 1)/2",
    p="int 0..10000; padding on each side [px]",
    f=KERNEL_SIZE,
    d=DILATION,
)

TF_SAME = formula(
    "same-padding-tensorflow",
    """
    o = ceil(n/s)
    T = max((o - 1)*s + f - n, 0)
    b = ceil(T/2)
    """,
    topic="convolution",
    title="TensorFlow's SAME padding, at any stride",
    source="TensorFlow documentation, tf.nn, notes on padding",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    o=OUTPUT_SIZE,
    T="int 0..; total padding along one dimension [px]",
    b="int 0..; padding after the input [px]",
)

DILATED_KERNEL = formula(
    "dilated-kernel",
    "E = f + (f - 1)*(d - 1)",
    topic="convolution",
    title="Effective kernel size with dilation",
    source=GUIDE,
    E=EFFECTIVE_SIZE,
    f=UNDILATED_SIZE,
    d=DILATION,
)

DILATED_LAYER = formula(
    "dilated-layer",
    """
    E = f + (f - 1)*(d - 1)
    W = f^2*C_in*C_out
    o = n + 2p - E + 1
    """,
    topic="convolution",
    title="Dilated convolution: effective kernel size, weights, output size",
    source="derivation: d - 1 skipped pixels between adjacent weights enlarge the kernel and add no weights",
    n=INPUT_SIZE,
    p=PADDING,
    f=UNDILATED_SIZE,
    d=DILATION,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    E=EFFECTIVE_SIZE,
    W="int 1..; number of weights, without biases",
    o="int 1..; output size at stride 1 [px]",
)

RECEPTIVE_FIELD = formula(
    "receptive-field",
    """
    r = r_in + (f - 1)*d*j_in
    j = j_in*s
    """,
    topic="convolution",
    title="Receptive field after one more layer",
    source="derivation: the outermost two inputs of a unit are (f - 1) d positions apart, and each position is j_in "
    "input pixels",
    r_in="int 1..1000000 = 1; receptive field size before the layer [px]",
    j_in="int 1..1000000 = 1; input distance between adjacent units before the layer [px]",
    f="int 1..1000; kernel size",
    s="int 1..1000 = 1; stride",
    d="int 1..1000 = 1; dilation",
    r="int 1..; receptive field size [px]",
    j="int 1..; input distance between adjacent units [px]",
)

RECEPTIVE_FIELD_OF_THREE = trace(RECEPTIVE_FIELD, steps=3, carried={"r": "r_in", "j": "j_in"}, fresh="f s d")


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


CONV_STACK = formula(
    "conv-stack",
    "",
    topic="convolution",
    title="Shapes through three layers of convolution and pooling",
    source=f"{GUIDE}, relationship 6, layer by layer; channels: derivation, each filter computes one output channel "
    "and pooling treats each channel separately",
    procedure=_conv_stack,
    procedure_outputs="S1 S2 S3",
    n=INPUT_SIZE,
    C=IN_CHANNELS,
    layers="matrix 0..100000; a row for each layer: filters (0 for pooling), kernel size, stride, padding",
    S1="shape; output shape of layer 1, as HxWxC",
    S2="shape; output shape of layer 2, as HxWxC",
    S3="shape; output shape of layer 3, as HxWxC",
)
