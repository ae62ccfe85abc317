"""GoogLeNet's inception modules."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.architectures import INCEPTION, INCEPTION_BOTTLENECK


@drill(
    INCEPTION_BOTTLENECK,
    tier=2,
    asks="A B q",
    visualization="branches: {n} x {n} x {C_in} > A: {f}x{f} to {C_out} | B: 1x1 to {r}, {f}x{f} to {C_out} > "
    "{n} x {n} x {C_out}",
    decimals=2,
    prompt="An inception branch makes {C_out} channels of a {n} x {n} x {C_in} map with {f} x {f} filters, at stride "
    "1 and with padding that keeps the size. How many multiply-accumulates (MACs) does that take directly (A), how "
    "many with a 1 x 1 convolution to {r} channels before it (B, both layers), and what is q = A/B? Biases are not "
    "counted.",
    hint="Both layers work at every position: products for each output value, times output values.",
)
def inception_bottleneck(rng: Random) -> dict[str, Any]:
    """A 1 x 1 convolution as a bottleneck"""
    return dict(
        n=rng.choice([7, 14, 14, 28, 28]),
        f=rng.choice([3, 5, 5]),
        C_in=rng.choice([128, 192, 256, 480, 512, 528, 832]),
        r=rng.choice([16, 24, 32, 48, 64, 96]),
        C_out=rng.choice([32, 48, 64, 128, 208, 256]),
    )


inception_bottleneck.mistake(
    "no-input-channels", "A = n^2*f^2*C_out", "Every output value sums over all input channels: times C_in."
)
inception_bottleneck.mistake(
    "weights-for-macs",
    "A = f^2*C_in*C_out; B = C_in*r + f^2*r*C_out",
    "Those are the weights: each is used at all n^2 positions.",
)
inception_bottleneck.mistake(
    "reduction-for-free", "B = n^2*f^2*r*C_out", "The 1 x 1 convolution costs something too: n^2 C_in r."
)
inception_bottleneck.mistake(
    "area-on-1x1", "B = n^2*f^2*C_in*r + n^2*f^2*r*C_out", "A 1 x 1 filter has one weight a channel, not f^2."
)
inception_bottleneck.mistake(
    "wide-second-layer",
    "B = n^2*C_in*r + n^2*f^2*C_in*C_out",
    "The f x f filters read the r channels that the reduction leaves, not C_in.",
)
inception_bottleneck.mistake(
    "ratio-inverted", "q = B/A", "q says how many times fewer: the direct way over the reduced."
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
    prompt="An inception module reads {C_in} channels in four branches, all at stride 1 with padding that keeps the "
    "size:\n"
    "  {n1} filters of 1 x 1\n"
    "  {r3} filters of 1 x 1, then {n3} of 3 x 3\n"
    "  {r5} filters of 1 x 1, then {n5} of 5 x 5\n"
    "  3 x 3 max pooling at stride 1, then {n_p} filters of 1 x 1\n"
    "How many channels C does its output have, and how many weights W does the module have? There are no biases.",
    hint="The branches' outputs are stacked in depth; what happens inside a branch is not seen from outside.",
)
def inception_concat(rng: Random) -> dict[str, Any]:
    """Channels and weights of an inception module"""
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
    "largest-branch", "C = max(n1, n3, n5, n_p)", "The branches stand side by side in the output: their depths add up."
)
inception_concat.mistake(
    "pool-projection-forgotten",
    "C = n1 + n3 + n5; W = C_in*n1 + C_in*r3 + 9*r3*n3 + C_in*r5 + 25*r5*n5",
    "The pooling branch has a 1 x 1 convolution after the pooling, and its channels and weights count.",
)
inception_concat.mistake(
    "pooling-keeps-depth", "C = n1 + n3 + n5 + C_in", "The 1 x 1 convolution after the pooling brings its depth down."
)
inception_concat.mistake(
    "reductions-counted",
    "C = n1 + r3 + n3 + r5 + n5 + n_p",
    "What the reductions make goes into the next layer of the branch, and not into the output.",
)
inception_concat.mistake(
    "reductions-forgotten",
    "W = C_in*n1 + 9*C_in*n3 + 25*C_in*n5 + C_in*n_p",
    "The large filters read what the 1 x 1 layers before them leave, and those layers have weights of their own.",
)
inception_concat.mistake(
    "reductions-for-free",
    "W = C_in*n1 + 9*r3*n3 + 25*r5*n5 + C_in*n_p",
    "The 1 x 1 layers before the large filters have weights too: C_in r3 and C_in r5.",
)
inception_concat.torch(
    """
def conv(i, o, f):
    return torch.nn.Conv2d(i, o, f, padding="same", bias=False, device="meta")

branches = [
    torch.nn.Sequential(conv(C_in, n1, 1)),
    torch.nn.Sequential(conv(C_in, r3, 1), conv(r3, n3, 3)),
    torch.nn.Sequential(conv(C_in, r5, 1), conv(r5, n5, 5)),
    torch.nn.Sequential(torch.nn.MaxPool2d(3, 1, 1), conv(C_in, n_p, 1)),
]
x = torch.empty(1, C_in, 8, 8, device="meta")
C = torch.cat([branch(x) for branch in branches], dim=1).shape[1]
W = sum(w.numel() for branch in branches for w in branch.parameters())
"""
)
