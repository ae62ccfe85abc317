"""Adam: drills."""

from random import Random
from typing import Any

from quizzes.content.optimization.adam.formulas import (
    ADAGRAD_TWO_STEPS,
    ADAM_L2_TWO_STEPS,
    ADAM_TWO_STEPS,
    ADAMW_TWO_STEPS,
    RMSPROP_TWO_STEPS,
)
from quizzes.drill import Inputs, Mistake, drill

NO_BIAS_CORRECTION = (
    "You left out the bias correction. Both moments start at 0 and are too small at first, so divide by 1 - beta^t."
)


STEP_ADDED = "You added the step. Descent subtracts it."


def _descent(rng: Random) -> dict[str, Any]:
    """Return a start other than 0 and the gradients of two steps."""
    first, second = (rng.choice([-1, 1]) * rng.randint(5, 30) / 10 for _ in range(2))
    return dict(theta0=rng.choice([-1, 1]) * rng.randint(5, 30) / 10, g1=first, g2=second)


def _decayed(rng: Random) -> dict[str, Any]:
    return _descent(rng) | dict(
        m0=0,
        v0=0,
        eta=rng.choice([0.1, 0.2, 0.05]),
        lam=rng.choice([0.1, 0.2, 0.5]),
        beta1=0.9,
        beta2=0.999,
        epsilon=1e-8,
    )


WITH_DECAY = (
    " starts at theta = {theta0} with m = {m0} and v = {v0}. In the first two steps, the gradients of the loss without "
    "the penalty are {g1} and {g2}. The learning rate is eta = {eta} and the weight decay is lam = {lam}, with "
    "beta1 = {beta1}, beta2 = {beta2}, and epsilon = {epsilon}.\n"
    "What is theta after step 1 (theta1) and after step 2 (theta2)?\n"
    "Conventions: bias correction; epsilon outside the square root."
)


@drill(
    ADAM_TWO_STEPS,
    tier=2,
    asks=("theta1", "theta2"),
    visualization="trace: g m v theta",
    prompt="Adam starts at theta = {theta0} with m = v = 0. The gradients of the first two steps are {g1} and {g2}. "
    "The learning rate is eta = {eta}, with beta1 = {beta1}, beta2 = {beta2}, and epsilon = {epsilon}.\n"
    "What is theta after step 1 (theta1) and after step 2 (theta2)?\n"
    "Conventions: epsilon outside the square root.",
    hint="Divide each moment by 1 - beta^t before you use it, with t = 1 in the first step.",
    mistakes=[
        Mistake("no-bias-correction", "mhat = m; vhat = v", NO_BIAS_CORRECTION),
        Mistake(
            "no-root",
            "theta = theta_prior - eta*mhat/(vhat + epsilon)",
            "You divided by the second moment itself. Divide by its square root.",
        ),
        Mistake(
            "betas-swapped",
            "m = beta2*m_prior + (1 - beta2)*g; v = beta1*v_prior + (1 - beta1)*g^2; mhat = m/(1 - beta2^t); vhat = "
            "v/(1 - beta1^t)",
            "You swapped the betas. beta1 belongs to the average of the gradients, beta2 to the average of their "
            "squares.",
        ),
        Mistake("ascent", "theta = theta_prior + eta*mhat/(sqrt(vhat) + epsilon)", STEP_ADDED),
        Mistake(
            "first-moment-not-carried",
            "m = (1 - beta1)*g",
            "You discarded the old first moment. Add beta1 times the old moment to (1 - beta1) times the gradient.",
        ),
    ],
)
def adam_step(rng: Random) -> Inputs:
    """Two steps of Adam"""
    first = rng.choice([-1, 1]) * rng.randint(1, 20) / 10
    return dict(
        theta0=rng.randint(-20, 20) / 10,
        g1=first,
        g2=rng.choice([first / 2, -first, first * 2, rng.choice([-1, 1]) * rng.randint(1, 20) / 10]),
        eta=rng.choice([0.1, 0.05, 0.2]),
        beta1=0.9,
        beta2=rng.choice([0.99, 0.999]),
        epsilon=1e-8,
    )


@drill(
    ADAGRAD_TWO_STEPS,
    id="adagrad",
    tier=2,
    asks=("theta1", "theta2"),
    visualization="trace: g s theta",
    prompt="AdaGrad starts at theta = {theta0} with the sum of squared gradients s = {s0}. The gradients of the first "
    "two steps are {g1} and {g2}. The learning rate is eta = {eta}, and epsilon = {epsilon}.\n"
    "What is theta after step 1 (theta1) and after step 2 (theta2)?\n"
    "Conventions: epsilon outside the square root.",
    hint="Add the square of each new gradient to s before you divide by its square root.",
    mistakes=[
        Mistake(
            "decaying-mean",
            "s = 0.9*s_prior + 0.1*g^2",
            "You used a decaying average (here with 0.9), as RMSProp does. AdaGrad adds up all squares without decay.",
        ),
        Mistake(
            "no-root",
            "theta = theta_prior - eta*g/(s + epsilon)",
            "You divided by the sum of squares itself. Divide by its square root.",
        ),
        Mistake(
            "last-gradient-only",
            "s = g^2",
            "You used only the last gradient. s is the sum of the squares of all gradients so far.",
        ),
        Mistake("ascent", "theta = theta_prior + eta*g/(sqrt(s) + epsilon)", STEP_ADDED),
    ],
)
def adagrad(rng: Random) -> Inputs:
    """Two steps of AdaGrad"""
    return _descent(rng) | dict(s0=0, eta=rng.choice([0.1, 0.2, 0.5]), epsilon=1e-10)


