"""Adam, its forerunners AdaGrad and RMSProp, and weight decay beside it."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.optimization import (
    ADAGRAD_TWO_STEPS,
    ADAM_L2_TWO_STEPS,
    ADAM_TWO_STEPS,
    ADAMW_TWO_STEPS,
    RMSPROP_TWO_STEPS,
)


@drill(
    ADAM_TWO_STEPS,
    tier=2,
    asks="theta1 theta2",
    visualization="trace: g m v theta",
    prompt="Adam starts at theta = {theta0} with m = v = 0. The gradients of the first two steps are {g1} and {g2}.\n"
    "Learning rate {eta}, beta1 = {beta1}, beta2 = {beta2}, epsilon = {epsilon} (added to the root, outside it). "
    "What is theta after step 1, and after step 2?",
    hint="Divide the moments by 1 - beta^t before you use them; t is 1 in the first step.",
)
def adam_step(rng: Random) -> dict[str, Any]:
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


adam_step.mistake(
    "no-bias-correction",
    "mhat = m; vhat = v",
    "Both moments start at 0 and are too small at first: divide by 1 - beta^t.",
)
adam_step.mistake(
    "no-root",
    "theta = theta_prior - eta*mhat/(vhat + epsilon)",
    "The step is divided by the root of the second moment, not by the moment itself.",
)
adam_step.mistake(
    "betas-swapped",
    "m = beta2*m_prior + (1 - beta2)*g; v = beta1*v_prior + (1 - beta1)*g^2; mhat = m/(1 - beta2^t); vhat = "
    "v/(1 - beta1^t)",
    "beta1 belongs to the mean of the gradients, beta2 to the mean of their squares.",
)
adam_step.mistake(
    "ascent", "theta = theta_prior + eta*mhat/(sqrt(vhat) + epsilon)", "Descent subtracts the step: theta - eta ..."
)
adam_step.mistake(
    "first-moment-not-carried",
    "m = (1 - beta1)*g",
    "The first moment keeps beta1 of what it was: it does not start anew.",
)
adam_step.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
adam = torch.optim.Adam([theta], lr=eta, betas=(beta1, beta2), eps=epsilon)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    adam.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)


def _descent(rng: Random) -> dict[str, Any]:
    """A start other than 0, and the gradients of two steps."""
    first, second = (rng.choice([-1, 1]) * rng.randint(5, 30) / 10 for _ in range(2))
    return dict(theta0=rng.choice([-1, 1]) * rng.randint(5, 30) / 10, g1=first, g2=second)


@drill(
    ADAGRAD_TWO_STEPS,
    id="adagrad",
    tier=2,
    asks="theta1 theta2",
    visualization="trace: g s theta",
    prompt="AdaGrad starts at theta = {theta0} with s = {s0}. The gradients of the first two steps are {g1} and {g2}; "
    "the learning rate is {eta}, epsilon = {epsilon} (added to the root, outside it). "
    "What is theta after step 1, and after step 2?",
    hint="Add the square of each new gradient to s before you divide by its root.",
)
def adagrad(rng: Random) -> dict[str, Any]:
    """Two steps of AdaGrad"""
    return _descent(rng) | dict(s0=0, eta=rng.choice([0.1, 0.2, 0.5]), epsilon=1e-10)


adagrad.mistake(
    "decaying-mean",
    "s = 0.9*s_prior + 0.1*g^2",
    "AdaGrad forgets nothing: s is the plain sum of all squares. A decaying mean (here with 0.9) is RMSProp's.",
)
adagrad.mistake(
    "no-root",
    "theta = theta_prior - eta*g/(s + epsilon)",
    "The step is divided by the root of the sum of squares, not by the sum itself.",
)
adagrad.mistake(
    "last-gradient-only", "s = g^2", "s adds up the squares of all gradients so far, not only of the last one."
)
adagrad.mistake("ascent", "theta = theta_prior + eta*g/(sqrt(s) + epsilon)", "Descent subtracts the step.")
adagrad.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
optimiser = torch.optim.Adagrad([theta], lr=eta, eps=epsilon)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    optimiser.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)


@drill(
    RMSPROP_TWO_STEPS,
    id="rmsprop",
    tier=2,
    asks="s1 theta1 s2 theta2",
    visualization="trace: g s theta",
    prompt="RMSProp, without momentum and not centred, starts at theta = {theta0} with s = {s0}. The gradients of the "
    "first two steps are {g1} and {g2}; the learning rate is {eta}, rho = {rho} (the part of the old s that stays), "
    "epsilon = {epsilon} (added to the root, outside it). "
    "What are s and theta after step 1, and after step 2?",
    hint="s keeps rho of its old value and takes 1 - rho of the new square; nothing is corrected afterwards.",
)
def rmsprop(rng: Random) -> dict[str, Any]:
    """Two steps of RMSProp"""
    return _descent(rng) | dict(s0=0, eta=rng.choice([0.1, 0.05, 0.01]), rho=rng.choice([0.9, 0.99]), epsilon=1e-8)


rmsprop.mistake(
    "no-decay",
    "s = s_prior + g^2",
    "That is AdaGrad's sum: RMSProp keeps rho of the old mean and adds 1 - rho of the new square.",
)
rmsprop.mistake(
    "rho-swapped",
    "s = (1 - rho)*s_prior + rho*g^2",
    "rho, near 1, belongs to the old mean; the new square gets the small rest.",
)
rmsprop.mistake(
    "bias-correction",
    "theta = theta_prior - eta*g/(sqrt(s/(1 - rho^t)) + epsilon)",
    "RMSProp does not correct the bias of s: dividing by 1 - rho^t is Adam's.",
)
rmsprop.mistake(
    "no-root",
    "theta = theta_prior - eta*g/(s + epsilon)",
    "The step is divided by the root of the mean of squares, not by the mean itself.",
)
rmsprop.mistake(
    "not-squared", "s = rho*s_prior + (1 - rho)*g", "s is a mean of squares: square the gradient before it enters."
)
rmsprop.mistake("ascent", "theta = theta_prior + eta*g/(sqrt(s) + epsilon)", "Descent subtracts the step.")
rmsprop.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
optimiser = torch.optim.RMSprop([theta], lr=eta, alpha=rho, eps=epsilon)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    optimiser.step()
    trace += [optimiser.state[theta]["square_avg"].item(), theta.item()]
s1, theta1, s2, theta2 = trace
"""
)


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
    " starts at theta = {theta0} with m = {m0}, v = {v0}. The gradients of the loss alone in the first two steps are "
    "{g1} and {g2}. Learning rate {eta}, weight decay lam = {lam}, beta1 = {beta1}, beta2 = {beta2}, epsilon = "
    "{epsilon} (added to the root, outside it), with bias correction. What is theta after step 1, and after step 2?"
)


