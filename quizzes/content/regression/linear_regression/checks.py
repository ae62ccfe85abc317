"""Checks of the drills about linear regression."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def linear_predict(b: float, w: Tensor, x: Tensor) -> Tensor:
    return F.linear(x, w, torch.tensor(float(b)))


def normal_equation(x: Tensor, y: Tensor) -> dict[str, Any]:
    from sklearn.linear_model import LinearRegression

    line = LinearRegression().fit(x[:, None], y)
    return dict(w=line.coef_[0], b=line.intercept_)


def gd_step_linreg(x: Tensor, y: Tensor, w0: float, b0: float, eta: float) -> dict[str, Any]:
    w, b = (torch.tensor(float(value), requires_grad=True) for value in (w0, b0))
    F.mse_loss(w * x + b, y).backward()
    torch.optim.SGD([w, b], lr=eta).step()  # changes the parameters in place
    return dict(g_w=w.grad, g_b=b.grad, w1=w, b1=b)


def r2_score(y: Tensor, yhat: Tensor) -> dict[str, Any]:
    from sklearn.metrics import r2_score

    SS_res = F.mse_loss(yhat, y, reduction="sum")
    SS_tot = F.mse_loss(y.mean().expand_as(y), y, reduction="sum")
    return dict(SS_res=SS_res, SS_tot=SS_tot, R2=r2_score(y, yhat))
