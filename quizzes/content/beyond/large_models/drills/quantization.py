"""Quantization: drills."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.beyond.large_models.formulas.quantization import (
    QUANTIZE_INT8,
    QUANTIZE_MATMUL,
    QUANTIZE_MEMORY,
    QUANTIZE_ORDER,
    QUANTIZE_OUTLIER,
    QUANTIZE_PROGRAM,
    QUANTIZE_SCALE,
    QUANTIZE_UINT8,
)
from quizzes.content.beyond.large_models.rounding import affine, quantize
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue, exact
from quizzes.question import Step

AFFINE = (
    "Conventions: s = (hi - lo)/255; z = round(-lo/s); q = clip(round(x/s) + z, 0, 255); rounding half to even, as in "
    "PyTorch."
)

RANGES = [(-1, 1), (-2, 2), (-0.5, 0.5), (-1, 2), (-2, 3), (-0.5, 1.5), (-3, 1), (-1.5, 1), (0, 1), (0, 6), (-4, 6)]


def _value(rng: Random, lo: float, hi: float) -> float:
    """Return a value of the range, or a little beyond, but not on a tie."""
    x = exact(round(lo + (hi - lo) * rng.randint(2, 118) / 100, 2))
    scale, _ = affine(exact(lo), exact(hi))
    if abs(Fraction(x) / scale % 1 - Fraction(1, 2)) < Fraction(1, 50) or x == 0:
        raise UndefinedValue("the level is nearly a tie, or 0")
    return float(x)


def _uint8_steps(lo: float, hi: float, x: float, s: float, z: int, q: int, x_hat: float, **_: Any) -> list[Step]:
    return [
        Step("255 gaps between 256 levels span the range.", [f"s = ({hi:g} - ({lo:g}))/255", f"s = {float(s):.6g}"]),
        Step(f"The zero point is the level of 0: round -lo/s = {-lo / float(s):.6g}.", [f"z = {z}"]),
        Step(f"Round x/s = {x / float(s):.6g}, add z, and clip to the interval from 0 to 255.", [f"q = {q}"]),
        Step("Subtract z and multiply by s.", [f"x_hat = {float(s):.6g}*({q} - {z})", f"x_hat = {float(x_hat):.6g}"]),
    ]


def _level(change: str) -> Any:
    """Return a mistaken integer for a value."""

    def level(lo: Any, hi: Any, x: Any, **_: Any) -> int:
        scale, zero_point = affine(lo, hi)
        if change == "not-clipped":
            return int(round(Fraction(x) / scale) + zero_point)
        if change == "not-shifted":
            return quantize(x, scale, 0)
        if change == "shifted-down":
            return quantize(x, scale, -zero_point)
        return int(min(255, max(0, Fraction(x) / scale // 1 + zero_point)))

    return level


def _zero_point_sign(lo: Any, hi: Any, x: Any) -> int:
    scale, _ = affine(lo, hi)
    level: int = round(lo / scale)
    return level


@drill(
    QUANTIZE_UINT8,
    id="quantise-uint8",
    tier=2,
    asks=("s", "z", "q", "x_hat"),
    steps=_uint8_steps,
    prompt="Values from lo = {lo} to hi = {hi} are quantized to uint8.\n"
    "What are the scale s and the zero point z? Which integer q stands for x = {x}, and which value does q stand for "
    f"(x_hat)?\n{AFFINE}",
    hint="How many gaps do 256 levels have? Which integer must stand for 0?",
    mistakes=[
        Mistake("levels-for-gaps", "s = (hi - lo)/256", "You divided by 256. 256 levels have 255 gaps."),
        Mistake("scale-inverted", "s = 255/(hi - lo)", "You inverted the scale. It is the distance of two levels."),
        Mistake("one-side", "s = hi/255", "You left out the negative side. The scale spans the whole range."),
        Mistake("zero-point-sign", {"z": _zero_point_sign}, "The sign is reversed. The zero point is -lo/s."),
        Mistake("zero-point-left-out", {"q": _level("not-shifted")}, "You left out the zero point. Add it."),
        Mistake("zero-point-subtracted", {"q": _level("shifted-down")}, "You subtracted the zero point. Add it."),
        Mistake("not-clipped", {"q": _level("not-clipped")}, "You did not clip. uint8 has integers from 0 to 255."),
        Mistake("rounded-down", {"q": _level("rounded-down")}, "You rounded down. Round to the nearest integer."),
        Mistake("not-shifted-back", "x_hat = s*q", "You left out the zero point. Subtract it before multiplying."),
    ],
    digits={"s": 4},
)
def quantise_uint8(rng: Random) -> Inputs:
    """Affine quantization to uint8"""
    lo, hi = rng.choice(RANGES)
    return dict(lo=lo, hi=hi, x=_value(rng, lo, hi))


@drill(
    QUANTIZE_SCALE,
    id="quantise-uint8:scale",
    tier=1,
    asks=one_of("s", "hi", "b"),
    prompt="Values from lo = {lo} to hi = {hi} are quantized with b = {b} bits. The scale is s = {s}.\n"
    "Conventions: affine quantization; the smallest and the largest level stand for lo and hi.",
    hint="How many levels do b bits have? How many gaps lie between them?",
    mistakes=[
        Mistake("levels-for-gaps", "s = (hi - lo)/2^b", "You divided by the levels. There is one gap less."),
        Mistake("upper-end-only", "s = hi/(2^b - 1)", "You left out the lower end. The scale spans the whole range."),
        Mistake("bits-for-levels", "s = (hi - lo)/b", "You divided by the number of bits. They give 2^b levels."),
        Mistake("sign-bit", "s = (hi - lo)/(2^(b - 1) - 1)", "You kept a bit for the sign. All bits count here."),
    ],
    digits={"s": 4},
)  # fmt: skip
def quantise_scale(rng: Random) -> Inputs:
    """Scale of affine quantization"""
    return dict(lo=-rng.randint(2, 40) / 10, hi=rng.randint(2, 60) / 10, b=rng.choice([2, 3, 4, 5, 6, 8]))


def _int8_steps(x: list[float], s: float, q: list[int], E: float, **_: Any) -> list[Step]:
    return [
        Step("The largest absolute value gets 127.", [f"s = {max(map(abs, x)):g}/127", f"s = {float(s):.6g}"]),
        Step("Divide each value by s and round.", [f"q = {[int(v) for v in q]}"]),
        Step("Multiply by s again, and take the largest difference.", [f"E = {float(E):.6g}"]),
    ]


def _int8_levels(divisor: int) -> Any:
    """Return mistaken integers, with another divisor for the largest value."""

    def levels(x: list[Any], b: int) -> list[int]:
        scale = max(map(abs, x)) / Fraction(divisor)
        return [quantize(v, scale, 0, -divisor, divisor) for v in x]

    return levels


@drill(
    QUANTIZE_INT8,
    id="quantise-uint8:int8",
    tier=2,
    asks=("s", "q", "E"),
    steps=_int8_steps,
    prompt="The weights x = {x} are quantized symmetrically to int8 (b = {b} bits).\n"
    "What is the scale s? Which integers q stand for the weights? What is the largest error E, the distance of a "
    "weight from the value that its integer stands for?\n"
    "Conventions: zero point 0; integers from -127 to 127; rounding half to even, as in PyTorch.",
    hint="Which integer should the largest absolute value get?",
    mistakes=[
        Mistake("range-for-maximum", {"s": lambda x, b: (max(x) - min(x)) / Fraction(255)},
                "That is the scale of affine quantization. Divide the largest absolute value by 127."),
        Mistake("divided-by-128", "s = max(a)/2^(b - 1)", "You divided by 128. The largest integer is 127."),
        Mistake("largest-value-for-absolute", "s = max(x)/(2^(b - 1) - 1)", "Take the largest absolute value."),
        Mistake("all-levels", {"q": _int8_levels(255)}, "You used 255. The largest int8 is 127."),
        Mistake("rounded-toward-zero", {"q": lambda x, b: [int(v / (max(map(abs, x)) / Fraction(127))) for v in x]},
                "You cut off the decimals. Round to the nearest integer."),
        Mistake("half-the-scale", "E = s/2", "That is the bound of the error. Compute the error of each weight."),
    ],
    decimals=None,
    digits={"s": 4, "E": 3},
)  # fmt: skip
def quantise_int8(rng: Random) -> Inputs:
    """Symmetric quantization to int8"""
    x = [rng.choice([-1, 1]) * rng.randint(5, 250) / 100 for _ in range(4)]
    scale = max(map(abs, map(exact, x))) / Fraction(127)
    if any(abs(exact(v) / scale % 1 - Fraction(1, 2)) < Fraction(1, 50) for v in x) or len(set(map(abs, x))) < 4:
        raise UndefinedValue("a level is nearly a tie, or two weights have the same size")
    return dict(x=x, b=8)


def _another_precision(P: Any, M: Any) -> str:
    return "b8" if 2 * P <= M or P > M else "b4"


@drill(
    QUANTIZE_MEMORY,
    id="quantise-uint8:memory",
    tier=2,
    asks=("m16", "m8", "m4", "best"),
    steps=lambda P, M, m16, m8, m4, **_: [
        Step("Multiply the parameters by the bytes of each.", [f"m16 = 2*{P:g}", f"m8 = {P:g}", f"m4 = {P:g}/2"]),
        Step(f"Choose the largest precision that needs at most {M:g} GB."),
    ],
    prompt="A language model has {P} billion parameters. A GPU has {M} GB left for its weights.\n"
    "How many GB do the weights take with 16, 8 and 4 bits each (m16, m8, m4)? Which is the largest precision that "
    "fits (best)?\n"
    "Conventions: GB = 10^9 bytes; weights only, without scales.",
    hint="How many bytes does a weight take with each precision?",
    mistakes=[
        Mistake("bits-for-bytes", "m16 = 16*P; m8 = 8*P; m4 = 4*P", "You counted bits. A byte has 8 bits."),
        Mistake("twice", "m8 = 2*P; m4 = P", "A weight of 8 bits takes one byte, one of 4 bits half a byte."),
        Mistake("binary", "m16 = 2*P/1.073741824", "That is in GiB. Here GB = 10^9 bytes."),
        Mistake("another-precision", {"best": _another_precision}, "Compare each amount with the memory."),
    ],
)
def quantise_memory(rng: Random) -> Inputs:
    """Precision that fits into memory"""
    P = rng.choice([1.5, 3, 6, 7, 8, 13, 20, 30, 34, 65, 70, 120])
    M = rng.choice([4, 6, 8, 10, 14, 20, 22, 24, 36, 40, 44, 48, 64, 72, 80])
    if not 0.6 < M / P * 2 < 5 or any(abs(P * b - M) < 0.02 * M for b in (2, 1, 0.5)):
        raise UndefinedValue("far too small or large, or too close to a limit")
    return dict(P=P, M=M)


@drill(
    QUANTIZE_MATMUL,
    id="quantise-uint8:dot",
    tier=3,
    asks=("acc", "y", "q"),
    visualization="table w x",
    prompt="A quantized layer multiplies uint8 vectors: weights w = {w} (scale {s_w}, zero point {z_w}) and inputs "
    "x = {x} (scale {s_x}, zero point {z_x}). Its output is quantized with the scale {s_y} and the zero point {z_y}.\n"
    "What is the integer sum acc of the shifted products? Which real number y does it stand for, and which uint8 q is "
    "the output?\n"
    "Conventions: real = scale x (integer - zero point); the output is rounded to the nearest integer, shifted, and "
    "clipped to the interval from 0 to 255.",
    hint="Write each real number as scale times (integer - zero point). Which factors can leave the sum?",
    mistakes=[
        Mistake("zero-points-left-out", "acc = sum(i, w[i]*x[i])", "You left out the zero points. Subtract them."),
        Mistake(
            "input-not-shifted",
            "acc = sum(i, (w[i] - z_w)*x[i])",
            "You shifted the weights only. Subtract the zero point of the inputs, too.",
        ),
        Mistake("one-scale", "y = s_w*acc", "You used one scale. Each factor of a product has its own."),
        Mistake(
            "scale-of-the-output",
            "q = max(0, min(255, floor(y*s_y + 1/2) + z_y))",
            "You multiplied by the scale of the output. Divide by it.",
        ),
        Mistake(
            "output-not-shifted",
            "q = max(0, min(255, floor(y/s_y + 1/2)))",
            "You left out the zero point of the output.",
        ),
    ],
    digits={"y": 5},
)  # fmt: skip
def quantise_dot(rng: Random) -> Inputs:
    """Dot product in integers"""
    z_w, z_x, z_y = rng.randint(100, 140), rng.choice([0, rng.randint(1, 60)]), rng.choice([10, 50, 100, 128])
    w = [z_w + rng.randint(-60, 60) for _ in range(3)]
    x = [z_x + rng.randint(5, 120) for _ in range(3)]
    s_w, s_x = rng.choice([0.01, 0.02, 0.05]), rng.choice([0.01, 0.02, 0.04])
    s_y = rng.choice([0.05, 0.1])
    acc = sum((a - z_w) * (b - z_x) for a, b in zip(w, x, strict=True))
    level = exact(s_w) * exact(s_x) * acc / Fraction(exact(s_y))
    if abs(level % 1 - Fraction(1, 2)) < Fraction(1, 50) or not 5 < level + z_y < 250 or abs(level) < 5:
        raise UndefinedValue("the output is nearly a tie, or clipped")
    return dict(w=w, x=x, z_w=z_w, z_x=z_x, s_w=s_w, s_x=s_x, s_y=s_y, z_y=z_y)


def _outlier_steps(x: list[float], s1: float, s2: float, own: int, lost: int, **_: Any) -> list[Step]:
    return [
        Step("Divide the largest absolute value by 127, without and with the outlier.",
             [f"s1 = {float(s1):.6g}", f"s2 = {float(s2):.6g}"]),
        Step(f"A value becomes 0 if it is below half the scale in magnitude: below {float(s1) / 2:.4g} or "
             f"{float(s2) / 2:.4g}.", [f"own = {own}", f"lost = {lost}"]),
        Step(f"Of {len(x)} values, the shared scale loses {lost}."),
    ]  # fmt: skip


@drill(
    QUANTIZE_OUTLIER,
    id="quantise-uint8:diagnose",
    tier=3,
    asks=("s1", "s2", "lost", "problem"),
    steps=_outlier_steps,
    prompt="The activations of a channel are {x}. Another channel has the activation {outlier}. Both are quantized "
    "symmetrically to int8.\n"
    "What is the scale of the first channel alone (s1), and the scale if both share one (s2)? How many of the first "
    "channel's values become 0 with the shared scale (lost)? What is your conclusion (problem)?\n"
    "Conventions: s = (largest absolute value)/127; zero point 0; rounding half to even.",
    hint="Which values are rounded to 0? Compare them with half the scale.",
    mistakes=[
        Mistake("divided-by-255", "s1 = max(a)/255; s2 = max(max(a), abs(outlier))/255",
                "You divided by 255. Symmetric int8 has the largest integer 127."),
        Mistake("outlier-added", "s2 = (max(a) + abs(outlier))/127", "Take the larger of the two, not their sum."),
        Mistake(
            "below-the-scale",
            {"lost": lambda x, outlier: sum(abs(v) < max(map(abs, [*x, outlier])) / Fraction(127) for v in x)},
            "You compared with the scale. Values above half of it are rounded up to 1.",
        ),
        Mistake(
            "own-scale",
            {"lost": lambda x, outlier: sum(abs(v) * 254 < max(map(abs, x)) for v in x)},
            "You used the channel's own scale. With the outlier, the scale is larger.",
        ),
        Mistake("all-of-them", {"lost": lambda x, outlier: len(x)}, "Compare each value with half the shared scale."),
        Mistake(
            "other-conclusion",
            {"problem": lambda x, outlier: "fine" if _half_lost(x, outlier) else "outlier"},
            "Compare the number of lost values with the number of values.",
        ),
    ],
    digits={"s1": 4, "s2": 4},
)  # fmt: skip
def quantise_diagnose(rng: Random) -> Inputs:
    """An outlier in quantization"""
    x = [rng.choice([-1, 1]) * rng.randint(2, 60) / 100 for _ in range(5)]
    outlier = rng.choice([-1, 1]) * rng.choice([0.9, 1.5, 2, 3, 20, 40, 60, 80, 100, 120])
    half = exact(abs(outlier)) / Fraction(254)
    if any(abs(abs(exact(v)) - half) < half / 20 for v in x) or abs(outlier) < max(map(abs, x)):
        raise UndefinedValue("a value is too close to half the scale")
    return dict(x=x, outlier=outlier)


def _half_lost(x: list[Any], outlier: Any) -> bool:
    lost: int = sum(abs(v) * 254 < abs(outlier) for v in x)
    return 2 * lost >= len(x)


def _quantizer_steps(lo: float, hi: float, x: float, bug: str, line: int, printed: int, correct: int, **_: Any) -> Any:
    scale, zero_point = affine(exact(lo), exact(hi))
    reasons = {
        "clipped-early": "It clips before the zero point is added. Clip last.",
        "sign": "It subtracts the zero point. The integer of 0 is z, so add it.",
        "not-clipped": "It does not clip, so the integer may not fit into 8 bits.",
    }
    level = round(exact(x) / scale)
    return [
        Step(f"Line {line} is wrong. {reasons[bug]}"),
        Step(f"The scale is {float(scale):.6g}, the zero point {zero_point}, and x/s rounds to {level}.",
             [f"printed = {printed}"]),
        Step("Add the zero point, then clip.", [f"correct = max(0, min(255, {level} + {zero_point}))"]),
    ]  # fmt: skip


@drill(
    QUANTIZE_PROGRAM,
    id="quantise-uint8:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_quantizer_steps,
    prompt="This program should quantize a value to uint8, with the range from {lo} to {hi}. It runs, but one line is "
    "wrong.\n"
    "What is the number of that line, and how should it read (fix)? Which integer does the program print as it is "
    "(printed), and which one does the corrected program print (correct)?\n"
    "Conventions: q = clip(round(x/s) + z, 0, 255); torch.round rounds half to even.",
    hints=(
        "In which order are scale, rounding, zero point and clipping applied?",
        "q = clip(round(x/s) + z, 0, 255) with s = (hi - lo)/255 and z = round(-lo/s).",
        "First step: compute s, z and round(x/s) by hand.",
    ),
    mistakes=[
        Mistake("blames-scale", {"line": 2}, "The scale is correct: 256 levels have 255 gaps."),
        Mistake("blames-zero-point", {"line": 3}, "The zero point is correct: it is the level of 0."),
        Mistake(
            "already-correct",
            {"printed": lambda lo, hi, x, bug, **_: quantize(x, *affine(lo, hi))},
            "That is the correct integer. Follow the program as it is.",
        ),
        Mistake(
            "zero-point-left-out",
            {"correct": lambda lo, hi, x, bug, **_: quantize(x, affine(lo, hi)[0], 0)},
            "You left out the zero point.",
        ),
        Mistake(
            "not-clipped",
            {"correct": lambda lo, hi, x, bug, **_: _level("not-clipped")(lo, hi, x)},
            "You did not clip. uint8 has integers from 0 to 255.",
        ),
    ],
)
def quantise_debug(rng: Random) -> Inputs:
    """A wrong line in a quantizer"""
    lo, hi = rng.choice([(-1.0, 3.0), (-2.0, 1.0), (-1.0, 2.0), (-0.5, 1.5), (-3.0, 1.0), (-1.5, 2.5), (-2.0, 5.0)])
    bug = rng.choice(["clipped-early", "sign", "not-clipped"])
    scale, zero_point = affine(exact(lo), exact(hi))
    x = _value(rng, lo, hi)
    level = round(exact(x) / scale)
    if bug == "clipped-early" and 0 <= level <= 255 - zero_point:
        x = -abs(round(lo * rng.randint(20, 95) / 100, 2))
        level = round(exact(x) / scale)
    if bug == "not-clipped":
        x = round(hi * rng.randint(105, 140) / 100, 2)
        level = round(exact(x) / scale)
    if abs(exact(x) / scale % 1 - Fraction(1, 2)) < Fraction(1, 50) or zero_point == 0:
        raise UndefinedValue("the level is nearly a tie")
    wrong = {
        "clipped-early": "q = torch.clamp(torch.round(x / s), 0, 255) + z",
        "sign": "q = torch.clamp(torch.round(x / s) - z, 0, 255)",
        "not-clipped": "q = torch.round(x / s) + z",
    }
    fix = ["q = torch.clamp(torch.round(x / s) + z, 0, 255)", "q = (torch.round(x / s) + z).clamp(0, 255)"]
    program = f"""
