"""Checks of the drills about the forward pass, the backward pass and the chain rule."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def backprop_2layer_scalar(x: float, w1: float, b1: float, w2: float, b2: float, t: float) -> dict[str, Any]:
    weight1, weight2 = (torch.tensor(float(value), requires_grad=True) for value in (w1, w2))
    z1 = weight1 * x + b1
    h = torch.sigmoid(z1)
    z2 = weight2 * h + b2
    y = torch.sigmoid(z2)
    loss = F.mse_loss(y, torch.tensor(float(t))) / 2
    g_w1, g_w2, delta1, delta2 = torch.autograd.grad(loss, (weight1, weight2, z1, z2))
    return dict(h=h, y=y, delta2=delta2, g_w2=g_w2, delta1=delta1, g_w1=g_w1)


def backprop_2layer_softmax(x: Tensor, W1: Tensor, W2: Tensor, t: Tensor) -> dict[str, Any]:
    W1.requires_grad_()
    W2.requires_grad_()
    z1 = W1 @ x
    z2 = W2 @ F.relu(z1)
    G2, G1, delta2, delta1 = torch.autograd.grad(F.cross_entropy(z2, t), (W2, W1, z2, z1))
    return dict(p=F.softmax(z2, dim=0), delta2=delta2, G2=G2, delta1=delta1, G1=G1)


def matmul_grads(X: Tensor, W: Tensor, dY: Tensor) -> dict[str, Any]:
    b = torch.zeros(W.shape[1])
    inputs = [tensor.requires_grad_() for tensor in (X, W, b)]
    dX, dW, db = torch.autograd.grad(X @ W + b, inputs, grad_outputs=dY)
    return dict(dX=dX, dW=dW, db=db)


def matmul_grad_shapes(N: int, d: int, m: int) -> dict[str, Any]:
    X, W, b = (torch.zeros(shape, requires_grad=True) for shape in ((N, d), (d, m), (m,)))
    dX, dW, db = (list(grad.shape) for grad in torch.autograd.grad((X @ W + b).sum(), (X, W, b)))
    return dict(dX=dX, dW=dW, db=db)


def grad_check(a: float, b: float, x: float, h: float) -> dict[str, Any]:
    points = torch.tensor([float(x - h), float(x), float(x + h)], requires_grad=True)
    values = a * points**3 + b * points**2
    n = torch.gradient(values.detach(), spacing=h)[0][1].item()  # the central difference at x
    g = torch.autograd.grad(values.sum(), points)[0][1].item()
    # By Taylor's theorem, n - g is exactly a*h^2 for a cubic. A difference of n and g would lose digits.
    r = abs(a) * h**2 / max(abs(g), abs(n))
    return dict(n=n, g=g, r=r)


def training_step(x: Tensor, W1: Tensor, b1: Tensor, w2: Tensor, b2: float, t: int, eta: float) -> dict[str, Any]:
    bias2 = torch.tensor(float(b2))
    parameters = [parameter.requires_grad_() for parameter in (W1, b1, w2, bias2)]
    z1 = F.linear(x, W1, b1)
    h = F.relu(z1)
    z2 = w2 @ h + bias2
    y = torch.sigmoid(z2)
    loss = F.binary_cross_entropy_with_logits(z2, torch.tensor(float(t)))
    delta2, delta1, g2, G1 = torch.autograd.grad(loss, (z2, z1, w2, W1), retain_graph=True)
    loss.backward()
    torch.optim.SGD(parameters, lr=eta).step()  # changes the parameters in place
    return dict(
        h=h,
        y=y,
        L=loss,
        delta2=delta2,
        g2=g2,
        delta1=delta1,
        G1=G1,
        w2_new=w2,
        b2_new=bias2,
        W1_new=W1,
        b1_new=b1,
    )


def backprop_expression(x: int, t: int) -> dict[str, Any]:
    w1 = torch.linspace(-1.9, 1.7, 8, requires_grad=True)
    w2 = torch.linspace(1.3, -1.6, 8, requires_grad=True)
    y = torch.sigmoid(w2 * torch.sigmoid(w1 * x))
    loss = F.mse_loss(y, torch.full_like(y, t), reduction="sum") / 2
    g_w1, g_w2 = torch.autograd.grad(loss, (w1, w2))
    return dict(g_w1=g_w1, g_w2=g_w2, w1=w1, w2=w2)
