"""Residual networks."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.architectures import RESIDUAL_DEPTH, RESIDUAL_GRADIENT, RESNET_BLOCK, RESNET_BOTTLENECK
from quizzes.question import Step


def _steps(n: int, C_in: int, C_out: int, s: int, S: list[int], P: int, W: int) -> list[Step]:
    side = f"the stride of {s} takes the side from {n} to {S[0]}" if s > 1 else f"stride 1 keeps the side of {n}"
    same = s == 1 and C_in == C_out
    shortcut = (
        "the shape stays: the identity, without weights" if same else "a 1 x 1 convolution adapts x to that shape"
    )
    return [
        Step(f"F(x): {side}, and there are as many channels as filters.", [f"o = floor(({n} + 2*1 - 3)/{s}) + 1"]),
        Step("The sum has the shape of F(x)", [f"S = [{S[0]}, {S[1]}, {S[2]}]"]),
        Step(f"Shortcut: {shortcut}", [f"P = {0 if same else f'{C_in}*{C_out}'}", *([] if same else [f"P = {P}"])]),
        Step("The two 3 x 3 convolutions", [f"W = 9*{C_in}*{C_out} + 9*{C_out}^2", f"W = {W}"]),
    ]


@drill(
    RESNET_BLOCK,
    id="resnet-shapes",
    tier=2,
    asks="S P W",
    visualization="branches: {n} x {n} x {C_in} > 3 x 3 to {C_out}, 3 x 3 to {C_out} | shortcut > sum: ?",
    steps=_steps,
    prompt="A residual block reads {n} x {n} x {C_in} (height x width x depth): a 3 x 3 convolution to {C_out} "
    "channels with stride {s}, then a 3 x 3 convolution with stride 1, both with padding 1; then F(x) and the "
    "shortcut are added. The shortcut is the identity where the shape allows it, and else a 1 x 1 convolution. No "
    "convolution has biases. What is the shape S of the output, how many weights does the shortcut have (P), and "
    "how many do the two 3 x 3 convolutions have together (W)?",
    hint="Two maps can be added only if they have one shape: what must the shortcut change?",
)
def resnet_shapes(rng: Random) -> dict[str, Any]:
    """A residual block and its shortcut"""
    C_in, n = rng.choice([16, 32, 64, 128, 256]), rng.choice([14, 16, 28, 32, 55, 56, 63])
    C_out, s = rng.choice([(2 * C_in, 2), (2 * C_in, 2), (2 * C_in, 1), (C_in, 2), (C_in, 1), (4 * C_in, 1)])
    return dict(n=n, C_in=C_in, C_out=C_out, s=s)


def _side(n: int, s: int) -> int:
    return (n - 1) // s + 1


resnet_shapes.mistake(
    "concatenated",
    {"S": lambda n, C_in, C_out, s: [_side(n, s), _side(n, s), C_in + C_out]},
    "F(x) and x are added, number by number: the depth is that of F(x). Stacking them in depth is DenseNet's way.",
)
resnet_shapes.mistake(
    "stride-forgotten",
    {"S": lambda n, C_in, C_out, s: [n, n, C_out]},
    "The stride shrinks the map: F(x) is smaller than x, and the shortcut takes the same stride.",
)
resnet_shapes.mistake(
    "rounded-down",
    {"S": lambda n, C_in, C_out, s: [n // s, n // s, C_out]},
    "With padding 1 the side is floor((n + 2 - 3)/s) + 1, which is n/s rounded up.",
)
resnet_shapes.mistake(
    "depth-of-the-input",
    {"S": lambda n, C_in, C_out, s: [_side(n, s), _side(n, s), C_in]},
    "The shortcut follows F(x), not the other way round: the output has C_out channels.",
)
resnet_shapes.mistake(
    "shortcut-3x3", "P = 9*C_in*C_out", "The shortcut's filters are 1 x 1: one weight for each pair of channels."
)
resnet_shapes.mistake("shortcut-bias", "P = C_in*C_out + C_out", "The shortcut's convolution has no biases here.")
resnet_shapes.mistake(
    "always-projected", "P = C_in*C_out", "Where the shape stays, the shortcut is the identity and has no weights."
)
resnet_shapes.mistake(
    "never-projected", "P = 0", "x can't be added to F(x) of another shape: a 1 x 1 convolution brings it there."
)
resnet_shapes.mistake(
    "second-like-first",
    "W = 2*9*C_in*C_out",
    "The second convolution reads what the first has made: C_out channels in, C_out out.",
)
resnet_shapes.mistake(
    "first-like-second", "W = 2*9*C_out^2", "The first convolution reads the block's input: C_in channels."
)
resnet_shapes.torch(
    """
from torchvision.models.resnet import BasicBlock, conv1x1

with torch.device("meta"):
    shortcut = conv1x1(C_in, C_out, s)
    identity = s == 1 and C_in == C_out
    norm = torch.nn.BatchNorm2d(C_out)
    block = BasicBlock(C_in, C_out, s, downsample=None if identity else torch.nn.Sequential(shortcut, norm))
    S = block(torch.empty(1, C_in, n, n))[0].permute(1, 2, 0).shape
