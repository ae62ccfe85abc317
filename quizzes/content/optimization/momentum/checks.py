"""Momentum: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch


def sgd_momentum(theta0: float, g1: float, g2: float, eta: float, beta: float) -> dict[str, Any]:
    theta = torch.tensor(float(theta0), requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=eta, momentum=beta)
    trace = []
    for gradient in (g1, g2):
        theta.grad = torch.tensor(float(gradient))
        optimizer.step()
        trace += [theta.item()]
    theta1, theta2 = trace
    return dict(theta1=theta1, theta2=theta2)


def sgd_momentum_classical(
    theta0: float, g1: float, g2: float, eta1: float, eta2: float, gamma: float
) -> dict[str, Any]:
    theta = torch.tensor(float(theta0), requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=1, momentum=gamma)  # the gradients below include the learning rate
    trace = []
    for gradient in (eta1 * g1, eta2 * g2):
        theta.grad = torch.tensor(float(gradient))
        optimizer.step()
        trace += [theta.item()]
    theta1, theta2 = trace
    return dict(theta1=theta1, theta2=theta2)


def nesterov(theta0: float, g1: float, g2: float, eta: float, beta: float) -> dict[str, Any]:
    theta = torch.tensor(float(theta0), requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=eta, momentum=beta, nesterov=True)
    trace = []
    for gradient in (g1, g2):
        theta.grad = torch.tensor(float(gradient))
        optimizer.step()
        trace += [theta.item()]
    theta1, theta2 = trace
    return dict(theta1=theta1, theta2=theta2)


def nesterov_look_ahead(theta0: float, eta: float, c: float, mu: float) -> dict[str, Any]:
    ahead = torch.tensor(float(theta0), requires_grad=True)  # PyTorch stores the look-ahead point theta + mu*v
    optimizer = torch.optim.SGD([ahead], lr=eta, momentum=mu, nesterov=True)
    trace = []
    for _ in range(2):
        optimizer.zero_grad()
        (c * ahead**2 / 2).backward()
        optimizer.step()
        trace.append((ahead + mu * eta * optimizer.state[ahead]["momentum_buffer"]).item())
    theta1, theta2 = trace
    return dict(theta1=theta1, theta2=theta2)
