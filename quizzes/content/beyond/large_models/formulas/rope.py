"""Rotary positions (RoPE): formulas."""

from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector, Word
from workbench.errors import UserError

ROFORMER = "Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021 (arXiv:2104.09864)"

BASE = Real(2, 10**9, "base of the wavelengths", default=10000)

POSITION = Int(0, 10**7, "position of the token, from 0")

ROPE_CONVENTIONS = "Radians. A pair is rotated counterclockwise by theta = pos base^(-2i/d), i counted from 0."


ROPE_PAIR = Formula(
    "rope-rotation",
    """
    theta = pos*base^(-2*i/d)
    y1 = x1*cos(theta) - x2*sin(theta)
    y2 = x1*sin(theta) + x2*cos(theta)
    """,
    title="Rotary position embedding (RoPE) of one pair",
    source=f"{ROFORMER}, section 3.2.2",
    conventions=ROPE_CONVENTIONS,
    x1=Real(-1000, 1000, "first entry of the pair"),
    x2=Real(-1000, 1000, "second entry of the pair"),
    pos=POSITION,
    i=Int(0, 100000, "number of the pair, from 0"),
    d=Int(2, 100000, "size of the vector"),
    base=BASE,
    theta=Real(meaning="angle", unit="rad"),
    y1=Real(meaning="first entry after the rotation"),
    y2=Real(meaning="second entry after the rotation"),
)


