"""Upsampling: drills about sizes and parameters of transposed convolutions."""

from random import Random

from quizzes.content.segmentation.upsampling.formulas.sizes import (
    CHECKERBOARD,
    TRANSPOSED_CONV_AS_CONV,
    TRANSPOSED_CONV_FACTOR,
    TRANSPOSED_CONV_LAYER,
    TRANSPOSED_CONV_SIZE,
    UPSAMPLING_LAYER_CODE,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


@drill(
    TRANSPOSED_CONV_SIZE,
    tier=1,
    asks=one_of("o", "n", "p", "q"),
    prompt="A transposed convolution has an input of size n = {n}, kernel size f = {f}, stride s = {s}, padding "
    "p = {p}, output padding q = {q}, and dilation d = {d}. Its output size is o = {o}.",
    hint="How far apart do the first and the last copy of the kernel begin? What does the padding do to the output?",
    mistakes=[
        Mistake(
            "plain-convolution",
            "o = floor((n + 2p - d*(f - 1) - 1)/s) + 1",
            "That is the output size of a convolution. A transposed one goes the other way: n is its number of copies "
            "of the kernel.",
        ),
        Mistake(
            "padding-added",
            "o = (n - 1)*s + 2p + d*(f - 1) + q + 1",
            "You added the padding. In a transposed convolution it is cut off from the output.",
        ),
        Mistake(
            "padding-once",
            "o = (n - 1)*s - p + d*(f - 1) + q + 1",
            "You subtracted the padding once. It is cut off on both sides.",
        ),
        Mistake(
            "output-padding-left-out",
            "o = (n - 1)*s - 2p + d*(f - 1) + 1",
            "You left out the output padding, which is added to one end.",
        ),
        Mistake(
            "dilation-left-out",
            "o = (n - 1)*s - 2p + f + q",
            "You ignored the dilation. A kernel covers d(f - 1) + 1 pixels.",
        ),
        Mistake("always-times-stride", "o = n*s", "Only some paddings make the output s times as large."),
    ],
)
def transposed_conv_size(rng: Random) -> Inputs:
    """Output size of a transposed convolution"""
    s, d = rng.choice([2, 2, 3, 4]), rng.choice([1, 1, 1, 2])
    f = rng.choice([2, 3, 4, 5, 6])
    p = rng.randint(1, min(3, d * (f - 1)))
    return dict(n=rng.randint(4, 32), f=f, s=s, p=p, q=rng.randint(0, max(s, d) - 1), d=d)


@drill(
    TRANSPOSED_CONV_FACTOR,
    id="transposed-conv-size:factor",
    tier=2,
    asks=("p", "q", "o"),
    prompt="A transposed convolution with kernel size f = {f}, stride s = {s} and dilation d = {d} should output maps "
    "that are exactly {s} times as high and wide as its input, for every input size. The output padding is 0 or 1, and "
    "the padding is the smallest that fits.\n"
    "Which padding p and output padding q does it need? What is the output size o for an input of size n = {n}?",
    hint="Which terms of the output size do not depend on n? They must add up so that only n*s is left.",
    mistakes=[
        Mistake(
            "padding-of-convolution",
            "p = ceil((E - 1)/2)",
            "That padding keeps the size of a convolution with stride 1. Here 2p - q must be the effective kernel size "
            "minus s.",
        ),
        Mistake("rounded-down", "p = floor((E - s)/2)", "Round up: the output padding can only add a row."),
        Mistake("dilation-left-out", "p = ceil((f - s)/2)", "You ignored the dilation of the kernel."),
        Mistake("not-halved", "p = E - s", "The padding is cut off on both sides, so half of it is enough."),
        Mistake(
            "other-output-padding",
            "q = 1 - 2p + E - s",
            "Compute the size without output padding. If a row is missing, q is 1.",
        ),
        Mistake("no-last-kernel", "o = (n - 1)*s", "That is where the last copy of the kernel begins."),
    ],
)
def transposed_conv_factor(rng: Random) -> Inputs:
    """Padding that enlarges a map by the stride"""
    s, d = rng.randint(2, 5), rng.choice([1, 1, 2, 3])
    f = rng.randint(2, 9)
    if d * (f - 1) + 1 <= s:
        raise UndefinedValue("no padding is needed")
    return dict(n=rng.randint(5, 40), f=f, s=s, d=d)


@drill(
    TRANSPOSED_CONV_AS_CONV,
    id="transposed-conv-size:as-conv",
    tier=2,
    asks=("z", "m", "g", "o"),
    prompt="A transposed convolution with kernel size {f}, stride {s} and padding {p} reads a map of size {n}. The "
    "same output is computed by a convolution with stride 1 and the flipped kernel, after zeros were inserted between "
    "the inputs.\n"
    "How many zeros are between two adjacent inputs of a row (z), what is the size of the map with them (m), which "
    "padding per side does the convolution have (g), and what is the output size (o)?",
    hint="How far apart do copies of adjacent inputs begin in the output? How many outputs does the first input reach?",
    mistakes=[
        Mistake("stride-zeros", "z = s", "Adjacent inputs are s cells apart, so there are s - 1 zeros between them."),
        Mistake(
            "zeros-after-the-last",
            "m = n*s",
            "Zeros are between the inputs only, not after the last one.",
        ),
        Mistake(
            "same-padding",
            "g = p",
            "That is the padding of the transposed convolution, which is cut off from a padding of f - 1.",
        ),
        Mistake("full-padding", "g = f - 1", "That is the padding for p = 0. Subtract p."),
        Mistake("half-padding", "g = floor((f - 1)/2)", "That padding keeps the size. Here it is f - 1 - p."),
        Mistake("padding-once", "o = m + g - f + 1", "The convolution pads both sides."),
    ],
)
def transposed_conv_as_conv(rng: Random) -> Inputs:
    """Transposed convolution as a convolution"""
    f, s = rng.randint(3, 7), rng.randint(2, 4)
    return dict(n=rng.randint(3, 20), f=f, s=s, p=rng.randint(1, f - 2))


@drill(
    TRANSPOSED_CONV_LAYER,
    id="transposed-conv-size:layer",
    tier=2,
    asks=("o", "P", "M"),
    prompt="A decoder upsamples a map of {n}x{n} with {C_in} channels by a transposed convolution with kernel size "
    "{f}, stride {s} and padding {p}, to {C_out} channels, with biases.\n"
    "What are the output size o, the number of parameters P, and the number of MACs M?\n"
    "Conventions: the MACs are those of the weights, also where the padding cuts the result off.",
    hint="How often is each weight used: once per input pixel, or once per output pixel?",
    mistakes=[
        Mistake(
            "plain-convolution",
            "o = floor((n + 2p - f)/s) + 1",
            "That is the output size of a convolution. A transposed one enlarges the map.",
        ),
        Mistake("padding-added", "o = (n - 1)*s + 2p + f", "The padding is cut off from the output."),
        Mistake("no-biases", "P = f^2*C_in*C_out", "You left out the biases: one per output channel."),
        Mistake("bias-per-input", "P = f^2*C_in*C_out + C_in", "There is one bias per output channel."),
        Mistake("depthwise", "P = f^2*C_out + C_out", "Each output channel has weights for every input channel."),
        Mistake(
            "per-output-pixel",
            "M = o^2*f^2*C_in*C_out",
            "A convolution uses each weight once per output. Here each input pixel is multiplied by the whole kernel.",
        ),
        Mistake("kernel-row", "M = n^2*f*C_in*C_out", "The kernel has f^2 weights per pair of channels."),
    ],
)
def transposed_conv_layer(rng: Random) -> Inputs:
    """Transposed convolution in a decoder"""
    f, s, p = rng.choice([(2, 2, 0), (3, 2, 1), (4, 2, 1), (4, 4, 0), (5, 2, 2), (6, 3, 1), (8, 4, 2), (3, 3, 0)])
    C_in = rng.choice([32, 64, 128, 256])
    return dict(n=rng.choice([7, 8, 14, 16, 20, 28]), f=f, s=s, p=p, C_in=C_in, C_out=rng.choice([16, C_in // 2, 21]))


def _code_steps(n: int, f: int, s: int, p: int, o: int, r: int, **_: Value) -> list[Step]:
    return [
        Step(
            "Compute the height that the layer outputs.",
            [f"o = ({n} - 1)*{s} - 2*{p} + {f}", f"o = {o}"],
        ),
        Step(
            f"The skip connection is {n * s} pixels high, so output padding {r} is missing.",
            [f"r = {n}*{s} - {o}", f"r = {r}"],
        ),
        Step("Add it to the layer, and leave kernel size, stride and padding as they are."),
    ]


@drill(
    UPSAMPLING_LAYER_CODE,
    id="transposed-conv-size:code",
    tier=2,
    asks=("o", "r", "fix"),
    visualization="code program",
    steps=_code_steps,
    prompt="The last line of this program fails, because the upsampled map is smaller than the map of the skip "
    "connection.\n"
    "Which height does the program print (o)? Which output padding is missing (r)? Rewrite the line that makes the "
    "layer, with an output padding and no other change (fix).",
    hint="What is the output size of a transposed convolution without output padding?",
    mistakes=[
        Mistake("always-times-stride", "o = n*s", "That is the size that is needed. The layer outputs less."),
        Mistake(
            "plain-convolution",
            "o = floor((n + 2p - f)/s) + 1",
            "That is the output size of a convolution with these numbers.",
        ),
        Mistake("padding-once", "o = (n - 1)*s - p + f", "The padding is cut off on both sides."),
        Mistake(
            "padding-changed",
            {"fix": lambda fix, p, f, s, **_: fix.replace(f"padding={p}, output_padding={2 * p + s - f}", "padding=0")},
            "That changes the padding. The output padding alone adds the missing rows.",
        ),
    ],
)
def transposed_conv_code(rng: Random) -> Inputs:
    """Upsampled map that does not fit"""
    f, s, p = rng.choice([(3, 2, 1), (5, 2, 2), (3, 3, 1), (5, 3, 2), (5, 4, 1), (7, 2, 3), (7, 4, 2), (4, 3, 1)])
    r = s - f + 2 * p
    if not 0 < r < s:
        raise UndefinedValue("no output padding fits")
    n, C_in, C_out = rng.randint(5, 20), rng.choice([32, 64, 128, 256]), rng.choice([16, 24, 48])
    name = rng.choice(["up", "deconv", "decode"])
    layer = f"{name} = nn.ConvTranspose2d({C_in}, {C_out}, {f}, stride={s}, padding={p}"
    program = [
        f"x = torch.zeros(1, {C_in}, {n}, {n})",
        f"skip = torch.zeros(1, {C_out}, {n * s}, {n * s})",
        f"{layer})",
        f"y = {name}(x)",
        "print(y.shape[2])",
        "z = torch.cat([y, skip], dim=1)",
    ]
    return dict(n=n, f=f, s=s, p=p, fix=f"{layer}, output_padding={r})", program="\n".join(program))


def _checkerboard_steps(pairs: list[list[int]], k: int, f: int, s: int, r: Value, **values: Value) -> list[Step]:
    def text(a: int, b: int) -> str:
        return f"({a}, {b}): {'even' if a % b == 0 else f'{-(-a // b)} or {a // b} copies per pixel of a row'}"

    return [
        Step(
            "The copies of the kernel begin s pixels apart, so a pixel of a row is in f/s copies, if s divides f. "
            "Otherwise some pixels are in one copy more than others.",
        ),
        Step("; ".join(text(int(a), int(b)) for a, b in pairs) + "."),
        Step(
            f"With kernel size {f} and stride {s}, the numbers of rows and of columns are multiplied.",
            [f"r = (ceil({f}/{s})/floor({f}/{s}))^2", f"r = {float(r):g}"],
        ),
    ]


@drill(
    CHECKERBOARD,
    id="decide-checkerboard",
    tier=2,
    asks=("even", "r"),
    steps=_checkerboard_steps,
    prompt="Some transposed convolutions cover certain output pixels by more copies of their kernel than others, which "
    "shows as a checkerboard. Five layers have these kernel sizes and strides: {listing}.\n"
    "Which of them cover all interior pixels equally often (even)? For layer {k}, with kernel size {f_k} and stride "
    "{s_k}, the 2-D kernel and the input are all ones: what is the largest interior output value divided by the "
    "smallest one (r)?",
    hint="How many copies of the kernel is each pixel of a row in, if the copies begin s pixels apart?",
    mistakes=[
        Mistake(
            "every-even-kernel",
            {"even": lambda pairs, **_: _names([f % 2 == 0 for f, _ in pairs])},
            "An even kernel size is not enough. The stride must divide it.",
        ),
        Mistake(
            "every-odd-kernel",
            {"even": lambda pairs, **_: _names([f % 2 == 1 for f, _ in pairs])},
            "An odd kernel size does not help. The stride must divide it.",
        ),
        Mistake(
            "kernel-equals-stride",
            {"even": lambda pairs, **_: _names([f == s for f, s in pairs])},
            "Copies may overlap, as long as all pixels are in equally many of them.",
        ),
        Mistake("one-dimension", "r = high/low", "That is the ratio in a row. Square it for a map."),
        Mistake("kernel-over-stride", "r = (f/s)^2", "That is the mean number of copies per pixel."),
        Mistake("difference", "r = high - low", "Divide the largest value by the smallest one."),
    ],
)
def decide_checkerboard(rng: Random) -> Inputs:
    """Checkerboard of transposed convolutions"""
    options = [(f, s) for s in (2, 3, 4) for f in range(s, 9)]
    pairs = [list(pair) for pair in rng.sample(options, 5)]
    uneven = [k for k, (f, s) in enumerate(pairs, 1) if f % s]
    if not 1 <= len(uneven) <= 4 or not any(f % 2 == 0 and f % s for f, s in pairs):
        raise UndefinedValue("some must be even, and one with an even kernel must not")
    k = rng.choice(uneven)
    numbers = {f"{name}{i}": value for i, pair in enumerate(pairs, 1) for name, value in zip("fs", pair, strict=True)}
    listing = ", ".join(f"({f}, {s})" for f, s in pairs)
    return dict(pairs=pairs, k=k, listing=listing, f_k=pairs[k - 1][0], s_k=pairs[k - 1][1], **numbers)


def _names(flags: list[bool]) -> list[str]:
    """Return the names of the pairs with a flag.

    Raises:
        UndefinedValue: If there is none.
    """
    names = [f"pair{k}" for k, flag in enumerate(flags, 1) if flag]
    if not names:
        raise UndefinedValue("no pair has the property")
    return names
