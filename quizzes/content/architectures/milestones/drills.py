"""Neocognitron to GoogLeNet: drills."""

from random import Random
from typing import Any

from quizzes.content.architectures.milestones.formulas import (
    INCEPTION,
    INCEPTION_BOTTLENECK,
    LAYER_TABLE,
    LENET,
    VGG,
    VGG_WIDTHS,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

PADDING_ONCE = "You added the padding on one side only. It is added on both sides, so add it twice."


ROUNDED_UP = "You rounded up. A window that would extend past the edge is dropped, so round down."


ONE_CHANNEL = (
    "You left out the input channels. Each filter spans all of them, so multiply the kernel area by their number."
)


NOT_FLATTENED = "You left out the channels. Flattening keeps them all, so v is height x width x channels."


BEFORE_POOLING = "You flattened the input of pool2. Flattening comes after pool2, so use the size after pool2."


def _steps(n: int, stages: list[int], stage: int, i: int, **values: Any) -> list[Step]:
    S, C_in, C_out, m, P, D = (values[name] for name in ("S", "C_in", "C_out", "m", "P", "D"))
    source = "the previous convolution" if i > 1 else "the previous stage" if stage > 1 else "the image"
    halving = "no pooling comes before this stage"
    if stage > 1:
        halving = f"{stage - 1} pooling {'layers' if stage > 2 else 'layer'} before this stage reduced {n} to {S[0]}"
    return [
        Step(
            f"Padding 1 keeps the size, and {halving}. Each convolution of stage {stage} has {C_out} filters.",
            [f"S = [{S[0]}, {S[1]}, {S[2]}]"],
        ),
        Step(f"The {C_in} input channels come from {source}", [f"P = (9*{C_in} + 1)*{C_out}", f"P = {P}"]),
        Step(f"After five poolings the feature map is {m}x{m}x512", [f"D = (512*{m}^2 + 1)*4096", f"D = {D}"]),
    ]


def _unpadded(n: int, stages: list[int], stage: int, i: int) -> list[int]:
    """Return the output shape if every convolution since the image reduced the size by 2, as without padding."""
    for convolutions in stages[: stage - 1]:
        n = (n - 2 * convolutions) // 2
    if n <= 2 * i:
        raise UndefinedValue("nothing would be left of the feature map")
    return [n - 2 * i, n - 2 * i, VGG_WIDTHS[stage - 1]]


@drill(
    INCEPTION_BOTTLENECK,
    tier=2,
    asks=("A", "B", "q"),
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
    mistakes=[
        Mistake(
            "no-input-channels",
            "A = n^2*f^2*C_out",
            "You left out the input channels. Every output value sums over all of them, so multiply by their number.",
        ),
        Mistake(
            "weights-for-macs",
            "A = f^2*C_in*C_out; B = C_in*r + f^2*r*C_out",
            "You counted the weights. Each weight is used at every position, so multiply by height x width.",
        ),
        Mistake(
            "reduction-for-free",
            "B = n^2*f^2*r*C_out",
            "You left out the 1x1 convolution. It takes MACs too, so add those of both layers.",
        ),
        Mistake(
            "area-on-1x1",
            "B = n^2*f^2*C_in*r + n^2*f^2*r*C_out",
            "You gave the 1x1 filters the kernel area of the second layer. They have one weight per input channel.",
        ),
        Mistake(
            "wide-second-layer",
            "B = n^2*C_in*r + n^2*f^2*C_in*C_out",
            "You gave the second layer all input channels. It reads the output of the reduction, so use the reduced "
            "number.",
        ),
        Mistake(
            "ratio-inverted", "q = B/A", "You inverted the ratio. q = A/B has the direct convolution in the numerator."
        ),
    ],
)
def inception_bottleneck(rng: Random) -> Inputs:
    """MACs with and without a 1x1 bottleneck"""
    return dict(
        n=rng.choice([7, 14, 14, 28, 28]),
        f=rng.choice([3, 5, 5]),
        C_in=rng.choice([128, 192, 256, 480, 512, 528, 832]),
        r=rng.choice([16, 24, 32, 48, 64, 96]),
        C_out=rng.choice([32, 48, 64, 128, 208, 256]),
    )


@drill(
    INCEPTION,
    tier=2,
    asks=("C", "W"),
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
    mistakes=[
        Mistake(
            "largest-branch",
            "C = max(n1, n3, n5, n_p)",
            "You took the largest branch. The branch outputs are concatenated along channels, so add their channels.",
        ),
        Mistake(
            "pool-projection-forgotten",
            "C = n1 + n3 + n5; W = C_in*n1 + C_in*r3 + 9*r3*n3 + C_in*r5 + 25*r5*n5",
            "You left out the 1x1 convolution after the pooling. Its channels and its weights count too.",
        ),
        Mistake(
            "pooling-keeps-depth",
            "C = n1 + n3 + n5 + C_in",
            "You kept the input channels in the pooling branch. It ends with a 1x1 convolution, so count the filters "
            "of that.",
        ),
        Mistake(
            "reductions-counted",
            "C = n1 + r3 + n3 + r5 + n5 + n_p",
            "You added the channels of the 1x1 reductions. They only feed the next layer of their branch, so count "
            "the last "
            "layer of each branch.",
        ),
        Mistake(
            "reductions-forgotten",
            "W = C_in*n1 + 9*C_in*n3 + 25*C_in*n5 + C_in*n_p",
            "You left out the 1x1 reductions. They have weights, and they set the input channels of the 3x3 and 5x5 "
            "filters.",
        ),
        Mistake(
            "reductions-for-free",
            "W = C_in*n1 + 9*r3*n3 + 25*r5*n5 + C_in*n_p",
            "You left out the weights of the 1x1 reductions. Each maps the input channels to its filters, so add its "
            "weights.",
        ),
    ],
)
def inception_concat(rng: Random) -> Inputs:
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


@drill(
    LENET,
    id="trace-architecture",
    tier=3,
    asks=("n1", "m1", "m2", "v", "P1", "P2", "P3", "P"),
    visualization="flow: {n}x{n}x{c} > {f1}x{f1}, padding {p} > ?x?x{c1} > pool 2x2 > ?x?x{c1} > {f2}x{f2} > ?x?x{c2} "
    "> pool 2x2 > ?x?x{c2} > flatten > ? > dense > {u1} > dense > {u2} > dense > {K}",
    prompt="Trace the shapes through a LeNet-style network for {n}x{n}x{c} images (HxWxC):\n"
    "  conv1     {c1} filters of {f1}x{f1}, stride 1, padding {p}\n"
    "  pool1     2x2, stride 2\n"
    "  conv2     {c2} filters of {f2}x{f2}, stride 1, no padding\n"
    "  pool2     2x2, stride 2\n"
    "  flatten\n"
    "  dense1    {u1} neurons\n"
    "  dense2    {u2} neurons\n"
    "  output    {K} neurons\n"
    "What are the sizes n1 after conv1, m1 after pool1 and m2 after pool2, the number of values v after flatten, and "
    "the numbers of parameters P1 of conv1, P2 of conv2, P3 of dense1 and P of the whole network?\n"
    "Conventions: sizes are rounded down; each filter spans all input channels; convolutions and dense layers have "
    "biases; pooling has no parameters.",
    hint="Go layer by layer. What is the output size, and how many weights and biases does each filter or neuron have?",
    mistakes=[
        Mistake(
            "no-plus-one",
            "n1 = n + 2*p - f1; n2 = m1 - f2",
            "You left out the +1. The first kernel position counts too, so add 1.",
        ),
        Mistake("padding-once", "n1 = n + p - f1 + 1", PADDING_ONCE),
        Mistake("rounded-up", "m1 = ceil(n1/2); m2 = ceil(n2/2)", ROUNDED_UP),
        Mistake("flattened-without-depth", "v = m2^2", NOT_FLATTENED),
        Mistake("flattened-before-pooling", "v = n2^2*c2", BEFORE_POOLING),
        Mistake("no-input-channels", "P1 = (f1^2 + 1)*c1; P2 = (f2^2 + 1)*c2", ONE_CHANNEL),
        Mistake(
            "no-bias",
            "P1 = f1^2*c*c1; P2 = f2^2*c1*c2; P3 = v*u1",
            "You left out the biases. Every filter and every neuron has one, so add 1 for each.",
        ),
        Mistake(
            "positions-counted",
            "P1 = (f1^2*c + 1)*c1*n1^2; P2 = (f2^2*c1 + 1)*c2*n2^2",
            "You multiplied by the number of positions. All positions share the weights of a filter, so the "
            "parameters do not "
            "depend on the size.",
        ),
        Mistake(
            "pooling-with-parameters",
            "P = P1 + 2*c1 + P2 + 2*c2 + P3 + P4 + P5",
            "You counted parameters of the pooling layers. LeNet-5 (1998) had a weight and a bias per channel there, "
            "but "
            "pooling has none here.",
        ),
        Mistake(
            "dense2-left-out",
            "P = P1 + P2 + P3 + (u1 + 1)*K",
            "You left out dense2. All five layers with parameters count, so add its weights and biases.",
        ),
    ],
)
def trace_architecture(rng: Random) -> Inputs:
    """LeNet-style network, layer by layer"""
    u1 = rng.choice([64, 100, 120, 128, 256])
    return dict(
        n=rng.choice([28, 28, 32, 32, 40, 45, 48, 50, 64, 75]),
        c=rng.choice([1, 3, 3]),
        p=rng.choice([0, 0, 2, 3]),
        f1=rng.choice([3, 5, 5, 7]),
        c1=rng.choice([6, 8, 10, 16, 20, 32]),
        f2=rng.choice([3, 4, 5]),
        c2=rng.choice([12, 16, 24, 32, 50, 64]),
        u1=u1,
        u2=rng.choice([u for u in (32, 50, 84, 100) if u < u1]),
        K=rng.choice([4, 5, 10, 10, 26]),
    )


@drill(
    LAYER_TABLE,
    id="trace-architecture:table",
    tier=3,
    asks=("n1", "P1", "m1", "n2", "c2", "v", "K", "P"),
    prompt="Complete the layer table of a network, from the image to the class scores:\n"
    "  layer                      size   channels   parameters\n"
    "  image                      {n:<7}{c:<11}0\n"
    "  conv1    {f1}x{f1}               n1     {c1:<11}P1\n"
    "  pool1    2x2               m1     {c1:<11}0\n"
    "  conv2    {f2}x{f2}               n2     c2         {P2}\n"
    "  pool2    2x2               ?      c2         0\n"
    "  flatten                           v          0\n"
    "  dense                             K          {P3}\n"
    "  total                                        P\n"
    "conv1 has stride {s} and padding {p}. conv2 has stride 1 and no padding. Pooling has stride 2.\n"
    "What are n1, P1, m1, n2, c2, v, K and P?\n"
    "Conventions: sizes are rounded down; each filter spans all input channels; filters and neurons have biases.",
    hint="How many parameters does one filter or neuron have? Divide a given number of parameters by that.",
    mistakes=[
        Mistake(
            "no-plus-one",
            "n1 = floor((n + 2*p - f1)/s); n2 = m1 - f2",
            "You left out the +1. The first kernel position counts too, so add 1 after dividing by the stride.",
        ),
        Mistake("padding-once", "n1 = floor((n + p - f1)/s) + 1", PADDING_ONCE),
        Mistake(
            "stride-ignored",
            "n1 = n + 2*p - f1 + 1",
            "You ignored the stride of conv1. Divide by it, round down, then add 1.",
        ),
        Mistake("no-input-channels", "P1 = (f1^2 + 1)*c1; c2 = floor(P2/(f2^2 + 1))", ONE_CHANNEL),
        Mistake(
            "no-bias", "P1 = f1^2*c*c1", "You left out the biases. Every filter has one, so add 1 for each filter."
        ),
        Mistake("rounded-up", "m1 = ceil(n1/2)", ROUNDED_UP),
        Mistake("flattened-without-depth", "v = m2^2", NOT_FLATTENED),
        Mistake("flattened-before-pooling", "v = n2^2*c2", BEFORE_POOLING),
        Mistake(
            "dense-on-the-depth",
            "K = floor(P3/(c2 + 1))",
            "You gave a neuron one weight per channel. It has one weight for each of the v values, so divide by v + 1.",
        ),
        Mistake(
            "dense-left-out", "P = P1 + P2", "You left out the dense layer. Its parameters count too, so add them."
        ),
    ],
)
def layer_table(rng: Random) -> Inputs:
    """Incomplete layer table"""
    n, c, f1 = rng.choice([28, 32, 40, 48, 50, 64, 75, 96]), rng.choice([1, 3, 3]), rng.choice([3, 5, 5, 7])
    s, p, c1 = rng.choice([1, 1, 2]), rng.choice([0, 1, 2, 3]), rng.choice([6, 8, 10, 16, 20, 32])
    f2, c2, K = rng.choice([3, 4, 5]), rng.choice([12, 16, 24, 32, 48, 64]), rng.choice([2, 4, 5, 10, 10, 20, 26, 100])
    size = ((((n + 2 * p - f1) // s + 1) // 2) - f2 + 1) // 2
    return dict(n=n, c=c, f1=f1, s=s, p=p, c1=c1, f2=f2, P2=(f2**2 * c1 + 1) * c2, P3=(size**2 * c2 + 1) * K)


@drill(
    VGG,
    steps=_steps,
    id="trace-architecture:vgg",
    tier=3,
    asks=("S", "P", "D"),
    visualization="flow: {n}x{n}x3 > {stages[0]} x conv, pool > ?x?x{widths[0]} > {stages[1]} x conv, pool > "
    "?x?x{widths[1]} > {stages[2]} x conv, pool > ?x?x{widths[2]} > {stages[3]} x conv, pool > ?x?x{widths[3]} > "
    "{stages[4]} x conv, pool > ?x?x{widths[4]} > dense > 4096",
    prompt="The input of a VGG network is an RGB image of size {n}x{n}. Its five stages have {stages} convolutions "
    "with {widths} filters each, all 3x3 with stride 1 and padding 1. Each stage ends with 2x2 max pooling at stride "
    "2. The result is flattened and fed to a dense layer of 4096 neurons.\n"
    "Consider convolution {i} of stage {stage}. What are its output shape S and its number of parameters P, and how "
    "many parameters D does the dense layer have?\n"
    "Conventions: sizes are rounded down; stages and convolutions are numbered from 1; convolutions and dense layers "
    "have biases; shapes as HxWxC.",
    hint="When does the size change? The first convolution of a stage reads the output of the stage before.",
    mistakes=[
        Mistake(
            "halved-too-early",
            {"S": lambda n, stage, **_: [n // 2**stage, n // 2**stage, VGG_WIDTHS[stage - 1]]},
            "You halved the size once too often. Pooling comes at the end of a stage, so the convolutions of the "
            "stage come "
            "before it.",
        ),
        Mistake(
            "padding-ignored",
            {"S": lambda **inputs: _unpadded(**inputs)},
            "You ignored the padding. With padding 1 a 3x3 convolution keeps the size, so only pooling reduces it.",
        ),
        Mistake(
            "never-halved",
            {"S": lambda n, stage, **_: [n, n, VGG_WIDTHS[stage - 1]]},
            "You left out the pooling layers. Every stage before this one ends with pooling, so halve the size once "
            "per stage.",
        ),
        Mistake(
            "own-depth-comes-in",
            "P = (9*C_out + 1)*C_out",
            "You used the stage's own number of channels as input. Its first convolution reads the previous stage, "
            "or the "
            "image in stage 1.",
        ),
        Mistake(
            "no-input-channels",
            "P = (9 + 1)*C_out; D = (m^2 + 1)*4096",
            "You left out the input channels. Every filter and neuron has weights for all of them, so multiply by "
            "the number "
            "of input channels.",
        ),
        Mistake(
            "no-bias",
            "P = 9*C_in*C_out; D = 512*m^2*4096",
            "You left out the biases. Every filter and neuron has one, so add 1 for each.",
        ),
        Mistake(
            "no-positions",
            "D = (512 + 1)*4096",
            "You left out the positions. The feature map is flattened, so each neuron has 512 weights per position.",
        ),
        Mistake(
            "last-pooling-forgotten",
            {"D": lambda n, **_: (512 * (n // 16) ** 2 + 1) * 4096},
            "You left out the last pooling. The fifth stage ends with pooling too, so halve the size five times.",
        ),
    ],
)
def trace_vgg(rng: Random) -> Inputs:
    """Shape and parameters of a VGG layer"""
    stages = rng.choice([[1, 1, 2, 2, 2], [2, 2, 2, 2, 2], [2, 2, 3, 3, 3], [2, 2, 3, 3, 3], [2, 2, 4, 4, 4]])
    stage = rng.randint(1, 5)
    return dict(
        n=rng.choice([64, 96, 100, 128, 160, 200, 224, 224, 256, 300]),
        stages=stages,
        stage=stage,
        i=rng.choice([1, 1, *range(1, stages[stage - 1] + 1)]),
        widths=VGG_WIDTHS,
    )
