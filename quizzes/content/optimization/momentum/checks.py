"""Checks of the drills about momentum."""

from typing import Any

import torch

from quizzes.content.optimization.checks import optimizer_trace


def sgd_momentum(theta0: float, g1: float, g2: float, eta: float, beta: float) -> dict[str, Any]:
    theta1, theta2 = optimizer_trace(lambda params: torch.optim.SGD(params, lr=eta, momentum=beta), theta0, [g1, g2])
    return dict(theta1=theta1, theta2=theta2)


def sgd_momentum_classical(
    theta0: float, g1: float, g2: float, eta1: float, eta2: float, gamma: float
) -> dict[str, Any]:
    # PyTorch multiplies the velocity by the learning rate, the classical form the gradient. So the gradients include
    # the learning rate here, and the optimizer's is 1.
    theta1, theta2 = optimizer_trace(
        lambda params: torch.optim.SGD(params, lr=1, momentum=gamma), theta0, [eta1 * g1, eta2 * g2]
    )
    return dict(theta1=theta1, theta2=theta2)


def nesterov(theta0: float, g1: float, g2: float, eta: float, beta: float) -> dict[str, Any]:
    theta1, theta2 = optimizer_trace(
        lambda params: torch.optim.SGD(params, lr=eta, momentum=beta, nesterov=True), theta0, [g1, g2]
    )
    return dict(theta1=theta1, theta2=theta2)


def nesterov_look_ahead(theta0: float, eta: float, c: float, mu: float) -> dict[str, Any]:
    # PyTorch's parameter is the look-ahead point theta + mu*v, where v = -eta * momentum_buffer.
    ahead = torch.tensor(float(theta0), requires_grad=True)
    optimizer = torch.optim.SGD([ahead], lr=eta, momentum=mu, nesterov=True)
    trace = []
    for _ in range(2):
        optimizer.zero_grad()
        (c * ahead**2 / 2).backward()
        optimizer.step()
        trace.append((ahead + mu * eta * optimizer.state[ahead]["momentum_buffer"]).item())
    theta1, theta2 = trace
    return dict(theta1=theta1, theta2=theta2)
