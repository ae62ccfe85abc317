"""Rotary positions (RoPE): drills."""

from math import pi
from random import Random
from typing import Any

from quizzes.content.beyond.large_models.formulas.rope import (
    ROPE_DIAGNOSIS,
    ROPE_PAIR,
    ROPE_PROGRAM,
    ROPE_SCORE,
    ROPE_VECTOR,
    ROPE_WAVELENGTH,
    rope_outputs,
    rotate,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

RADIANS = "Conventions: radians; base 10000; pairs counted from 0; counterclockwise"


def _turn(theta: str) -> str:
    """Return the equations of a pair that is rotated by another angle."""
    return f"y1 = x1*cos({theta}) - x2*sin({theta}); y2 = x1*sin({theta}) + x2*cos({theta})"


@drill(
    ROPE_PAIR,
    tier=1,
    asks=("theta", "y1", "y2"),
    prompt="RoPE rotates pair i = {i} of a vector of size d = {d} at position {pos}. The pair is ({x1}, {x2}).\n"
    "What is the angle theta, and what is the pair (y1, y2) after the rotation?\n"
    "Conventions: radians; theta = pos 10000^(-2i/d); pairs and positions counted from 0; counterclockwise.",
    hint="Compute the angle first. Which matrix rotates a pair?",
    mistakes=[
        Mistake("rotated-clockwise", _turn("(-theta)"), "You rotated clockwise. The first entry has -sin."),
        Mistake("degrees", _turn("(theta*pi/180)"), "You took the angle for degrees. It is in radians."),
        Mistake(
            "half-the-exponent",
            "theta = pos*10000^(-i/d)",
            "You used i in the exponent. It is 2i/d, so that the exponents run from 0 to nearly 1.",
        ),
        Mistake("position-left-out", "theta = 10000^(-2*i/d)", "You left out the position. The angle grows with it."),
        Mistake("exponent-positive", "theta = pos*10000^(2*i/d)", "The exponent is negative: later pairs turn slowly."),
    ],
)
def rope_rotation(rng: Random) -> Inputs:
    """Rotation of a pair by RoPE"""
    x1, x2 = rng.choice([-2, -1, 0, 1, 1, 2]), rng.choice([-1, 0, 0, 1, 2])
    if not x1 and not x2:
        raise UndefinedValue("a zero pair")
    d = rng.choice([4, 8, 16])
    return dict(x1=x1, x2=x2, pos=rng.randint(1, 9), i=rng.choice([0, 0, 1, 1, 2]) % (d // 2), d=d, base=10000)


def _vector_steps(x: list[float], pairing: str, theta: list[float], y: list[float], **_: Any) -> list[Step]:
    d = len(x)
    pairs = [(2 * i, 2 * i + 1) if pairing == "adjacent" else (i, i + d // 2) for i in range(d // 2)]
    names = ", ".join(f"(x{a + 1}, x{b + 1})" for a, b in pairs)
    return [
        Step(f"The pairs are {names}."),
        Step("Each pair has its own angle, pos base^(-2i/d).", [f"theta = {[round(float(t), 4) for t in theta]}"]),
        Step(
            "Rotate each pair: (a cos - b sin, a sin + b cos), and put the results back.",
            [f"y = {[round(float(v), 4) for v in y]}"],
        ),
    ]


def _vector_mistake(change: Any) -> Any:
    """Return a mistaken rotation of a vector."""

    def rotated(x: list[Any], pos: int, base: Any, pairing: str) -> list[float]:
        values = [float(v) for v in x]
        if change == "pairing":
            return rotate(values, pos, base, "halves" if pairing == "adjacent" else "adjacent")
        if change == "clockwise":
            return rotate(values, -pos, base, pairing)
        if change == "same-angle":
            return rotate(values, pos, 1, pairing)
        first = range(0, len(x), 2) if pairing == "adjacent" else range(len(x) // 2)
        result, full = list(values), rotate(values, pos, base, pairing)
        for k in list(first)[:1]:
            partner = k + (1 if pairing == "adjacent" else len(x) // 2)
            result[k], result[partner] = full[k], full[partner]
        return result

    return rotated


@drill(
    ROPE_VECTOR,
    id="rope-rotation:vector",
    tier=2,
    asks=("theta", "y"),
    steps=_vector_steps,
    prompt="RoPE is applied to the query x = {x} at position {pos}. The pairs are {pairs}.\n"
    "What are the angles theta of the two pairs, and the rotated vector y?\n"
    "Conventions: radians; theta_i = pos {base}^(-2i/d), i counted from 0; counterclockwise.",
    hint="Write down the two pairs first. What is the angle of each?",
    mistakes=[
        Mistake(
            "other-pairing",
            {"y": _vector_mistake("pairing")},
            "You used the other pairing. Look up which entries form a pair.",
        ),
        Mistake("rotated-clockwise", {"y": _vector_mistake("clockwise")}, "You rotated clockwise."),
        Mistake(
            "same-angle",
            {"y": _vector_mistake("same-angle"), "theta": lambda x, pos, base, pairing: [float(pos)] * (len(x) // 2)},
            "You used the angle of the first pair for both. Later pairs turn more slowly.",
        ),
        Mistake(
            "first-pair-only",
            {"y": _vector_mistake("first")},
            "You rotated the first pair only. Every pair is rotated by its own angle.",
        ),
        Mistake(
            "half-the-exponent",
            "theta[i] = pos*base^(-(i - 1)/d) for i = 1..h",
            "The exponent is -2i/d.",
        ),
    ],
)
def rope_vector(rng: Random) -> Inputs:
    """Rotation of a vector by RoPE"""
    pairing = rng.choice(["adjacent", "halves"])
    pairs = "adjacent: (x1, x2) and (x3, x4)" if pairing == "adjacent" else "of the two halves: (x1, x3) and (x2, x4)"
    x = [rng.choice([-2, -1, 0, 1, 2, 3]) for _ in range(4)]
    return dict(x=x, pos=rng.randint(1, 12), base=rng.choice([100, 10000]), pairing=pairing, pairs=pairs)


@drill(
    ROPE_WAVELENGTH,
    id="rope-rotation:wavelength",
    tier=1,
    asks=one_of("n", "base"),
    prompt="In a vector of size d = {d}, RoPE with the base {base} turns pair i = {i} once in n = {n} positions.\n"
    "Conventions: radians; the angle of pair i is pos base^(-2i/d), i counted from 0; n may be a fraction.",
    hint="By which angle does the pair turn per position? How many positions make 2 pi?",
    mistakes=[
        Mistake("full-turn-left-out", "n = base^(2*i/d)", "You left out 2 pi. A full turn is 2 pi radians."),
        Mistake("degrees", "n = 360*base^(2*i/d)", "The angles are in radians, so a full turn is 2 pi."),
        Mistake("half-the-exponent", "n = 2*pi*base^(i/d)", "The exponent is 2i/d."),
        Mistake("exponent-negative", "n = 2*pi*base^(-2*i/d)", "You inverted the frequency. Later pairs turn slowly."),
    ],
    digits={"n": 5, "base": 5},
)
def rope_wavelength(rng: Random) -> Inputs:
    """Wavelength of a pair of RoPE"""
    d = rng.choice([8, 16, 32, 64, 128])
    return dict(i=rng.randint(1, d // 2 - 1), d=d, base=rng.choice([100, 500, 1000, 2000, 5000, 10000]))


@drill(
    ROPE_SCORE,
    id="rope-rotation:relative",
    tier=3,
    asks=("s", "u"),
    prompt="A query q = {q} is at position m = {m}, a key k = {k} at position n = {n}. RoPE rotates each by its "
    "position times {f} radians, counterclockwise.\n"
    "What is the dot product s of the rotated query and key? What would it be if both were moved to the same position "
    "(u)?\n"
    "Conventions: radians; no scaling by the square root of the size.",
    hints=(
        "On which number do dot products of two rotated vectors depend?",
        "Rotating both vectors by one angle does not change their dot product, so s depends on m - n only.",
        "First step: rotate the query by (m - n) times the angle per position, and leave the key as it is.",
    ),
    mistakes=[
        Mistake("not-rotated", "s = q[1]*k[1] + q[2]*k[2]", "You did not rotate. The positions differ."),
        Mistake(
            "query-only",
            "s = a1*k[1] + a2*k[2]",
            "You rotated the query only. The key is rotated by its own position, too.",
        ),
        Mistake(
            "difference-reversed",
            "s = q[1]*k[1]*cos((n - m)*f) - q[2]*k[1]*sin((n - m)*f) + q[1]*k[2]*sin((n - m)*f) "
            "+ q[2]*k[2]*cos((n - m)*f)",
            "You reversed the difference of the positions, so the query turns the opposite way.",
        ),
        Mistake(
            "positions-added",
            "s = q[1]*k[1]*cos((m + n)*f) - q[2]*k[1]*sin((m + n)*f) + q[1]*k[2]*sin((m + n)*f) "
            "+ q[2]*k[2]*cos((m + n)*f)",
            "You added the positions. The dot product depends on their difference.",
        ),
        Mistake(
            "same-as-before",
            "u = a1*b1 + a2*b2",
            "At the same position, the difference is 0, so the rotations cancel.",
        ),
    ],
)
def rope_relative(rng: Random) -> Inputs:
    """Relative position in RoPE"""
    q, k = ([rng.choice([-2, -1, 1, 2, 3]), rng.choice([-1, 0, 1, 2])] for _ in range(2))
    m = rng.randint(3, 40)
    return dict(q=q, k=k, m=m, n=m - rng.choice([1, 2, 3]), f=rng.choice([0.1, 0.2, 0.25, 0.3, 0.5, 0.75]))


def _diagnosis_steps(theta: float, y: list[float], out: list[float], **_: Any) -> list[Step]:
    return [
        Step("Compute the angle and rotate the pair.",
             [f"theta = {theta:.6g}", f"y = {[round(float(v), 4) for v in y]}"]),
        Step(f"Compare with the program's pair {[round(float(v), 4) for v in out]}. A reversed sign of the sine "
             "mirrors the rotation, and a small angle leaves the pair nearly as it was."),
    ]  # fmt: skip


@drill(
    ROPE_DIAGNOSIS,
    id="rope-rotation:diagnose",
    tier=2,
    asks=("y", "bug"),
    steps=_diagnosis_steps,
    prompt="A program should rotate pair i = {i} of a vector of size {d} at position {pos} by RoPE. For the pair {x}, "
    "it returns {out}.\n"
    f"What is the correct pair y? What does the program do (bug)?\n{RADIANS}; theta = pos 10000^(-2i/d).",
    hint="Compute the correct pair first. Does the program turn too little, too far, or the opposite way?",
    mistakes=[
        Mistake(
            "rotated-clockwise",
            {"y": lambda x, pos, i, d, out: rope_outputs(x, pos, i, d)["sign"]},
            "You rotated clockwise. The first entry is x1 cos - x2 sin.",
        ),
        Mistake(
            "degrees",
            {"y": lambda x, pos, i, d, out: rope_outputs(x, pos, i, d)["degrees"]},
            "You took the angle for degrees. It is in radians.",
        ),
        Mistake(
            "half-the-exponent",
            {"y": lambda x, pos, i, d, out: rope_outputs(x, pos, i, d)["frequency"]},
            "You used i in the exponent. It is 2i/d.",
        ),
        Mistake(
            "another-bug",
            {"bug": lambda x, pos, i, d, out: "degrees" if _turned(x, out) > 0.5 else "sign"},
            "Compare the pair with the correct one, and with those of the other angles.",
        ),
    ],
)
def rope_diagnose(rng: Random) -> Inputs:
    """A wrong rotation"""
    x, pos = [rng.choice([-2, -1, 1, 2, 3]), rng.choice([-1, 0, 1, 2])], rng.randint(1, 9)
    d, i = rng.choice([4, 8]), 1
    outputs = rope_outputs(x, pos, i, d)
    angles = [pos * 10000 ** (-2 * i / d), pos * 10000 ** (-i / d)]
    if min(angles[0] % pi, pi - angles[0] % pi) < 0.02 or abs(angles[0] - angles[1]) % (2 * pi) < 0.1:
        raise UndefinedValue("two programs return nearly the same")
    out = outputs[rng.choice(list(outputs))]
    return dict(x=x, pos=pos, i=i, d=d, out=[round(v, 4) for v in out])


def _turned(x: list[Any], out: list[Any]) -> float:
    """Return how far a pair moved."""
    return float(max(abs(float(a) - float(b)) for a, b in zip(x, out, strict=True)))


def _program_steps(x: list[float], pos: int, line: int, bug: str, printed: Any, correct: Any, **_: Any) -> list[Step]:
    reasons = {
        "sign": "It swaps the halves without the minus sign. A rotation has (-x2, x1).",
        "exponent": "Its exponent is positive. Later pairs turn more slowly, so it is negative.",
    }
    return [
        Step(f"Line {line} is wrong. {reasons[bug]}"),
        Step("Insert the numbers as the program has them.", [f"printed = {[round(float(v), 4) for v in printed]}"]),
        Step("Rotate the pairs (x1, x3) and (x2, x4).", [f"correct = {[round(float(v), 4) for v in correct]}"]),
    ]


@drill(
    ROPE_PROGRAM,
    id="rope-rotation:debug",
    tier=3,
    asks=("line", "fix", "printed", "correct"),
    visualization="code program",
    steps=_program_steps,
    prompt="This program should apply RoPE to a vector of size 4 at position {pos}, with the pairs (x1, x3) and (x2, "
    "x4). It runs, but one line is wrong.\n"
    "What is the number of that line, and how should it read (fix)? What does the program print as it is (printed), "
    "and what does the corrected one print (correct)?\n"
    "Conventions: radians; theta_i = pos 10000^(-2i/d), i counted from 0; counterclockwise.",
    hints=(
        "What does a rotation by a quarter turn do to a pair? How fast do later pairs turn?",
        "A pair (a, b) becomes (a cos - b sin, a sin + b cos). The angles are pos 10000^(-2i/d).",
        "First step: compute the two angles by hand, and compare them with the program's.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 6 - line},
            "That line is correct. Compare each line with (a cos - b sin, a sin + b cos).",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda x, pos, bug, **_: rotate(x, pos, 10000, "halves")},
            "That is the correct vector. Insert the numbers as the program has them.",
        ),
        Mistake(
            "adjacent-pairs",
            {"correct": lambda x, pos, bug, **_: rotate(x, pos, 10000, "adjacent")},
            "You paired neighbors. This program pairs the two halves.",
        ),
        Mistake(
            "rotated-clockwise",
            {"correct": lambda x, pos, bug, **_: rotate(x, -pos, 10000, "halves")},
            "You rotated clockwise. The first entry of a pair is a cos - b sin.",
        ),
    ],
)
def rope_debug(rng: Random) -> Inputs:
    """A wrong line in RoPE"""
    x, pos = [float(rng.choice([-2, -1, 1, 2, 3])) for _ in range(4)], rng.randint(1, 6)
    correct = {2: f"theta = {pos} * 10000.0 ** (-torch.arange(0, 4, 2) / 4)", 4: "turned = torch.cat([-b, a])"}
    line, wrong, bug = rng.choice(
        [
            (2, f"theta = {pos} * 10000.0 ** (torch.arange(0, 4, 2) / 4)", "exponent"),
            (4, "turned = torch.cat([b, a])", "sign"),
        ]
    )
    lines = {**correct, line: wrong}
    program = f"""
x = torch.tensor({x})
{lines[2]}
a, b = x[:2], x[2:]
{lines[4]}
cos, sin = theta.cos().repeat(2), theta.sin().repeat(2)
print(x * cos + turned * sin)
""".strip()
    others = {
        2: [f"theta = {pos} / 10000.0 ** (torch.arange(0, 4, 2) / 4)"],
        4: ["turned = torch.cat((-b, a))"],
    }
    return dict(x=x, pos=pos, bug=bug, line=line, fix=[correct[line], *others[line]], program=program)
