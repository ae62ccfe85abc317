"""Momentum: formulas."""

from typing import Any

from quizzes.content.optimization.shared import GRADIENT_STEP
from quizzes.formula import Formula
from quizzes.symbols import Real
from quizzes.trace import Trace

VELOCITY: dict[str, Any] = dict(
    v_prior=Real(meaning="velocity before the step", default=0),
    v=Real(meaning="updated velocity"),
)


# The outputs of a step that are inputs of the next.
PARAMETER_AND_VELOCITY = {"theta": "theta_prior", "v": "v_prior"}


MOMENTUM_STEP = Formula(
    "momentum-step",
    """
    v = beta*v_prior + g
    theta = theta_prior - eta*v
    """,
    title="One step of SGD with momentum, as in PyTorch",
    source="PyTorch documentation, torch.optim.SGD (dampening 0); Polyak's heavy-ball method, with the learning rate "
    "outside the velocity",
    **GRADIENT_STEP,
    **VELOCITY,
    beta=Real(0, 1, "momentum", default=0.9),
)


MOMENTUM_TWO_STEPS = Trace(MOMENTUM_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="g")


MOMENTUM_CLASSICAL_STEP = Formula(
    "momentum-classical-step",
    """
    v = gamma*v_prior + eta*g
    theta = theta_prior - v
    """,
    title="One step of classical momentum, with the learning rate inside the velocity",
    source="Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, "
    "2013, with the opposite sign of v",
    **GRADIENT_STEP,
    **VELOCITY,
    gamma=Real(0, 1, "momentum", default=0.9),
)


MOMENTUM_CLASSICAL_TWO_STEPS = Trace(MOMENTUM_CLASSICAL_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="g eta")


NESTEROV_STEP = Formula(
    "nesterov-step",
    """
    v = beta*v_prior + g
    theta = theta_prior - eta*(g + beta*v)
    """,
    title="One step of Nesterov momentum, as in PyTorch",
    source="PyTorch documentation, torch.optim.SGD (nesterov=True, dampening 0)",
    **GRADIENT_STEP,
    **VELOCITY,
    beta=Real(0, 1, "momentum", default=0.9),
)


NESTEROV_TWO_STEPS = Trace(NESTEROV_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="g")


NESTEROV_LOOK_AHEAD_STEP = Formula(
    "nesterov-look-ahead-step",
    """
    g = c*(theta_prior + mu*v_prior)
    v = mu*v_prior - eta*g
    theta = theta_prior + v
    """,
    title="One step of Nesterov momentum on L = c theta^2/2, with the gradient at the look-ahead point",
    source="Sutskever, Martens, Dahl & Hinton, On the importance of initialization and momentum in deep learning, "
    "2013; the gradient of c theta^2/2 is c theta",
    **GRADIENT_STEP | VELOCITY | dict(g=Real(meaning="gradient at the look-ahead point")),
    c=Real(0, meaning="curvature of the loss"),
    mu=Real(0, 1, "momentum", default=0.9),
)


NESTEROV_LOOK_AHEAD_TWO_STEPS = Trace(NESTEROV_LOOK_AHEAD_STEP, steps=2, carried=PARAMETER_AND_VELOCITY, fresh="")
