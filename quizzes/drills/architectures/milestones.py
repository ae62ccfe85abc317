"""Inception modules of GoogLeNet."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.architectures import INCEPTION, INCEPTION_BOTTLENECK


@drill(
    INCEPTION_BOTTLENECK,
    tier=2,
    asks="A B q",
    visualization="branches: {n}x{n}x{C_in} > A: {f}x{f} to {C_out} | B: 1x1 to {r}, {f}x{f} to {C_out} > "
    "{n}x{n}x{C_out}",
    decimals=2,
    prompt="The input of an inception branch is {n}x{n}x{C_in} (HxWxC). Its output has {C_out} channels, computed by "
    "{f}x{f} filters at stride 1, with padding that keeps the size. A is the number of multiply-accumulate operations "
    "(MACs) of this convolution. B is the number of MACs of both layers if a 1x1 convolution first reduces the input "
    "to {r} channels.\n"
    "What are A, B and the ratio q = A/B?\n"
    "Conventions: biases are not counted.",
    hint="How many MACs does one output value take? Multiply by the number of output values, for each layer.",
)
def inception_bottleneck(rng: Random) -> dict[str, Any]:
    """MACs with and without a 1x1 bottleneck"""
    return dict(
        n=rng.choice([7, 14, 14, 28, 28]),
        f=rng.choice([3, 5, 5]),
        C_in=rng.choice([128, 192, 256, 480, 512, 528, 832]),
        r=rng.choice([16, 24, 32, 48, 64, 96]),
        C_out=rng.choice([32, 48, 64, 128, 208, 256]),
    )


inception_bottleneck.mistake(
    "no-input-channels",
    "A = n^2*f^2*C_out",
    "You left out the input channels. Every output value sums over all of them, so multiply by their number.",
)
inception_bottleneck.mistake(
    "weights-for-macs",
    "A = f^2*C_in*C_out; B = C_in*r + f^2*r*C_out",
    "You counted the weights. Each weight is used at every position, so multiply by height x width.",
)
inception_bottleneck.mistake(
    "reduction-for-free",
    "B = n^2*f^2*r*C_out",
    "You left out the 1x1 convolution. It takes MACs too, so add those of both layers.",
)
inception_bottleneck.mistake(
    "area-on-1x1",
    "B = n^2*f^2*C_in*r + n^2*f^2*r*C_out",
    "You gave the 1x1 filters the kernel area of the second layer. They have one weight per input channel.",
)
inception_bottleneck.mistake(
    "wide-second-layer",
    "B = n^2*C_in*r + n^2*f^2*C_in*C_out",
    "You gave the second layer all input channels. It reads the output of the reduction, so use the reduced number.",
)
inception_bottleneck.mistake(
    "ratio-inverted", "q = B/A", "You inverted the ratio. q = A/B has the direct convolution in the numerator."
)
inception_bottleneck.torch(
    """
from torch.utils.flop_counter import FlopCounterMode

def macs(*layers):
    x = torch.empty(1, C_in, n, n, device="meta")
    with FlopCounterMode(display=False) as counter:
        for layer in layers:
            x = layer(x)
    return counter.get_total_flops() // 2

A = macs(torch.nn.Conv2d(C_in, C_out, f, padding="same", device="meta"))
B = macs(torch.nn.Conv2d(C_in, r, 1, device="meta"), torch.nn.Conv2d(r, C_out, f, padding="same", device="meta"))
q = A / B
"""
)


@drill(
    INCEPTION,
    tier=2,
    asks="C W",
    visualization="branches: {C_in} channels > 1x1 {n1} | 1x1 {r3}, 3x3 {n3} | 1x1 {r5}, 5x5 {n5} | pool, 1x1 {n_p} > "
    "? channels",
    prompt="The input of an inception module has {C_in} channels. The module has four branches, all at stride 1 with "
    "padding that keeps the size:\n"
    "  {n1} filters of 1x1\n"
    "  {r3} filters of 1x1, then {n3} filters of 3x3\n"
    "  {r5} filters of 1x1, then {n5} filters of 5x5\n"
    "  3x3 max pooling, then {n_p} filters of 1x1\n"
    "How many output channels C and how many weights W does the module have?\n"
    "Conventions: no biases.",
    hint="The outputs of the four branches are concatenated along channels. Which layer ends each branch?",
)
def inception_concat(rng: Random) -> dict[str, Any]:
    """Output channels and weights of an inception module"""
    return dict(
        C_in=rng.choice([192, 256, 480, 512, 528, 832]),
        n1=rng.choice([64, 128, 160, 192, 256, 384]),
        r3=rng.choice([96, 112, 128, 144, 160, 192]),
        n3=rng.choice([128, 192, 208, 224, 256, 288, 320, 384]),
        r5=rng.choice([16, 24, 32, 48]),
        n5=rng.choice([32, 48, 64, 96, 128]),
        n_p=rng.choice([32, 64, 128]),
    )


inception_concat.mistake(
    "largest-branch",
    "C = max(n1, n3, n5, n_p)",
    "You took the largest branch. The branch outputs are concatenated along channels, so add their channels.",
)
inception_concat.mistake(
    "pool-projection-forgotten",
    "C = n1 + n3 + n5; W = C_in*n1 + C_in*r3 + 9*r3*n3 + C_in*r5 + 25*r5*n5",
    "You left out the 1x1 convolution after the pooling. Its channels and its weights count too.",
)
inception_concat.mistake(
    "pooling-keeps-depth",
    "C = n1 + n3 + n5 + C_in",
    "You kept the input channels in the pooling branch. It ends with a 1x1 convolution, so count the filters of that.",
)
inception_concat.mistake(
    "reductions-counted",
    "C = n1 + r3 + n3 + r5 + n5 + n_p",
    "You added the channels of the 1x1 reductions. They only feed the next layer of their branch, so count the last "
    "layer of each branch.",
)
inception_concat.mistake(
    "reductions-forgotten",
    "W = C_in*n1 + 9*C_in*n3 + 25*C_in*n5 + C_in*n_p",
    "You left out the 1x1 reductions. They have weights, and they set the input channels of the 3x3 and 5x5 filters.",
)
inception_concat.mistake(
    "reductions-for-free",
    "W = C_in*n1 + 9*r3*n3 + 25*r5*n5 + C_in*n_p",
    "You left out the weights of the 1x1 reductions. Each maps the input channels to its filters, so add its weights.",
)
inception_concat.torch(
    """
def conv(in_channels, out_channels, kernel_size):
    return torch.nn.Conv2d(in_channels, out_channels, kernel_size, padding="same", bias=False, device="meta")

branches = [
    torch.nn.Sequential(conv(C_in, n1, 1)),
    torch.nn.Sequential(conv(C_in, r3, 1), conv(r3, n3, 3)),
    torch.nn.Sequential(conv(C_in, r5, 1), conv(r5, n5, 5)),
    torch.nn.Sequential(torch.nn.MaxPool2d(3, 1, 1), conv(C_in, n_p, 1)),
]
x = torch.empty(1, C_in, 8, 8, device="meta")
C = torch.cat([branch(x) for branch in branches], dim=1).shape[1]
W = sum(p.numel() for branch in branches for p in branch.parameters())
"""
)