def rotate(x: list[Value], pos: int, base: Value, pairing: str) -> list[float]:
    """Return a vector whose pairs are rotated by RoPE.

    Raises:
        UserError: If its size is odd.
    """
    from math import cos, sin

    d = len(x)
    if d % 2:
        raise UserError(f"x must have an even number of entries, not {d}.")
    result = [0.0] * d
    for i in range(d // 2):
        first, second = (2 * i, 2 * i + 1) if pairing == "adjacent" else (i, i + d // 2)
        theta = pos * float(base) ** (-2 * i / d)
        a, b = float(x[first]), float(x[second])
        result[first], result[second] = a * cos(theta) - b * sin(theta), a * sin(theta) + b * cos(theta)
    return result


def _rotate(x: list[Value], pos: int, base: Value, pairing: str) -> dict[str, Any]:
    return {"y": rotate(x, pos, base, pairing)}


ROPE_VECTOR = Formula(
    "rope-vector",
    """
    d = len(x)
    h = d/2
    theta[i] = pos*base^(-2*(i - 1)/d) for i = 1..h
    """,
    title="Rotary position embedding (RoPE) of a vector",
    source=f"{ROFORMER}, section 3.2.2 (adjacent pairs); implementations such as LLaMA's in transformers pair the two "
    "halves",
    conventions=f"""
{ROPE_CONVENTIONS}

adjacent: pairs (x1, x2), (x3, x4), ... halves: pairs (x1, x_(d/2+1)), (x2, x_(d/2+2)), ...
""",
    procedure=_rotate,
    procedure_outputs="y",
    x=Vector(meaning="vector (query or key)"),
    pos=POSITION,
    base=BASE,
    pairing=Word(words=("adjacent", "halves"), meaning="which entries form a pair", default="adjacent"),
    d=Int(meaning="size of the vector"),
    h=Int(meaning="number of pairs"),
    theta=Vector(meaning="angles of the pairs, in radians"),
    y=Vector(meaning="rotated vector"),
)


ROPE_WAVELENGTH = Formula(
    "rope-wavelength",
    "n = 2*pi*base^(2*i/d)",
    title="Wavelength of a pair of RoPE",
    source="derivation: theta = pos base^(-2i/d) grows by 2 pi when pos grows by 2 pi base^(2i/d)",
    i=Int(0, 100000, "number of the pair, from 0"),
    d=Int(2, 100000, "size of the vector"),
    base=Real(2, 10**9, "base of the wavelengths"),
    n=Real(0, meaning="positions after which the pair has turned once"),
)


ROPE_SCORE = Formula(
    "rope-score",
    """
    theta_q = m*f
    theta_k = n*f
    a1 = q[1]*cos(theta_q) - q[2]*sin(theta_q)
    a2 = q[1]*sin(theta_q) + q[2]*cos(theta_q)
    b1 = k[1]*cos(theta_k) - k[2]*sin(theta_k)
    b2 = k[1]*sin(theta_k) + k[2]*cos(theta_k)
    s = a1*b1 + a2*b2
    u = q[1]*k[1] + q[2]*k[2]
    """,
    title="Attention score of a rotated query and key",
    source=f"{ROFORMER}, section 3.2.1: the score depends on the relative position only",
    shapes="q[2]; k[2]",
    q=Vector(meaning="query, one pair"),
    k=Vector(meaning="key, one pair"),
    m=Int(0, 100000, "position of the query"),
    n=Int(0, 100000, "position of the key"),
    f=Real(0, 10, "angle per position", unit="rad"),
    theta_q=Real(meaning="angle of the query", unit="rad"),
    theta_k=Real(meaning="angle of the key", unit="rad"),
    a1=Real(meaning="first entry of the rotated query"),
    a2=Real(meaning="second entry of the rotated query"),
    b1=Real(meaning="first entry of the rotated key"),
    b2=Real(meaning="second entry of the rotated key"),
    s=Real(meaning="dot product of the rotated query and key"),
    u=Real(meaning="dot product if both have the same position"),
)


ROPE_BUGS = dict(
    correct="it is correct",
    sign="it rotates clockwise",
    degrees="it takes the angle for degrees",
    frequency="it uses pos base^(-i/d), so half the exponent",
)


def rope_outputs(x: list[Value], pos: int, i: int, d: int) -> dict[str, list[float]]:
    """Return the rotated pair of a correct program and of each wrong one, with the base 10000."""
    from math import cos, radians, sin

    def turn(theta: float) -> list[float]:
        a, b = map(float, x)
        return [a * cos(theta) - b * sin(theta), a * sin(theta) + b * cos(theta)]

    theta = pos * 10000 ** (-2 * i / d)
    angles = dict(correct=theta, sign=-theta, degrees=radians(theta), frequency=pos * 10000 ** (-i / d))
    return {bug: turn(angle) for bug, angle in angles.items()}


def _diagnose_rope(x: list[Value], pos: int, i: int, d: int, out: list[Value]) -> dict[str, str]:
    if len(x) != 2 or len(out) != 2:
        raise UserError("rope-diagnosis takes x and out of one pair, so 2 values each.")

    def distance(value: list[float]) -> float:
        return sum(abs(a - float(b)) for a, b in zip(value, out, strict=True))

    outputs = rope_outputs(x, pos, i, d)
    return {"bug": min(outputs, key=lambda bug: distance(outputs[bug]))}


ROPE_DIAGNOSIS = Formula(
    "rope-diagnosis",
    """
    theta = pos*10000^(-2*i/d)
    y[j] = where(j = 1, x[1]*cos(theta) - x[2]*sin(theta), x[1]*sin(theta) + x[2]*cos(theta)) for j = 1..2
    """,
    title="A pair rotated by a program, and what it does wrong",
    source=f"{ROFORMER}, section 3.2.2",
    conventions=ROPE_CONVENTIONS,
    procedure=_diagnose_rope,
    procedure_outputs="bug",
    x=Vector(meaning="pair before the rotation"),
    pos=POSITION,
    i=Int(0, 100000, "number of the pair, from 0"),
    d=Int(2, 100000, "size of the vector"),
    out=Vector(meaning="pair that the program returns"),
    theta=Real(meaning="correct angle", unit="rad"),
    y=Vector(meaning="pair after the correct rotation"),
    bug=Choice(meaning="what the program does", options=ROPE_BUGS, supported_by="y"),
)


def _run_rope(x: list[Value], pos: int, bug: str, **_: Any) -> dict[str, list[float]]:
    from math import cos, sin

    d = len(x)
    correct = rotate(x, pos, 10000, "halves")
    if bug == "exponent":
        angles = [pos * 10000.0 ** (2 * i / d) for i in range(d // 2)]
    else:
        angles = [pos * 10000.0 ** (-2 * i / d) for i in range(d // 2)]
    a, b = ([float(v) for v in half] for half in (x[: d // 2], x[d // 2 :]))
    first, second = ([-v for v in b], a) if bug == "exponent" else (b, a)
    printed = [v * cos(t) + w * sin(t) for v, w, t in zip([*a, *b], [*first, *second], [*angles, *angles], strict=True)]
    return {"printed": printed, "correct": correct}


ROPE_PROGRAM = Formula(
    "rope-wrong-line",
    "",
    title="A rotary position embedding with a wrong line",
    source=f"{ROFORMER}, section 3.4.2; rotate_half of transformers' LLaMA: (-x2, x1) for the halves x1, x2",
    procedure=_run_rope,
    procedure_outputs="printed correct",
    x=Vector(meaning="vector"),
    pos=POSITION,
    bug=Word(words=("sign", "exponent"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected", signatures=("torch.cat(tensors, dim=0)",)),
    printed=Vector(meaning="vector that the program prints"),
    correct=Vector(meaning="vector that the corrected program prints"),
)
