"""Convolution: output size, depth, parameters: drills."""

from random import Random
from typing import Any

from quizzes.content.cnn.convolution.formulas import (
    CONV_1D,
    CONV_3D,
    CONV_CHANNELS,
    CONV_MACS,
    CONV_OUT_SIZE,
    CONV_PARAMS,
    CONV_STACK,
    CONV_VALUES,
    DILATED_KERNEL,
    DILATED_LAYER,
    GROUPED_CONV,
    RECEPTIVE_FIELD_OF_THREE,
    SAME_PADDING,
    SMALL_CNN,
    TF_SAME,
    add,
    correlate,
    output_size,
    stack_shapes,
)
from quizzes.content.cnn.shared import Map, extract_windows, pad
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

TIMES_DILATION = (
    "You multiplied the kernel size by the dilation. Dilation stretches only the gaps, and there is one gap fewer than "
    "weights."
)


WIDE_GAPS = (
    "You skipped one pixel too many per gap. Dilation 1 skips none, so the gap is one pixel less than the dilation."
)


NO_BIAS = "You left out the biases. Every filter has one, so add 1 for each filter."


BIAS_PER_PAIR = (
    "You counted one bias per input channel. A filter has a single bias, added after the sum over the channels, so "
    "count C_out biases."
)


GROUPS_IGNORED = "You ignored the groups. Each filter spans only C_in/g input channels, so divide C_in by g."


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


FLIPPED = "You flipped the kernel. In deep learning a convolution is a cross-correlation, so do not flip it."


NO_BIAS_IN_SUM = "You left out the bias. It is part of every output value, so add it to each sum."


def _map(rng: Random, size: int) -> Map:
    return [[rng.choice([0, 1, 1, 2, 2, 3, 4]) for _ in range(size)] for _ in range(size)]


def _kernel(rng: Random, size: int) -> Map:
    """A kernel that flipping changes."""
    K = [[rng.choice([-2, -1, -1, 0, 1, 1, 2]) for _ in range(size)] for _ in range(size)]
    return K if _flip(K) != K else _kernel(rng, size)


def _flip(K: Map) -> Map:
    return [row[::-1] for row in K[::-1]]


def _term(number: int) -> str:
    return f"({number})" if number < 0 else str(number)


def _sums(patches: Map, weights: list[int], b: int, O: Map, text: str) -> list[Step]:
    """A step for each output value: the products of its patch, and the bias."""
    steps = []
    for i, row in enumerate(patches):
        for j, values in enumerate(row):
            products = [f"{_term(w)}*{_term(x)}" for w, x in zip(weights, values, strict=True) if w]
            math = [f"O[{i + 1}, {j + 1}] = {' + '.join([*products, _term(b)])}", f"O[{i + 1}, {j + 1}] = {O[i][j]}"]
            steps.append(Step(f"Row {i + 1}, column {j + 1}: {text}", math))
    return steps


def _convolution_steps(X: Map, K: Map, b: int, s: int, p: int, O: Map) -> list[Step]:
    patches = extract_windows(pad(X, p), len(K), len(K[0]), s)
    return _sums(
        patches, [w for row in K for w in row], b, O, "sum weight times input over the patch, then add the bias"
    )


def _rows(X: Map) -> str:
    width = max(len(str(v)) for row in X for v in row)
    return "\n".join("  " + " ".join(str(v).rjust(width) for v in row) for row in X)


def _channel_steps(X1: Map, X2: Map, K1: Map, K2: Map, b: int, O: Map) -> list[Step]:
    first, second = (extract_windows(X, len(K1), len(K1[0]), 1) for X in (X1, X2))
    both = [[a + c for a, c in zip(row, line, strict=True)] for row, line in zip(first, second, strict=True)]
    weights = [w for K in (K1, K2) for row in K for w in row]
    return _sums(both, weights, b, O, "sum weight times input over both channels, then add the bias")