P = sum(w.numel() for name, w in block.named_parameters() if name == "downsample.0.weight")
W = block.conv1.weight.numel() + block.conv2.weight.numel()
"""
)


@drill(
    RESNET_BOTTLENECK,
    id="resnet-bottleneck-params",
    tier=2,
    asks="B A q",
    visualization="flow: {C} channels > 1 x 1 > {c} channels > 3 x 3 > {c} channels > 1 x 1 > {C} channels",
    decimals=2,
    prompt="A bottleneck block takes {C} channels to {c} by a 1 x 1 convolution, works on them with a 3 x 3 "
    "convolution, and goes back to {C} by a 1 x 1 convolution. How many weights does it have (B)? How many does a "
    "basic block of two 3 x 3 convolutions with {C} channels throughout have (A), and what is q = A/B? No biases, no "
    "batch normalization.",
    hint="Three layers: what goes in, what comes out, and the area of the filter, for each.",
)
def resnet_bottleneck_params(rng: Random) -> dict[str, Any]:
    """A bottleneck block against a basic block"""
    c = rng.choice([16, 24, 32, 40, 48, 56, 64, 72, 80, 96, 112, 128, 160, 192, 256, 320, 384, 512])
    return dict(C=c * rng.choice([2, 4, 4]), c=c)


resnet_bottleneck_params.mistake(
    "no-expansion", "B = C*c + 9*c^2", "The second 1 x 1 convolution goes back to C channels: another c C weights."
)
resnet_bottleneck_params.mistake(
    "area-on-1x1", "B = 9*C*c + 9*c^2 + 9*c*C", "A 1 x 1 filter has one weight a channel, not nine."
)
resnet_bottleneck_params.mistake(
    "area-left-out", "B = C*c + c^2 + c*C", "The middle filters are 3 x 3: nine weights for each pair of channels."
)
resnet_bottleneck_params.mistake(
    "wide-middle", "B = C*c + 9*C*c + c*C", "The 3 x 3 convolution works on the reduced channels: c in, c out."
)
resnet_bottleneck_params.mistake("one-convolution", "A = 9*C^2", "A basic block has two 3 x 3 convolutions.")
resnet_bottleneck_params.mistake("ratio-inverted", "q = B/A", "q is the basic block over the bottleneck.")
resnet_bottleneck_params.torch(
    """
from torchvision.models.resnet import BasicBlock, Bottleneck

with torch.device("meta"):
    bottleneck = Bottleneck(C, C // 4, base_width=256 * c // C)
    basic = BasicBlock(C, C)
assert bottleneck.conv2.weight.shape[1] == c
B, A = (sum(w.numel() for w in block.parameters() if w.dim() == 4) for block in (bottleneck, basic))
q = A / B
"""
)


@drill(
    RESIDUAL_GRADIENT,
    tier=2,
    asks="y1 y2 g",
    prompt="Two residual blocks y = F(x) + x work on single numbers, the first with F(x) = {a} x^2, the second with "
    "F(y) = {b} y^2. The input is x = {x}. What are the outputs y1 and y2 of the two blocks, and the derivative g = "
    "dy2/dx?",
    hint="Differentiate F(x) + x as a whole at each block, at what enters it; then multiply.",
)
def residual_gradient(rng: Random) -> dict[str, Any]:
    """The gradient through two residual blocks"""

    def factor() -> float:
        return rng.choice([-1, 1]) * rng.choice([1, 2, 3, 4, 5, 6]) / 10

    return dict(x=rng.choice([-1, 1]) * rng.randint(2, 15) / 10, a=factor(), b=factor())


residual_gradient.mistake(
    "no-shortcut-forward", "y1 = a*x^2; y2 = b*y1^2", "The block adds its input to F: y = F(x) + x."
)
residual_gradient.mistake(
    "no-shortcut-backward",
    "g1 = 2*a*x; g2 = 2*b*y1",
    "The shortcut has the derivative 1: every block's factor is F' + 1.",
)
residual_gradient.mistake(
    "one-added-once",
    "g = 1 + 2*a*x*2*b*y1",
    "Every block has its own shortcut: add 1 to each F' before you multiply.",
)
residual_gradient.mistake("factors-added", "g = g1 + g2", "Along a chain the blocks' slopes are multiplied.")
residual_gradient.mistake(
    "both-at-x", "g2 = 1 + 2*b*x", "The second block's slope is taken at what enters it: y1, and not x."
)
residual_gradient.torch(
    """
x = torch.tensor(float(x), requires_grad=True)
y1 = x + a * x.square()
y2 = y1 + b * y1.square()
g, = torch.autograd.grad(y2, x)
"""
)


@drill(
    RESIDUAL_DEPTH,
    id="residual-gradient:depth",
    tier=1,
    asks="Q R",
    prompt="Layers follow one another; at the values of the forward pass their functions F have the derivatives "
    "d = {d}, each with respect to its own input. What is the derivative of the last output with respect to the first "
    "input if the layers are plain, y = F(x) (Q), and if they are residual blocks with the same derivatives, "
    "y = F(x) + x (R)?",
    hint="The chain rule multiplies one factor for each layer; what is the factor of F(x) + x?",
)
def residual_depth(rng: Random) -> dict[str, Any]:
    """Gradients through plain and residual layers"""
    return dict(d=[rng.choice([-1, 1, 1]) * rng.randint(1, 9) / 10 for _ in range(rng.choice([3, 3, 4]))])


residual_depth.mistake(
    "factors-added",
    "Q = sum(i, d[i]); R = 1 + sum(i, d[i])",
    "Along a chain the factors are multiplied, not added.",
)
residual_depth.mistake(
    "no-shortcut", "R = prod(i, d[i])", "The shortcut has the derivative 1: every block's factor is d + 1."
)
residual_depth.mistake(
    "one-added-once", "R = 1 + prod(i, d[i])", "Every block has its own shortcut: add 1 to each d before you multiply."
)
residual_depth.mistake("shortcuts-in-both", "Q = prod(i, 1 + d[i])", "Plain layers have no shortcut: the factor is d.")
residual_depth.torch(
    """
x = torch.tensor(1.0, requires_grad=True)
plain = residual = x
for slope in d.tolist():  # the simplest F of that slope
    plain, residual = slope * plain, residual + slope * residual
Q, R = (torch.autograd.grad(y, x)[0] for y in (plain, residual))
"""
)
