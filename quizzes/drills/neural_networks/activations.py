"""Sigmoid, tanh and their kin."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.neural_networks import OUTER, SCALED_ACTIVATION
from quizzes.question import Step


def _steps(activation: str, a: int, b: int, df: str) -> list[Step]:
    u = f"{a}*z + {b}".replace("+ -", "- ")
    return [
        Step("Name what enters the activation", [f"u = {u}"]),
        Step(f"Derivative of {activation}, taken at u", [OUTER[activation].replace("(z)", "(u)").replace("z*", "u*")]),
        Step("Chain rule: times du/dz", [df]),
    ]


@drill(
    SCALED_ACTIVATION,
    tier=2,
    asks="df",
    prompt="f(z) = {activation}({a}z + {b}). What is df/dz, as an expression in z?\n"
    "You may use sigmoid(...), tanh(...), exp(...) and arithmetic; every form of the right expression counts. "
    "softplus(u) = ln(1 + exp(u)), silu(u) = u*sigmoid(u).",
    hint="Differentiate the activation at u = az + b, then multiply by the derivative of u.",
    steps=_steps,
)
def activation_derivs(rng: Random) -> dict[str, Any]:
    """Derivative of an activation"""
    return dict(
        activation=rng.choice(sorted(OUTER)),
        a=rng.choice([-3, -2, 2, 3, 4, 5]),
        b=rng.choice([-3, -2, -1, 1, 2, 3]),
        variables={"z": [-2, 2]},
    )


def _inner(a: int, b: int) -> str:
    return f"({a}*z + {b})"


def _at(activation: str, inner: str) -> str:
    return OUTER[activation].replace("(z)", inner).replace("z*", f"{inner}*")


# What people write who take the derivative of the function's value for that of its argument.
AT_ARGUMENT = {"sigmoid": "{u}*(1 - {u})", "tanh": "1 - {u}^2", "softplus": "{u}", "silu": "{u}*(1 - {u})"}
# What people write who half remember the derivative.
HALF_REMEMBERED = {
    "sigmoid": "1 - sigmoid{u}",
    "tanh": "1 - tanh{u}",
    "softplus": "1 - sigmoid{u}",
    "silu": "sigmoid{u}",
}

activation_derivs.mistake(
    "no-inner-derivative",
    {"df": lambda activation, a, b: _at(activation, _inner(a, b))},
    "The chain rule's second factor is missing: multiply by the derivative of what stands inside.",
)
activation_derivs.mistake(
    "at-the-argument",
    {"df": lambda activation, a, b: f"{a}*({AT_ARGUMENT[activation].format(u=_inner(a, b))})"},
    "The derivative is made of the activation's value, not of its argument: put sigmoid(...) or tanh(...) around it.",
)
activation_derivs.mistake(
    "another-derivative",
    {"df": lambda activation, a, b: f"{a}*({HALF_REMEMBERED[activation].format(u=_inner(a, b))})"},
    "The outer derivative is another one: sigmoid' = s(1 - s), tanh' = 1 - tanh^2, softplus' = s, "
    "silu' = s(1 + u(1 - s)).",
)
activation_derivs.mistake(
    "inner-dropped",
    {"df": lambda activation, a, b: f"{a}*({OUTER[activation]})"},
    "The outer derivative is taken at az + b, not at z.",
)
activation_derivs.torch(
    """
z = torch.linspace(-2, 2, 9, requires_grad=True)
df, = torch.autograd.grad(getattr(F, activation)(a * z + b).sum(), z)
"""
)
