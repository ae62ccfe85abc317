"""Momentum, and Nesterov's."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.optimization import (
    MOMENTUM_CLASSICAL_TWO_STEPS,
    MOMENTUM_TWO_STEPS,
    NESTEROV_LOOK_AHEAD_TWO_STEPS,
    NESTEROV_TWO_STEPS,
)


def _descent(rng: Random) -> dict[str, Any]:
    """A start, and the gradients of two steps."""
    first, second = (rng.choice([-1, 1]) * rng.randint(2, 20) / 10 for _ in range(2))
    return dict(theta0=rng.randint(-20, 20) / 10, g1=first, g2=second)


@drill(
    MOMENTUM_TWO_STEPS,
    id="sgd-momentum",
    tier=2,
    asks="theta1 theta2",
    visualization="trace: g v theta",
    prompt="SGD with momentum as in PyTorch: v <- beta v + g, then theta <- theta - eta v. It starts at theta = "
    "{theta0} with v = {v0}; beta = {beta}, eta = {eta}. The gradients of the first two steps are {g1} and {g2}. "
    "What is theta after step 1, and after step 2?",
    hint="Carry the velocity on: the second step still moves along the first gradient.",
)
def sgd_momentum(rng: Random) -> dict[str, Any]:
    """Two steps of momentum"""
    return _descent(rng) | dict(v0=0, eta=rng.choice([0.1, 0.2, 0.05]), beta=rng.choice([0.9, 0.8, 0.5]))


sgd_momentum.mistake(
    "averaged-form",
    "v = beta*v_prior + (1 - beta)*g",
    "In the form given here the gradient enters whole: the factor 1 - beta belongs to an exponential average.",
)
sgd_momentum.mistake(
    "velocity-restarted", "v = g", "The velocity is kept from step to step: beta of the old one stays."
)
sgd_momentum.mistake(
    "eta-twice",
    "v = beta*v_prior + eta*g; theta = theta_prior - eta*v",
    "The learning rate acts once: here it stands outside the velocity.",
)
sgd_momentum.mistake("ascent", "theta = theta_prior + eta*v", "Here v adds up gradients: subtract eta v to descend.")
sgd_momentum.mistake(
    "nesterov",
    "theta = theta_prior - eta*(g + beta*v)",
    "That is Nesterov's step: plain momentum moves by eta v.",
)
sgd_momentum.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
sgd = torch.optim.SGD([theta], lr=eta, momentum=beta)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    sgd.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)


@drill(
    MOMENTUM_CLASSICAL_TWO_STEPS,
    id="sgd-momentum:classical",
    tier=2,
    asks="theta1 theta2",
    visualization="trace: eta g v theta",
    prompt="Momentum in its classical form: v <- gamma v + eta g, then theta <- theta - v. It starts at theta = "
    "{theta0} with v = {v0}; gamma = {gamma}. Step 1 has the gradient {g1} and the learning rate {eta1}, step 2 the "
    "gradient {g2} and the learning rate {eta2}. What is theta after step 1, and after step 2?",
    hint="The old velocity was made with the old learning rate, and keeps it.",
)
def sgd_momentum_classical(rng: Random) -> dict[str, Any]:
    """Classical momentum while the learning rate drops"""
    eta1, eta2 = rng.choice([(0.1, 0.01), (0.1, 0.05), (0.2, 0.1), (0.2, 0.02), (0.5, 0.1)])
    return _descent(rng) | dict(v0=0, eta1=eta1, eta2=eta2, gamma=rng.choice([0.9, 0.8, 0.5]))


sgd_momentum_classical.mistake(
    "rate-outside",
    "v = gamma*v_prior + g; theta = theta_prior - eta*v",
    "With the learning rate outside, as PyTorch has it, the new rate scales the old velocity too: the two forms "
    "agree only while the rate stays the same.",
)
sgd_momentum_classical.mistake(
    "averaged-form",
    "v = gamma*v_prior + (1 - gamma)*eta*g",
    "In the form given here eta g enters whole: the factor 1 - gamma belongs to an exponential average.",
)
sgd_momentum_classical.mistake(
    "velocity-restarted", "v = eta*g", "The velocity is kept from step to step: gamma of the old one stays."
)
sgd_momentum_classical.mistake(
    "eta-twice", "theta = theta_prior - eta*v", "The learning rate is in the velocity already: subtract v itself."
)
sgd_momentum_classical.mistake("ascent", "theta = theta_prior + v", "Here v adds up gradients: subtract it to descend.")
sgd_momentum_classical.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
sgd = torch.optim.SGD([theta], lr=1, momentum=gamma)  # with rate 1, and the rate in each gradient, the forms agree
trace = []
for gradient, eta in ((g1, eta1), (g2, eta2)):
    theta.grad = torch.tensor(float(gradient)) * eta
    sgd.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)


@drill(
    NESTEROV_TWO_STEPS,
    id="nesterov",
    tier=2,
    asks="theta1 theta2",
    visualization="trace: g v theta",
    prompt="SGD with Nesterov momentum as in PyTorch: v <- beta v + g, then theta <- theta - eta (g + beta v), with "
    "the new v. It starts at theta = {theta0} with v = {v0}; beta = {beta}, eta = {eta}. The gradients of the first "
    "two steps are {g1} and {g2}. What is theta after step 1, and after step 2?",
    hint="First the new velocity; then the step, in which the gradient counts once more beside it.",
)
def nesterov(rng: Random) -> dict[str, Any]:
    """Two steps of Nesterov momentum"""
    return _descent(rng) | dict(v0=0, eta=rng.choice([0.1, 0.2, 0.05]), beta=rng.choice([0.9, 0.8, 0.5]))


nesterov.mistake(
    "plain-momentum", "theta = theta_prior - eta*v", "That is plain momentum: Nesterov's step is eta (g + beta v)."
)
nesterov.mistake(
    "beta-left-out", "theta = theta_prior - eta*(g + v)", "The new velocity enters the step times beta: g + beta v."
)
nesterov.mistake("velocity-restarted", "v = g", "The velocity is kept from step to step: beta of the old one stays.")
nesterov.mistake(
    "ascent", "theta = theta_prior + eta*(g + beta*v)", "Here v adds up gradients: subtract the step to descend."
)
nesterov.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
sgd = torch.optim.SGD([theta], lr=eta, momentum=beta, nesterov=True)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    sgd.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)


@drill(
    NESTEROV_LOOK_AHEAD_TWO_STEPS,
    id="nesterov:look-ahead",
    tier=2,
    asks="theta1 theta2",
    visualization="parabola c start=theta0",
    prompt="Nesterov momentum in its original form: g is the gradient at the look-ahead point theta + mu v, then "
    "v <- mu v - eta g and theta <- theta + v. The loss is L(theta) = c theta^2/2 with c = {c}; it starts at theta = "
    "{theta0} with v = {v0}; mu = {mu}, eta = {eta}. What is theta after step 1, and after step 2?",
    hint="In step 1 there is no velocity yet, so the look-ahead point is theta itself; in step 2 it is not.",
)
def nesterov_look_ahead(rng: Random) -> dict[str, Any]:
    """Nesterov momentum with a look-ahead gradient"""
    c = rng.choice([1, 2, 4, 5])
    return dict(
        theta0=rng.choice([-1, 1]) * rng.randint(2, 20) / 2,
        v0=0,
        c=c,
        eta=rng.choice([0.05, 0.1, 0.2]),
        mu=rng.choice([0.9, 0.8, 0.5]),
    )


nesterov_look_ahead.mistake(
    "gradient-at-theta",
    "g = c*theta_prior",
    "That is classical momentum: Nesterov takes the gradient where the velocity is about to carry theta.",
)
nesterov_look_ahead.mistake(
    "whole-velocity-ahead",
    "g = c*(theta_prior + v_prior)",
    "The look-ahead goes mu v ahead, the part of the velocity that is kept, not the whole of it.",
)
nesterov_look_ahead.mistake(
    "velocity-restarted", "v = -eta*g", "The velocity is kept from step to step: mu of the old one stays."
)
nesterov_look_ahead.mistake(
    "ascent", "v = mu*v_prior + eta*g", "The gradient is subtracted from the velocity, which is then added to theta."
)
nesterov_look_ahead.mistake(
    "factor-2", "g = 2*c*(theta_prior + mu*v_prior)", "With the 1/2 in L the gradient is c theta, without a factor 2."
)
nesterov_look_ahead.torch(
    """
ahead = torch.tensor(float(theta0), requires_grad=True)  # PyTorch keeps the look-ahead point theta + mu v
sgd = torch.optim.SGD([ahead], lr=eta, momentum=mu, nesterov=True)
trace = []
for _ in range(2):
    sgd.zero_grad()
    (c * ahead**2 / 2).backward()
    sgd.step()
    trace.append((ahead + mu * eta * sgd.state[ahead]["momentum_buffer"]).item())
theta1, theta2 = trace
"""
)