x = torch.tensor({x})
s = ({hi} - ({lo})) / 255
z = round(-({lo}) / s)
{wrong[bug]}
print(int(q))
""".strip()
    return dict(lo=lo, hi=hi, x=x, bug=bug, line=4, fix=fix, program=program)


def _order_steps(lo: float, hi: float, x: float, q: int, **_: Any) -> list[Step]:
    scale, zero_point = affine(exact(lo), exact(hi))
    return [
        Step("Quantize: divide by the scale, round, add the zero point, clip."),
        Step(f"With s = {float(scale):.6g} and z = {zero_point}, x/s = {x / float(scale):.6g}.", [f"q = {q}"]),
        Step("Dequantize in reverse: subtract the zero point, then multiply by the scale."),
    ]


@drill(
    QUANTIZE_ORDER,
    id="quantise-uint8:order",
    tier=2,
    asks=("steps", "q"),
    steps=_order_steps,
    prompt="A value x = {x} of the range from lo = {lo} to hi = {hi} is quantized to uint8, and the integer is "
    "dequantized again.\n"
    "Order the steps from x to the value that its integer stands for (steps; one item does not belong). Which integer "
    f"q stands for x?\n{AFFINE}",
    hints=(
        "Undo the steps in reverse order. What can't be undone?",
        "Quantizing divides by the scale, rounds, and adds the zero point. Dequantizing subtracts it and multiplies.",
        "First step: divide x by the scale.",
    ),
    mistakes=[
        Mistake(
            "shift-before-rounding",
            {"steps": ["divide", "shift", "round", "clip", "back", "multiply"]},
            "You added the zero point before rounding. Here x/s is rounded first, then the zero point is added.",
        ),
        Mistake(
            "clipped-before-shift",
            {"steps": ["divide", "round", "clip", "shift", "back", "multiply"]},
            "You clipped before adding the zero point. Clip last, so that the integer fits into 8 bits.",
        ),
        Mistake(
            "same-order-back",
            {"steps": ["divide", "round", "shift", "clip", "multiply", "back"]},
            "You multiplied before subtracting the zero point. Undo the last step first.",
        ),
        Mistake("zero-point-left-out", {"q": _level("not-shifted")}, "You left out the zero point. Add it."),
        Mistake("not-clipped", {"q": _level("not-clipped")}, "You did not clip. uint8 has integers from 0 to 255."),
        Mistake("rounded-down", {"q": _level("rounded-down")}, "You rounded down. Round to the nearest integer."),
    ],
)
def quantise_order(rng: Random) -> Inputs:
    """Steps of quantization"""
    lo, hi = rng.choice(RANGES)
    return dict(lo=lo, hi=hi, x=_value(rng, lo, hi))
