"""L1, L2, weight decay, dropout: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def l1_l2_penalty(w: Tensor, lam: float) -> dict[str, Any]:
    w.requires_grad_()
    L1 = lam * F.l1_loss(w, torch.zeros_like(w), reduction="sum")
    L2 = lam * F.mse_loss(w, torch.zeros_like(w), reduction="sum")
    (g1,) = torch.autograd.grad(L1, w)
    (g2,) = torch.autograd.grad(L2, w)
    return dict(L1=L1, L2=L2, g1=g1, g2=g2)


def weight_decay_sgd(w: float, g_w: float, b: float, g_b: float, eta: float, lam: float) -> dict[str, Any]:
    weight, bias = (torch.nn.Parameter(torch.tensor(float(value))) for value in (w, b))
    weight.grad, bias.grad = torch.tensor(float(g_w)), torch.tensor(float(g_b))
    groups = [{"params": [weight], "weight_decay": lam}, {"params": [bias], "weight_decay": 0}]
    torch.optim.SGD(groups, lr=eta).step()
    w_new, b_new = weight.item(), bias.item()
    return dict(w_new=w_new, b_new=b_new)


def weight_decay_from_step(w: float, g_w: float, b: float, g_b: float, eta: float, lam: float) -> dict[str, Any]:
    weight, bias = (torch.nn.Parameter(torch.tensor(float(value))) for value in (w, b))
    weight.grad, bias.grad = torch.tensor(float(g_w)), torch.tensor(float(g_b))
    groups = [{"params": [weight], "weight_decay": lam}, {"params": [bias], "weight_decay": 0}]
    torch.optim.SGD(groups, lr=eta).step()
    w_new, b_new = weight.item(), bias.item()
    return dict(w_new=w_new, b_new=b_new)


def ridge_slope(x: Tensor, y: Tensor, lam: float) -> float:
    from sklearn.linear_model import Ridge

    return Ridge(alpha=lam, fit_intercept=False).fit(x.numpy()[:, None], y.numpy()).coef_[0]


def ridge_closed(x: Tensor, y: Tensor, lam: float) -> dict[str, Any]:
    from sklearn.linear_model import Ridge

    line = Ridge(alpha=lam).fit(x.numpy()[:, None], y.numpy())
    w, b = line.coef_[0], line.intercept_
    return dict(w=w, b=b)


def soft_threshold(w: Tensor, lam: float) -> Tensor:
    return F.softshrink(w, lam)


def proximal_step(w: Tensor, g: Tensor, eta: float, lam: float) -> dict[str, Any]:
    weights = torch.nn.Parameter(w.clone())
    weights.grad = g
    torch.optim.SGD([weights], lr=eta).step()
    u = weights.detach()
    w_new = F.softshrink(u, eta * lam)
    return dict(u=u, w_new=w_new)


def dropout_scaling(x: Tensor, mask: Tensor, p: float) -> dict[str, Any]:
    torch.manual_seed(0)
    y = F.dropout(x, p)
    while not torch.equal((y != 0).double(), mask):  # resample until dropout reproduces the mask
        y = F.dropout(x, p)
    z = F.dropout(x, p, training=False)
    return dict(y=y, z=z)


def dropout_classic(N: int, p: float, x: Tensor) -> dict[str, Any]:
    K = torch.distributions.Binomial(N, torch.tensor(1 - p)).mean
    z = x * torch.distributions.Bernoulli(torch.tensor(1 - p)).mean
    return dict(K=K, z=z)
