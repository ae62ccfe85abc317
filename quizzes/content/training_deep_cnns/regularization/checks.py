"""Checks of the drills about L1, L2, weight decay and dropout."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from quizzes.content.training_deep_cnns.checks import weight_decay_step


def l1_l2_penalty(w: Tensor, lam: float) -> dict[str, Any]:
    w.requires_grad_()
    L1 = lam * F.l1_loss(w, torch.zeros_like(w), reduction="sum")
    L2 = lam * F.mse_loss(w, torch.zeros_like(w), reduction="sum")
    g1, g2 = (torch.autograd.grad(penalty, w)[0] for penalty in (L1, L2))
    return dict(L1=L1, L2=L2, g1=g1, g2=g2)


def weight_decay_sgd(w: float, g_w: float, b: float, g_b: float, eta: float, lam: float) -> dict[str, float]:
    return weight_decay_step(w, g_w, b, g_b, eta, lam)


def weight_decay_from_step(w: float, g_w: float, b: float, g_b: float, eta: float, lam: float) -> dict[str, float]:
    return weight_decay_step(w, g_w, b, g_b, eta, lam)


def ridge_slope(x: Tensor, y: Tensor, lam: float) -> float:
    from sklearn.linear_model import Ridge

    return float(Ridge(alpha=lam, fit_intercept=False).fit(x[:, None], y).coef_[0])


def ridge_closed(x: Tensor, y: Tensor, lam: float) -> dict[str, Any]:
    from sklearn.linear_model import Ridge

    line = Ridge(alpha=lam).fit(x[:, None], y)
    return dict(w=line.coef_[0], b=line.intercept_)


def soft_threshold(w: Tensor, lam: float) -> Tensor:
    return F.softshrink(w, lam)


def proximal_step(w: Tensor, g: Tensor, eta: float, lam: float) -> dict[str, Any]:
    w.grad = g
    torch.optim.SGD([w], lr=eta).step()  # changes w in place
    return dict(u=w, w_new=F.softshrink(w, eta * lam))


def dropout_scaling(x: Tensor, mask: Tensor, p: float) -> dict[str, Any]:
    # F.dropout draws its own mask. So read its scale off many ones, some of which it keeps, and apply the given mask.
    scale = F.dropout(torch.ones(1000), p).max()
    return dict(y=scale * mask * x, z=F.dropout(x, p, training=False))


def dropout_classic(N: int, p: float, x: Tensor) -> dict[str, Any]:
    keep = torch.distributions.Binomial(N, torch.tensor(1 - p))
    mask = torch.distributions.Bernoulli(torch.tensor(1 - p))
    return dict(K=keep.mean, z=x * mask.mean)