@drill(
    ADAMW_TWO_STEPS,
    id="adamw-vs-l2",
    tier=3,
    asks="theta1 theta2",
    visualization="trace: g m v theta",
    prompt="AdamW as in PyTorch (decoupled weight decay, times the learning rate)" + WITH_DECAY,
    hint="First shrink theta by the factor 1 - eta lam, then take Adam's step with moments of the raw gradients.",
)
def adamw_vs_l2(rng: Random) -> dict[str, Any]:
    """Two steps of AdamW"""
    return _decayed(rng)


adamw_vs_l2.mistake(
    "l2-in-the-gradient",
    "m = beta1*m_prior + (1 - beta1)*(g + lam*theta_prior); v = beta2*v_prior + (1 - beta2)*(g + lam*theta_prior)^2; "
    "theta = theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
    "That is Adam with an L2 penalty: in AdamW the decay stays out of the gradient and of both moments.",
)
adamw_vs_l2.mistake(
    "decay-without-rate",
    "theta = (1 - lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
    "The decay is multiplied by the learning rate: the factor is 1 - eta lam.",
)
adamw_vs_l2.mistake(
    "decay-grows",
    "theta = (1 + eta*lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
    "Decay pulls theta towards 0: the factor is 1 - eta lam.",
)
adamw_vs_l2.mistake(
    "no-bias-correction",
    "mhat = m; vhat = v",
    "Both moments start at 0 and are too small at first: divide by 1 - beta^t.",
)
adamw_vs_l2.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
adam = torch.optim.AdamW([theta], lr=eta, betas=(beta1, beta2), eps=epsilon, weight_decay=lam)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    adam.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)


@drill(
    ADAM_L2_TWO_STEPS,
    id="adamw-vs-l2:l2",
    tier=3,
    asks="theta1 theta2",
    visualization="trace: g m v theta",
    prompt="Adam with the penalty lam theta^2/2 in the loss (PyTorch's Adam with weight_decay: lam theta is added to "
    "every gradient)" + WITH_DECAY,
    hint="Add lam theta to the gradient first, with the theta before the step; then it is plain Adam.",
)
def adamw_vs_l2_l2(rng: Random) -> dict[str, Any]:
    """Two steps of Adam with an L2 penalty"""
    return _decayed(rng)


adamw_vs_l2_l2.mistake(
    "decoupled",
    "gl = g; theta = (1 - eta*lam)*theta_prior - eta*mhat/(sqrt(vhat) + epsilon)",
    "That is AdamW: a penalty in the loss is part of the gradient, and of both moments.",
)
adamw_vs_l2_l2.mistake(
    "penalty-left-out", "gl = g", "The penalty has a gradient too: add lam theta to that of the loss."
)
adamw_vs_l2_l2.mistake(
    "factor-2", "gl = g + 2*lam*theta_prior", "With the 1/2 in the penalty its gradient is lam theta."
)
adamw_vs_l2_l2.mistake(
    "no-bias-correction",
    "mhat = m; vhat = v",
    "Both moments start at 0 and are too small at first: divide by 1 - beta^t.",
)
adamw_vs_l2_l2.torch(
    """
theta = torch.tensor(float(theta0), requires_grad=True)
adam = torch.optim.Adam([theta], lr=eta, betas=(beta1, beta2), eps=epsilon, weight_decay=lam)
trace = []
for gradient in (g1, g2):
    theta.grad = torch.tensor(float(gradient))
    adam.step()
    trace.append(theta.item())
theta1, theta2 = trace
"""
)