@drill(
    CONV_OUT_SIZE,
    tier=1,
    asks=one_of("o", "n", "f", "p"),
    visualization="kernel-slide",
    prompt="A square input of size {n} is convolved with square kernels of size {f} (padding {p} on each side, stride "
    "{s}, dilation {d}). The output size is {o}.\n"
    "Conventions: sizes are rounded down.",
    hint="At how many positions, one stride apart, does the kernel fit into the padded input?",
    mistakes=[
        Mistake(
            "no-plus-one",
            "o = floor((n + 2p - d*(f - 1) - 1)/s)",
            "You left out the +1. The first kernel position counts too, so add 1 after dividing by the stride.",
        ),
        Mistake(
            "padding-once",
            "o = floor((n + p - d*(f - 1) - 1)/s) + 1",
            "You added the padding on one side only. It is added on both sides, so add it twice.",
        ),
        Mistake(
            "rounded-up",
            "o = ceil((n + 2p - d*(f - 1) - 1)/s) + 1",
            "You rounded up. A partial step at the end is dropped, so round down.",
        ),
        Mistake(
            "no-dilation",
            "o = floor((n + 2p - f)/s) + 1",
            "You ignored the dilation. It spreads the kernel, so use the effective kernel size, dilation x (kernel "
            "size - 1) "
            "+ 1.",
        ),
    ],
)
def conv_out_size(rng: Random) -> Inputs:
    """Output size of a convolution"""
    f = rng.choice([3, 3, 5, 7, 11])
    return dict(
        n=rng.choice([28, 32, 55, 63, 112, 224, rng.randint(20, 300)]),
        f=f,
        p=rng.randint(0, min(5, f // 2)),
        s=rng.choice([1, 2, 2, 3, 4]),
        d=rng.choice([1, 1, 1, 2]) if f <= 5 else 1,
    )


@drill(
    SAME_PADDING,
    tier=1,
    asks=one_of("p", "f"),
    prompt="A square input is convolved with square kernels of size {f} (padding {p} on each side, stride 1, dilation "
    "{d}). The output size equals the input size, whatever that is.",
    hint="Set the output size equal to the input size in the formula. Does the input size matter?",
    mistakes=[
        Mistake(
            "both-sides-on-one",
            "p = d*(f - 1)",
            "You put the whole padding on one side. That is the total for both sides, so put half of it on each.",
        ),
        Mistake(
            "half-of-f-rounded-up",
            "p = ceil((d*(f - 1) + 1)/2)",
            "You halved the effective kernel size. Its center pixel needs no padding, so subtract 1 before you halve "
            "it.",
        ),
        Mistake(
            "dilation-ignored",
            "p = floor(f/2)",
            "You ignored the dilation. It stretches the gaps between the weights, so multiply by it: dilation x "
            "(kernel size "
            "- 1)/2.",
        ),
        Mistake(
            "even-side-rounded-down",
            "p = floor((f - 1)/2)*d",
            "You halved before multiplying by the dilation. With an even dilation the product is even for any kernel "
            "size, so "
            "multiply first.",
        ),
    ],
)
def same_padding(rng: Random) -> Inputs:
    """Padding that keeps the size"""
    d = rng.choice([1, 1, 2, 3, 4])
    return dict(f=rng.choice([3, 5, 7, 9, 11] + [2, 4, 6] * (d % 2 == 0)), d=d)


@drill(
    TF_SAME,
    id="same-padding:tensorflow",
    tier=2,
    asks=("o", "T", "b"),
    visualization="kernel-slide",
    prompt="In TensorFlow, a square input of size n = {n} is convolved with square kernels of size f = {f} "
    "(padding='SAME', stride s = {s}, no dilation). T is the smallest total padding along one dimension, before and "
    "after, that gives the output size o. If T is odd, the extra pixel goes after the input (bottom and right).\n"
    "What are the output size o, the total padding T, and the padding b after the input?",
    hint="SAME fixes the output size first, without regard to the kernel. Where does the last window then end?",
    mistakes=[
        Mistake(
            "keeps-the-size",
            "o = n",
            "You kept the input size. SAME does so only at stride 1, so divide n by s and round up.",
        ),
        Mistake(
            "rounded-down",
            "o = floor(n/s)",
            "You rounded down. SAME pads the input so that a last partial step gets a window too, so round up.",
        ),
        Mistake(
            "padding-of-stride-1",
            "T = f - 1",
            "You used the padding for stride 1. At stride s the last window starts at (o - 1) s, so T = (o - 1) s + "
            "f - n.",
        ),
        Mistake(
            "odd-pixel-before",
            "b = floor(T/2)",
            "You put the odd pixel before the input. It goes after it, so round T/2 up.",
        ),
    ],
)
def same_padding_tensorflow(rng: Random) -> Inputs:
    """SAME padding with a stride"""
    return dict(n=rng.randint(13, 240), f=rng.choice([3, 5, 7, 8, 11]), s=rng.choice([2, 2, 3, 4]))


@drill(
    DILATED_KERNEL,
    tier=1,
    asks=one_of("E", "f", "d"),
    visualization="dilation",
    prompt="A square kernel of size {f} with dilation {d} covers a square of size {E} in the input.",
    hint="How many gaps lie between the weights along one dimension? How many pixels does each gap skip?",
    mistakes=[
        Mistake("side-times-dilation", "E = f*d", TIMES_DILATION),
        Mistake("a-pixel-too-many-in-each-gap", "E = f + (f - 1)*d", WIDE_GAPS),
        Mistake(
            "one-gap",
            "E = f + d - 1",
            "You widened only one gap. Dilation applies to every gap between adjacent weights, so multiply by the "
            "number of "
            "gaps.",
        ),
    ],
)
def dilated_kernel(rng: Random) -> Inputs:
    """Effective kernel size with dilation"""
    return dict(f=rng.choice([3, 3, 4, 5, 7, 9]), d=rng.choice([2, 3, 4, 5, 6, 8, 12, 18]))


@drill(
    DILATED_LAYER,
    id="dilated-kernel:layer",
    tier=2,
    asks=("E", "W", "o"),
    visualization="dilation",
    prompt="A square input of size n = {n} with C_in = {C_in} channels is convolved with C_out = {C_out} filters of "
    "size f = {f} (padding p = {p} on each side, stride 1, dilation d = {d}).\n"
    "What are the effective kernel size E, the number of weights W, and the output size o?\n"
    "Conventions: no biases.",
    hint="Dilation moves the weights apart. Which of the three values does that change?",
    mistakes=[
        Mistake("side-times-dilation", "E = f*d", TIMES_DILATION),
        Mistake("a-pixel-too-many-in-each-gap", "E = f + (f - 1)*d", WIDE_GAPS),
        Mistake(
            "gaps-have-weights",
            "W = E^2*C_in*C_out",
            "You counted weights in the gaps. Dilation adds no weights, so a filter still has f^2 weights per input "
            "channel.",
        ),
        Mistake(
            "no-input-channels",
            "W = f^2*C_out",
            "You left out the input channels. Each filter spans all of them, so multiply by C_in.",
        ),
        Mistake(
            "dilation-ignored",
            "o = n + 2p - f + 1",
            "You ignored the dilation. The kernel covers E pixels, so use E instead of f.",
        ),
        Mistake(
            "no-plus-one", "o = n + 2p - E", "You left out the +1. The first kernel position counts too, so add 1."
        ),
    ],
)
def dilated_layer(rng: Random) -> Inputs:
    """Dilated convolution layer"""
    return dict(
        n=rng.choice([28, 32, 33, 56, 64, 65]),
        p=rng.choice([0, 1, 2, 3, 4]),
        f=rng.choice([3, 3, 5]),
        d=rng.choice([2, 3, 4, 5]),
        C_in=rng.choice([3, 16, 32, 64, 128, 256]),
        C_out=rng.choice([8, 16, 24, 32, 64, 128, 256]),
    )


@drill(
    CONV_PARAMS,
    tier=1,
    asks="P",
    prompt="A convolution maps C_in = {C_in} to C_out = {C_out} channels with kernel size k = {k} and groups g = {g}. "
    "Every filter has a bias.",
    hint="How many weights does one filter have? Add its bias, then multiply by the number of filters.",
    mistakes=[
        Mistake(
            "no-input-channels",
            "P = (k^2 + 1)*C_out",
            "You left out the input channels. Each filter spans C_in/g of them, so it has k^2 C_in/g weights.",
        ),
        Mistake("no-bias", "P = k^2*C_in/g*C_out", NO_BIAS),
        Mistake(
            "one-bias",
            "P = k^2*C_in/g*C_out + 1",
            "You counted one bias for the layer. Every filter has one, so add C_out biases.",
        ),
        Mistake("bias-for-each-pair", "P = (k^2 + 1)*C_in/g*C_out", BIAS_PER_PAIR),
        Mistake("groups-ignored", "P = (k^2*C_in + 1)*C_out", GROUPS_IGNORED),
    ],
)
def conv_params(rng: Random) -> Inputs:
    """Parameters of a convolution"""
    c_in, c_out = rng.choice([1, 3, 16, 32, 64, 96, 128, 256]), rng.choice([6, 16, 32, 64, 100, 128, 256])
    g = rng.choice([1, 1, 1, 2, 4]) if c_in % 4 == c_out % 4 == 0 else 1
    return dict(k=rng.choice([1, 3, 3, 5, 7, 11]), C_in=c_in, C_out=c_out, g=g)


@drill(
    CONV_MACS,
    tier=2,
    asks=("o", "MACs", "FLOPs"),
    visualization="kernel-slide",
    prompt="A square input of size n = {n} with C_in = {C_in} channels is convolved with C_out = {C_out} filters of "
    "size f = {f} (padding p = {p} on each side, stride s = {s}).\n"
    "What are the output size o, the number of multiply-accumulate operations (MACs) and the number of FLOPs per "
    "image?\n"
    "Conventions: one MAC is two FLOPs; biases are not counted; sizes are rounded down.",
    hint="How many MACs does one output value take? How many output values are there?",
    mistakes=[
        Mistake(
            "no-plus-one",
            "o = floor((n + 2p - f)/s)",
            "You left out the +1. The first kernel position counts too, so add 1 after dividing by the stride.",
        ),
        Mistake(
            "padding-once",
            "o = floor((n + p - f)/s) + 1",
            "You added the padding on one side only. It is added on both sides, so use n + 2p.",
        ),
        Mistake(
            "input-size",
            "MACs = f^2*C_in*C_out*n^2",
            "You multiplied by the input positions. A filter is applied once per output position, so multiply by o^2.",
        ),
        Mistake(
            "no-input-channels",
            "MACs = f^2*C_out*o^2",
            "You left out the input channels. Each output value sums over all of them, so it takes f^2 C_in MACs.",
        ),
        Mistake(
            "one-position",
            "MACs = f^2*C_in*C_out",
            "You counted the weights. Each weight is used at all o^2 positions, so multiply by o^2.",
        ),
        Mistake(
            "flops-for-macs",
            "MACs = 2*f^2*C_in*C_out*o^2",
            "You counted FLOPs. A multiplication and its addition are one MAC, so do not multiply by 2.",
        ),
        Mistake(
            "macs-for-flops",
            "FLOPs = MACs",
            "You counted MACs. A MAC is a multiplication and an addition, so multiply by 2.",
        ),
    ],
)
def conv_macs_flops(rng: Random) -> Inputs:
    """MACs and FLOPs of a convolution"""
    f = rng.choice([1, 3, 3, 5, 7])
    return dict(
        n=rng.choice([14, 27, 28, 32, 56, 112, 224]),
        f=f,
        s=rng.choice([1, 2, 2]),
        p=rng.choice([0, f // 2, f // 2]),
        C_in=rng.choice([3, 16, 32, 64, 128, 256]),
        C_out=rng.choice([8, 16, 32, 64, 96, 128, 256]),
    )


@drill(
    GROUPED_CONV,
    tier=1,
    asks="W",
    prompt="A convolution maps C_in = {C_in} to C_out = {C_out} channels with kernel size f = {f} and groups g = {g}. "
    "It has no biases.",
    hint="How many input channels does each filter span? The number of filters does not change.",
    mistakes=[
        Mistake(
            "divided-twice",
            "W = f^2*C_in/g*C_out/g",
            "You divided both input and output channels by g. There are still C_out filters, so divide only C_in by g.",
        ),
        Mistake("groups-ignored", "W = f^2*C_in*C_out", GROUPS_IGNORED),
        Mistake(
            "times-groups", "W = f^2*C_in*C_out*g", "You multiplied by g. Groups remove connections, so divide by g."
        ),
    ],
)
def grouped_conv(rng: Random) -> Inputs:
    """Weights of a grouped convolution"""
    g = rng.choice([2, 2, 4, 8, 16, 32])
    return dict(
        f=rng.choice([1, 3, 3, 5, 7]), C_in=g * rng.choice([2, 4, 6, 8, 16]), C_out=g * rng.choice([2, 4, 8, 12]), g=g
    )


@drill(
    CONV_3D,
    id="conv3d-conv1d",
    tier=1,
    asks="P",
    prompt="A 3-D convolution maps a video from C_in = {C_in} to C_out = {C_out} channels. The kernel size is f_t = "
    "{f_t} in time and f = {f} in height and width. Every filter has a bias.",
    hint="How many weights does a filter have per input channel, in time and space together?",
    mistakes=[
        Mistake(
            "no-time",
            "P = (f^2*C_in + 1)*C_out",
            "You left out the time dimension. A filter has f^2 weights for each of its f_t frames, so multiply by f_t.",
        ),
        Mistake(
            "cube",
            "P = (f^3*C_in + 1)*C_out",
            "You used a cube of f^3 weights. The kernel size in time is f_t, so use f_t f^2.",
        ),
        Mistake(
            "no-input-channels",
            "P = (f_t*f^2 + 1)*C_out",
            "You left out the input channels. Each filter has its own weights for every input channel, so multiply "
            "by C_in.",
        ),
        Mistake("no-bias", "P = f_t*f^2*C_in*C_out", NO_BIAS),
        Mistake("bias-for-each-pair", "P = (f_t*f^2 + 1)*C_in*C_out", BIAS_PER_PAIR),
    ],
)
def conv3d(rng: Random) -> Inputs:
    """Parameters of a 3-D convolution"""
    f = rng.choice([1, 3, 3, 5, 7])
    return dict(
        f_t=rng.choice([t for t in (2, 3, 5, 7, 9) if t != f]),
        f=f,
        C_in=rng.choice([1, 3, 8, 16, 32, 64]),
        C_out=rng.choice([8, 16, 32, 64, 128]),
    )


@drill(
    CONV_1D,
    id="conv3d-conv1d:conv1d",
    tier=1,
    asks="P",
    prompt="A 1-D convolution maps a sequence from C_in = {C_in} to C_out = {C_out} channels with kernel size f = "
    "{f}. Every filter has a bias.",
    hint="How many weights does a filter have per input channel?",
    mistakes=[
        Mistake(
            "squared",
            "P = (f^2*C_in + 1)*C_out",
            "You squared the kernel size. A sequence has one dimension, so a filter has f weights per input channel.",
        ),
        Mistake(
            "no-input-channels",
            "P = (f + 1)*C_out",
            "You left out the input channels. Each filter spans all of them, so multiply by C_in.",
        ),
        Mistake("no-bias", "P = f*C_in*C_out", NO_BIAS),
        Mistake("bias-for-each-pair", "P = (f + 1)*C_in*C_out", BIAS_PER_PAIR),
    ],
)
def conv1d(rng: Random) -> Inputs:
    """Parameters of a 1-D convolution"""
    return dict(
        f=rng.choice([2, 3, 4, 5, 7, 9]),
        C_in=rng.choice([4, 12, 32, 40, 50, 64, 100, 128, 300]),
        C_out=rng.choice([8, 16, 32, 64, 100, 128]),
    )


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
    hint="How do kernel size, stride and padding change the size? What determines the number of channels?",
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
    CONV_VALUES,
    id="conv-value-hand",
    tier=1,
    asks="O",
    visualization="convolution",
    decimals=None,
    steps=_convolution_steps,
    prompt="The input\n"
    "{rows_X}\n"
    "is convolved with the kernel\n"
    "{rows_K}\n"
    "with bias {b}, stride {s} and zero padding {p} on each side.\n"
    "Conventions: cross-correlation, so the kernel is not flipped; no activation.",
    hint="Place the kernel on the top left patch, multiply element-wise, sum, and add the bias. Then move by the "
    "stride.",
    mistakes=[
        Mistake("flipped-filter", {"O": lambda X, K, b, s, p: add(correlate(X, _flip(K), s, p), b)}, FLIPPED),
        Mistake("bias-left-out", {"O": lambda X, K, b, s, p: correlate(X, K, s, p)}, NO_BIAS_IN_SUM),
        Mistake(
            "bias-times-weights",
            {"O": lambda X, K, b, s, p: add(correlate(X, K, s, p), b * len(K) * len(K[0]))},
            "You added the bias once per weight. It is added once per output value, after the sum.",
        ),
        Mistake(
            "stride-ignored",
            {"O": lambda X, K, b, s, p: add(correlate(X, K, 1, p), b)},
            "You ignored the stride. The kernel moves by the stride, so skip the positions in between.",
        ),
        Mistake(
            "padding-ignored",
            {"O": lambda X, K, b, s, p: add(correlate(X, K, s, 0), b)},
            "You ignored the padding. The zeros around the input add positions, so start the kernel on the padded "
            "corner.",
        ),
    ],
)
def conv_value_hand(rng: Random) -> Inputs:
    """Convolution by hand"""
    size, f, s, p = rng.choice([(3, 2, 1, 0), (3, 2, 1, 0), (4, 2, 2, 0), (4, 3, 1, 0), (5, 3, 2, 0), (3, 3, 2, 1)])
    X, K = _map(rng, size), _kernel(rng, f)
    return dict(X=X, K=K, b=rng.choice([-3, -2, -1, 1, 2, 3]), s=s, p=p, rows_X=_rows(X), rows_K=_rows(K))


@drill(
    CONV_CHANNELS,
    id="conv-value-hand:channels",
    tier=2,
    asks="O",
    visualization="matrices X1 K1 / X2 K2",
    decimals=None,
    steps=_channel_steps,
    prompt="An input has the channels\n"
    "  X1 = {X1}\n"
    "  X2 = {X2}\n"
    "One filter has the kernels\n"
    "  K1 = {K1}\n"
    "  K2 = {K2}\n"
    "for them, and the bias {b}.\n"
    "Conventions: stride 1; no padding; cross-correlation, so the kernels are not flipped; no activation.",
    hint="How many output channels does one filter have? At each position it sums over both input channels.",
    mistakes=[
        Mistake(
            "first-channel-only",
            {"O": lambda X1, X2, K1, K2, b: add(correlate(X1, K1), b)},
            "You used the first channel only. The filter spans both channels, so add the products of K2 and X2.",
        ),
        Mistake(
            "bias-for-each-channel",
            {"O": lambda X1, X2, K1, K2, b: add(add(correlate(X1, K1), correlate(X2, K2)), 2 * b)},
            "You added the bias once per channel. A filter has one bias, so add it once, after the sum over the "
            "channels.",
        ),
        Mistake(
            "bias-left-out",
            {"O": lambda X1, X2, K1, K2, b: add(correlate(X1, K1), correlate(X2, K2))},
            NO_BIAS_IN_SUM,
        ),
        Mistake(
            "one-slice-for-both",
            {"O": lambda X1, X2, K1, K2, b: add(add(correlate(X1, K1), correlate(X2, K1)), b)},
            "You applied K1 to both channels. A filter has separate weights per channel, so apply K2 to X2.",
        ),
        Mistake(
            "flipped-filter",
            {"O": lambda X1, X2, K1, K2, b: add(add(correlate(X1, _flip(K1)), correlate(X2, _flip(K2))), b)},
            FLIPPED,
        ),
    ],
)
def conv_value_channels(rng: Random) -> Inputs:
    """Convolution with two input channels"""
    size = rng.choice([2, 3, 3])
    return dict(
        X1=_map(rng, size),
        X2=_map(rng, size),
        K1=_kernel(rng, 2),
        K2=_kernel(rng, 2),
        b=rng.choice([-3, -2, -1, 1, 2, 3]),
    )


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
