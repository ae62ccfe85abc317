"""Convolution: drills about the sizes of one layer."""

from random import Random

from quizzes.content.cnn.convolution.formulas import CONV_OUT_SIZE, DILATED_KERNEL, DILATED_LAYER, SAME_PADDING, TF_SAME
from quizzes.drill import Inputs, Mistake, drill, one_of

TIMES_DILATION = (
    "You multiplied the kernel size by the dilation. Dilation stretches only the gaps, and there is one gap fewer than "
    "weights."
)


WIDE_GAPS = (
    "You skipped one pixel too many per gap. Dilation 1 skips none, so the gap is one pixel less than the dilation."
)


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
