"""Convolution: drills about several layers."""

from random import Random
from typing import Any

from quizzes.content.cnn.convolution.formulas import (
    CONV_STACK,
    RECEPTIVE_FIELD_OF_THREE,
    SMALL_CNN,
    output_size,
    stack_shapes,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


def _incorrect_shapes(n: int, C: int, layers: list[Any], **rules: Any) -> dict[str, Any]:
    """Return the shapes that incorrect rules for size or channels lead to; see `stack_shapes`."""
    shapes = stack_shapes(n, C, layers, **rules)
    if min(v for shape in shapes for v in shape) < 1:
        raise UndefinedValue("a layer would be empty")
    return {f"S{k}": shape for k, shape in enumerate(shapes, 1)}


def _with_rules(**rules: Any) -> dict[str, Any]:
    return {f"S{k}": lambda k=k, **inputs: _incorrect_shapes(**inputs, **rules)[f"S{k}"] for k in (1, 2, 3)}


def _pool_channels(n: int, C: int, layers: list[Any]) -> dict[str, Any]:
    """Return the shapes if pooling reduced the channels as it reduces the size."""
    shapes: list[list[int]] = []
    for filters, f, s, p in layers:
        n = output_size(n, f, s, p)
        C = filters or max(1, output_size(C, f, s, p))
        shapes.append([n, n, C])
    return {f"S{k}": shape for k, shape in enumerate(shapes, 1)}


def _steps(n: int, C: int, layers: list[Any], **shapes: list[int]) -> list[Step]:
    steps, size = [], n
    for k, (filters, f, s, p) in enumerate(layers, 1):
        shape = shapes[f"S{k}"]
        channels = f"{filters} filters give {filters} channels" if filters else f"pooling keeps the {shape[2]} channels"
        if shape[2] == 1:
            channels = "pooling keeps the single channel"
        text = f"Layer {k}: {channels}, so the shape is {'x'.join(map(str, shape))}."
        steps.append(Step(text, [f"n{k} = floor(({size} + 2*{p} - {f})/{s}) + 1", f"n{k} = {shape[0]}"]))
        size = shape[0]
    return steps


def _layer(filters: int, f: int, s: int, p: int) -> str:
    kind = f"convolution, {filters} filters of {f}x{f}" if filters else f"max pooling {f}x{f}"
    return f"{kind}, stride {s}, padding {p}"


@drill(
    RECEPTIVE_FIELD_OF_THREE,
    id="receptive-field",
    tier=2,
    asks=("r3", "j3"),
    visualization="flow: 1 pixel > {f1}x{f1} stride {s1} dilation {d1} > ? > {f2}x{f2} stride {s2} dilation {d2} > ? "
    "> {f3}x{f3} stride {s3} dilation {d3} > ?",
    prompt="Three layers with square kernels follow each other:\n"
    "  1. convolution {f1}x{f1}, stride {s1}, dilation {d1}\n"
    "  2. max pooling {f2}x{f2}, stride {s2}, dilation {d2}\n"
    "  3. convolution {f3}x{f3}, stride {s3}, dilation {d3}\n"
    "Before layer 1, the receptive field size is r0 = {r0} and adjacent pixels are j0 = {j0} px apart.\n"
    "After layer 3, what are the receptive field size r3 of a unit and the distance j3 between adjacent units, in "
    "input pixels?",
    hint="A layer adds (f - 1) d steps to the receptive field. How many input pixels is one step of its input?",
    mistakes=[
        Mistake(
            "own-stride",
            "r = r_in + (f - 1)*d*j_in*s",
            "You included the layer's own stride. It only affects later layers, so multiply by the strides of the "
            "layers "
            "before.",
        ),
        Mistake(
            "strides-ignored",
            "r = r_in + (f - 1)*d",
            "You ignored the strides. After a stride, one step covers several input pixels, so multiply by the "
            "product of the "
            "strides before.",
        ),
        Mistake(
            "f-not-f-1", "r = r_in + f*d*j_in", "You used f steps. A kernel of size f spans f - 1 steps, so use f - 1."
        ),
        Mistake(
            "dilation-ignored",
            "r = r_in + (f - 1)*j_in",
            "You ignored the dilation. It moves the weights d positions apart, so multiply f - 1 by d.",
        ),
        Mistake(
            "pooling-ignored",
            {
                "r3": lambda f1, s1, d1, f3, d3, **_: 1 + (f1 - 1) * d1 + (f3 - 1) * d3 * s1,
                "j3": lambda s1, s3, **_: s1 * s3,
            },
            "You left out the pooling layer. It enlarges the receptive field like a convolution, and its stride "
            "affects the "
            "layers after it.",
        ),
        Mistake(
            "strides-added",
            "j = j_in + s",
            "You added the strides. Strides multiply, so after strides 2 and 3 adjacent units are 6 pixels apart.",
        ),
    ],
)
def receptive_field(rng: Random) -> Inputs:
    """Receptive field of three layers"""
    f1 = rng.choice([3, 3, 5, 7, 11])
    return dict(
        f1=f1,
        s1=rng.choice([1, 1, 2, 2, 4]) if f1 > 4 else rng.choice([1, 2]),
        d1=rng.choice([1, 1, 2]),
        f2=(f2 := rng.choice([2, 2, 3])),
        s2=rng.choice([2, f2]),
        d2=1,
        f3=rng.choice([3, 3, 5]),
        s3=rng.choice([1, 1, 2]),
        d3=rng.choice([1, 1, 2, 3]),
    )


@drill(
    CONV_STACK,
    id="conv-stack-shapes",
    tier=2,
    asks=("S1", "S2", "S3"),
    visualization="flow: {n}x{n}x{C} > {layers[0][1]}x{layers[0][1]}, stride {layers[0][2]}, padding {layers[0][3]} > "
    "? > {layers[1][1]}x{layers[1][1]}, stride {layers[1][2]}, padding {layers[1][3]} > ? > "
    "{layers[2][1]}x{layers[2][1]}, stride {layers[2][2]}, padding {layers[2][3]} > ?",
    steps=_steps,
    prompt="Trace the shape {n}x{n}x{C} (HxWxC) through three layers:\n"
    "{listing}\n"
    "What are the output shapes S1, S2 and S3 of the layers?\n"
    "Conventions: no dilation; sizes are rounded down; shapes as HxWxC.",
    hints=(
        "How do kernel size, stride and padding change the size? What determines the number of channels?",
        "Use this formula for height and width of each layer:\n"
        "  o = floor((n + 2*p - f)/s) + 1\n"
        "A convolution has one output channel per filter, and pooling keeps the channels.",
    ),
    mistakes=[
        Mistake(
            "rounded-up",
            _with_rules(size=lambda n, f, s, p: -(-(n + 2 * p - f) // s) + 1),
            "You rounded up. A partial step at the end is dropped, so round down in every layer.",
        ),
        Mistake(
            "no-plus-one",
            _with_rules(size=lambda n, f, s, p: (n + 2 * p - f) // s),
            "You left out the +1. The first kernel position counts too, so add 1 after dividing by the stride.",
        ),
        Mistake(
            "padding-ignored",
            _with_rules(size=lambda n, f, s, p: (n - f) // s + 1),
            "You ignored the padding. It adds pixels on both sides, so add it twice.",
        ),
        Mistake(
            "depth-kept",
            _with_rules(channels=lambda channels, filters: channels),
            "You kept the number of channels. A convolution has one output channel per filter.",
        ),
        Mistake(
            "depth-multiplied",
            _with_rules(channels=lambda channels, filters: channels * max(filters, 1)),
            "You multiplied the channels. A filter sums over all input channels, so there is one output channel per "
            "filter.",
        ),
        Mistake(
            "pools-depth",
            {f"S{k}": lambda k=k, **inputs: _pool_channels(**inputs)[f"S{k}"] for k in (1, 2, 3)},
            "You pooled the channels too. Pooling treats each channel separately, so the number of channels does not "
            "change.",
        ),
    ],
)
def conv_stack_shapes(rng: Random) -> Inputs:
    """Shapes through three layers"""
    f, g = rng.choice([3, 5, 7]), rng.choice([3, 5])
    first = [rng.choice([6, 8, 16, 20, 32, 64]), f, rng.choice([1, 2]), rng.choice([0, f // 2])]
    pooling = [0, *rng.choice([(2, 2), (2, 2), (3, 2), (3, 3)]), 0]
    third = [rng.choice([10, 16, 24, 32, 48, 64, 128]), g, rng.choice([1, 1, 2]), rng.choice([0, g // 2])]
    layers = rng.choice([[first, pooling, third], [first, third, pooling]])
    sizes, C = [28, 32, 55, 63, 64, 96, 127, 128, 224], rng.choice([1, 3, 3])
    n = rng.choice([n for n in sizes if stack_shapes(n, C, layers)[-1][0] > 1])
    lines = [f"  {k}. {_layer(*row)}" for k, row in enumerate(layers, 1)]
    return dict(n=n, C=C, layers=layers, listing="\n".join(lines))


@drill(
    SMALL_CNN,
    tier=3,
    asks=("n1", "n3", "params", "MACs", "field", "bytes"),
    joins=("pooling", "model-complexity"),
    visualization="flow: {n0} x {n0} x {C0} > conv > ? > pool > ? > conv > ?",
    prompt="A network takes {n0}x{n0}x{C0} images: a {k1}x{k1} convolution to {C1} channels (stride 1, padding {p1}), "
    "ReLU, 2x2 max pooling with stride 2, a {k2}x{k2} convolution to {C2} channels (stride {s2}, padding {p2}), ReLU, "
    "global average pooling, and a linear layer to {K} classes. All layers have biases.\n"
    "What are the output sizes n1 and n3 of the convolutions, the number of parameters of the network, its MACs per "
    "image (without biases), the receptive field of a value after the second convolution, and the bytes of the first "
    "convolution's output for a batch of B = {B} in fp32? Conventions: sizes are rounded down.",
    hint="Which sizes do the convolutions have? Everything else follows from them.",
    mistakes=[
        Mistake(
            "pool-ignored",
            "field = k1 + k2 - 1",
            "You ignored the pooling. It adds a pixel, and after it two neighbors are 2 pixels apart.",
        ),
        Mistake(
            "input-size-macs",
            "MACs = k1^2*C0*C1*n0^2 + k2^2*C1*C2*n2^2 + C2*K",
            "You used the input sizes. Each filter is applied once per output position.",
        ),
        Mistake(
            "flattened",
            "params = P1 + P2 + (n3^2*C2 + 1)*K",
            "You counted a linear layer after flattening. Global average pooling leaves one value per channel.",
        ),
        Mistake(
            "biases-forgotten",
            "params = k1^2*C0*C1 + k2^2*C1*C2 + C2*K",
            "You left out the biases: one per filter, and one per class.",
        ),
        Mistake("batch-forgotten", "bytes = 4*C1*n1^2", "You left out the batch. Each image has its own feature map."),
        Mistake("pooling-skipped", "n3 = floor((n1 + 2p2 - k2)/s2) + 1", "You left out the pooling before it."),
    ],
)
def small_cnn_audit(rng: Random) -> Inputs:
    """Audit of a small CNN"""
    k1, k2 = rng.choice([3, 5]), rng.choice([3, 5])
    C1 = rng.choice([4, 6, 8, 12, 16])
    return dict(
        n0=rng.choice([16, 20, 24, 28, 32, 36, 48]), k1=k1, p1=(k1 - 1) // 2, C0=rng.choice([1, 3]), C1=C1,
        k2=k2, s2=rng.choice([1, 2]), p2=rng.choice([0, (k2 - 1) // 2]), C2=C1 * rng.choice([2, 3]),
        K=rng.choice([5, 10, 20]), B=rng.choice([8, 12, 16, 32]),
    )  # fmt: skip
