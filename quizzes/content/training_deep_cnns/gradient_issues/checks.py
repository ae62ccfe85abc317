"""Checks of the drills about vanishing and exploding gradients."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def vanishing_gradient(activation: str, w: Tensor) -> Tensor:
    h = first = torch.tensor(0.3, requires_grad=True)
    for weight in w:
        z = weight * h
        h = getattr(torch, activation)(z - z.detach())  # at a pre-activation of 0, where the slope is largest
    return torch.autograd.grad(h, first)[0].abs()


def vanishing_depth(a: float, k: int) -> dict[str, Any]:
    h = first = torch.tensor(0.3, requires_grad=True)
    bound, bounds = 1.0, []
    while bound >= 10.0**-k:
        z = a * h
        h = torch.sigmoid(z - z.detach())  # at a pre-activation of 0, where the slope is largest
        bound = torch.autograd.grad(h, first, retain_graph=True)[0].item()
        bounds.append(bound)
    r = -torch.tensor(bounds[0]).log10()
    return dict(r=r, L=len(bounds))


def grad_clip_norm(g_w: Tensor, g_b: float, c: float) -> dict[str, Any]:
    weight, bias = torch.zeros_like(g_w, requires_grad=True), torch.tensor(0.0, requires_grad=True)
    weight.grad, bias.grad = g_w, torch.tensor(float(g_b))
    n = torch.nn.utils.clip_grad_norm_([weight, bias], c)  # divides by n + 1e-6
    return dict(n=n, clipped_w=weight.grad, clipped_b=bias.grad)


def variance_propagation(n: int, v: float, q: float) -> Tensor:
    weights = torch.distributions.Normal(torch.zeros(n), torch.full((n,), float(v)).sqrt())
    mean_squares = torch.full((n,), float(q))
    return weights.variance @ mean_squares  # the terms are independent with mean 0, so their variances add up


def variance_depth(n: int, v: float, q: float, L: int) -> dict[str, Any]:
    def relu_mean_square(variance: Tensor) -> Tensor:
        # A numerical integral over the normal distribution of z, independent of the factor 1/2 in the formula.
        z = torch.linspace(-14, 14, 20001) * variance.sqrt()
        density = torch.distributions.Normal(0.0, variance.sqrt()).log_prob(z).exp()
        return torch.trapezoid(F.relu(z) ** 2 * density, z)

    weight_variances = torch.full((n,), float(v))
    V = V1 = weight_variances @ torch.full((n,), float(q))
    for _ in range(L - 1):
        V = weight_variances @ relu_mean_square(V).expand(n)
    return dict(V1=V1, V=V)


def gradient_norm_profile(g: Tensor, L: int) -> dict[str, Any]:
    import numpy as np

    slope, last = np.polyfit(range(len(g)), np.log(g.numpy()), 1)  # a straight line through the logarithms
    return dict(factor=np.exp(slope), first=np.exp(last + slope * (L - 1)), problem=1 if slope < 0 else 2)
