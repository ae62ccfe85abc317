"""Convolution: drills about parameters and MACs."""

from random import Random

from quizzes.content.cnn.convolution.formulas import CONV_1D, CONV_3D, CONV_MACS, CONV_PARAMS, GROUPED_CONV
from quizzes.drill import Inputs, Mistake, drill

NO_BIAS = "You left out the biases. Every filter has one, so add 1 for each filter."


BIAS_PER_PAIR = (
    "You counted one bias per input channel. A filter has a single bias, added after the sum over the channels, so "
    "count C_out biases."
)


GROUPS_IGNORED = "You ignored the groups. Each filter spans only C_in/g input channels, so divide C_in by g."


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
