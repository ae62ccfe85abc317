"""Convolution: output size, padding, dilation."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn import CONV_OUT_SIZE, DILATED_KERNEL, DILATED_LAYER, SAME_PADDING, TF_SAME


@drill(
    CONV_OUT_SIZE,
    tier=1,
    asks="o | n | f | p",
    visualization="kernel-slide",
    prompt="A {n} x {n} map is convolved with {f} x {f} filters: padding {p} on each side, stride {s}, dilation {d}. "
    "The output is {o} x {o}.",
    hint="Count the positions at which the filter fits into the padded map, s pixels apart; a last partial step "
    "is dropped.",
)
def conv_out_size(rng: Random) -> dict[str, Any]:
    """Output side of a convolution"""
    f = rng.choice([3, 3, 5, 7, 11])
    return dict(
        n=rng.choice([28, 32, 55, 63, 112, 224, rng.randint(20, 300)]),
        f=f,
        p=rng.randint(0, min(5, f // 2)),
        s=rng.choice([1, 2, 2, 3, 4]),
        d=rng.choice([1, 1, 1, 2]) if f <= 5 else 1,
    )


conv_out_size.mistake(
    "no-plus-one", "o = floor((n + 2p - d*(f - 1) - 1)/s)", "The first position counts too: add 1 after dividing."
)
conv_out_size.mistake(
    "padding-once", "o = floor((n + p - d*(f - 1) - 1)/s) + 1", "Padding is added on both sides: 2p, not p."
)
conv_out_size.mistake(
    "rounded-up",
    "o = ceil((n + 2p - d*(f - 1) - 1)/s) + 1",
    "A partial step at the end is dropped: round down, not up.",
)
conv_out_size.mistake(
    "no-dilation",
    "o = floor((n + 2p - f)/s) + 1",
    "Dilation d spreads the filter over d*(f - 1) + 1 pixels: use that in place of f.",
)
conv_out_size.torch(
    "o = F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), stride=s, padding=p, dilation=d).shape[-1]"
)


@drill(
    SAME_PADDING,
    tier=1,
    asks="p | f",
    prompt="A filter of {f} x {f} with dilation {d} moves over a map with stride 1. With {p} pixels of padding on each "
    "side, the output is as large as the input, whatever its size.",
    hint="Put o = n into the formula of the output side; n drops out.",
)
def same_padding(rng: Random) -> dict[str, Any]:
    """Padding that keeps the size"""
    d = rng.choice([1, 1, 2, 3, 4])
    return dict(f=rng.choice([3, 5, 7, 9, 11] + [2, 4, 6] * (d % 2 == 0)), d=d)


same_padding.mistake(
    "both-sides-on-one",
    "p = d*(f - 1)",
    "d(f - 1) pixels are missing in all, and both sides share them: half of it on each side.",
)
same_padding.mistake(
    "half-of-f-rounded-up",
    "p = ceil((d*(f - 1) + 1)/2)",
    "The window's centre needs no padding: halve the side less 1, not the side.",
)
same_padding.mistake(
    "dilation-ignored",
    "p = floor(f/2)",
    "floor(f/2) is right without dilation only: the filter covers d(f - 1) + 1 pixels, so p is d(f - 1)/2.",
)
same_padding.mistake(
    "even-side-rounded-down",
    "p = floor((f - 1)/2)*d",
    "Multiply by d before you halve: with an even d, d(f - 1)/2 is whole for an even filter too.",
)
same_padding.torch(
    """
n = 200
output = F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), dilation=d, padding="same")
assert output.shape[-1] == n
line, weight = torch.zeros(1, 1, n), torch.zeros(1, 1, f)
p, = (p for p in range(100) if F.conv1d(line, weight, dilation=d, padding=p).shape[-1] == n)
"""
)


@drill(
    TF_SAME,
    id="same-padding:tensorflow",
    tier=2,
    asks="o T b",
    visualization="kernel-slide",
    prompt="In TensorFlow a filter of {f} x {f} runs over a map of {n} x {n} with padding='SAME' and stride {s}, "
    "without dilation. The output side is o; the padding T along a side (before and after together) is the least that "
    "gives it; where T is odd, the pixel more goes after, at the bottom and at the right. Find o, T, and the padding "
    "b after.",
    hint="SAME fixes the output side first, at n/s rounded up; the padding follows from where the last window ends.",
)
def same_padding_tensorflow(rng: Random) -> dict[str, Any]:
    """SAME padding at a stride"""
    return dict(n=rng.randint(13, 240), f=rng.choice([3, 5, 7, 8, 11]), s=rng.choice([2, 2, 3, 4]))


same_padding_tensorflow.mistake(
    "keeps-the-size", "o = n", "SAME keeps the size at stride 1 only: at stride s the output side is n/s, rounded up."
)
same_padding_tensorflow.mistake(
    "rounded-down", "o = floor(n/s)", "SAME rounds up: a last partial step gets its window, for which padding is added."
)
same_padding_tensorflow.mistake(
    "padding-of-stride-1", "T = f - 1", "f - 1 is the padding at stride 1: here the last window starts at (o - 1)s."
)
same_padding_tensorflow.mistake(
    "odd-pixel-before", "b = floor(T/2)", "The odd pixel goes after the map: T/2 is rounded up there, and down before."
)
same_padding_tensorflow.torch(
    """
