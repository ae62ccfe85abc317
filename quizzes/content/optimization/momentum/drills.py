"""Momentum: drills."""

from random import Random
from typing import Any

from quizzes.content.optimization.momentum.formulas import (
    MOMENTUM_CLASSICAL_TWO_STEPS,
    MOMENTUM_TWO_STEPS,
    NESTEROV_LOOK_AHEAD_TWO_STEPS,
    NESTEROV_TWO_STEPS,
)
from quizzes.drill import Inputs, Mistake, drill


def _descent(rng: Random) -> dict[str, Any]:
    """Return a start and the gradients of two steps."""
    first, second = (rng.choice([-1, 1]) * rng.randint(2, 20) / 10 for _ in range(2))
    return dict(theta0=rng.randint(-20, 20) / 10, g1=first, g2=second)


@drill(
    MOMENTUM_TWO_STEPS,
    id="sgd-momentum",
    tier=2,
    asks=("theta1", "theta2"),
    visualization="trace: g v theta",
    prompt="SGD with momentum as in PyTorch: v <- beta v + g, then theta <- theta - eta v. It starts at "
    "theta = {theta0} with velocity v = {v0}. The momentum is beta = {beta}, and the learning rate is eta = {eta}. "
    "The gradients of the first two steps are {g1} and {g2}.\n"
    "What is theta after step 1 (theta1) and after step 2 (theta2)?",
    hint="What is left of the first gradient in the velocity of step 2?",
    mistakes=[
        Mistake(
            "averaged-form",
            "v = beta*v_prior + (1 - beta)*g",
            "You multiplied the gradient by 1 - beta, as in an exponential average. This form adds the full gradient.",
        ),
        Mistake(
            "velocity-restarted",
            "v = g",
            "You reset the velocity. It carries over, so add beta times the old velocity.",
        ),
        Mistake(
            "eta-twice",
            "v = beta*v_prior + eta*g",
            "You applied the learning rate twice. Here it is used only in the update of theta.",
        ),
        Mistake(
            "ascent",
            "theta = theta_prior + eta*v",
            "You added the step. Here v accumulates gradients, so subtract eta*v.",
        ),
        Mistake(
            "nesterov",
            "theta = theta_prior - eta*(g + beta*v)",
            "That is Nesterov momentum. Plain momentum subtracts eta*v.",
        ),
    ],
)
def sgd_momentum(rng: Random) -> Inputs:
    """Two steps of momentum"""
    return _descent(rng) | dict(v0=0, eta=rng.choice([0.1, 0.2, 0.05]), beta=rng.choice([0.9, 0.8, 0.5]))


@drill(
    MOMENTUM_CLASSICAL_TWO_STEPS,
    id="sgd-momentum:classical",
    tier=2,
    asks=("theta1", "theta2"),
    visualization="trace: eta g v theta",
    prompt="Momentum in its classical form: v <- gamma v + eta g, then theta <- theta - v. It starts at "
    "theta = {theta0} with velocity v = {v0}, and the momentum is gamma = {gamma}. Step 1 has the gradient {g1} and "
    "the learning rate {eta1}; step 2 has the gradient {g2} and the learning rate {eta2}.\n"
    "What is theta after step 1 (theta1) and after step 2 (theta2)?",
    hint="With which learning rate was the velocity of step 1 computed?",
    mistakes=[
        Mistake(
            "rate-outside",
            "v = gamma*v_prior + g; theta = theta_prior - eta*v",
            "You multiplied the whole velocity by the current learning rate, as PyTorch does. In the classical form, "
            "each "
            "gradient keeps the learning rate of its own step.",
        ),
        Mistake(
            "averaged-form",
            "v = gamma*v_prior + (1 - gamma)*eta*g",
            "You multiplied eta*g by 1 - gamma, as in an exponential average. This form adds the full eta*g.",
        ),
        Mistake(
            "velocity-restarted",
            "v = eta*g",
            "You reset the velocity. It carries over, so add gamma times the old velocity.",
        ),
        Mistake(
            "eta-twice",
            "theta = theta_prior - eta*v",
            "You applied the learning rate twice. The velocity already includes it, so subtract v itself.",
        ),
        Mistake(
            "ascent", "theta = theta_prior + v", "You added the step. Here v accumulates gradients, so subtract v."
        ),
    ],
)
def sgd_momentum_classical(rng: Random) -> Inputs:
    """Classical momentum while the learning rate drops"""
    eta1, eta2 = rng.choice([(0.1, 0.01), (0.1, 0.05), (0.2, 0.1), (0.2, 0.02), (0.5, 0.1)])
    return _descent(rng) | dict(v0=0, eta1=eta1, eta2=eta2, gamma=rng.choice([0.9, 0.8, 0.5]))


