"""Convolution: what becomes of sizes and receptive fields through several layers."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas.cnn import CONV_STACK, RECEPTIVE_FIELD_OF_THREE, positions, stack
from quizzes.question import Step


@drill(
    RECEPTIVE_FIELD_OF_THREE,
    id="receptive-field",
    tier=2,
    asks="r3 j3",
    visualization="flow: 1 pixel > {f1}x{f1} stride {s1} dilation {d1} > ? > {f2}x{f2} stride {s2} dilation {d2} > ? > "
    "{f3}x{f3} stride {s3} dilation {d3} > ?",
    prompt="Three layers follow one another, all windows square:\n"
    "  1. convolution {f1} x {f1}, stride {s1}, dilation {d1}\n"
    "  2. max pooling {f2} x {f2}, stride {s2}, dilation {d2}\n"
    "  3. convolution {f3} x {f3}, stride {s3}, dilation {d3}\n"
    "An input pixel sees itself (r0 = {r0}), and neighbouring pixels are j0 = {j0} apart. What is the side r3 of the "
    "receptive field of a unit after layer 3, and how many input pixels j3 are two neighbouring units there apart?",
    hint="A layer widens the field by (f - 1) d steps, each as long as the product of the strides before it.",
)
def receptive_field(rng: Random) -> dict[str, Any]:
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


receptive_field.mistake(
    "own-stride",
    "r = r_in + (f - 1)*d*j_in*s",
    "A layer's own stride comes after it: the field grows by the strides of the layers before.",
)
receptive_field.mistake(
    "strides-ignored",
    "r = r_in + (f - 1)*d",
    "After a stride one step is several input pixels: multiply by the product of the strides before.",
)
receptive_field.mistake(
    "f-not-f-1", "r = r_in + f*d*j_in", "A window of f spans f - 1 steps; the field before it holds the first already."
)
receptive_field.mistake(
    "dilation-ignored",
    "r = r_in + (f - 1)*j_in",
    "Dilation d moves the weights d places apart: the steps count d times.",
)
receptive_field.mistake(
    "pooling-ignored",
    {
        "r3": lambda f1, s1, d1, f3, d3, **_: 1 + (f1 - 1) * d1 + (f3 - 1) * d3 * s1,
        "j3": lambda s1, s3, **_: s1 * s3,
    },
    "Pooling is a window with a stride like any other: it widens the field, and its stride counts for what follows.",
)
receptive_field.mistake(
    "strides-added", "j = j_in + s", "Strides multiply: a step after strides 2 and 3 is 6 pixels long."
)
receptive_field.torch(
    """
x = torch.zeros(1, 1, 600, requires_grad=True)  # a window of ones reads what pooling reads
y = x
for f, s, d in ((f1, s1, d1), (f2, s2, d2), (f3, s3, d3)):
    y = F.conv1d(y, torch.ones(1, 1, f), stride=s, dilation=d)
starts, ends = [], []
for unit in (5, 6):
    seen, = torch.autograd.grad(y[0, 0, unit], x, retain_graph=True)
    starts.append(int(seen[0, 0].nonzero().min()))
    ends.append(int(seen[0, 0].nonzero().max()))
