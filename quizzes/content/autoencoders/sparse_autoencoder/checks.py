"""Checks of the drills about sparse autoencoders."""

from typing import Any

import torch
from torch import Tensor
from torch.distributions import Bernoulli, kl_divergence


def kl_sparsity(rho: float, q: Tensor) -> Tensor:
    return kl_divergence(Bernoulli(torch.tensor(float(rho))), Bernoulli(q)).sum()


def kl_sparsity_loss(A: Tensor, rho: float, beta: float, rec: float) -> dict[str, Any]:
    q = A.mean(dim=0)
    K = kl_divergence(Bernoulli(torch.tensor(float(rho))), Bernoulli(q)).sum()
    return dict(q=q, K=K, L=rec + beta * K)


def kl_sparsity_gradient(rho: float) -> dict[str, Any]:
    q = torch.linspace(0.07, 0.93, 8, requires_grad=True)
    penalty = kl_divergence(Bernoulli(torch.tensor(float(rho))), Bernoulli(q)).sum()
    return dict(g=torch.autograd.grad(penalty, q)[0], q=q)


def kl_sparsity_weight(rec: float, beta: float, K: float) -> float:
    return float(torch.add(torch.tensor(float(rec)), torch.tensor(float(K)), alpha=beta))
