"""Adversarial examples: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice, Line, LineNumber
from quizzes.content.beyond.large_models.rounding import clip
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word
from workbench.errors import UserError

FGSM = "Goodfellow, Shlens & Szegedy, Explaining and Harnessing Adversarial Examples, 2015 (arXiv:1412.6572)"

PGD = "Madry, Makelov, Schmidt, Tsipras & Vladu, 2018 (arXiv:1706.06083)"

LIMIT = Real(0.0001, 100, "largest change epsilon of each value")

CLIPPED = "Every value is clipped to the interval from 0 to 1. sign(0) = 0."


FGSM_STEP = Formula(
    "fgsm-step",
    "x_adv[i] = max(0, min(1, x[i] + eps*sign(g[i])))",
    title="Fast gradient sign method (FGSM), untargeted",
    source=f"{FGSM}, section 4",
    conventions=CLIPPED,
    x=Vector(0, 1, "input, values from 0 to 1"),
    g=Vector(meaning="gradient of the loss with respect to the input"),
    eps=LIMIT,
    x_adv=Vector(0, 1, meaning="adversarial input"),
)


FGSM_TARGETED = Formula(
    "fgsm-targeted",
    "x_adv[i] = max(0, min(1, x[i] - eps*sign(g[i])))",
    title="Fast gradient sign method (FGSM), targeted",
    source="Kurakin, Goodfellow & Bengio, Adversarial Machine Learning at Scale, 2017 (arXiv:1611.01236): a step "
    "against the gradient of the loss of the target class",
    conventions=CLIPPED,
    x=Vector(0, 1, "input, values from 0 to 1"),
    g=Vector(meaning="gradient of the loss of the target class with respect to the input"),
    eps=LIMIT,
    x_adv=Vector(0, 1, meaning="adversarial input"),
)


FGSM_LOGISTIC = Formula(
    "fgsm-logistic",
    """
    p = sigmoid(sum(i, w[i]*x[i]) + b)
    g[i] = (p - y)*w[i]
    x_adv[i] = max(0, min(1, x[i] + eps*sign(g[i])))
    p_adv = sigmoid(sum(i, w[i]*x_adv[i]) + b)
    """,
    title="FGSM against logistic regression",
    source=f"{FGSM}, section 5; derivation: binary cross-entropy has the derivative p - y with respect to the logit",
    conventions=CLIPPED,
    w=Vector(meaning="weights"),
    b=Real(-1000, 1000, "bias"),
    x=Vector(0, 1, "input, values from 0 to 1"),
    y=Int(0, 1, "true class"),
    eps=LIMIT,
    p=Real(0, 1, meaning="probability of class 1 before the attack"),
    g=Vector(meaning="gradient of the cross-entropy with respect to the input"),
    x_adv=Vector(0, 1, meaning="adversarial input"),
    p_adv=Real(0, 1, meaning="probability of class 1 after the attack"),
)


FGSM_FLIP = Formula(
    "fgsm-flip",
    "eps = z/n1",
    title="Smallest change that flips a linear classifier",
    source=f"derivation: changing each input by eps against its weight lowers the logit by eps times the sum of the "
    f"absolute weights; {FGSM}, section 3",
    conventions="Without clipping.",
    z=Real(0.0001, 10000, "logit of the predicted class, above 0"),
    n1=Real(0.0001, 100000, "sum of the absolute weights"),
    eps=Real(0, meaning="change of each input at which the logit is 0"),
)


FGSM_LINEAR = Formula(
    "fgsm-linear",
    """
    d = n*m*eps
    c = sqrt(n)*m*eps
    """,
    title="Change of a linear score by small changes of many inputs",
    source=f"{FGSM}, section 3: with n weights of mean magnitude m, the sign direction changes w . x by eps m n; "
    "derivation: a random direction of signs changes it by eps m sqrt(n) (standard deviation) for equal magnitudes",
    n=Real(1, 1000000, "number of inputs"),
    m=Real(0.001, 10, "magnitude of each weight"),
    eps=Real(0.001, 10, "change of each input"),
    d=Real(0, meaning="change of the score along the signs of the weights"),
    c=Real(0, meaning="standard deviation of the change along random signs"),
)


def _attack(x: list[Value], G: list[list[Value]], eps: Value, step: Value) -> dict[str, Any]:
    if any(len(row) != len(x) for row in G):
        raise UserError(f"Each row of G must have {len(x)} values, one per value of x.")
    rows, current = [], list(x)
    for gradient in G:
        moved = [v + step * ((g > 0) - (g < 0)) for v, g in zip(current, gradient, strict=True)]
        current = [clip(clip(v, start - eps, start + eps), 0, 1) for v, start in zip(moved, x, strict=True)]
        rows.append(current)
    return {"X": rows, "x_adv": current, "changes": [abs(a - b) for a, b in zip(current, x, strict=True)]}


PGD_STEPS = Formula(
    "pgd-steps",
    "r = max(changes)",
    title="Projected gradient descent (PGD): FGSM in several steps",
    source=f"{PGD}, section 2.1",
    conventions="After each step, every value is projected to within eps of its start, then clipped to the interval "
    "from 0 to 1. sign(0) = 0. No random start.",
    procedure=_attack,
    procedure_outputs="X x_adv changes",
    x=Vector(0, 1, "input, values from 0 to 1"),
    G=Matrix(meaning="gradients of the loss with respect to the input, a row per step"),
    eps=LIMIT,
    step=Real(0.0001, 100, "step size"),
    X=Matrix(0, 1, "input after each step"),
    x_adv=Vector(0, 1, "adversarial input"),
    changes=Vector(0, 1, "change of each value"),
    r=Real(0, meaning="largest change of a value"),
)


ATTACKS = dict(
    correct="it is correct",
    gradient="it adds eps times the gradient, not its sign",
    descent="it goes against the gradient, which lowers the loss",
    unclipped="it does not clip to the interval from 0 to 1",
)


def attack_outputs(x: list[Value], g: list[Value], eps: Value) -> dict[str, list[Value]]:
    """Return the adversarial input of a correct program and of each wrong one."""
    signs = [(v > 0) - (v < 0) for v in g]
    moves = dict(correct=signs, gradient=g, descent=[-s for s in signs])
    outputs = {bug: [clip(v + eps * m, 0, 1) for v, m in zip(x, move, strict=True)] for bug, move in moves.items()}
    return outputs | {"unclipped": [v + eps * s for v, s in zip(x, signs, strict=True)]}


def _diagnose_attack(x: list[Value], g: list[Value], eps: Value, out: list[Value]) -> dict[str, str]:
    def distance(values: list[Value]) -> float:
        return sum(abs(float(a - b)) for a, b in zip(values, out, strict=True))

    outputs = attack_outputs(x, g, eps)
    return {"bug": min(outputs, key=lambda bug: distance(outputs[bug]))}


FGSM_DIAGNOSIS = Formula(
    "fgsm-diagnosis",
    """
    x_adv[i] = max(0, min(1, x[i] + eps*sign(g[i])))
    change[i] = abs(out[i] - x[i])
    r = max(change)
    """,
    title="The output of an attack, and what it does wrong",
    source=f"{FGSM}, section 4",
    conventions=CLIPPED,
    procedure=_diagnose_attack,
    procedure_outputs="bug",
    x=Vector(0, 1, "input, values from 0 to 1"),
    g=Vector(meaning="gradient of the loss with respect to the input"),
    eps=LIMIT,
    out=Vector(meaning="what the program returns"),
    x_adv=Vector(0, 1, meaning="correct adversarial input"),
    change=Vector(0, meaning="change of each value by the program"),
    r=Real(0, meaning="largest change of a value by the program"),
    bug=Choice(meaning="what the program does", options=ATTACKS, supported_by="x_adv"),
)


def _run_attack(w: list[Value], x: list[Value], y: int, eps: Value, bug: str, **_: Any) -> dict[str, list[float]]:
    from math import exp

    p = 1 / (1 + exp(-sum(float(a * b) for a, b in zip(w, x, strict=True))))
    gradient = [(p - y) * float(v) for v in w]
    outputs = attack_outputs([float(v) for v in x], gradient, float(eps))
    return {"printed": outputs[bug], "correct": outputs["correct"]}


FGSM_PROGRAM = Formula(
    "fgsm-wrong-line",
    "",
    title="An attack by FGSM with a wrong line",
    source=f"{FGSM}, section 4; PyTorch documentation, torch.sign and torch.clamp",
    procedure=_run_attack,
    shapes="w[n]; x[n]",
    procedure_outputs="printed correct",
    w=Vector(meaning="weights of the classifier"),
    x=Vector(0, 1, "input, values from 0 to 1"),
    y=Int(0, 1, "true class"),
    eps=LIMIT,
    bug=Word(words=("gradient", "descent", "unclipped"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(meaning="that line, corrected"),
    printed=Vector(meaning="what the program prints"),
    correct=Vector(meaning="what the corrected program prints"),
)
