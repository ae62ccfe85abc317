"""Convolution: parameters and multiplications."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn_costs import CONV_1D, CONV_3D, CONV_MACS, CONV_PARAMS, GROUPED_CONV


@drill(
    CONV_PARAMS,
    tier=1,
    asks="P",
    prompt="A convolution takes {C_in} channels to {C_out} with {k} x {k} filters and groups = {g}; every "
    "filter has a bias. How many parameters does it have?",
    hint="Write down the weights of one filter, add its bias, and count the filters.",
)
def conv_params(rng: Random) -> dict[str, Any]:
    """Parameters of a convolution"""
    c_in, c_out = rng.choice([1, 3, 16, 32, 64, 96, 128, 256]), rng.choice([6, 16, 32, 64, 100, 128, 256])
    g = rng.choice([1, 1, 1, 2, 4]) if c_in % 4 == c_out % 4 == 0 else 1
    return dict(k=rng.choice([1, 3, 3, 5, 7, 11]), C_in=c_in, C_out=c_out, g=g)


conv_params.mistake(
    "no-input-channels",
    "P = (k^2 + 1)*C_out",
    "Each filter reaches through all the channels it sees: k^2 times C_in/g weights.",
)
conv_params.mistake(
    "no-bias", "P = k^2*C_in/g*C_out", "Every filter has one bias beside its weights: add 1 for each of them."
)
conv_params.mistake(
    "one-bias",
    "P = k^2*C_in/g*C_out + 1",
    "There is one bias for each filter, C_out in all, and not one for the layer.",
)
conv_params.mistake(
    "bias-for-each-pair",
    "P = (k^2 + 1)*C_in/g*C_out",
    "A filter has one bias in all, not one for each input channel: the sum over channels comes first.",
)
conv_params.mistake(
    "groups-ignored", "P = (k^2*C_in + 1)*C_out", "In groups a filter sees only C_in/g of the channels."
)
conv_params.torch("P = sum(w.numel() for w in torch.nn.Conv2d(C_in, C_out, k, groups=g).parameters())")


@drill(
    CONV_MACS,
    tier=2,
    asks="o MACs FLOPs",
    visualization="kernel-slide",
    prompt="A {n} x {n} x {C_in} map passes {C_out} filters of {f} x {f} with stride {s} and padding {p} on each side. "
    "What is the output side o, how many multiply-accumulates (MACs) does one image take, and how many FLOPs, when a "
    "MAC counts as two operations? Biases are not counted.",
    hint="Every output value takes one MAC for each weight of its filter; count the output values.",
)
def conv_macs_flops(rng: Random) -> dict[str, Any]:
    """Multiplications of a convolution"""
    f = rng.choice([1, 3, 3, 5, 7])
    return dict(
        n=rng.choice([14, 27, 28, 32, 56, 112, 224]),
        f=f,
        s=rng.choice([1, 2, 2]),
        p=rng.choice([0, f // 2, f // 2]),
        C_in=rng.choice([3, 16, 32, 64, 128, 256]),
        C_out=rng.choice([8, 16, 32, 64, 96, 128, 256]),
    )


conv_macs_flops.mistake(
    "no-plus-one", "o = floor((n + 2p - f)/s)", "The first position counts too: add 1 after dividing."
)
conv_macs_flops.mistake("padding-once", "o = floor((n + p - f)/s) + 1", "Padding is added on both sides: 2p, not p.")
conv_macs_flops.mistake(
    "input-size",
    "MACs = f^2*C_in*C_out*n^2",
    "A filter works once for each position of the output: times o^2, not n^2.",
)
conv_macs_flops.mistake(
    "no-input-channels",
    "MACs = f^2*C_out*o^2",
    "One output value sums over all input channels: f^2 C_in products, not f^2.",
)
conv_macs_flops.mistake(
    "one-position", "MACs = f^2*C_in*C_out", "That is the number of weights; each is used at all o^2 positions."
)
conv_macs_flops.mistake(
    "flops-for-macs", "MACs = 2*f^2*C_in*C_out*o^2", "Those are FLOPs: a multiplication and its addition are one MAC."
)
conv_macs_flops.mistake("macs-for-flops", "FLOPs = MACs", "A MAC is a multiplication and an addition: two operations.")
conv_macs_flops.torch(
    """
from torch.utils.flop_counter import FlopCounterMode

layer = torch.nn.Conv2d(C_in, C_out, f, stride=s, padding=p, bias=False, device="meta")
with FlopCounterMode(display=False) as counter:
    o = layer(torch.empty(1, C_in, n, n, device="meta")).shape[-1]
