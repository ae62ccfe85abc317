"""Convolutional networks: sizes, paddings, receptive fields."""

from collections.abc import Callable
from typing import Any

from quizzes.formulas import formula
from quizzes.trace import trace
from workbench.errors import UserError

GUIDE = "Dumoulin & Visin, A guide to convolution arithmetic for deep learning, 2016 (arXiv:1603.07285)"

CONV_OUT_SIZE = formula(
    "conv-out-size",
    "o = floor((n + 2p - d*(f - 1) - 1)/s) + 1",
    topic="convolution",
    title="Output side of a convolution",
    source=GUIDE,
    o="int 1..; output side [px]",
    n="int 1..100000; input side [px]",
    f="int 1..100; filter side [px]",
    p="int 0..100 = 0; padding on each side [px]",
    s="int 1..100 = 1; stride",
    d="int 1..100 = 1; dilation",
)

SAME_PADDING = formula(
    "same-padding",
    "p = d*(f - 1)/2",
    topic="convolution",
    title="Padding that keeps the size, at stride 1",
    source="derivation: n + 2p - d(f - 1) - 1 + 1 = n gives p = d(f - 1)/2, whole for odd f or even d",
    integer_constraints="d*(f - 1)/2",
    p="int 0..10000; padding on each side [px]",
    f="int 1..100; filter side [px]",
    d="int 1..100 = 1; dilation",
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
    n="int 1..100000; input side [px]",
    f="int 1..100; filter side [px]",
    s="int 1..100 = 1; stride",
    o="int 1..; output side [px]",
    T="int 0..; padding along a side, before and after together [px]",
    b="int 0..; padding after (at the bottom or right), which takes the odd pixel [px]",
)

DILATED_KERNEL = formula(
    "dilated-kernel",
    "E = f + (f - 1)*(d - 1)",
    topic="convolution",
    title="Side that a dilated filter covers",
    source=GUIDE,
    E="int 1..; side that the filter covers [px]",
    f="int 1..100; filter side, in weights",
    d="int 1..100 = 1; dilation",
)

DILATED_LAYER = formula(
    "dilated-layer",
    """
    E = f + (f - 1)*(d - 1)
    W = f^2*C_in*C_out
    o = n + 2p - E + 1
    """,
    topic="convolution",
    title="A dilated convolution: cover, weights, output side",
    source="derivation: d - 1 gaps between neighbouring weights widen the filter and add no weight",
    n="int 1..100000; input side [px]",
    p="int 0..100 = 0; padding on each side [px]",
    f="int 1..100; filter side, in weights",
    d="int 1..100 = 1; dilation",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters",
    E="int 1..; side that a filter covers [px]",
    W="int 1..; weights of the layer, without biases",
    o="int 1..; output side at stride 1 [px]",
)

RECEPTIVE_FIELD = formula(
    "receptive-field",
    """
    r = r_in + (f - 1)*d*j_in
    j = j_in*s
    """,
    topic="convolution",
    title="Receptive field after one more layer",
    source="derivation: a unit's outermost two inputs are (f - 1) d places apart, and each place is j_in input pixels",
    r_in="int 1..1000000 = 1; receptive field before the layer [px]",
    j_in="int 1..1000000 = 1; distance of neighbouring units before the layer [px]",
    f="int 1..1000; side of the filter or pooling window",
    s="int 1..1000 = 1; stride",
    d="int 1..1000 = 1; dilation",
    r="int 1..; side of the receptive field [px]",
    j="int 1..; distance of neighbouring units, measured in the input [px]",
)

RECEPTIVE_FIELD_OF_THREE = trace(RECEPTIVE_FIELD, steps=3, carried={"r": "r_in", "j": "j_in"}, fresh="f s d")


def positions(n: int, f: int, s: int, p: int) -> int:
    """At how many positions a window of side f fits into a padded side."""
    return (n + 2 * p - f) // s + 1


def filters(depth: int, c: int) -> int:
    """The depth after a layer: as many channels as filters, or after pooling (c is 0) as many as before."""
    return c or depth


def stack(
    n: int,
    C: int,
    layers: list[list[int]],
    side: Callable[[int, int, int, int], int] = positions,
    deep: Callable[[int, int], int] = filters,
) -> list[list[int]]:
    """The shape H x W x C after each layer; a row of `layers` is filters (0: pooling), window side, stride, padding."""
    shapes = []
    for c, f, s, p in layers:
        n, C = side(n, f, s, p), deep(C, c)
        shapes.append([n, n, C])
    return shapes


def _conv_stack(n: int, C: int, layers: list) -> dict[str, Any]:
    if len(layers) != 3 or any(len(row) != 4 for row in layers):
        raise UserError("layers has three rows of four numbers: filters (0 for pooling), window side, stride, padding.")
    if any(v != int(v) for row in layers for v in row) or any(f < 1 or s < 1 for _, f, s, _ in layers):
        raise UserError("Everything in layers is a whole number, and window side and stride are at least 1.")
    shapes = stack(n, C, layers)
    for k, (shape, before) in enumerate(zip(shapes, [[n, n, C], *shapes], strict=False), 1):
        if shape[0] < 1:
            raise UserError(f"The window of layer {k} doesn't fit into its input of {before[0]} x {before[0]}.")
    return {f"S{k}": shape for k, shape in enumerate(shapes, 1)}


CONV_STACK = formula(
    "conv-stack",
    "",
    topic="convolution",
    title="Shapes through three layers of convolution and pooling",
    source=f"{GUIDE}, relationship 6, layer by layer; depth: derivation, each filter makes one channel and pooling "
    "treats every channel alone",
    procedure=_conv_stack,
    procedure_outputs="S1 S2 S3",
    n="int 1..100000; input side [px]",
    C="int 1..100000; input channels",
    layers="matrix 0..100000; a row for each layer: filters (0 for pooling), window side, stride, padding",
    S1="shape; height x width x depth after layer 1",
    S2="shape; height x width x depth after layer 2",
    S3="shape; height x width x depth after layer 3",
)