o = len(torch.arange(n)[::s])  # a window at every s-th pixel
line, weight = torch.zeros(1, 1, n), torch.zeros(1, 1, f)
paddings = (t for t in range(2 * f) if F.conv1d(F.pad(line, (0, t)), weight, stride=s).shape[-1] >= o)
T = next(paddings)
b = len(range(T)[::2])
"""
)


@drill(
    DILATED_KERNEL,
    tier=1,
    asks="E | f | d",
    visualization="dilation",
    prompt="A filter of {f} x {f} with dilation {d} covers {E} x {E} pixels, of which it reads {f} x {f}.",
    hint="Between two neighbouring weights lie d - 1 pixels that are skipped; count the gaps along a side.",
)
def dilated_kernel(rng: Random) -> dict[str, Any]:
    """What a dilated filter covers"""
    return dict(f=rng.choice([3, 3, 4, 5, 7, 9]), d=rng.choice([2, 3, 4, 5, 6, 8, 12, 18]))


dilated_kernel.mistake(
    "side-times-dilation", "E = f*d", "Only the f - 1 gaps are stretched, not the last weight: E is d(f - 1) + 1."
)
dilated_kernel.mistake(
    "a-pixel-too-many-in-each-gap",
    "E = f + (f - 1)*d",
    "At dilation d, d - 1 pixels lie between neighbouring weights, not d: dilation 1 leaves no gap.",
)
dilated_kernel.mistake(
    "one-gap", "E = f + d - 1", "Every one of the f - 1 gaps is widened by d - 1 pixels, and not only one."
)
dilated_kernel.torch(
    """
x = torch.zeros(1, 1, 400, requires_grad=True)
y = F.conv1d(x, torch.ones(1, 1, f), dilation=d)
y[0, 0, 50].backward()
read = x.grad[0, 0].nonzero()
E = int(read.max() - read.min()) + 1
"""
)


@drill(
    DILATED_LAYER,
    id="dilated-kernel:layer",
    tier=2,
    asks="E W o",
    visualization="dilation",
    prompt="A {n} x {n} x {C_in} map passes {C_out} filters of {f} x {f} with dilation {d}, stride 1 and padding {p} "
    "on each side; there are no biases. What side E does a filter cover, how many weights W does the layer have, and "
    "what is the output side o?",
    hint="Dilation moves the weights apart; ask of each of the three whether that changes it.",
)
def dilated_layer(rng: Random) -> dict[str, Any]:
    """A dilated layer: cover, weights, output side"""
    return dict(
        n=rng.choice([28, 32, 33, 56, 64, 65]),
        p=rng.choice([0, 1, 2, 3, 4]),
        f=rng.choice([3, 3, 5]),
        d=rng.choice([2, 3, 4, 5]),
        C_in=rng.choice([3, 16, 32, 64, 128, 256]),
        C_out=rng.choice([8, 16, 24, 32, 64, 128, 256]),
    )


dilated_layer.mistake(
    "side-times-dilation", "E = f*d", "Only the f - 1 gaps are stretched, not the last weight: E is d(f - 1) + 1."
)
dilated_layer.mistake(
    "a-pixel-too-many-in-each-gap",
    "E = f + (f - 1)*d",
    "At dilation d, d - 1 pixels lie between neighbouring weights, not d: dilation 1 leaves no gap.",
)
dilated_layer.mistake(
    "gaps-have-weights",
    "W = E^2*C_in*C_out",
    "The gaps hold no weights: dilation widens the filter at no cost, it still has f^2 weights a channel.",
)
dilated_layer.mistake(
    "no-input-channels", "W = f^2*C_out", "Every filter reaches through all input channels: times C_in."
)
dilated_layer.mistake(
    "dilation-ignored", "o = n + 2p - f + 1", "The filter needs room for what it covers: use E in place of f."
)
dilated_layer.mistake("no-plus-one", "o = n + 2p - E", "The first position counts too: add 1.")
dilated_layer.torch(
    """
layer = torch.nn.Conv2d(C_in, C_out, f, dilation=d, padding=p, bias=False, device="meta")
W = layer.weight.numel()
o = layer(torch.empty(1, C_in, n, n, device="meta")).shape[-1]
line = torch.zeros(1, 1, n)  # E: the plain filter that gives as small an output
E = next(side for side in range(1, n) if F.conv1d(line, torch.zeros(1, 1, side), padding=p).shape[-1] == o)
"""
)
