"""DeepLab: drills about output stride and dilation."""

from random import Random
from typing import Any

from quizzes.content.segmentation.deeplab.formulas import (
    ATROUS_FIELD,
    ATROUS_STACK,
    DILATED_BLOCK_CODE,
    OUTPUT_STRIDE,
    RESNET_STRIDE,
    dilate_strides,
)
from quizzes.drill import Inputs, Mistake, derive, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

STAGES = {1: "the stride of its last stage is", 2: "the strides of its last two stages are"}


@drill(
    RESNET_STRIDE,
    id="output-stride",
    tier=1,
    asks=("S", "o", "rate", "A"),
    prompt="A ResNet has the strides 2 (first convolution), 2 (max pooling), and 1, 2, 2, 2 in its four stages. For "
    "segmentation, {text} replaced by dilation, so that all later weights still see the inputs that they saw before. "
    "The image has {n}x{n} px.\n"
    "What are the output stride S, the size o of the last map, the dilation of the 3x3 convolutions in the last blocks "
    "of the last stage (rate), and the factor by which the last map has more pixels than that of the plain network for "
    "sizes that 32 divides (A)?\n"
    "Conventions: padding keeps the size at stride 1; sizes that a stride does not divide are rounded up.",
    hint="What is the product of the strides? Which of them become 1, and what makes up for a stride that is gone?",
    mistakes=[
        Mistake("dilation-counted", "S = 32", "You counted the dilation as a stride. It skips no outputs."),
        Mistake("removed-strides", "S = 2^c", "You multiplied the strides that were removed. Multiply the others."),
        Mistake("pooling-forgotten", "S = 16/2^c", "There are five strides of 2: also count the max pooling."),
        Mistake("rounded-down", "o = floor(n/S)", "Sizes are rounded up here."),
        Mistake("whole-stride", "o = ceil(n/32)", "That is the size without dilation."),
        Mistake("rate-of-stride", "rate = S", "The dilation makes up for the strides that were removed only."),
        Mistake("rate-one-less", "rate = 2^(c - 1)", "Each removed stride doubles the rate, the last one, too."),
        Mistake("one-dimension", "A = 2^c", "That is the factor per side. The map grows in both directions."),
    ],
)
def output_stride(rng: Random) -> Inputs:
    """Output stride of a dilated ResNet"""
    c = rng.choice([1, 2])
    return dict(n=rng.randint(200, 1030), c=c, text=STAGES[c])


def _stride_steps(s: list[Value], c: int, d: list[Value], S: int, o: int, **values: Any) -> list[Step]:
    strides, _ = dilate_strides(s, c)
    return [
        Step(f"The last {c} strides above 1 become 1. The strides are now {', '.join(map(str, strides))}."),
        Step("The output stride is their product.", [f"S = {'*'.join(map(str, strides))}", f"S = {S}"]),
        Step(
            "A layer behind a removed stride is dilated by it. A layer whose own stride was removed only has the "
            "dilation of the layers before.",
            [f"d = [{', '.join(str(int(rate)) for rate in d)}]"],
        ),
        Step("Divide the size by each stride and round up.", [f"o = {o}"]),
    ]


