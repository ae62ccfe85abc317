"""Gradient descent: which learning rates converge, and how they change over time."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.descent import (
    GD_QUADRATIC,
    GD_QUADRATIC_2D,
    LR_COSINE,
    LR_EXPONENTIAL,
    LR_STEP,
    LR_WARMUP_COSINE,
)


def _rate(rng: Random, curvature: float, factors: list[float]) -> float:
    """The learning rate that makes 1 - eta c one of the factors."""
    return round((1 - rng.choice(factors)) / curvature, 6)


@drill(
    GD_QUADRATIC,
    id="gd-stability:steps",
    tier=1,
    asks="w | t | w0",
    visualization="parabola c start=w0 end=w",
    prompt="Gradient descent on L(w) = c w^2/2 with c = {c}: the learning rate is {eta}. It starts at {w0}, and "
    "after {t} steps the parameter is {w}.",
    hint="The gradient is c w: by which factor does one step multiply w?",
)
def gd_stability_steps(rng: Random) -> dict[str, Any]:
    """Gradient descent on a parabola"""
    c = rng.choice([1, 2, 4, 5, 8, 10])
    eta = _rate(rng, c, [0.8, 0.6, 0.5, 0.4, 0.2, -0.2, -0.4, -0.5, -0.6, -1.2, -1.5])
    return dict(c=c, eta=eta, w0=rng.choice([-1, 1]) * rng.randint(1, 12), t=rng.randint(2, 5))


gd_stability_steps.mistake(
    "one-step-too-few", "w = (1 - eta*c)^(t - 1)*w0", "w0 is the parameter before the first step: t steps, t factors."
)
gd_stability_steps.mistake(
    "one-step-too-many", "w = (1 - eta*c)^(t + 1)*w0", "w0 is the parameter before the first step: t steps, t factors."
)
gd_stability_steps.mistake(
    "factor-2", "w = (1 - 2*eta*c)^t*w0", "With the 1/2 in L the gradient is c w, without a factor 2."
)
gd_stability_steps.mistake(
    "steps-added", "w = (1 - t*eta*c)*w0", "Every step starts from where the one before ended: factors multiply."
)
gd_stability_steps.mistake("ascent", "w = (1 + eta*c)^t*w0", "Descent subtracts the gradient: the factor is 1 - eta c.")
gd_stability_steps.torch(
    """
parameter = torch.tensor(float(w0), requires_grad=True)
sgd = torch.optim.SGD([parameter], lr=eta)
for _ in range(t):
    sgd.zero_grad()
    (F.mse_loss(parameter, torch.tensor(0.0)) * c / 2).backward()
    sgd.step()
w = parameter.item()
"""
)


@drill(
    GD_QUADRATIC_2D,
    tier=2,
    asks="eta_max w1 w2",
    visualization="contour",
    prompt="Gradient descent with learning rate eta = {eta} on L(w1, w2) = (c1 w1^2 + c2 w2^2)/2, with c1 = {c1} and "
    "c2 = {c2}, starts at w1 = {w1_0}, w2 = {w2_0}.\n"
    "Below which bound eta_max does every learning rate converge from every start? Where are w1 and w2 after {t} steps "
    "with the learning rate {eta}?",
    hint="Each coordinate is multiplied by its own factor in every step; it shrinks while the factor lies between "
    "-1 and 1.",
)
def gd_stability(rng: Random) -> dict[str, Any]:
    """Stability of gradient descent"""
    steep, flat = rng.choice([4, 5, 8, 10, 16, 20]), rng.choice([0.5, 1, 2, 2.5])
    c1, c2 = rng.sample([steep, flat], 2)
    return dict(
        c1=c1,
        c2=c2,
        eta=_rate(rng, steep, [0.5, 0.2, -0.2, -0.4, -0.5, -0.6, -0.8, -1.2, -1.5]),
        w1_0=rng.choice([-1, 1]) * rng.randint(1, 6),
        w2_0=rng.choice([-1, 1]) * rng.randint(1, 6),
        t=rng.randint(2, 3),
    )


gd_stability.mistake(
    "half-the-bound",
    "eta_max = 1/max(c1, c2)",
    "Up to 1/c the steps don't overshoot, but overshooting still converges while 1 - eta c is above -1: up to 2/c.",
)
gd_stability.mistake(
    "smallest-curvature",
    "eta_max = 2/min(c1, c2)",
    "The steepest direction diverges first: the largest curvature sets the bound.",
)
gd_stability.mistake(
    "factor-2",
    "w1 = (1 - 2*eta*c1)^t*w1_0; w2 = (1 - 2*eta*c2)^t*w2_0",
    "With the 1/2 in L the gradient is c w, without a factor 2.",
)
gd_stability.mistake(
    "steps-added",
    "w1 = (1 - t*eta*c1)*w1_0; w2 = (1 - t*eta*c2)*w2_0",
    "Every step starts from where the one before ended: factors multiply.",
)
gd_stability.mistake(
    "one-step",
    "w1 = (1 - eta*c1)*w1_0; w2 = (1 - eta*c2)*w2_0",
    "That is the place after one step: every further step multiplies once more.",
)
gd_stability.mistake(
    "sign-lost",
    "w1 = abs(1 - eta*c1)^t*w1_0; w2 = abs(1 - eta*c2)^t*w2_0",
    "A negative factor throws the parameter to the other side of the minimum in every step: keep its sign.",
)
gd_stability.torch(
    """
