"""Gradient descent and the learning rate: drills."""

from random import Random

from quizzes.content.optimization.gradient_descent.formulas import (
    GD_QUADRATIC,
    GD_QUADRATIC_2D,
    LR_COSINE,
    LR_EXPONENTIAL,
    LR_STEP,
    LR_WARMUP_COSINE,
)
from quizzes.drill import Inputs, Mistake, drill, one_of


def _learning_rate(rng: Random, curvature: float, factors: list[float]) -> float:
    """Return a learning rate eta for which 1 - eta * curvature is one of the factors."""
    return round((1 - rng.choice(factors)) / curvature, 6)


OFF_BY_ONE_STEP = (
    "The number of factors is off by one. The start is the parameter before the first step, so each step is one factor."
)


HALF_IGNORED = "You used the gradient 2c*w. The 1/2 in L cancels the 2, so the gradient is c*w."


STEPS_ADDED = "You added up the steps. Each step starts where the previous one ended, so the factors multiply."


OFF_BY_ONE_EPOCH = "You were off by one epoch. Epochs are counted from 0, so t epochs are complete when epoch t begins."


@drill(
    GD_QUADRATIC,
    id="gd-stability:steps",
    tier=1,
    asks=one_of("w", "t", "w0"),
    visualization="parabola c start=w0 end=w",
    prompt="Gradient descent on L(w) = c w^2/2 with c = {c} uses the learning rate eta = {eta}. "
    "The parameter starts at {w0}. After {t} steps, it is {w}.",
    hint="The gradient is c*w. By which factor does one step multiply w?",
    mistakes=[
        Mistake("one-step-too-few", "w = (1 - eta*c)^(t - 1)*w0", OFF_BY_ONE_STEP),
        Mistake("one-step-too-many", "w = (1 - eta*c)^(t + 1)*w0", OFF_BY_ONE_STEP),
        Mistake("factor-2", "w = (1 - 2*eta*c)^t*w0", HALF_IGNORED),
        Mistake("steps-added", "w = (1 - t*eta*c)*w0", STEPS_ADDED),
        Mistake(
            "ascent", "w = (1 + eta*c)^t*w0", "You added the step. Descent subtracts it, so the factor is 1 - eta*c."
        ),
    ],
)
def gd_stability_steps(rng: Random) -> Inputs:
    """Gradient descent on a parabola"""
    c = rng.choice([1, 2, 4, 5, 8, 10])
    eta = _learning_rate(rng, c, [0.8, 0.6, 0.5, 0.4, 0.2, -0.2, -0.4, -0.5, -0.6, -1.2, -1.5])
    return dict(c=c, eta=eta, w0=rng.choice([-1, 1]) * rng.randint(1, 12), t=rng.randint(2, 5))


@drill(
    GD_QUADRATIC_2D,
    tier=2,
    asks=("eta_max", "w1", "w2"),
    visualization="contour",
    prompt="Gradient descent with learning rate eta = {eta} on L(w1, w2) = (c1 w1^2 + c2 w2^2)/2 with c1 = {c1} and "
    "c2 = {c2} starts at w1 = {w1_0}, w2 = {w2_0}.\n"
    "What is the bound eta_max below which every learning rate converges from every start, and what are w1 and w2 "
    "after {t} steps with learning rate {eta}?",
    hint="Each step multiplies each coordinate by its own factor. For which factors does the coordinate shrink?",
    mistakes=[
        Mistake(
            "half-the-bound",
            "eta_max = 1/max(c1, c2)",
            "That is the bound for steps that do not overshoot. Steps that overshoot still converge while 1 - eta*c "
            "is above "
            "-1, so the bound is twice as large.",
        ),
        Mistake(
            "smallest-curvature",
            "eta_max = 2/min(c1, c2)",
            "You used the smallest curvature. The steepest direction diverges first, so use the largest one.",
        ),
        Mistake("factor-2", "w1 = (1 - 2*eta*c1)^t*w1_0; w2 = (1 - 2*eta*c2)^t*w2_0", HALF_IGNORED),
        Mistake("steps-added", "w1 = (1 - t*eta*c1)*w1_0; w2 = (1 - t*eta*c2)*w2_0", STEPS_ADDED),
        Mistake(
            "one-step",
            "w1 = (1 - eta*c1)*w1_0; w2 = (1 - eta*c2)*w2_0",
            "That is the point after one step. Each further step multiplies by the factor again.",
        ),
        Mistake(
            "sign-lost",
            "w1 = abs(1 - eta*c1)^t*w1_0; w2 = abs(1 - eta*c2)^t*w2_0",
            "You dropped the sign of a negative factor. Such a step jumps to the other side of the minimum, so keep "
            "the sign.",
        ),
    ],
)
def gd_stability(rng: Random) -> Inputs:
    """Stability of gradient descent"""
    steep, flat = rng.choice([4, 5, 8, 10, 16, 20]), rng.choice([0.5, 1, 2, 2.5])
    c1, c2 = rng.sample([steep, flat], 2)
    return dict(
        c1=c1,
        c2=c2,
        eta=_learning_rate(rng, steep, [0.5, 0.2, -0.2, -0.4, -0.5, -0.6, -0.8, -1.2, -1.5]),
        w1_0=rng.choice([-1, 1]) * rng.randint(1, 6),
        w2_0=rng.choice([-1, 1]) * rng.randint(1, 6),
        t=rng.randint(2, 3),
    )