FLOPs = counter.get_total_flops()
MACs = FLOPs // 2
"""
)


@drill(
    GROUPED_CONV,
    tier=1,
    asks="W",
    prompt="A convolution takes {C_in} channels to {C_out} with {f} x {f} filters in {g} groups, without biases. "
    "How many weights does it have?",
    hint="In g groups a filter sees C_in/g of the channels; the number of filters stays C_out.",
)
def grouped_conv(rng: Random) -> dict[str, Any]:
    """Weights of a grouped convolution"""
    g = rng.choice([2, 2, 4, 8, 16, 32])
    return dict(
        f=rng.choice([1, 3, 3, 5, 7]), C_in=g * rng.choice([2, 4, 6, 8, 16]), C_out=g * rng.choice([2, 4, 8, 12]), g=g
    )


grouped_conv.mistake(
    "divided-twice",
    "W = f^2*C_in/g*C_out/g",
    "Only the inputs of a filter are divided by g. All C_out filters are still there: g groups of C_out/g.",
)
grouped_conv.mistake(
    "groups-ignored", "W = f^2*C_in*C_out", "In groups a filter sees only C_in/g of the channels: divide by g."
)
grouped_conv.mistake(
    "times-groups", "W = f^2*C_in*C_out*g", "Groups cut connections, they add none: divide by g, don't multiply."
)
grouped_conv.torch("W = torch.nn.Conv2d(C_in, C_out, f, groups=g, bias=False, device='meta').weight.numel()")


@drill(
    CONV_3D,
    id="conv3d-conv1d",
    tier=1,
    asks="P",
    prompt="A 3-D convolution reads video: {C_in} channels in, {C_out} filters, each {f_t} frames long and {f} x {f} "
    "pixels large, each with a bias. How many parameters does the layer have?",
    hint="A filter is a block: its length in time multiplies its area, and it reaches through all channels.",
)
def conv3d(rng: Random) -> dict[str, Any]:
    """Parameters of a 3-D convolution"""
    f = rng.choice([1, 3, 3, 5, 7])
    return dict(
        f_t=rng.choice([t for t in (2, 3, 5, 7, 9) if t != f]),
        f=f,
        C_in=rng.choice([1, 3, 8, 16, 32, 64]),
        C_out=rng.choice([8, 16, 32, 64, 128]),
    )


conv3d.mistake("no-time", "P = (f^2*C_in + 1)*C_out", "The filter has f_t frames, each with its own f x f weights.")
conv3d.mistake("cube", "P = (f^3*C_in + 1)*C_out", "The filter is no cube here: its length in time is f_t, not f.")
conv3d.mistake("no-input-channels", "P = (f_t*f^2 + 1)*C_out", "The block has its own weights for every input channel.")
conv3d.mistake("no-bias", "P = f_t*f^2*C_in*C_out", "Every filter has a bias beside its weights: add 1 for each.")
conv3d.mistake(
    "bias-for-each-pair",
    "P = (f_t*f^2 + 1)*C_in*C_out",
    "A filter has one bias in all, not one for each input channel.",
)
conv3d.torch("P = sum(w.numel() for w in torch.nn.Conv3d(C_in, C_out, (f_t, f, f), device='meta').parameters())")


@drill(
    CONV_1D,
    id="conv3d-conv1d:conv1d",
    tier=1,
    asks="P",
    prompt="A 1-D convolution reads a sequence with {C_in} channels: {C_out} filters of length {f}, each with a bias. "
    "How many parameters does the layer have?",
    hint="A filter has one weight for each of its steps and each input channel.",
)
def conv1d(rng: Random) -> dict[str, Any]:
    """Parameters of a 1-D convolution"""
    return dict(
        f=rng.choice([2, 3, 4, 5, 7, 9]),
        C_in=rng.choice([4, 12, 32, 40, 50, 64, 100, 128, 300]),
        C_out=rng.choice([8, 16, 32, 64, 100, 128]),
    )


conv1d.mistake(
    "squared", "P = (f^2*C_in + 1)*C_out", "A sequence has one direction: a filter of length f has f weights a channel."
)
conv1d.mistake("no-input-channels", "P = (f + 1)*C_out", "Every filter reaches through all C_in channels.")
conv1d.mistake("no-bias", "P = f*C_in*C_out", "Every filter has a bias beside its weights: add 1 for each.")
conv1d.mistake(
    "bias-for-each-pair", "P = (f + 1)*C_in*C_out", "A filter has one bias in all, not one for each input channel."
)
conv1d.torch("P = sum(w.numel() for w in torch.nn.Conv1d(C_in, C_out, f, device='meta').parameters())")
