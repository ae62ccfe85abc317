"""Checks of the drills about regression losses."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def mse_mae_rmse(y: Tensor, yhat: Tensor) -> dict[str, Any]:
    from sklearn.metrics import root_mean_squared_error

    return dict(MSE=F.mse_loss(yhat, y), MAE=F.l1_loss(yhat, y), RMSE=root_mean_squared_error(y, yhat))


def best_constant(y: Tensor) -> dict[str, Any]:
    from scipy.optimize import minimize_scalar

    def loss(c: float, loss_fn: Callable[..., Tensor]) -> float:
        return loss_fn(torch.full_like(y, float(c)), y).item()

    c_MSE = minimize_scalar(loss, args=(F.mse_loss,)).x
    # The MAE is piecewise linear in c with a kink at each target, so it is minimal at one of them.
    c_MAE = min(y.tolist(), key=lambda c: loss(c, F.l1_loss))
    return dict(c_MAE=c_MAE, c_MSE=c_MSE)


def huber_smoothl1(d: float, beta: float) -> dict[str, Any]:
    prediction, target = torch.tensor(float(d)), torch.tensor(0.0)
    huber = F.huber_loss(prediction, target, delta=beta)
    smooth = F.smooth_l1_loss(prediction, target, beta=beta)
    return dict(huber=huber, smooth=smooth)


def loss_gradient_symbolic(loss: str, by: str, x: Tensor, y: Tensor) -> dict[str, Any]:
    # Nine pairs of w and b that avoid the kinks of the MAE, each with a prediction for every sample
    w = torch.linspace(-1.93, 2.07, 9, requires_grad=True)
    b = torch.linspace(1.71, -1.29, 9, requires_grad=True)
    yhat = w[:, None] * x + b[:, None]
    loss_fn = F.l1_loss if loss == "MAE" else F.mse_loss
    losses = loss_fn(yhat, y.expand_as(yhat), reduction="none").mean(dim=1)
    if loss == "MSE/2":
        losses = losses / 2
    (dL,) = torch.autograd.grad(losses.sum(), {"w": w, "b": b}[by])
    return dict(dL=dL, b=b, w=w)