@drill(
    LR_COSINE,
    id="lr-schedules",
    tier=1,
    asks="eta",
    visualization="learning-rate: cosine",
    decimals=5,
    prompt="Cosine annealing lowers the learning rate from {eta0} in epoch 0 to {eta_min} in epoch T = {T}, along half "
    "a period of the cosine. In epoch t = {t}, it is {eta}.",
    hint="The cosine falls from 1 to -1. How do you shift and scale it to fall from the first learning rate to the "
    "last?",
    mistakes=[
        Mistake(
            "degrees",
            "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*t/T*pi/180))/2",
            "You computed the cosine in degrees. The angle pi*t/T is in radians.",
        ),
        Mistake("one-epoch-late", "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*(t + 1)/T))/2", OFF_BY_ONE_EPOCH),
        Mistake("one-epoch-early", "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*(t - 1)/T))/2", OFF_BY_ONE_EPOCH),
        Mistake(
            "linear",
            "eta = eta_min + (eta0 - eta_min)*(1 - t/T)",
            "That is a linear schedule. The cosine falls more slowly at both ends.",
        ),
        Mistake(
            "half-left-out",
            "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*t/T))",
            "You left out the factor 1/2. 1 + cos starts at 2, so halve it to start at the first learning rate.",
        ),
    ],
)
def lr_schedules(rng: Random) -> Inputs:
    """Cosine annealing"""
    T = rng.choice([20, 30, 50, 60, 90, 100, 200])
    t = rng.choice([k for k in range(1, T) if 0.1 * T <= k <= 0.9 * T and 2 * k != T])
    return dict(eta0=rng.choice([0.1, 0.2, 0.05, 0.4, 1]), eta_min=rng.choice([0, 0, 0.001, 0.01]), t=t, T=T)


@drill(
    LR_STEP,
    id="lr-schedules:step",
    tier=1,
    asks=one_of("eta", "eta0"),
    visualization="learning-rate: step",
    decimals=6,
    prompt="Step decay multiplies the learning rate by gamma = {gamma} after every {s} epochs. Epochs are counted from "
    "0. In epoch 0, the learning rate is {eta0}. In epoch t = {t}, it is {eta}.",
    hint="How many times has the learning rate dropped when that epoch begins?",
    mistakes=[
        Mistake(
            "no-floor",
            "eta = eta0*gamma^(t/s)",
            "You let the learning rate fall between two drops. Only completed periods count, so round their number "
            "down.",
        ),
        Mistake("one-epoch-late", "eta = eta0*gamma^floor((t + 1)/s)", OFF_BY_ONE_EPOCH),
        Mistake(
            "not-compounded",
            "eta = eta0*gamma*floor(t/s)",
            "You multiplied by the number of drops. Each drop multiplies by gamma again, so use a power of gamma.",
        ),
        Mistake(
            "one-drop",
            "eta = eta0*gamma",
            "You counted one drop. More than one period is complete, so the learning rate has dropped more than once.",
        ),
    ],
)
def lr_schedules_step(rng: Random) -> Inputs:
    """Step decay"""
    s, gamma = rng.choice([5, 10, 20, 25, 30]), rng.choice([0.1, 0.2, 0.5])
    t = s * rng.choice([2, 2, 3]) + rng.choice([s - 1, rng.randint(1, s - 2), rng.randint(1, s - 2)])
    return dict(eta0=rng.choice([0.1, 0.2, 0.4, 0.5, 1]), gamma=gamma, t=t, s=s)