@drill(
    OUTPUT_STRIDE,
    id="output-stride:rates",
    tier=2,
    asks=("S", "d", "o"),
    decimals=None,
    steps=_stride_steps,
    prompt="Six 3x3 convolutions have the strides s = {s}. The last {c} of the strides above 1 are replaced by stride "
    "1, and later layers are dilated so that their weights see the same inputs as before. The input size is {n}.\n"
    "What is the output stride S? What is the dilation of each layer (d), and the output size o?\n"
    "Conventions: padding keeps the size at stride 1; sizes that a stride does not divide are rounded up.",
    hints=(
        "Which layers come behind a stride that was removed?",
        "The output stride is the product of the strides that are left. The dilation of a layer is the product of the "
        "strides that were removed before it, its own one excluded.",
    ),
    mistakes=[
        Mistake(
            "own-stride-dilates",
            {"d": lambda s, c, **_: _own_rates(s, c)},
            "You dilated the layer whose stride was removed by it. Its input is as dense as before, only its output is "
            "denser.",
        ),
        Mistake(
            "rates-add",
            {"d": lambda s, c, **_: _added_rates(s, c)},
            "You added the removed strides. Dilations multiply.",
        ),
        Mistake(
            "not-replaced",
            {
                "S": lambda s, **_: _product(s),
                "d": lambda s, **_: [1] * len(s),
            },
            "That is the network before the strides were replaced.",
        ),
        Mistake(
            "first-strides",
            {"S": lambda s, c, **_: _product(dilate_strides(s[::-1], c)[0])},
            "You removed the first strides. The last ones are replaced, where the maps are small.",
        ),
        Mistake(
            "size-of-strided",
            {"o": lambda n, s, **_: -(-n // _product(s))},
            "That is the size before the strides were replaced.",
        ),
        Mistake(
            "rounded-down",
            {"o": lambda n, s, c: n // _product(dilate_strides(s, c)[0])},
            "Sizes are rounded up here.",
        ),
    ],
)
def output_stride_rates(rng: Random) -> Inputs:
    """Dilations that replace strides"""
    s = [rng.choice([1, 1, 2, 2, 3]) for _ in range(6)]
    above = [stride for stride in s if stride > 1]
    c = rng.choice([1, 2, 2])
    if not c < len(above) <= 4 or (s[-1] > 1 and c == 1):
        raise UndefinedValue("a stride must remain, and a layer must be dilated")
    if above[:c] == above[-c:]:
        raise UndefinedValue("the first and the last strides must differ")
    return dict(n=rng.randint(50, 300), s=s, c=c)


def _product(values: list[Value]) -> int:
    result = 1
    for value in values:
        result *= int(value)
    return result


def _own_rates(s: list[Value], c: int) -> list[int]:
    strides, rates = dilate_strides(s, c)
    return [rate * int(old) // new for rate, old, new in zip(rates, s, strides, strict=True)]


def _added_rates(s: list[Value], c: int) -> list[int]:
    strides, _ = dilate_strides(s, c)
    removed = [int(old) if old != new else 0 for old, new in zip(s, strides, strict=True)]
    return [max(1, sum(removed[:k])) for k in range(len(s))]


def _stack_steps(f: int, d: list[Value], r: int, u: int, dense: str) -> list[Step]:
    cells, steps = {0}, []
    for rate in d:
        cells = {cell + k * int(rate) for cell in cells for k in range(f)}
        places = ", ".join(map(str, sorted(cells)))
        steps.append(Step(f"With rate {int(rate)}, the inputs at these places are used: {places}."))
    terms = " + ".join(f"{f - 1}*{int(rate)}" for rate in d)
    return [
        Step("Each layer adds (f - 1) times its rate to the receptive field.", [f"r = 1 + {terms}", f"r = {r}"]),
        *steps,
        Step("Count them. Compare the number with the receptive field.", [f"u = {u}"]),
    ]


@drill(
    ATROUS_STACK,
    id="dilated-kernel:gridding",
    tier=2,
    asks=("r", "u", "dense"),
    steps=_stack_steps,
    prompt="Convolutions in one dimension with kernel size {f} and stride 1 have the dilations d = {d}.\n"
    "What is the size r of their receptive field? How many of its inputs does one output depend on (u)? Which of its "
    "inputs are these (dense)?",
    hints=(
        "Which inputs does an output of the last layer read, which ones do these read, and so on?",
        "The receptive field is 1 + sum of (f - 1) d. The inputs that are used are all sums of one multiple 0, d, ... "
        "of each layer; equal sums count once.",
    ),
    mistakes=[
        Mistake(
            "dilation-ignored",
            {"r": lambda f, d: 1 + len(d) * (f - 1)},
            "You ignored the dilations. A layer adds (f - 1) times its rate.",
        ),
        Mistake(
            "kernel-times-rate",
            {"r": lambda f, d: 1 + sum(f * rate for rate in d)},
            "The outermost weights of a kernel are (f - 1) d apart, not f d.",
        ),
        Mistake(
            "largest-rate",
            {"r": lambda f, d: 1 + (f - 1) * max(d)},
            "All layers add to the receptive field, not only the one with the largest rate.",
        ),
        Mistake(
            "all-paths",
            {"u": lambda f, d: f ** len(d)},
            "Those are the paths. Several of them can lead to the same input, which counts once.",
        ),
        Mistake(
            "whole-field",
            {"u": lambda f, d: 1 + (f - 1) * sum(d)},
            "That is the receptive field. Check whether each input in it is used.",
        ),
        Mistake(
            "every-weight",
            {"u": lambda f, d: f * len(d)},
            "That is the number of weights.",
        ),
        Mistake(
            "other-answer",
            {"dense": lambda f, d: "gaps" if ATROUS_STACK.evaluate(dict(f=f, d=d))["dense"] == "all" else "all"},
            "Compare the number of inputs that are used with the receptive field.",
        ),
    ],
)
def gridding(rng: Random) -> Inputs:
    """Gridding of dilated convolutions"""
    f = rng.choice([2, 3, 3, 3, 4])
    return dict(f=f, d=[rng.choice([1, 2, 3, 4, 5, 6, 8, 9]) for _ in range(rng.choice([2, 3, 3]))])


@drill(
    ATROUS_FIELD,
    tier=2,
    asks=(derive("r"), "v"),
    prompt="A stack of n {f}x{f} convolutions with stride 1 has the dilations 1, {b}, {b2}, ..., {b}^(n - 1).\n"
    "Derive the size of its receptive field r as a function of n. What is the size v for {m} layers?",
    hints=(
        "How much does layer i add to the receptive field? Which series do the terms form?",
        "Layer i adds (f - 1) b^(i - 1), and 1 + b + ... + b^(n - 1) = (b^n - 1)/(b - 1), with the kernel size f and "
        "the factor b of the dilations.",
        "First step: write the sum for two layers.",
    ),
    mistakes=[
        Mistake(
            "dilation-ignored",
            "r = 1 + (f - 1)*n; v = 1 + (f - 1)*m",
            "You ignored the dilations. Layer i adds (f - 1) times its dilation.",
        ),
        Mistake(
            "last-layer-only",
            "r = 1 + (f - 1)*b^(n - 1); v = 1 + (f - 1)*b^(m - 1)",
            "That is the effective kernel size of the last layer. All layers add to the receptive field.",
        ),
        Mistake(
            "kernel-times-dilation",
            "r = 1 + f*(b^n - 1)/(b - 1); v = 1 + f*(b^m - 1)/(b - 1)",
            "A layer adds (f - 1) times its dilation, because the outermost weights are that far apart.",
        ),
        Mistake(
            "one-layer-more",
            "r = 1 + (f - 1)*(b^(n + 1) - 1)/(b - 1); v = 1 + (f - 1)*(b^(m + 1) - 1)/(b - 1)",
            "You counted one layer more. The last dilation has the exponent n - 1.",
        ),
    ],
)
def atrous_field(rng: Random) -> Inputs:
    """Receptive field of growing dilations"""
    f, b = rng.choice([2, 3, 3, 5, 7]), rng.choice([2, 3, 4])
    return dict(f=f, b=b, b2=b**2, m=rng.randint(3, 6), variables={"n": [2, 8]})


def _block_steps(n: int, f: int, p: int, d: int, o: int, g: int, **_: Value) -> list[Step]:
    return [
        Step(
            "Compute the height of the output at stride 1.",
            [f"o = {n} + 2*{p} - {d}*({f} - 1)", f"o = {o}"],
        ),
        Step("The sum needs the size of the input.", [f"g = {d}*({f} - 1)/2", f"g = {g}"]),
        Step("Change the padding of the layer, and leave the dilation as it is."),
    ]


@drill(
    DILATED_BLOCK_CODE,
    id="dilated-kernel:code",
    tier=2,
    asks=("o", "g", "fix"),
    visualization="code program",
    steps=_block_steps,
    prompt="The stride of a stage was replaced by dilation, and now the last line of this program fails, because the "
    "two maps have different sizes.\n"
    "Which height does the program print (o)? Which padding keeps the size (g)? Rewrite the line that makes the layer, "
    "with another padding and no other change (fix).",
    hint="How many pixels does the dilated kernel cover?",
    mistakes=[
        Mistake("dilation-ignored", "o = n + 2p - f + 1", "You ignored the dilation. The kernel covers d(f - 1) + 1."),
        Mistake(
            "kernel-times-dilation",
            "o = n + 2p - d*f + 1",
            "The kernel covers d(f - 1) + 1 pixels, not d f.",
        ),
        Mistake("padding-of-plain", "g = (f - 1)/2", "That padding keeps the size without dilation."),
        Mistake("padding-not-halved", "g = d*(f - 1)", "The padding is on both sides."),
        Mistake(
            "dilation-removed",
            {"fix": lambda fix, f, p, d, **_: fix.replace(f"padding={d * (f - 1) // 2}, dilation={d}", f"padding={p}")},
            "That removes the dilation. Change the padding.",
        ),
    ],
)
def dilated_block_code(rng: Random) -> Inputs:
    """Dilated block with too little padding"""
    f, d = rng.choice([3, 3, 3, 5]), rng.choice([2, 3, 4, 6])
    n, C = rng.randint(20, 48), rng.choice([32, 64, 128, 256])
    g, p, name = d * (f - 1) // 2, (f - 1) // 2, rng.choice(["conv", "layer", "atrous"])
    layer = f"{name} = nn.Conv2d({C}, {C}, {f}"
    program = [
        f"x = torch.zeros(1, {C}, {n}, {n})",
        f"{layer}, padding={p}, dilation={d})",
        f"y = {name}(x)",
        "print(y.shape[2])",
        "z = x + y",
    ]
    return dict(n=n, f=f, p=p, d=d, fix=f"{layer}, padding={g}, dilation={d})", program="\n".join(program))