r3, j3 = ends[0] - starts[0] + 1, starts[1] - starts[0]
"""
)


def _through(n: int, C: int, layers: list, **wrong: Any) -> dict[str, Any]:
    """The shapes of somebody who goes a wrong way at every layer."""
    shapes = stack(n, C, layers, **wrong)
    if min(v for shape in shapes for v in shape) < 1:
        raise UndefinedValue("a layer would be empty")
    return {f"S{k}": shape for k, shape in enumerate(shapes, 1)}


def _wrongly(**wrong: Any) -> dict[str, Any]:
    return {f"S{k}": lambda k=k, **given: _through(**given, **wrong)[f"S{k}"] for k in (1, 2, 3)}


def _pools_depth(n: int, C: int, layers: list) -> dict[str, Any]:
    """Pooling that shrinks the depth as it shrinks the sides."""
    shapes: list[list[int]] = []
    for c, f, s, p in layers:
        n = positions(n, f, s, p)
        C = c or max(1, positions(C, f, s, p))
        shapes.append([n, n, C])
    return {f"S{k}": shape for k, shape in enumerate(shapes, 1)}


def _steps(n: int, C: int, layers: list, **shapes: list[int]) -> list[Step]:
    steps, side = [], n
    for k, (c, f, s, p) in enumerate(layers, 1):
        shape = shapes[f"S{k}"]
        what = f"{c} filters make {c} channels" if c else f"pooling keeps the {shape[2]} channels"
        text = f"Layer {k}: {what}; the shape is {'x'.join(map(str, shape))}."
        steps.append(Step(text, [f"n{k} = floor(({side} + 2*{p} - {f})/{s}) + 1", f"n{k} = {shape[0]}"]))
        side = shape[0]
    return steps


@drill(
    CONV_STACK,
    id="conv-stack-shapes",
    tier=2,
    asks="S1 S2 S3",
    visualization="flow: {n} x {n} x {C} > "
    "{layers[0][1]} x {layers[0][1]}, stride {layers[0][2]}, padding {layers[0][3]} > ? > "
    "{layers[1][1]} x {layers[1][1]}, stride {layers[1][2]}, padding {layers[1][3]} > ? > "
    "{layers[2][1]} x {layers[2][1]}, stride {layers[2][2]}, padding {layers[2][3]} > ?",
    steps=_steps,
    prompt="A map of {n} x {n} x {C} (height x width x depth) passes three layers, without dilation:\n{listing}\n"
    "Sizes are rounded down. What is the shape S1, S2, S3 after each layer, as height x width x depth?",
    hint="Side: floor((n + 2p - f)/s) + 1 at every layer. Depth: the number of filters, which pooling leaves as it is.",
)
def conv_stack_shapes(rng: Random) -> dict[str, Any]:
    """Shapes through three layers"""
    f, g = rng.choice([3, 5, 7]), rng.choice([3, 5])
    first = [rng.choice([6, 8, 16, 20, 32, 64]), f, rng.choice([1, 2]), rng.choice([0, f // 2])]
    pooling = [0, *rng.choice([(2, 2), (2, 2), (3, 2), (3, 3)]), 0]
    third = [rng.choice([10, 16, 24, 32, 48, 64, 128]), g, rng.choice([1, 1, 2]), rng.choice([0, g // 2])]
    layers = rng.choice([[first, pooling, third], [first, third, pooling]])
    sides, C = [28, 32, 55, 63, 64, 96, 127, 128, 224], rng.choice([1, 3, 3])
    n = rng.choice([n for n in sides if stack(n, C, layers)[-1][0] > 1])
    lines = [f"  {k}. {_layer(*row)}" for k, row in enumerate(layers, 1)]
    return dict(n=n, C=C, layers=layers, listing="\n".join(lines))


def _layer(c: int, f: int, s: int, p: int) -> str:
    what = f"convolution, {c} filters of {f} x {f}" if c else f"max pooling {f} x {f}"
    return f"{what}, stride {s}, padding {p}"


conv_stack_shapes.mistake(
    "rounded-up",
    _wrongly(side=lambda n, f, s, p: -(-(n + 2 * p - f) // s) + 1),
    "A partial step at the end of a side is dropped: round down at every layer.",
)
conv_stack_shapes.mistake(
    "no-plus-one",
    _wrongly(side=lambda n, f, s, p: (n + 2 * p - f) // s),
    "The first position counts too: add 1 after dividing.",
)
conv_stack_shapes.mistake(
    "padding-ignored",
    _wrongly(side=lambda n, f, s, p: (n - f) // s + 1),
    "Padding widens the map by p on both sides before the filter runs: n + 2p.",
)
conv_stack_shapes.mistake(
    "depth-kept",
    _wrongly(deep=lambda depth, c: depth),
    "A convolution does not keep the depth: it has as many output channels as filters.",
)
conv_stack_shapes.mistake(
    "depth-multiplied",
    _wrongly(deep=lambda depth, c: depth * max(c, 1)),
    "A filter sums over all its input channels: one output channel a filter, whatever the depth before.",
)
conv_stack_shapes.mistake(
    "pools-depth",
    {f"S{k}": lambda k=k, **given: _pools_depth(**given)[f"S{k}"] for k in (1, 2, 3)},
    "Pooling works on every channel by itself: height and width shrink, the depth stays.",
)
conv_stack_shapes.torch(
    """
shapes, depth, x = [], C, torch.empty(1, C, n, n, device="meta")
for c, f, s, p in layers.int().tolist():
    x = torch.nn.Conv2d(depth, c, f, s, p, device="meta")(x) if c else torch.nn.MaxPool2d(f, s, p)(x)
    depth = x.shape[1]
    shapes.append(list(x[0].permute(1, 2, 0).shape))
S1, S2, S3 = shapes
"""
)