@drill(
    LR_EXPONENTIAL,
    id="lr-schedules:exponential",
    tier=1,
    asks=one_of("eta", "gamma"),
    visualization="learning-rate: exponential",
    decimals=5,
    prompt="Exponential decay multiplies the learning rate by {gamma} after every epoch. Epochs are counted from 0. "
    "In epoch 0, the learning rate is {eta0}. In epoch t = {t}, it is {eta}.",
    hint="How many epochs are complete when that epoch begins?",
    mistakes=[
        Mistake("one-epoch-late", "eta = eta0*gamma^(t + 1)", OFF_BY_ONE_EPOCH),
        Mistake("one-epoch-early", "eta = eta0*gamma^(t - 1)", OFF_BY_ONE_EPOCH),
        Mistake(
            "not-compounded",
            "eta = eta0*gamma*t",
            "You multiplied by the number of epochs. Each epoch multiplies by the factor again, so use a power of it.",
        ),
        Mistake(
            "linear",
            "eta = eta0*(1 - (1 - gamma)*t)",
            "You subtracted the same amount per epoch. Each epoch scales the current learning rate, so the factors "
            "multiply.",
        ),
    ],
)
def lr_schedules_exponential(rng: Random) -> Inputs:
    """Exponential decay"""
    return dict(
        eta0=rng.choice([0.1, 0.2, 0.5, 1]),
        gamma=rng.choice([0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]),
        t=rng.randint(2, 6),
    )


@drill(
    LR_WARMUP_COSINE,
    id="lr-schedules:warm-up",
    tier=2,
    asks=("eta_a", "eta_b"),
    visualization="learning-rate: warm-up",
    decimals=5,
    prompt="The learning rate grows linearly from 0 at step 0 to {eta0} at step T_w = {T_w} (warmup). Then it falls to "
    "0 over the next T_c = {T_c} steps, along half a period of the cosine. Steps are counted from 0.\n"
    "What is the learning rate at step t_a = {t_a} (eta_a) and at step t_b = {t_b} (eta_b)?",
    hint="The cosine begins at the end of the warmup. How many of its steps are complete at step t_b?",
    mistakes=[
        Mistake(
            "one-step-late",
            "eta_a = eta0*(t_a + 1)/T_w; eta_b = eta0*(1 + cos(pi*(t_b + 1 - T_w)/T_c))/2",
            "You were off by one step. Steps are counted from 0: the learning rate is 0 at step 0 and peaks at step "
            "T_w.",
        ),
        Mistake(
            "no-warm-up",
            "eta_a = eta0",
            "You ignored the warmup. At step t_a, the learning rate is only t_a/T_w of its peak.",
        ),
        Mistake(
            "cosine-from-step-0",
            "eta_b = eta0*(1 + cos(pi*t_b/T_c))/2",
            "You started the cosine at step 0. It begins at the end of the warmup, so count from step T_w.",
        ),
        Mistake(
            "cosine-over-everything",
            "eta_b = eta0*(1 + cos(pi*t_b/(T_w + T_c)))/2",
            "You stretched the cosine over the warmup too. It begins at step T_w and takes T_c steps.",
        ),
        Mistake(
            "degrees",
            "eta_b = eta0*(1 + cos(pi*(t_b - T_w)/T_c*pi/180))/2",
            "You computed the cosine in degrees. Its angle is in radians.",
        ),
    ],
)
def lr_schedules_warm_up(rng: Random) -> Inputs:
    """Warmup, then cosine annealing"""
    T_w, T_c = rng.choice([5, 8, 10, 20]), rng.choice([40, 50, 60, 80, 90, 100])
    t_b = T_w + rng.choice([k for k in range(T_c) if 0.15 * T_c <= k <= 0.8 * T_c])
    return dict(eta0=rng.choice([0.1, 0.2, 0.4, 1]), T_w=T_w, T_c=T_c, t_a=rng.randint(1, T_w - 1), t_b=t_b)