@drill(
    RMSPROP_TWO_STEPS,
    id="rmsprop",
    tier=2,
    asks=("s1", "theta1", "s2", "theta2"),
    visualization="trace: g s theta",
    prompt="RMSProp (without momentum, not centered) starts at theta = {theta0} with the average of squared gradients "
    "s = {s0}. The gradients of the first two steps are {g1} and {g2}. The learning rate is eta = {eta}, the decay "
    "rate is rho = {rho} (the weight of the old s), and epsilon = {epsilon}.\n"
    "What are s and theta after step 1 (s1, theta1) and after step 2 (s2, theta2)?\n"
    "Conventions: epsilon outside the square root.",
    hint="s is rho times its old value plus 1 - rho times the new square, without bias correction.",
    mistakes=[
        Mistake(
            "no-decay",
            "s = s_prior + g^2",
            "That is AdaGrad. RMSProp decays s, so add rho times the old s and 1 - rho times the new square.",
        ),
        Mistake(
            "rho-swapped",
            "s = (1 - rho)*s_prior + rho*g^2",
            "You swapped the weights. rho, close to 1, belongs to the old s, and 1 - rho to the new square.",
        ),
        Mistake(
            "bias-correction",
            "theta = theta_prior - eta*g/(sqrt(s/(1 - rho^t)) + epsilon)",
            "You applied a bias correction, as Adam does. RMSProp uses s without dividing by 1 - rho^t.",
        ),
        Mistake(
            "no-root",
            "theta = theta_prior - eta*g/(s + epsilon)",
            "You divided by the average of squares itself. Divide by its square root.",
        ),
        Mistake(
            "not-squared",
            "s = rho*s_prior + (1 - rho)*g",
            "You did not square the gradient. s is an average of squared gradients.",
        ),
        Mistake("ascent", "theta = theta_prior + eta*g/(sqrt(s) + epsilon)", STEP_ADDED),
    ],
)
def rmsprop(rng: Random) -> Inputs:
    """Two steps of RMSProp"""
    return _descent(rng) | dict(s0=0, eta=rng.choice([0.1, 0.05, 0.01]), rho=rng.choice([0.9, 0.99]), epsilon=1e-8)


@drill(
    ADAMW_TWO_STEPS,
    id="adamw-vs-l2",
    tier=3,
    asks=("theta1", "theta2"),
    visualization="trace: g m v theta",
    prompt="AdamW as in PyTorch (decoupled weight decay, multiplied by the learning rate)" + WITH_DECAY,
    hint="Multiply theta by 1 - eta*lam first. Then take an Adam step, with the moments of the gradients alone.",
    mistakes=[
        Mistake(
            "l2-in-the-gradient",
            "m = beta1*m_prior + (1 - beta1)*(g + lam*theta_prior); v = beta2*v_prior + (1 - beta2)*(g + "
            "lam*theta_prior)^2; "
            "theta = theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
            "That is Adam with an L2 penalty. AdamW keeps the decay out of the gradient and of both moments.",
        ),
        Mistake(
            "decay-without-rate",
            "theta = (1 - lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
            "You left out the learning rate in the decay. The factor is 1 - eta*lam.",
        ),
        Mistake(
            "decay-grows",
            "theta = (1 + eta*lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
            "You let theta grow. Weight decay shrinks it toward 0, so the factor is 1 - eta*lam.",
        ),
        Mistake("no-bias-correction", "mhat = m; vhat = v", NO_BIAS_CORRECTION),
    ],
)
def adamw_vs_l2(rng: Random) -> Inputs:
    """Two steps of AdamW"""
    return _decayed(rng)


@drill(
    ADAM_L2_TWO_STEPS,
    id="adamw-vs-l2:l2",
    tier=3,
    asks=("theta1", "theta2"),
    visualization="trace: g m v theta",
    prompt="Adam with the penalty lam*theta^2/2 in the loss (as in PyTorch's Adam with weight_decay, which adds "
    "lam*theta to every gradient)" + WITH_DECAY,
    hint="Add lam*theta to each gradient first, with theta before the step. The rest is plain Adam.",
    mistakes=[
        Mistake(
            "decoupled",
            "gl = g; theta = (1 - eta*lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
            "That is AdamW. A penalty in the loss is part of the gradient and thus of both moments.",
        ),
        Mistake(
            "penalty-left-out",
            "gl = g",
            "You left out the penalty. Add its gradient lam*theta to the gradient of the loss.",
        ),
        Mistake(
            "factor-2",
            "gl = g + 2*lam*theta_prior",
            "You kept a factor 2. The 1/2 in the penalty cancels it, so the gradient is lam*theta.",
        ),
        Mistake("no-bias-correction", "mhat = m; vhat = v", NO_BIAS_CORRECTION),
    ],
)
def adamw_vs_l2_l2(rng: Random) -> Inputs:
    """Two steps of Adam with an L2 penalty"""
    return _decayed(rng)
