"""Vanishing and exploding gradients: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def vanishing_gradient(activation: str, w: Tensor) -> float:
    h = first = torch.tensor(0.3, requires_grad=True)
    for weight in w:
        z = weight * h
        h = getattr(torch, activation)(z - z.detach())  # pre-activation 0, where the derivative is largest
    return torch.autograd.grad(h, first)[0].abs()


def vanishing_depth(a: float, k: int) -> dict[str, Any]:
    h = first = torch.tensor(0.3, requires_grad=True)
    bound, bounds = 1.0, []
    while bound >= 10.0**-k:
        z = a * h
        h = torch.sigmoid(z - z.detach())
        bound = torch.autograd.grad(h, first, retain_graph=True)[0].item()
        bounds.append(bound)
    L = len(bounds)
    r = -torch.tensor(bounds[0]).log10()
    return dict(r=r, L=L)


def grad_clip_norm(g_w: Tensor, g_b: float, c: float) -> dict[str, Any]:
    weight, bias = torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(()))
    weight.grad, bias.grad = g_w.clone(), torch.tensor(float(g_b))
    n = torch.nn.utils.clip_grad_norm_([weight, bias], c)  # divides by n + 1e-6
    clipped_w, clipped_b = weight.grad, bias.grad
    return dict(n=n, clipped_w=clipped_w, clipped_b=clipped_b)


def variance_propagation(n: int, v: float, q: float) -> float:
    inputs = torch.full((n,), float(q)).sqrt()
    weights = torch.distributions.Normal(torch.zeros(n), torch.full((n,), float(v)).sqrt())
    return F.linear(inputs**2, weights.variance[None])[0]


def variance_depth(n: int, v: float, q: float, L: int) -> dict[str, Any]:
    def relu_mean_square(variance):
        z = torch.linspace(-14, 14, 20001) * variance**0.5
        density = torch.distributions.Normal(0.0, variance**0.5).log_prob(z).exp()
        return torch.trapezoid(F.relu(z) ** 2 * density, z)

    row = torch.full((1, n), float(v))
    V1 = V = F.linear(torch.full((n,), float(q)), row)[0]
    for _ in range(L - 1):
        V = F.linear(relu_mean_square(V).expand(n), row)[0]
    return dict(V1=V1, V=V)