@drill(
    NESTEROV_TWO_STEPS,
    id="nesterov",
    tier=2,
    asks=("theta1", "theta2"),
    visualization="trace: g v theta",
    prompt="SGD with Nesterov momentum as in PyTorch: v <- beta v + g, then theta <- theta - eta (g + beta v), with "
    "the new v. It starts at theta = {theta0} with velocity v = {v0}. The momentum is beta = {beta}, and the learning "
    "rate is eta = {eta}. The gradients of the first two steps are {g1} and {g2}.\n"
    "What is theta after step 1 (theta1) and after step 2 (theta2)?",
    hint="Compute the new velocity first. The step then uses the gradient once more, in addition to the velocity.",
    mistakes=[
        Mistake(
            "plain-momentum",
            "theta = theta_prior - eta*v",
            "That is plain momentum. The Nesterov step is eta*(g + beta*v).",
        ),
        Mistake(
            "beta-left-out",
            "theta = theta_prior - eta*(g + v)",
            "You left out beta in the step. The step is eta*(g + beta*v).",
        ),
        Mistake(
            "velocity-restarted",
            "v = g",
            "You reset the velocity. It carries over, so add beta times the old velocity.",
        ),
        Mistake(
            "ascent",
            "theta = theta_prior + eta*(g + beta*v)",
            "You added the step. Here v accumulates gradients, so subtract eta*(g + beta*v).",
        ),
    ],
)
def nesterov(rng: Random) -> Inputs:
    """Two steps of Nesterov momentum"""
    return _descent(rng) | dict(v0=0, eta=rng.choice([0.1, 0.2, 0.05]), beta=rng.choice([0.9, 0.8, 0.5]))


@drill(
    NESTEROV_LOOK_AHEAD_TWO_STEPS,
    id="nesterov:look-ahead",
    tier=2,
    asks=("theta1", "theta2"),
    visualization="parabola c start=theta0",
    prompt="Nesterov momentum in its original form: g is the gradient at the look-ahead point theta + mu v; then "
    "v <- mu v - eta g and theta <- theta + v. The loss is L(theta) = c theta^2/2 with c = {c}. It starts at "
    "theta = {theta0} with velocity v = {v0}. The momentum is mu = {mu}, and the learning rate is eta = {eta}.\n"
    "What is theta after step 1 (theta1) and after step 2 (theta2)?",
    hint="In step 1 the velocity is 0, so the look-ahead point is theta itself. Where is it in step 2?",
    mistakes=[
        Mistake(
            "gradient-at-theta",
            "g = c*theta_prior",
            "That is classical momentum. Nesterov momentum takes the gradient at the look-ahead point theta + mu*v.",
        ),
        Mistake(
            "whole-velocity-ahead",
            "g = c*(theta_prior + v_prior)",
            "You looked ahead by the full velocity. The look-ahead point is theta + mu*v.",
        ),
        Mistake(
            "velocity-restarted",
            "v = -eta*g",
            "You reset the velocity. It carries over, so add mu times the old velocity.",
        ),
        Mistake(
            "ascent",
            "v = mu*v_prior + eta*g",
            "You added the gradient to the velocity. Subtract eta*g, because v is then added to theta.",
        ),
        Mistake(
            "factor-2",
            "g = 2*c*(theta_prior + mu*v_prior)",
            "You kept a factor 2. The 1/2 in L cancels it, so the gradient is c times the look-ahead point.",
        ),
    ],
)
def nesterov_look_ahead(rng: Random) -> Inputs:
    """Nesterov momentum with a look-ahead gradient"""
    c = rng.choice([1, 2, 4, 5])
    return dict(
        theta0=rng.choice([-1, 1]) * rng.randint(2, 20) / 2,
        v0=0,
        c=c,
        eta=rng.choice([0.05, 0.1, 0.2]),
        mu=rng.choice([0.9, 0.8, 0.5]),
    )
