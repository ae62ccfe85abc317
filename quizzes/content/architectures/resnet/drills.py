"""ResNet: residual learning: drills."""

from random import Random

from quizzes.content.architectures.resnet.formulas import (
    RESIDUAL_DEPTH,
    RESIDUAL_GRADIENT,
    RESNET_BLOCK,
    RESNET_BOTTLENECK,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step


def _steps(n: int, C_in: int, C_out: int, s: int, S: list[int], P: int, W: int) -> list[Step]:
    size = f"Stride {s} reduces the size from {n} to {S[0]}" if s > 1 else f"Stride 1 and padding 1 keep the size {n}"
    is_identity = s == 1 and C_in == C_out
    shortcut = (
        "The shape does not change, so the shortcut is the identity and has no weights"
        if is_identity
        else "A 1x1 convolution gives x the shape of F(x)"
    )
    weights = ["P = 0"] if is_identity else [f"P = {C_in}*{C_out}", f"P = {P}"]
    return [
        Step(f"{size}. F(x) has one channel per filter.", [f"o = floor(({n} + 2*1 - 3)/{s}) + 1"]),
        Step(
            "F(x) and the shortcut are added element-wise, so the output has the shape of F(x)",
            [f"S = [{S[0]}, {S[1]}, {S[2]}]"],
        ),
        Step(shortcut, weights),
        Step("Count the weights of the two 3x3 convolutions", [f"W = 9*{C_in}*{C_out} + 9*{C_out}^2", f"W = {W}"]),
    ]


def _output_size(n: int, s: int) -> int:
    return (n - 1) // s + 1


@drill(
    RESNET_BLOCK,
    id="resnet-shapes",
    tier=2,
    asks=("S", "P", "W"),
    visualization="branches: {n}x{n}x{C_in} > 3x3 to {C_out}, 3x3 to {C_out} | shortcut > sum: ?",
    steps=_steps,
    prompt="The input x of a residual block has height and width n = {n} and C_in = {C_in} channels. F(x) is a 3x3 "
    "convolution to C_out = {C_out} channels with stride s = {s}, followed by a 3x3 convolution with stride 1, both "
    "with padding 1. The output is the sum of F(x) and the shortcut. The shortcut is the identity if the shapes "
    "match, and a 1x1 convolution with stride s if not.\n"
    "What are the output shape S, the number of weights P of the shortcut, and the number of weights W of the two 3x3 "
    "convolutions?\n"
    "Conventions: no biases; shapes as HxWxC.",
    hint="Two feature maps can be added only if they have the same shape. What must the shortcut change?",
    mistakes=[
        Mistake(
            "concatenated",
            {"S": lambda n, C_in, C_out, s: [_output_size(n, s), _output_size(n, s), C_in + C_out]},
            "You concatenated F(x) and x along channels, as in DenseNet. A residual block adds them element-wise, so "
            "the "
            "output has C_out channels.",
        ),
        Mistake(
            "stride-forgotten",
            {"S": lambda n, C_in, C_out, s: [n, n, C_out]},
            "You ignored the stride. The first convolution and the shortcut both reduce the size, so divide n by s "
            "and round "
            "up.",
        ),
        Mistake(
            "rounded-down",
            {"S": lambda n, C_in, C_out, s: [n // s, n // s, C_out]},
            "You rounded n/s down. With padding 1 the size is floor((n + 2 - 3)/s) + 1, which is n/s rounded up.",
        ),
        Mistake(
            "depth-of-the-input",
            {"S": lambda n, C_in, C_out, s: [_output_size(n, s), _output_size(n, s), C_in]},
            "You kept the input channels. The shortcut is adapted to F(x), so the output has C_out channels.",
        ),
        Mistake(
            "shortcut-3x3",
            "P = 9*C_in*C_out",
            "You used 3x3 filters in the shortcut. Its filters are 1x1, so it has C_in C_out weights.",
        ),
        Mistake(
            "shortcut-bias",
            "P = C_in*C_out + C_out",
            "You added biases to the shortcut. The convention here is no biases, so it has C_in C_out weights.",
        ),
        Mistake(
            "always-projected",
            "P = C_in*C_out",
            "You gave the shortcut a 1x1 convolution. The shape does not change here, so the shortcut is the "
            "identity and P = "
            "0.",
        ),
        Mistake(
            "never-projected",
            "P = 0",
            "You used the identity as the shortcut. x and F(x) have different shapes here, so a 1x1 convolution is "
            "needed.",
        ),
        Mistake(
            "second-like-first",
            "W = 2*9*C_in*C_out",
            "You gave the second convolution C_in input channels. It reads the output of the first, so it has 9 "
            "C_out^2 "
            "weights.",
        ),
        Mistake(
            "first-like-second",
            "W = 2*9*C_out^2",
            "You gave the first convolution C_out input channels. It reads the block's input, so it has 9 C_in C_out "
            "weights.",
        ),
    ],
)
def resnet_shapes(rng: Random) -> Inputs:
    """Residual block and its shortcut"""
    C_in, n = rng.choice([16, 32, 64, 128, 256]), rng.choice([14, 16, 28, 32, 55, 56, 63])
    C_out, s = rng.choice([(2 * C_in, 2), (2 * C_in, 2), (2 * C_in, 1), (C_in, 2), (C_in, 1), (4 * C_in, 1)])
    return dict(n=n, C_in=C_in, C_out=C_out, s=s)


@drill(
    RESNET_BOTTLENECK,
    id="resnet-bottleneck-params",
    tier=2,
    asks=("B", "A", "q"),
    visualization="flow: {C} channels > 1x1 > {c} channels > 3x3 > {c} channels > 1x1 > {C} channels",
    decimals=2,
    prompt="A bottleneck block reduces C = {C} channels to c = {c} with a 1x1 convolution, applies a 3x3 convolution "
    "with c channels, and expands back to C channels with a 1x1 convolution. A basic block has two 3x3 convolutions "
    "with C channels.\n"
    "How many weights do the bottleneck block (B) and the basic block (A) have, and what is the ratio q = A/B?\n"
    "Conventions: no biases, no batch norm.",
    hint="For each layer, multiply kernel area, input channels and output channels.",
    mistakes=[
        Mistake(
            "no-expansion",
            "B = C*c + 9*c^2",
            "You left out the second 1x1 convolution. It expands from c to C channels, so add c C weights.",
        ),
        Mistake(
            "area-on-1x1",
            "B = 9*C*c + 9*c^2 + 9*c*C",
            "You gave the 1x1 filters nine weights per channel. They have one weight per input channel, so drop the "
            "9 there.",
        ),
        Mistake(
            "area-left-out",
            "B = C*c + c^2 + c*C",
            "You left out the kernel area. The middle filters are 3x3, so they have 9 c^2 weights.",
        ),
        Mistake(
            "wide-middle",
            "B = C*c + 9*C*c + c*C",
            "You gave the 3x3 convolution C input channels. It works on the reduced channels, so it has 9 c^2 weights.",
        ),
        Mistake(
            "one-convolution",
            "A = 9*C^2",
            "You counted one convolution. A basic block has two 3x3 convolutions, so multiply by 2.",
        ),
        Mistake("ratio-inverted", "q = B/A", "You inverted the ratio. q = A/B has the basic block in the numerator."),
    ],
)
def resnet_bottleneck_params(rng: Random) -> Inputs:
    """Weights of a bottleneck block and a basic block"""
    c = rng.choice([16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512])
    return dict(C=c * rng.choice([2, 4, 4]), c=c)


@drill(
    RESIDUAL_GRADIENT,
    tier=2,
    asks=("y1", "y2", "g"),
    prompt="Two residual blocks y = F(x) + x with scalar inputs follow each other. The first has F(x) = {a} x^2, the "
    "second has F(y) = {b} y^2. The input is x = {x}.\n"
    "What are the outputs y1 and y2 of the blocks, and the derivative g = dy2/dx?",
    hint="What is the derivative of F(x) + x? Evaluate it at the input of each block.",
    mistakes=[
        Mistake(
            "no-shortcut-forward",
            "y1 = a*x^2; y2 = b*y1^2",
            "You left out the shortcut. Each block adds its input to F, so y = F(x) + x.",
        ),
        Mistake(
            "no-shortcut-backward",
            "g1 = 2*a*x; g2 = 2*b*y1",
            "You left out the shortcut in the backward pass. Its derivative is 1, so each block contributes the "
            "factor F' + 1.",
        ),
        Mistake(
            "one-added-once",
            "g = 1 + 2*a*x*2*b*y1",
            "You added 1 only once. Each block has its own shortcut, so add 1 to each F' before you multiply.",
        ),
        Mistake(
            "factors-added",
            "g = g1 + g2",
            "You added the derivatives of the two blocks. The chain rule multiplies them.",
        ),
        Mistake(
            "both-at-x",
            "g2 = 1 + 2*b*x",
            "You evaluated the second derivative at x. The input of the second block is y1, so evaluate it at y1.",
        ),
    ],
)
def residual_gradient(rng: Random) -> Inputs:
    """Gradient through two residual blocks"""

    def coefficient() -> float:
        return rng.choice([-1, 1]) * rng.choice([1, 2, 3, 4, 5, 6]) / 10

    return dict(x=rng.choice([-1, 1]) * rng.randint(2, 15) / 10, a=coefficient(), b=coefficient())


@drill(
    RESIDUAL_DEPTH,
    id="residual-gradient:depth",
    tier=1,
    asks=("Q", "R"),
    prompt="Several layers follow each other. In the forward pass, the functions F of the layers have the derivatives "
    "d = {d} with respect to their own inputs. In a plain network each layer is y = F(x). In a residual network with "
    "the same derivatives each layer is y = F(x) + x.\n"
    "What is the derivative of the last output with respect to the first input in the plain network (Q) and in the "
    "residual network (R)?",
    hint="The chain rule multiplies one factor per layer. What is the factor of F(x) + x?",
    mistakes=[
        Mistake(
            "factors-added",
            "Q = sum(i, d[i]); R = 1 + sum(i, d[i])",
            "You added the derivatives of the layers. The chain rule multiplies one factor per layer.",
        ),
        Mistake(
            "no-shortcut",
            "R = prod(i, d[i])",
            "You left out the shortcuts. Each has derivative 1, so the factor of each layer is d + 1.",
        ),
        Mistake(
            "one-added-once",
            "R = 1 + prod(i, d[i])",
            "You added 1 only once. Each layer has its own shortcut, so add 1 to each d before you multiply.",
        ),
        Mistake(
            "shortcuts-in-both",
            "Q = prod(i, 1 + d[i])",
            "You added shortcuts to the plain network. A plain layer has the factor d, so multiply the values of d.",
        ),
    ],
)
def residual_depth(rng: Random) -> Inputs:
    """Gradients through plain and residual layers"""
    return dict(d=[rng.choice([-1, 1, 1]) * rng.randint(1, 9) / 10 for _ in range(rng.choice([3, 3, 4]))])
