"""Shapes and parameters traced layer by layer: a LeNet-style network, a layer table, and VGG."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas.architectures import LAYER_TABLE, LENET, VGG, VGG_WIDTHS
from quizzes.question import Step

PADDING_ONCE = "You added the padding on one side only. It is added on both sides, so add it twice."
ROUNDED_UP = "You rounded up. A window that would extend past the edge is dropped, so round down."
ONE_CHANNEL = (
    "You left out the input channels. Each filter spans all of them, so multiply the kernel area by their number."
)
NOT_FLATTENED = "You left out the channels. Flattening keeps them all, so v is height x width x channels."
BEFORE_POOLING = "You flattened the input of pool2. Flattening comes after pool2, so use the size after pool2."


@drill(
    LENET,
    id="trace-architecture",
    tier=3,
    asks="n1 m1 m2 v P1 P2 P3 P",
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
)
def trace_architecture(rng: Random) -> dict[str, Any]:
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


trace_architecture.mistake(
    "no-plus-one",
    "n1 = n + 2*p - f1; n2 = m1 - f2",
    "You left out the +1. The first kernel position counts too, so add 1.",
)
trace_architecture.mistake("padding-once", "n1 = n + p - f1 + 1", PADDING_ONCE)
trace_architecture.mistake("rounded-up", "m1 = ceil(n1/2); m2 = ceil(n2/2)", ROUNDED_UP)
trace_architecture.mistake("flattened-without-depth", "v = m2^2", NOT_FLATTENED)
trace_architecture.mistake("flattened-before-pooling", "v = n2^2*c2", BEFORE_POOLING)
trace_architecture.mistake(
    "no-input-channels",
    "P1 = (f1^2 + 1)*c1; P2 = (f2^2 + 1)*c2",
    ONE_CHANNEL,
)
trace_architecture.mistake(
    "no-bias",
    "P1 = f1^2*c*c1; P2 = f2^2*c1*c2; P3 = v*u1",
    "You left out the biases. Every filter and every neuron has one, so add 1 for each.",
)
trace_architecture.mistake(
    "positions-counted",
    "P1 = (f1^2*c + 1)*c1*n1^2; P2 = (f2^2*c1 + 1)*c2*n2^2",
    "You multiplied by the number of positions. All positions share the weights of a filter, so the parameters do not "
    "depend on the size.",
)
trace_architecture.mistake(
    "pooling-with-parameters",
    "P = P1 + 2*c1 + P2 + 2*c2 + P3 + P4 + P5",
    "You counted parameters of the pooling layers. LeNet-5 (1998) had a weight and a bias per channel there, but "
    "pooling has none here.",
)
trace_architecture.mistake(
    "dense2-left-out",
    "P = P1 + P2 + P3 + (u1 + 1)*K",
    "You left out dense2. All five layers with parameters count, so add its weights and biases.",
)
trace_architecture.torch(
    """
layers = [
    torch.nn.Conv2d(c, c1, f1, padding=p), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
    torch.nn.Conv2d(c1, c2, f2), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten(),
]
shapes, x = [], torch.zeros(1, c, n, n)
for layer in layers:
    x = layer(x)
    shapes.append(x.shape)
n1, m1, m2, v = shapes[0][-1], shapes[2][-1], shapes[5][-1], shapes[6][-1]
layers += [torch.nn.Linear(v, u1), torch.nn.Linear(u1, u2), torch.nn.Linear(u2, K)]
counts = [sum(p.numel() for p in layer.parameters()) for layer in layers]
P1, P2, P3, P = counts[0], counts[3], counts[7], sum(counts)
"""
)


@drill(
    LAYER_TABLE,
    id="trace-architecture:table",
    tier=3,
    asks="n1 P1 m1 n2 c2 v K P",
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
)
def layer_table(rng: Random) -> dict[str, Any]:
    """Incomplete layer table"""
    n, c, f1 = rng.choice([28, 32, 40, 48, 50, 64, 75, 96]), rng.choice([1, 3, 3]), rng.choice([3, 5, 5, 7])
    s, p, c1 = rng.choice([1, 1, 2]), rng.choice([0, 1, 2, 3]), rng.choice([6, 8, 10, 16, 20, 32])
    f2, c2, K = rng.choice([3, 4, 5]), rng.choice([12, 16, 24, 32, 48, 64]), rng.choice([2, 4, 5, 10, 10, 20, 26, 100])
    size = ((((n + 2 * p - f1) // s + 1) // 2) - f2 + 1) // 2
    return dict(n=n, c=c, f1=f1, s=s, p=p, c1=c1, f2=f2, P2=(f2**2 * c1 + 1) * c2, P3=(size**2 * c2 + 1) * K)


layer_table.mistake(
    "no-plus-one",
    "n1 = floor((n + 2*p - f1)/s); n2 = m1 - f2",
    "You left out the +1. The first kernel position counts too, so add 1 after dividing by the stride.",
)
layer_table.mistake("padding-once", "n1 = floor((n + p - f1)/s) + 1", PADDING_ONCE)
layer_table.mistake(
    "stride-ignored", "n1 = n + 2*p - f1 + 1", "You ignored the stride of conv1. Divide by it, round down, then add 1."
)
layer_table.mistake(
    "no-input-channels",
    "P1 = (f1^2 + 1)*c1; c2 = floor(P2/(f2^2 + 1))",
    ONE_CHANNEL,
)
layer_table.mistake(
    "no-bias", "P1 = f1^2*c*c1", "You left out the biases. Every filter has one, so add 1 for each filter."
)
layer_table.mistake("rounded-up", "m1 = ceil(n1/2)", ROUNDED_UP)
layer_table.mistake("flattened-without-depth", "v = m2^2", NOT_FLATTENED)
layer_table.mistake("flattened-before-pooling", "v = n2^2*c2", BEFORE_POOLING)
layer_table.mistake(
    "dense-on-the-depth",
    "K = floor(P3/(c2 + 1))",
    "You gave a neuron one weight per channel. It has one weight for each of the v values, so divide by v + 1.",
)
layer_table.mistake(
    "dense-left-out", "P = P1 + P2", "You left out the dense layer. Its parameters count too, so add them."
)
layer_table.torch(
    """
