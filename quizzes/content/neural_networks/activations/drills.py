"""Sigmoid, tanh, ReLU: drills."""

from collections.abc import Sequence
from math import erf, sqrt
from random import Random
from typing import Any

from quizzes.content.neural_networks.activations.formulas import (
    ACTIVATION_DERIVATIVES,
    ACTIVATION_VALUES,
    DISCARDED_RELU,
    OUTER,
    SCALED_ACTIVATION,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


def _steps(activation: str, a: int, b: int, df: str) -> list[Step]:
    u = f"{a}*z + {b}".replace("+ -", "- ")
    outer = OUTER[activation].replace("(z)", "(u)").replace("z*", "u*")
    return [
        Step("Name the argument of the activation.", [f"u = {u}"]),
        Step(f"Differentiate {activation} with respect to u.", [outer]),
        Step("Multiply by du/dz, by the chain rule.", [df]),
    ]


def _inner(a: int, b: int) -> str:
    return f"({a}*z + {b})"


def _at(activation: str, inner: str) -> str:
    return OUTER[activation].replace("(z)", inner).replace("z*", f"{inner}*")


# The derivatives with the argument u in place of the activation's value.
AT_ARGUMENT = {"sigmoid": "{u}*(1 - {u})", "tanh": "1 - {u}^2", "softplus": "{u}", "silu": "{u}*(1 - {u})"}


# Derivatives as students often misremember them.
HALF_REMEMBERED = {
    "sigmoid": "1 - sigmoid{u}",
    "tanh": "1 - tanh{u}",
    "softplus": "1 - sigmoid{u}",
    "silu": "sigmoid{u}",
}


@drill(
    SCALED_ACTIVATION,
    tier=2,
    asks="df",
    prompt="f(z) = {activation}({argument}).\n"
    "Answer in terms of z, with sigmoid(...), tanh(...), exp(...), and arithmetic. Any equivalent form is accepted. "
    "Definitions: softplus(u) = ln(1 + exp(u)), silu(u) = u*sigmoid(u).",
    hints=(
        "Differentiate the activation at its argument. By which factor does the chain rule multiply the result?",
        "With the argument u, the chain rule is df/dz = g'(u)*du/dz, where g is the activation.",
    ),
    steps=_steps,
    mistakes=[
        Mistake(
            "no-inner-derivative",
            {"df": lambda activation, a, b: _at(activation, _inner(a, b))},
            "You left out the inner derivative. By the chain rule, multiply by the derivative of the argument.",
        ),
        Mistake(
            "at-the-argument",
            {"df": lambda activation, a, b: f"{a}*({AT_ARGUMENT[activation].format(u=_inner(a, b))})"},
            "You used the argument in place of the activation's value. Apply sigmoid(...) or tanh(...) to it first.",
        ),
        Mistake(
            "another-derivative",
            {"df": lambda activation, a, b: f"{a}*({HALF_REMEMBERED[activation].format(u=_inner(a, b))})"},
            "Your outer derivative is wrong. With s = sigmoid(u): sigmoid' = s(1 - s), tanh' = 1 - tanh(u)^2, "
            "softplus' = s, "
            "silu' = s(1 + u(1 - s)).",
        ),
        Mistake(
            "inner-dropped",
            {"df": lambda activation, a, b: f"{a}*({OUTER[activation]})"},
            "You evaluated the outer derivative at z. Evaluate it at the argument of the activation.",
        ),
    ],
)
def activation_derivs(rng: Random) -> Inputs:
    """Derivative of an activation"""
    activation, a, b = rng.choice(sorted(OUTER)), rng.choice([-3, -2, 2, 3, 4, 5]), rng.choice([-3, -2, -1, 1, 2, 3])
    argument = f"{a}z + {b}".replace("+ -", "- ")
    return dict(activation=activation, a=a, b=b, argument=argument, variables={"z": [-2, 2]})


@drill(
    ACTIVATION_VALUES,
    tier=1,
    asks=("y_leaky", "y_elu", "y_silu", "y_gelu", "y_softplus"),
    visualization="functions: leaky elu silu gelu softplus at z",
    prompt="Several activation functions are applied to the pre-activation z = {z}. What are the values of leaky ReLU "
    "with slope a = {a} for negative z (y_leaky), ELU with alpha = {alpha} (y_elu), SiLU (y_silu), GELU in its exact "
    "form (y_gelu), and softplus (y_softplus)?\n"
    "Phi is the cumulative distribution function of the standard normal distribution: Phi({z}) = {phi}.",
    hint="SiLU is z times sigmoid(z), GELU is z times Phi(z), and softplus is ln(1 + exp(z)).",
    mistakes=[
        Mistake(
            "slope-on-both-sides",
            "y_leaky = a*z",
            "You used the slope a for positive z. Leaky ReLU returns z there; a applies only to negative z.",
        ),
        Mistake(
            "no-slope", "y_leaky = max(0, z)", "You returned 0, as ReLU does. Leaky ReLU returns a*z for negative z."
        ),
        Mistake(
            "exponential-on-both-sides",
            "y_elu = alpha*(exp(z) - 1)",
            "You used the exponential for positive z. ELU returns z there; the exponential applies only to negative z.",
        ),
        Mistake(
            "minus-one-left-out",
            "y_elu = where(z > 0, z, alpha*exp(z))",
            "You left out the -1. For negative z, ELU is alpha*(exp(z) - 1), so that its two pieces meet at 0.",
        ),
        Mistake(
            "sigmoid-alone", "y_silu = sigmoid(z)", "That is the sigmoid. SiLU is z times sigmoid(z), so multiply by z."
        ),
        Mistake("sigmoid-for-phi", "y_gelu = z*sigmoid(z)", "That is SiLU. GELU uses Phi(z) in place of the sigmoid."),
        Mistake(
            "tanh-form",
            "y_gelu = z*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z^3)))/2",
            "That is the tanh approximation of GELU. The exact form is z*Phi(z).",
        ),
        Mistake(
            "softplus-sign",
            "y_softplus = ln(1 + exp(-z))",
            "You used -z in the exponent. Softplus is ln(1 + exp(z)), which grows with z as ReLU does.",
        ),
    ],
)
def activation_values(rng: Random) -> Inputs:
    """Values of activation functions"""
    z = rng.choice([-1, -1, 1]) * rng.randint(3, 30) / 10
    phi = (1 + erf(z / sqrt(2))) / 2
    return dict(z=z, a=rng.choice([0.01, 0.1, 0.2]), alpha=rng.choice([1, 1, 0.5, 2]), phi=f"{phi:.6f}")


@drill(
    ACTIVATION_DERIVATIVES,
    id="activation-derivs:value",
    tier=1,
    asks=("drelu", "dleaky", "dsigmoid", "dtanh", "dsoftplus", "dsilu"),
    visualization="functions: relu leaky sigmoid tanh softplus silu at z",
    prompt="The pre-activation of a neuron is z = {z}. What are the derivatives at z of ReLU (drelu), leaky ReLU with "
    "slope a = {a} for negative z (dleaky), sigmoid (dsigmoid), tanh (dtanh), softplus (dsoftplus), and SiLU (dsilu)?\n"
    "Definitions: softplus is ln(1 + exp(z)), SiLU is z*sigmoid(z).",
    hint="ReLU and leaky ReLU have the slope of the piece that contains z. For the others, start from the sigmoid s "
    "with s' = s(1 - s), and tanh' = 1 - tanh^2.",
    mistakes=[
        Mistake(
            "step-reversed",
            "drelu = where(z > 0, 0, 1)",
            "You swapped the two pieces. ReLU has slope 0 for negative z and slope 1 for positive z.",
        ),
        Mistake(
            "slope-on-both-sides",
            "dleaky = a",
            "You used the slope a for positive z. Leaky ReLU has slope 1 there; a applies only to negative z.",
        ),
        Mistake(
            "no-slope",
            "dleaky = where(z > 0, 1, 0)",
            "You used the slope 0, as ReLU has. Leaky ReLU has slope a for negative z.",
        ),
        Mistake(
            "slope-times-argument",
            "dleaky = max(z, a*z)",
            "That is the value of leaky ReLU. Its derivative is the slope alone, a or 1.",
        ),
        Mistake(
            "at-the-argument",
            "dsigmoid = z*(1 - z); dtanh = 1 - z^2",
            "You used z in place of the activation's value. The derivatives are s(1 - s) with s = sigmoid(z), "
            "and 1 - tanh(z)^2.",
        ),
        Mistake(
            "another-derivative",
            "dsigmoid = 1 - sigmoid(z); dtanh = 1 - tanh(z); dsoftplus = 1 - sigmoid(z); dsilu = sigmoid(z)",
            "Your derivative is wrong. With s = sigmoid(z): sigmoid' = s(1 - s), tanh' = 1 - tanh(z)^2, softplus' = "
            "s, and by "
            "the product rule silu' = s(1 + z(1 - s)).",
        ),
        Mistake(
            "one-derivative-too-many",
            "dsoftplus = sigmoid(z)*(1 - sigmoid(z)); dsilu = sigmoid(z)*(1 - sigmoid(z))",
            "You used s(1 - s), the derivative of the sigmoid s. softplus' is s itself, and SiLU needs the product "
            "rule.",
        ),
    ],
)
def activation_slopes(rng: Random) -> Inputs:
    """Derivatives of activations at a point"""
    return dict(z=rng.choice([-1, 1]) * rng.randint(2, 25) / 10, a=rng.choice([0.01, 0.02, 0.05, 0.1, 0.2, 0.3]))


def _corrections(h: str) -> list[str]:
    """Return the lines that apply a ReLU to a tensor."""
    calls = (f"{h}.relu()", f"torch.relu({h})", f"F.relu({h})", f"nn.ReLU()({h})", f"{h}.clamp(min=0)", f"{h}.clamp(0)")
    more = (f"torch.clamp({h}, min=0)", f"torch.clamp({h}, 0)", f"{h}.clip(min=0)", f"{h} * ({h} > 0)")
    in_place = [
        f"{h}.relu_()",
        f"torch.relu_({h})",
        f"F.relu_({h})",
        f"F.relu({h}, inplace=True)",
        f"{h}.clamp_(min=0)",
    ]
    return [*(f"{h} = {call}" for call in (*calls, *more)), *in_place, f"nn.ReLU(inplace=True)({h})"]


def _relu_steps(z: list[int], prints: int, fixed: int, line: int, **_: object) -> list[Step]:
    values = ", ".join(map(str, z))
    return [
        Step(f"Line {line} computes a new tensor with the ReLU, and nothing refers to it. Assign it to a variable."),
        Step(f"The pre-activations are [{values}]. The program multiplies them by the output weights.",
             [f"prints = {prints}"]),
        Step("With the correction, negative pre-activations become 0 first.", [f"fixed = {fixed}"]),
    ]  # fmt: skip


@drill(
    DISCARDED_RELU,
    tier=2,
    asks=("line", "fix", "prints", "fixed"),
    visualization="code program",
    prompt="This program should apply a ReLU to its hidden layer. One line has no effect.\n"
    "What is the number of that line (line), and how should it read (fix)? What does the program print as it is "
    "(prints), and after the correction (fixed)?",
    hints=(
        "Which result is never assigned to a variable?",
        "F.relu returns a new tensor and leaves its argument as it is, so its result has to be assigned to a name.",
        "First step: compute hidden as it is before the ReLU, then decide which of its elements are negative.",
    ),
    steps=_relu_steps,
    mistakes=[
        Mistake(
            "in-place-assumed",
            "prints = sum(i, W2[i]*relu(z[i]))",
            "You applied the ReLU. A method without a trailing underscore returns a new tensor and changes nothing.",
        ),
        Mistake(
            "output-line",
            {"line": lambda line, **_: line + 1},
            "That line uses what the line before it should have changed. Find the line whose result is lost.",
        ),
        Mistake(
            "absolute-value",
            "fixed = sum(i, W2[i]*abs(z[i]))",
            "You reversed the sign of negative pre-activations. A ReLU sets them to 0.",
        ),
        Mistake(
            "not-called",
            {"fix": lambda fix, **_: f"{fix[0].partition(' ')[0]} = {fix[0].partition(' ')[0]}.relu"},
            "Without parentheses, this assigns the method itself. Call it.",
        ),
    ],
)
def discarded_relu(rng: Random) -> Inputs:
    """A ReLU without effect"""
    x = [rng.choice([-3, -2, -1, 1, 2, 3]) for _ in range(2)]
    W1 = [[rng.choice([-2, -1, 1, 2]) for _ in range(2)] for _ in range(2)]
    b1 = [rng.choice([-1, 0, 1, 2]) for _ in range(2)]
    W2 = [rng.choice([-3, -2, -1, 1, 2, 3]) for _ in range(2)]
    z = [sum(w * v for w, v in zip(row, x, strict=True)) + b for row, b in zip(W1, b1, strict=True)]
    if (z[0] < 0) == (z[1] < 0) or 0 in z:
        raise UndefinedValue("exactly one pre-activation must be negative")
    h = rng.choice(["h", "hidden", "a"])
    call = rng.choice([f"{h}.relu()", f"torch.relu({h})", f"F.relu({h})"])
    values: dict[str, list[Any]] = dict(x=x, W1=W1, b1=b1, W2=W2)
    tensors = [f"{name} = torch.tensor({_floats(value)})" for name, value in values.items()]
    start = rng.choice([[], ["import torch"], ["import torch", "import torch.nn.functional as F"]])
    lines = [*start, *tensors, f"{h} = W1 @ x + b1", call, f"y = W2 @ {h}", "print(int(y))"]
    line = lines.index(call) + 1
    return dict(x=x, W1=W1, b1=b1, W2=W2, line=line, fix=_corrections(h), program="\n".join(lines))


def _floats(values: Sequence[object]) -> str:
    """Write a list of integers as floating-point numbers: `[1., 2.]`."""
    return f"[{', '.join(_floats(v) if isinstance(v, list) else f'{v}.' for v in values)}]"
