"""Convolution: output size, depth, parameters."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn import CONV_OUT_SIZE, CONV_PARAMS


@drill(
    CONV_OUT_SIZE,
    tier=1,
    asks="o | n | f | p | s",
    prompt="A {n} x {n} map is convolved with {f} x {f} filters: padding {p} on each side, stride {s}, dilation {d}. "
    "The output is {o} x {o}.",
    hint="Count the positions at which the filter fits into the padded map, s pixels apart; a last partial step "
    "is dropped.",
    picture="kernel-slide",
)
def conv_out_size(rng: Random) -> dict[str, Any]:
    """Output side of a convolution"""
    f = rng.choice([3, 3, 5, 7, 11])
    return dict(
        n=rng.choice([28, 32, 55, 63, 112, 224, rng.randint(20, 300)]),
        f=f,
        p=rng.randint(0, min(5, f // 2)),
        s=rng.choice([1, 2, 2, 3, 4]),
        d=rng.choice([1, 1, 1, 2]),
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
    CONV_PARAMS,
    tier=1,
    asks="P | k",
    prompt="A convolution takes {C_in} channels to {C_out} with {k} x {k} filters in {g} group(s); every filter "
    "has a bias. "
    "It has {P} parameters.",
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