def count_parameters(layer):
    return sum(p.numel() for p in layer.parameters())

conv1 = torch.nn.Conv2d(c, c1, f1, s, p)
c2 = P2 // count_parameters(torch.nn.Conv2d(c1, 1, f2))
conv2 = torch.nn.Conv2d(c1, c2, f2)
x, shapes = torch.zeros(1, c, n, n), []
for layer in (conv1, torch.nn.MaxPool2d(2), conv2, torch.nn.MaxPool2d(2), torch.nn.Flatten()):
    x = layer(x)
    shapes.append(x.shape)
n1, m1, n2, _, v = (shape[-1] for shape in shapes)
K = P3 // count_parameters(torch.nn.Linear(v, 1))
P1, P = count_parameters(conv1), sum(map(count_parameters, (conv1, conv2, torch.nn.Linear(v, K))))
"""
)


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


@drill(
    VGG,
    steps=_steps,
    id="trace-architecture:vgg",
    tier=3,
    asks="S P D",
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
)
def trace_vgg(rng: Random) -> dict[str, Any]:
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


def _unpadded(n: int, stages: list[int], stage: int, i: int) -> list[int]:
    """Return the output shape if every convolution since the image reduced the size by 2, as without padding."""
    for convolutions in stages[: stage - 1]:
        n = (n - 2 * convolutions) // 2
    if n <= 2 * i:
        raise UndefinedValue("nothing would be left of the feature map")
    return [n - 2 * i, n - 2 * i, VGG_WIDTHS[stage - 1]]


trace_vgg.mistake(
    "halved-too-early",
    {"S": lambda n, stage, **_: [n // 2**stage, n // 2**stage, VGG_WIDTHS[stage - 1]]},
    "You halved the size once too often. Pooling comes at the end of a stage, so the convolutions of the stage come "
    "before it.",
)
trace_vgg.mistake(
    "padding-ignored",
    {"S": lambda **inputs: _unpadded(**inputs)},
    "You ignored the padding. With padding 1 a 3x3 convolution keeps the size, so only pooling reduces it.",
)
trace_vgg.mistake(
    "never-halved",
    {"S": lambda n, stage, **_: [n, n, VGG_WIDTHS[stage - 1]]},
    "You left out the pooling layers. Every stage before this one ends with pooling, so halve the size once per stage.",
)
trace_vgg.mistake(
    "own-depth-comes-in",
    "P = (9*C_out + 1)*C_out",
    "You used the stage's own number of channels as input. Its first convolution reads the previous stage, or the "
    "image in stage 1.",
)
trace_vgg.mistake(
    "no-input-channels",
    "P = (9 + 1)*C_out; D = (m^2 + 1)*4096",
    "You left out the input channels. Every filter and neuron has weights for all of them, so multiply by the number "
    "of input channels.",
)
trace_vgg.mistake(
    "no-bias",
    "P = 9*C_in*C_out; D = 512*m^2*4096",
    "You left out the biases. Every filter and neuron has one, so add 1 for each.",
)
trace_vgg.mistake(
    "no-positions",
    "D = (512 + 1)*4096",
    "You left out the positions. The feature map is flattened, so each neuron has 512 weights per position.",
)
trace_vgg.mistake(
    "last-pooling-forgotten",
    {"D": lambda n, **_: (512 * (n // 16) ** 2 + 1) * 4096},
    "You left out the last pooling. The fifth stage ends with pooling too, so halve the size five times.",
)
trace_vgg.torch(
    """
from torchvision.models.vgg import make_layers

plan = [width for k, width in zip(stages.int().tolist(), widths) for width in [width] * k + ["M"]]
with torch.device("meta"):
    x, layers = torch.empty(1, 3, n, n), make_layers(plan)
current_stage, number = 1, 0
for layer in layers:
    x = layer(x)
    if isinstance(layer, torch.nn.MaxPool2d):
        current_stage, number = current_stage + 1, 0
    elif isinstance(layer, torch.nn.Conv2d):
        number += 1
        if (current_stage, number) == (stage, i):
            S, P = x[0].permute(1, 2, 0).shape, sum(p.numel() for p in layer.parameters())
D = sum(p.numel() for p in torch.nn.Linear(x.flatten(1).shape[1], 4096, device="meta").parameters())
"""
)
