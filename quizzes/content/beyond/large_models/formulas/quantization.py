"""Quantization: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber, Order
from quizzes.content.beyond.large_models.rounding import affine, clip, quantize
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector, Word
from workbench.errors import UserError

JACOB = "Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference, "
JACOB += "2018 (arXiv:1712.05877)"

LOW = Real(-(10**6), 0, "smallest value of the range")

HIGH = Real(0, 10**6, "largest value of the range")

SCALE = Real(0, meaning="scale, the distance of two neighboring values")

QUANTIZATION_CONVENTIONS = """
Rounding half to even, as in PyTorch. z = round(-lo/s), and q = clip(round(x/s) + z, 0, 255).
The range contains 0, so that 0 is represented exactly.
"""


def _quantize(lo: Value, hi: Value, x: Value) -> dict[str, int]:
    scale, zero_point = affine(lo, hi)
    return {"z": zero_point, "q": quantize(x, scale, zero_point)}


QUANTIZE_UINT8 = Formula(
    "quantize-uint8",
    """
    s = (hi - lo)/255
    x_hat = s*(q - z)
    error = abs(x - x_hat)
    """,
    title="Affine quantization to 8 bits (uint8)",
    source=f"{JACOB}, section 2.1 and equation 1: r = S(q - Z)",
    conventions=QUANTIZATION_CONVENTIONS,
    procedure=_quantize,
    procedure_outputs="z q",
    lo=LOW,
    hi=HIGH,
    x=Real(-(10**6), 10**6, "value"),
    z=Int(0, 255, "zero point, the integer that stands for 0"),
    q=Int(0, 255, "integer that stands for x"),
    s=SCALE,
    x_hat=Real(meaning="value that q stands for"),
    error=Real(0, meaning="distance of x and x_hat"),
)


QUANTIZE_SCALE = Formula(
    "quantize-scale",
    "s = (hi - lo)/(2^b - 1)",
    title="Scale of affine quantization",
    source=f"{JACOB}, section 3: 2^b levels have 2^b - 1 gaps",
    lo=LOW,
    hi=HIGH,
    b=Int(1, 32, "number of bits"),
    s=SCALE,
)


def _quantize_symmetric(x: list[Value], b: int) -> dict[str, Any]:
    if not any(x):
        raise UserError("x must have a value other than 0.")
    largest = 2 ** (b - 1) - 1
    scale = max(map(abs, x)) / Fraction(largest)
    return {"q": [quantize(v, scale, 0, -largest, largest) for v in x]}


QUANTIZE_INT8 = Formula(
    "quantize-int8",
    """
    a[i] = abs(x[i])
    s = max(a)/(2^(b - 1) - 1)
    x_hat[i] = s*q[i]
    error[i] = abs(x[i] - x_hat[i])
    E = max(error)
    """,
    title="Symmetric quantization (int8)",
    source=f"{JACOB}, section 3, on weights: the integers run from -127 to 127; derivation: with the zero point 0, "
    "the largest absolute value gets 127",
    conventions="Rounding half to even, as in PyTorch. The zero point is 0, and the integers run from -127 to 127.",
    procedure=_quantize_symmetric,
    procedure_outputs="q",
    x=Vector(-(10**6), 10**6, "values"),
    b=Int(2, 16, "number of bits", default=8),
    q=Vector(meaning="integers that stand for the values"),
    a=Vector(0, meaning="absolute values"),
    s=SCALE,
    x_hat=Vector(meaning="values that the integers stand for"),
    error=Vector(0, meaning="distance of each value and what its integer stands for"),
    E=Real(0, meaning="largest error"),
)


def _decide_bits(P: Value, M: Value) -> dict[str, str]:
    for b in (16, 8, 4):
        if P * b / 8 <= M:
            return {"best": f"b{b}"}
    return {"best": "none"}


QUANTIZE_MEMORY = Formula(
    "quantize-memory",
    """
    m16 = 2*P
    m8 = P
    m4 = P/2
    """,
    title="Memory of weights with 16, 8 and 4 bits",
    source="derivation: b bits are b/8 bytes",
    conventions="GB = 10^9 bytes. Weights only, without scales, activations or caches.",
    procedure=_decide_bits,
    procedure_outputs="best",
    P=Real(0.001, 10000, "parameters", unit="billions"),
    M=Real(0.001, 100000, "memory for the weights", unit="GB"),
    m16=Real(0, meaning="memory with 16 bits per weight", unit="GB"),
    m8=Real(0, meaning="memory with 8 bits per weight", unit="GB"),
    m4=Real(0, meaning="memory with 4 bits per weight", unit="GB"),
    best=Choice(
        meaning="largest precision that fits",
        options=dict(b16="16 bits", b8="8 bits", b4="4 bits", none="none of the three"),
        supported_by="m16 m8 m4",
    ),
)


QUANTIZE_MATMUL = Formula(
    "quantize-dot",
    """
    acc = sum(i, (w[i] - z_w)*(x[i] - z_x))
    y = s_w*s_x*acc
    q = max(0, min(255, floor(y/s_y + 1/2) + z_y))
    """,
    title="Dot product of quantized vectors",
    source=f"{JACOB}, section 2.2, equations 2 to 4",
    conventions="The sum is an integer (int32). A tie in the last rounding does not occur here.",
    w=Vector(0, 255, "integers of the weights"),
    x=Vector(0, 255, "integers of the inputs"),
    z_w=Int(0, 255, "zero point of the weights"),
    z_x=Int(0, 255, "zero point of the inputs"),
    s_w=Real(0, 1000, "scale of the weights"),
    s_x=Real(0, 1000, "scale of the inputs"),
    s_y=Real(0.000001, 1000, "scale of the output"),
    z_y=Int(0, 255, "zero point of the output"),
    acc=Int(meaning="sum of the integer products"),
    y=Real(meaning="output as a real number"),
    q=Int(meaning="integer of the output"),
)


def _diagnose_outlier(x: list[Value], outlier: Value) -> dict[str, Any]:
    def zeros(largest: Value) -> int:
        return sum(quantize(v, Fraction(largest) / 127, 0, -127, 127) == 0 for v in x)

    if not any(x):
        raise UserError("x must have a value other than 0.")
    lost = zeros(max(map(abs, [*x, outlier])))
    problem = "outlier" if 2 * lost >= len(x) else "fine"
    return {"own": zeros(max(map(abs, x))), "lost": lost, "problem": problem}


QUANTIZE_OUTLIER = Formula(
    "quantize-outlier",
    """
    a[i] = abs(x[i])
    s1 = max(a)/127
    s2 = max(max(a), abs(outlier))/127
    """,
    title="What an outlier does to symmetric quantization",
    source="derivation: a value below half the scale in magnitude is rounded to 0; Dettmers et al., LLM.int8(), 2022 "
    "(arXiv:2208.07339), on outliers of activations",
    conventions="Symmetric int8: s = max |x|/127, rounding half to even.",
    procedure=_diagnose_outlier,
    procedure_outputs="own lost problem",
    x=Vector(-(10**6), 10**6, "values of one channel"),
    outlier=Real(-(10**6), 10**6, "value of another channel"),
    a=Vector(0, meaning="absolute values"),
    s1=Real(0, meaning="scale of the channel alone"),
    s2=Real(0, meaning="scale if both channels share it"),
    own=Int(meaning="values of the channel that become 0 with its own scale"),
    lost=Int(meaning="values of the channel that become 0 with the shared scale"),
    problem=Choice(
        meaning="conclusion",
        options=dict(
            outlier="the shared scale loses most of the channel: use a scale per channel",
            fine="the shared scale keeps most of the channel: one scale is enough",
        ),
        supported_by="s2 lost",
    ),
)


def _run_quantizer(lo: Value, hi: Value, x: Value, bug: str, **_: Any) -> dict[str, int]:
    scale, zero_point = affine(lo, hi)
    levels = round(Fraction(x) / scale)
    wrong = {
        "clipped-early": clip(levels, 0, 255) + zero_point,
        "sign": clip(levels - zero_point, 0, 255),
        "not-clipped": levels + zero_point,
    }
    return {"printed": wrong[bug], "correct": quantize(x, scale, zero_point)}


QUANTIZE_PROGRAM = Formula(
    "quantize-wrong-line",
    "",
    title="A quantizer with a wrong line",
    source=f"{JACOB}, section 2.1; PyTorch documentation, torch.round rounds half to even",
    procedure=_run_quantizer,
    procedure_outputs="printed correct",
    lo=LOW,
    hi=HIGH,
    x=Real(-(10**6), 10**6, "value"),
    bug=Word(words=("clipped-early", "sign", "not-clipped"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected"),
    printed=Int(meaning="integer that the program prints"),
    correct=Int(meaning="integer that the corrected program prints"),
)


QUANTIZE_ORDER = Formula(
    "quantize-order",
    "",
    title="Steps of quantization and dequantization",
    source=f"{JACOB}, section 2.1",
    conventions=QUANTIZATION_CONVENTIONS,
    procedure=lambda lo, hi, x, **_: _quantize(lo, hi, x),
    procedure_outputs="z q",
    lo=LOW,
    hi=HIGH,
    x=Real(-(10**6), 10**6, "value"),
    z=Int(0, 255, "zero point"),
    q=Int(0, 255, "integer that stands for x"),
    steps=Order(
        meaning="steps from x to the value that its integer stands for",
        items=dict(
            divide="divide by the scale",
            round="round to an integer",
            shift="add the zero point",
            clip="clip to the interval from 0 to 255",
            back="subtract the zero point",
            multiply="multiply by the scale",
        ),
        distractors=dict(inverse="divide by the zero point"),
        after=dict(
            round="divide",
            shift="round",
            clip="shift",
            back="clip",
            multiply="back",
        ),
    ),
)
