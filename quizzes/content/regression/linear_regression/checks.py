"""Simple and multiple linear regression: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_predict(b: float, w: Tensor, x: Tensor) -> float:
    return F.linear(x, w[None], torch.tensor([float(b)])).item()


def normal_equation(x: Tensor, y: Tensor) -> dict[str, Any]:
    from sklearn.linear_model import LinearRegression

    line = LinearRegression().fit(x[:, None].numpy(), y.numpy())
    w, b = line.coef_.item(), line.intercept_.item()
    return dict(w=w, b=b)


def gd_step_linreg(x: Tensor, y: Tensor, w0: float, b0: float, eta: float) -> dict[str, Any]:
    w, b = (torch.tensor(float(v), requires_grad=True) for v in (w0, b0))
    F.mse_loss(w * x + b, y).backward()
    g_w, g_b = w.grad.item(), b.grad.item()
    torch.optim.SGD([w, b], lr=eta).step()
    w1, b1 = w.item(), b.item()
    return dict(g_w=g_w, g_b=g_b, w1=w1, b1=b1)


def r2_score(y: Tensor, yhat: Tensor) -> dict[str, Any]:
    from sklearn.metrics import r2_score

    SS_res = F.mse_loss(yhat, y, reduction="sum").item()
    SS_tot = F.mse_loss(y.mean().expand_as(y), y, reduction="sum").item()
    R2 = float(r2_score(y, yhat))
    return dict(SS_res=SS_res, SS_tot=SS_tot, R2=R2)
