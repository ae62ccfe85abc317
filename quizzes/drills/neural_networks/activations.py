"""Sigmoid, tanh and their kin."""

from math import erf, sqrt
from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.neural_networks import ACTIVATION_DERIVATIVES, ACTIVATION_VALUES, OUTER, SCALED_ACTIVATION
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


@drill(
    ACTIVATION_VALUES,
    tier=1,
    asks="y_leaky y_elu y_silu y_gelu y_softplus",
    visualization="functions: leaky elu silu gelu softplus at z",
    prompt="The weighted sum z = {z} enters several activation functions. What are the values of leaky ReLU with slope "
    "a = {a} (y_leaky), ELU with alpha = {alpha} (y_elu), SiLU (y_silu), GELU in its exact form with the normal "
    "distribution function (y_gelu), and softplus (y_softplus)? Phi({z}) = {phi}.",
    hint="SiLU is z times the sigmoid of z, GELU is z times Phi(z), and softplus is ln(1 + exp(z)).",
)
def activation_values(rng: Random) -> dict[str, Any]:
    """Values of activation functions"""
    z = rng.choice([-1, -1, 1]) * rng.randint(3, 30) / 10
    phi = (1 + erf(z / sqrt(2))) / 2
    return dict(z=z, a=rng.choice([0.01, 0.1, 0.2]), alpha=rng.choice([1, 1, 0.5, 2]), phi=f"{phi:.6f}")


activation_values.mistake(
    "slope-on-both-sides",
    "y_leaky = a*z",
    "Above 0 the leaky ReLU passes z as it is: the slope a is for negative z only.",
)
activation_values.mistake("no-slope", "y_leaky = max(0, z)", "Below 0 the leaky ReLU is not flat: it gives a*z.")
activation_values.mistake(
    "exponential-on-both-sides",
    "y_elu = alpha*(exp(z) - 1)",
    "Above 0 the ELU passes z as it is: the exponential is for negative z only.",
)
activation_values.mistake(
    "minus-one-left-out",
    "y_elu = max(0, z) + alpha*exp(min(0, z)) - alpha*max(0, sign(z))",
    "The ELU subtracts 1 from the exponential, so that its two pieces meet at 0: alpha*(exp(z) - 1).",
)
activation_values.mistake(
    "sigmoid-alone", "y_silu = sigmoid(z)", "The SiLU multiplies: it is z times the sigmoid of z."
)
activation_values.mistake(
    "sigmoid-for-phi",
    "y_gelu = z*sigmoid(z)",
    "That is the SiLU: the GELU takes the normal distribution function Phi(z) in place of the sigmoid.",
)
activation_values.mistake(
    "tanh-form",
    "y_gelu = z*(1 + tanh(sqrt(2/pi)*(z + 0.044715*z^3)))/2",
    "That is the approximation with tanh: the exact form z*Phi(z) is asked.",
)
activation_values.mistake(
    "softplus-sign", "y_softplus = ln(1 + exp(-z))", "Softplus is ln(1 + exp(z)): it rises with z, close to ReLU."
)
activation_values.torch(
    """
t = torch.tensor(float(z))
y_leaky, y_elu, y_silu = F.leaky_relu(t, a), F.elu(t, float(alpha)), F.silu(t)
y_gelu, y_softplus = F.gelu(t), F.softplus(t)
"""
)


@drill(
    ACTIVATION_DERIVATIVES,
    id="activation-derivs:value",
    tier=1,
    asks="drelu dleaky dsigmoid dtanh dsoftplus dsilu",
    visualization="functions: relu leaky sigmoid tanh softplus silu at z",
    prompt="The weighted sum of a neuron is z = {z}. What is the derivative at z of ReLU (drelu), of leaky ReLU with "
    "slope a = {a} (dleaky), of the sigmoid (dsigmoid), of tanh (dtanh), of softplus (dsoftplus; softplus is ln(1 + "
    "exp(z))) and of SiLU (dsilu; SiLU is z*sigmoid(z))?",
    hint="The two kinked functions have the slope of the piece on which z lies; s' = s(1 - s) and 1 - tanh^2 for the "
    "others.",
)
def activation_slopes(rng: Random) -> dict[str, Any]:
    """Derivatives of activations at a point"""
    return dict(z=rng.choice([-1, 1]) * rng.randint(2, 25) / 10, a=rng.choice([0.01, 0.02, 0.05, 0.1, 0.2, 0.3]))


activation_slopes.mistake(
    "step-reversed",
    "drelu = 1 - max(0, sign(z))",
    "ReLU is flat below 0, where its derivative is 0, and has the slope 1 above.",
)
activation_slopes.mistake(
    "slope-on-both-sides", "dleaky = a", "Above 0 the slope of the leaky ReLU is 1: a belongs to negative z."
)
activation_slopes.mistake("no-slope", "dleaky = max(0, sign(z))", "Below 0 the leaky ReLU has the slope a, and not 0.")
activation_slopes.mistake(
    "slope-times-argument",
    "dleaky = max(z, a*z)",
    "That is the value of the leaky ReLU: its derivative is the slope alone, a or 1.",
)
activation_slopes.mistake(
    "at-the-argument",
    "dsigmoid = z*(1 - z); dtanh = 1 - z^2",
    "The derivative is made of the activation's value: s(1 - s) with s = sigmoid(z), and 1 - tanh(z)^2.",
)
activation_slopes.mistake(
    "another-derivative",
    "dsigmoid = 1 - sigmoid(z); dtanh = 1 - tanh(z); dsoftplus = 1 - sigmoid(z); dsilu = sigmoid(z)",
    "With s = sigmoid(z): sigmoid' = s(1 - s), tanh' = 1 - tanh(z)^2, softplus' = s, and by the product rule "
    "silu' = s(1 + z(1 - s)).",
)
activation_slopes.mistake(
    "one-derivative-too-many",
    "dsoftplus = sigmoid(z)*(1 - sigmoid(z)); dsilu = sigmoid(z)*(1 - sigmoid(z))",
    "s(1 - s) is the derivative of the sigmoid itself: softplus' is the sigmoid, and the SiLU is a product.",
)
activation_slopes.torch(
    """
t = torch.tensor(float(z), requires_grad=True)
values = F.relu(t), F.leaky_relu(t, a), F.sigmoid(t), F.tanh(t), F.softplus(t), F.silu(t)
drelu, dleaky, dsigmoid, dtanh, dsoftplus, dsilu = (torch.autograd.grad(value, t)[0] for value in values)
"""
)
