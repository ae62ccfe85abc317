"""Networks traced layer by layer: LeNet's kind, a table with gaps, and VGG."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas.architectures import LAYER_TABLE, LENET, VGG, VGG_WIDTHS
from quizzes.question import Step


@drill(
    LENET,
    id="trace-architecture",
    tier=3,
    asks="n1 m1 m2 v P1 P2 P3 P",
    visualization="flow: {n} x {n} x {c} > {f1}x{f1}, padding {p} > ? x ? x {c1} > pool 2x2 > ? x ? x "
    "{c1} > {f2}x{f2} > "
    "? x ? x {c2} > pool 2x2 > ? x ? x {c2} > flatten > ? > dense > {u1} > dense > {u2} > dense > {K}",
    prompt="A network of LeNet's kind reads images of {n} x {n} x {c}:\n"
    "  conv1     {c1} filters of {f1} x {f1}, stride 1, padding {p}\n"
    "  pool1     2 x 2, stride 2\n"
    "  conv2     {c2} filters of {f2} x {f2}, stride 1, no padding\n"
    "  pool2     2 x 2, stride 2\n"
    "  flatten\n"
    "  dense1    {u1} neurons\n"
    "  dense2    {u2} neurons\n"
    "  output    {K} neurons\n"
    "Sizes are rounded down; convolutions (each filter on all channels) and dense layers have biases, and pooling is "
    "the plain one. Find the sides n1 after conv1, m1 after pool1 and m2 after pool2, the number v of values after "
    "flattening, the parameters P1 of conv1, P2 of conv2, P3 of dense1, and P of the whole network.",
    hint="Go layer by layer: side and depth first, then weights plus one bias for each filter or neuron.",
)
def trace_architecture(rng: Random) -> dict[str, Any]:
    """A network traced from image to classes"""
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
    "The first position of a filter counts too: n + 2p - f + 1 at stride 1.",
)
trace_architecture.mistake("padding-once", "n1 = n + p - f1 + 1", "Padding is added on both sides: 2p, not p.")
trace_architecture.mistake(
    "rounded-up", "m1 = ceil(n1/2); m2 = ceil(n2/2)", "A window that would reach over the edge is left out: round down."
)
trace_architecture.mistake(
    "flattened-without-depth", "v = m2^2", "Flattening keeps every channel: side times side times depth."
)
trace_architecture.mistake(
    "flattened-before-pooling", "v = n2^2*c2", "pool2 comes before flatten: take the side after it."
)
trace_architecture.mistake(
    "no-input-channels",
    "P1 = (f1^2 + 1)*c1; P2 = (f2^2 + 1)*c2",
    "A filter reaches through all channels that come in: f^2 weights for each of them.",
)
trace_architecture.mistake(
    "no-bias",
    "P1 = f1^2*c*c1; P2 = f2^2*c1*c2; P3 = v*u1",
    "Every filter and every neuron has a bias beside its weights: add 1 for each.",
)
trace_architecture.mistake(
    "positions-counted",
    "P1 = (f1^2*c + 1)*c1*n1^2; P2 = (f2^2*c1 + 1)*c2*n2^2",
    "All positions share a filter's weights: the size of the map plays no part in the parameters.",
)
trace_architecture.mistake(
    "pooling-with-parameters",
    "P = P1 + 2*c1 + P2 + 2*c2 + P3 + P4 + P5",
    "Plain pooling has no parameters; a weight and a bias for each map were LeNet-5's subsampling of 1998.",
)
trace_architecture.mistake(
    "dense2-left-out", "P = P1 + P2 + P3 + (u1 + 1)*K", "dense2 stands between dense1 and the output: all five count."
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
counts = [sum(w.numel() for w in layer.parameters()) for layer in layers]
P1, P2, P3, P = counts[0], counts[3], counts[7], sum(counts)
"""
)


