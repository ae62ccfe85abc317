"""Sigmoid, tanh, ReLU: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F


def activation_derivs(activation: str, a: int, b: int) -> dict[str, Any]:
    z = torch.linspace(-2, 2, 9, requires_grad=True)
    (df,) = torch.autograd.grad(getattr(F, activation)(a * z + b).sum(), z)
    return dict(df=df, z=z)


def activation_values(z: float, a: float, alpha: float) -> dict[str, Any]:
    t = torch.tensor(float(z))
    y_leaky, y_elu, y_silu = F.leaky_relu(t, a), F.elu(t, float(alpha)), F.silu(t)
    y_gelu, y_softplus = F.gelu(t), F.softplus(t)
    return dict(y_leaky=y_leaky, y_elu=y_elu, y_silu=y_silu, y_gelu=y_gelu, y_softplus=y_softplus)


def activation_slopes(z: float, a: float) -> dict[str, Any]:
    t = torch.tensor(float(z), requires_grad=True)
    values = F.relu(t), F.leaky_relu(t, a), F.sigmoid(t), F.tanh(t), F.softplus(t), F.silu(t)
    drelu, dleaky, dsigmoid, dtanh, dsoftplus, dsilu = (torch.autograd.grad(value, t)[0] for value in values)
    return dict(dsigmoid=dsigmoid, dtanh=dtanh, dsoftplus=dsoftplus, dsilu=dsilu, drelu=drelu, dleaky=dleaky)
