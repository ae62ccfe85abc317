"""Checks of the drills about Adam."""

from typing import Any

import torch

from quizzes.content.optimization.checks import optimizer_trace


def adam_step(
    theta0: float, g1: float, g2: float, eta: float, beta1: float, beta2: float, epsilon: float
) -> dict[str, Any]:
    theta1, theta2 = optimizer_trace(
        lambda params: torch.optim.Adam(params, lr=eta, betas=(beta1, beta2), eps=epsilon), theta0, [g1, g2]
    )
    return dict(theta1=theta1, theta2=theta2)


def adagrad(theta0: float, g1: float, g2: float, eta: float, epsilon: float) -> dict[str, Any]:
    theta1, theta2 = optimizer_trace(lambda params: torch.optim.Adagrad(params, lr=eta, eps=epsilon), theta0, [g1, g2])
    return dict(theta1=theta1, theta2=theta2)


def rmsprop(theta0: float, g1: float, g2: float, eta: float, rho: float, epsilon: float) -> dict[str, Any]:
    theta = torch.tensor(float(theta0), requires_grad=True)
    optimizer = torch.optim.RMSprop([theta], lr=eta, alpha=rho, eps=epsilon)
    trace = []
    for gradient in (g1, g2):
        theta.grad = torch.tensor(float(gradient))
        optimizer.step()
        trace.append((optimizer.state[theta]["square_avg"].item(), theta.item()))
    (s1, theta1), (s2, theta2) = trace
    return dict(s1=s1, theta1=theta1, s2=s2, theta2=theta2)


def adamw_vs_l2(
    theta0: float, g1: float, g2: float, eta: float, beta1: float, beta2: float, epsilon: float, lam: float
) -> dict[str, Any]:
    theta1, theta2 = optimizer_trace(
        lambda params: torch.optim.AdamW(params, lr=eta, betas=(beta1, beta2), eps=epsilon, weight_decay=lam),
        theta0,
        [g1, g2],
    )
    return dict(theta1=theta1, theta2=theta2)


def adamw_vs_l2_l2(
    theta0: float, g1: float, g2: float, eta: float, beta1: float, beta2: float, epsilon: float, lam: float
) -> dict[str, Any]:
    # Adam adds weight_decay * theta to the gradient, as an L2 penalty does.
    theta1, theta2 = optimizer_trace(
        lambda params: torch.optim.Adam(params, lr=eta, betas=(beta1, beta2), eps=epsilon, weight_decay=lam),
        theta0,
        [g1, g2],
    )
    return dict(theta1=theta1, theta2=theta2)