@drill(
    LAYER_TABLE,
    id="trace-architecture:table",
    tier=3,
    asks="n1 P1 m1 n2 c2 v K P",
    prompt="Complete the table of a network, from the image to the class scores:\n"
    "  layer                      side   depth  parameters\n"
    "  image                      {n:<7}{c:<7}0\n"
    "  conv1    {f1} x {f1}             n1     {c1:<7}P1\n"
    "  pool1    2 x 2             m1     {c1:<7}0\n"
    "  conv2    {f2} x {f2}             n2     c2     {P2}\n"
    "  pool2    2 x 2             ?      c2     0\n"
    "  flatten                           v      0\n"
    "  dense                             K      {P3}\n"
    "  in all                                   P\n"
    "conv1 has stride {s} and padding {p}, conv2 stride 1 and no padding, pooling stride 2. Sizes are rounded down; "
    "every filter reads all channels; filters and neurons have a bias each. What are n1, P1, m1, n2, c2, v, K and P?",
    hint="Side and depth give the parameters; where the parameters are given, divide by those of one filter or neuron.",
)
def layer_table(rng: Random) -> dict[str, Any]:
    """A table of sizes and parameters to complete"""
    n, c, f1 = rng.choice([28, 32, 40, 48, 50, 64, 75, 96]), rng.choice([1, 3, 3]), rng.choice([3, 5, 5, 7])
    s, p, c1 = rng.choice([1, 1, 2]), rng.choice([0, 1, 2, 3]), rng.choice([6, 8, 10, 16, 20, 32])
    f2, c2, K = rng.choice([3, 4, 5]), rng.choice([12, 16, 24, 32, 48, 64]), rng.choice([2, 4, 5, 10, 10, 20, 26, 100])
    side = ((((n + 2 * p - f1) // s + 1) // 2) - f2 + 1) // 2
    return dict(n=n, c=c, f1=f1, s=s, p=p, c1=c1, f2=f2, P2=(f2**2 * c1 + 1) * c2, P3=(side**2 * c2 + 1) * K)


layer_table.mistake(
    "no-plus-one",
    "n1 = floor((n + 2*p - f1)/s); n2 = m1 - f2",
    "The first position of a filter counts too: add 1.",
)
layer_table.mistake("padding-once", "n1 = floor((n + p - f1)/s) + 1", "Padding is added on both sides: 2p, not p.")
layer_table.mistake(
    "stride-ignored", "n1 = n + 2*p - f1 + 1", "conv1 has a stride: divide by it, round down, then add 1."
)
layer_table.mistake(
    "no-input-channels",
    "P1 = (f1^2 + 1)*c1; c2 = floor(P2/(f2^2 + 1))",
    "A filter reaches through all channels that come in: f^2 weights for each of them.",
)
layer_table.mistake("no-bias", "P1 = f1^2*c*c1", "Every filter has a bias beside its weights: add 1 for each.")
layer_table.mistake("rounded-up", "m1 = ceil(n1/2)", "A window that would reach over the edge is left out: round down.")
layer_table.mistake(
    "flattened-without-depth", "v = m2^2", "Flattening keeps every channel: side times side times depth."
)
layer_table.mistake("flattened-before-pooling", "v = n2^2*c2", "pool2 comes before flatten: take the side after it.")
layer_table.mistake(
    "dense-on-the-depth",
    "K = floor(P3/(c2 + 1))",
    "A neuron has a weight for each of the v values, not for each channel: divide by v + 1.",
)
layer_table.mistake("dense-left-out", "P = P1 + P2", "The dense layer's parameters belong to the network's.")
layer_table.torch(
    """
def parameters(layer):
    return sum(w.numel() for w in layer.parameters())

conv1 = torch.nn.Conv2d(c, c1, f1, s, p)
c2 = P2 // parameters(torch.nn.Conv2d(c1, 1, f2))
conv2 = torch.nn.Conv2d(c1, c2, f2)
x, shapes = torch.zeros(1, c, n, n), []
for layer in (conv1, torch.nn.MaxPool2d(2), conv2, torch.nn.MaxPool2d(2), torch.nn.Flatten()):
    x = layer(x)
    shapes.append(x.shape)
n1, m1, n2, _, v = (shape[-1] for shape in shapes)
K = P3 // parameters(torch.nn.Linear(v, 1))
P1, P = parameters(conv1), sum(map(parameters, (conv1, conv2, torch.nn.Linear(v, K))))
"""
)


def _steps(n: int, stages: list[int], stage: int, i: int, **found: Any) -> list[Step]:
    S, C_in, C_out, m = (found[name] for name in ("S", "C_in", "C_out", "m"))
    source = "the layer before it" if i > 1 else "the stage before it" if stage > 1 else "the image"
    halved = "no pooling came before"
    if stage > 1:
        halved = f"{stage - 1} pooling{'s' * (stage > 2)} halved it before, rounding down: {n} became {S[0]}"
    return [
        Step(
            f"Padding 1 keeps the side, and {halved}. Stage {stage} has {C_out} filters.",
            [f"S = [{S[0]}, {S[1]}, {S[2]}]"],
        ),
        Step(f"Its {C_in} input channels come from {source}", [f"P = (9*{C_in} + 1)*{C_out}", f"P = {found['P']}"]),
        Step(f"After five poolings the map is {m} x {m} x 512", [f"D = (512*{m}^2 + 1)*4096", f"D = {found['D']}"]),
    ]


@drill(
    VGG,
    steps=_steps,
    id="trace-architecture:vgg",
    tier=3,
    asks="S P D",
    visualization="flow: {n} x {n} x 3 > {stages[0]} x conv, pool > ? x ? x {widths[0]} > {stages[1]} x conv, pool > "
    "? x ? x {widths[1]} > {stages[2]} x conv, pool > ? x ? x {widths[2]} > {stages[3]} x conv, pool > "
    "? x ? x {widths[3]} > {stages[4]} x conv, pool > ? x ? x {widths[4]} > dense > 4096",
    prompt="A VGG network reads RGB images of {n} x {n}. Its five stages have {stages} convolutions of 3 x 3 (stride "
    "1, padding 1) with {widths} filters; each stage ends with 2 x 2 max pooling at stride 2, rounded down. Then the "
    "map is flattened and passes a dense layer of 4096 neurons. Everything but the pooling has biases.\n"
    "For convolution number {i} of stage {stage}: what is the shape S of its output (height x width x depth), and how "
    "many parameters P does it have? And how many parameters D does the dense layer have?",
    hint="A stage halves the side at its end only; its first convolution reads what the stage before left.",
)
def trace_vgg(rng: Random) -> dict[str, Any]:
    """A layer of VGG"""
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
    """The shape of somebody who lets every convolution take 2 pixels off the side, from the image on."""
    for convolutions in stages[: stage - 1]:
        n = (n - 2 * convolutions) // 2
    if n <= 2 * i:
        raise UndefinedValue("nothing would be left of the map")
    return [n - 2 * i, n - 2 * i, VGG_WIDTHS[stage - 1]]


trace_vgg.mistake(
    "halved-too-early",
    {"S": lambda n, stage, **_: [n // 2**stage, n // 2**stage, VGG_WIDTHS[stage - 1]]},
    "The pooling comes at the end of a stage: its convolutions still see the side before it.",
)
trace_vgg.mistake(
    "padding-ignored",
    {"S": lambda **given: _unpadded(**given)},
    "With padding 1 a 3 x 3 convolution keeps the side: only pooling shrinks it.",
)
trace_vgg.mistake(
    "never-halved",
    {"S": lambda n, stage, **_: [n, n, VGG_WIDTHS[stage - 1]]},
    "Every stage before this one ended with a pooling that halved the side.",
)
trace_vgg.mistake(
    "own-depth-comes-in",
    "P = (9*C_out + 1)*C_out",
    "The first convolution of a stage reads the channels of the stage before (of the image, in stage 1).",
)
trace_vgg.mistake(
    "no-input-channels",
    "P = (9 + 1)*C_out; D = (m^2 + 1)*4096",
    "A filter or neuron has weights for all channels that come in.",
)
trace_vgg.mistake(
    "no-bias", "P = 9*C_in*C_out; D = 512*m^2*4096", "Every filter and neuron has a bias beside its weights."
)
trace_vgg.mistake(
    "no-positions",
    "D = (512 + 1)*4096",
    "The map is flattened, not pooled to one pixel: all its positions count, m^2 of them.",
)
trace_vgg.mistake(
    "last-pooling-forgotten",
    {"D": lambda n, **_: (512 * (n // 16) ** 2 + 1) * 4096},
    "The fifth stage ends with a pooling as well: five halvings before the map is flattened.",
)
trace_vgg.torch(
    """
from torchvision.models.vgg import make_layers

plan = [width for k, width in zip(stages.int().tolist(), widths) for width in [width] * k + ["M"]]
with torch.device("meta"):
    x, layers = torch.empty(1, 3, n, n), make_layers(plan)
at, number = 1, 0
for layer in layers:
    x = layer(x)
    if isinstance(layer, torch.nn.MaxPool2d):
        at, number = at + 1, 0
    elif isinstance(layer, torch.nn.Conv2d):
        number += 1
        if (at, number) == (stage, i):
            S, P = x[0].permute(1, 2, 0).shape, sum(w.numel() for w in layer.parameters())
D = sum(w.numel() for w in torch.nn.Linear(x.flatten(1).shape[1], 4096, device="meta").parameters())
"""
)