w = torch.tensor([float(w1_0), float(w2_0)], requires_grad=True)
sgd = torch.optim.SGD([w], lr=eta)
curvature = torch.tensor([float(c1), float(c2)])

def loss(w):
    return (curvature * w**2).sum() / 2

for _ in range(t):
    sgd.zero_grad()
    loss(w).backward()
    sgd.step()
w1, w2 = w.tolist()
eta_max = 2 / torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w.detach())).max().item()
"""
)


@drill(
    LR_COSINE,
    id="lr-schedules",
    tier=1,
    asks="eta",
    visualization="learning-rate: cosine",
    decimals=5,
    prompt="Cosine annealing takes the learning rate from {eta0} in epoch 0 to {eta_min} in epoch {T}, over half a "
    "period of the cosine. What is it in epoch {t}?",
    hint="The cosine falls from 1 to -1 over those epochs; shift and scale it to run from the first rate to the last.",
)
def lr_schedules(rng: Random) -> dict[str, Any]:
    """Cosine annealing"""
    T = rng.choice([20, 30, 50, 60, 90, 100, 200])
    t = rng.choice([k for k in range(1, T) if 0.1 * T <= k <= 0.9 * T and 2 * k != T])
    return dict(eta0=rng.choice([0.1, 0.2, 0.05, 0.4, 1]), eta_min=rng.choice([0, 0, 0.001, 0.01]), t=t, T=T)


lr_schedules.mistake(
    "degrees",
    "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*t/T*pi/180))/2",
    "The angle pi t/T is in radians: switch the calculator from degrees.",
)
lr_schedules.mistake(
    "one-epoch-late",
    "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*(t + 1)/T))/2",
    "Epochs are counted from 0 here: epoch t stands at t/T of the way.",
)
lr_schedules.mistake(
    "one-epoch-early",
    "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*(t - 1)/T))/2",
    "Epochs are counted from 0 here: epoch t stands at t/T of the way.",
)
lr_schedules.mistake(
    "linear",
    "eta = eta_min + (eta0 - eta_min)*(1 - t/T)",
    "That is a straight line from the first rate to the last: the cosine falls slowly at both ends.",
)
lr_schedules.mistake(
    "half-left-out",
    "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*t/T))",
    "1 + cos starts at 2: halve it, so that epoch 0 has the first rate.",
)
lr_schedules.torch(
    """
sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(sgd, T_max=T, eta_min=eta_min)
for _ in range(t):
    sgd.step()
    schedule.step()
eta = schedule.get_last_lr()[0]
"""
)


@drill(
    LR_STEP,
    id="lr-schedules:step",
    tier=1,
    asks="eta | eta0",
    visualization="learning-rate: step",
    decimals=6,
    prompt="Step decay multiplies the learning rate by {gamma} after every {s} epochs. Epochs are counted "
    "from 0; epoch 0 has the rate {eta0}, and epoch {t} has {eta}.",
    hint="How many times has the rate dropped before that epoch begins?",
)
def lr_schedules_step(rng: Random) -> dict[str, Any]:
    """Step decay"""
    s, gamma = rng.choice([5, 10, 20, 25, 30]), rng.choice([0.1, 0.2, 0.5])
    t = s * rng.choice([2, 2, 3]) + rng.choice([s - 1, rng.randint(1, s - 2), rng.randint(1, s - 2)])
    return dict(eta0=rng.choice([0.1, 0.2, 0.4, 0.5, 1]), gamma=gamma, t=t, s=s)


lr_schedules_step.mistake(
    "no-floor",
    "eta = eta0*gamma^(t/s)",
    "Between two drops the rate stays as it is: only completed periods count, so round t/s down.",
)
lr_schedules_step.mistake(
    "one-epoch-late",
    "eta = eta0*gamma^floor((t + 1)/s)",
    "Epochs are counted from 0: the first drop comes with epoch s, not with the one before.",
)
lr_schedules_step.mistake(
    "not-compounded", "eta = eta0*gamma*floor(t/s)", "Every drop multiplies once more: gamma to the power of the drops."
)
lr_schedules_step.mistake(
    "one-drop", "eta = eta0*gamma", "More than one period is over: the rate has dropped more than once."
)
lr_schedules_step.torch(
    """
sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
schedule = torch.optim.lr_scheduler.StepLR(sgd, step_size=s, gamma=gamma)
for _ in range(t):
    sgd.step()
    schedule.step()
eta = schedule.get_last_lr()[0]
"""
)


@drill(
    LR_EXPONENTIAL,
    id="lr-schedules:exponential",
    tier=1,
    asks="eta | gamma",
    visualization="learning-rate: exponential",
    decimals=5,
    prompt="Exponential decay multiplies the learning rate by {gamma} after every epoch. Epochs are counted "
    "from 0; epoch 0 has the rate {eta0}, and epoch {t} has {eta}.",
    hint="One factor for every epoch that is over.",
)
def lr_schedules_exponential(rng: Random) -> dict[str, Any]:
    """Exponential decay"""
    return dict(
        eta0=rng.choice([0.1, 0.2, 0.5, 1]),
        gamma=rng.choice([0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]),
        t=rng.randint(2, 6),
    )


lr_schedules_exponential.mistake(
    "one-epoch-late", "eta = eta0*gamma^(t + 1)", "Epoch 0 has the full rate: before epoch t there were t factors."
)
lr_schedules_exponential.mistake(
    "one-epoch-early", "eta = eta0*gamma^(t - 1)", "Epoch 0 has the full rate: before epoch t there were t factors."
)
lr_schedules_exponential.mistake(
    "not-compounded", "eta = eta0*gamma*t", "Every epoch multiplies once more: gamma to the power of the epochs."
)
lr_schedules_exponential.mistake(
    "linear",
    "eta = eta0*(1 - (1 - gamma)*t)",
    "The share that goes is taken from what is left, not from the first rate each time.",
)
lr_schedules_exponential.torch(
    """
sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
schedule = torch.optim.lr_scheduler.ExponentialLR(sgd, gamma=gamma)
for _ in range(t):
    sgd.step()
    schedule.step()
eta = schedule.get_last_lr()[0]
"""
)


@drill(
    LR_WARMUP_COSINE,
    id="lr-schedules:warm-up",
    tier=2,
    asks="eta_a eta_b",
    visualization="learning-rate: warm-up",
    decimals=5,
    prompt="The learning rate grows linearly from 0 at step 0 to {eta0} at step {T_w}, and then falls to 0 over the "
    "{T_c} steps that follow, along half a period of the cosine. Steps are counted from 0.\n"
    "What is it at step {t_a} (eta_a), and at step {t_b} (eta_b)?",
    hint="The cosine begins where the warm-up ends: count its steps from there.",
)
def lr_schedules_warm_up(rng: Random) -> dict[str, Any]:
    """Warm-up, then cosine annealing"""
    T_w, T_c = rng.choice([5, 8, 10, 20]), rng.choice([40, 50, 60, 80, 90, 100])
    t_b = T_w + rng.choice([k for k in range(T_c) if 0.15 * T_c <= k <= 0.8 * T_c])
    return dict(eta0=rng.choice([0.1, 0.2, 0.4, 1]), T_w=T_w, T_c=T_c, t_a=rng.randint(1, T_w - 1), t_b=t_b)


lr_schedules_warm_up.mistake(
    "one-step-late",
    "eta_a = eta0*(t_a + 1)/T_w; eta_b = eta0*(1 + cos(pi*(t_b + 1 - T_w)/T_c))/2",
    "Steps are counted from 0: at step 0 the rate is 0, and at step T_w it is full.",
)
lr_schedules_warm_up.mistake(
    "no-warm-up", "eta_a = eta0", "Within the warm-up the rate is only the share t/T_w of its peak."
)
lr_schedules_warm_up.mistake(
    "cosine-from-step-0",
    "eta_b = eta0*(1 + cos(pi*t_b/T_c))/2",
    "The cosine begins where the warm-up ends: count from step T_w.",
)
lr_schedules_warm_up.mistake(
    "cosine-over-everything",
    "eta_b = eta0*(1 + cos(pi*t_b/(T_w + T_c)))/2",
    "The cosine covers only the steps after the warm-up: count from step T_w, over T_c steps.",
)
lr_schedules_warm_up.mistake(
    "degrees",
    "eta_b = eta0*(1 + cos(pi*(t_b - T_w)/T_c*pi/180))/2",
    "The angle is in radians: switch the calculator from degrees.",
)
lr_schedules_warm_up.torch(
    """
from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
warm_up = LinearLR(sgd, start_factor=1e-12, total_iters=T_w)  # it refuses a start of exactly 0
schedule = SequentialLR(sgd, [warm_up, CosineAnnealingLR(sgd, T_max=T_c)], milestones=[T_w])
rates = []
for _ in range(t_b + 1):
    rates.append(sgd.param_groups[0]["lr"])
    sgd.step()
    schedule.step()
eta_a, eta_b = rates[t_a], rates[t_b]
"""
)
