"""Checks of the drills about activation functions."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def activation_derivs(activation: str, a: int, b: int) -> dict[str, Any]:
    z = torch.linspace(-2, 2, 9, requires_grad=True)
    (df,) = torch.autograd.grad(getattr(F, activation)(a * z + b).sum(), z)
    return dict(df=df, z=z)


def activation_values(z: float, a: float, alpha: float) -> dict[str, Any]:
    t = torch.tensor(float(z))
    return dict(
        y_leaky=F.leaky_relu(t, a),
        y_elu=F.elu(t, float(alpha)),
        y_silu=F.silu(t),
        y_gelu=F.gelu(t),
        y_softplus=F.softplus(t),
    )


def activation_slopes(z: float, a: float) -> dict[str, Any]:
    t = torch.tensor(float(z), requires_grad=True)
    values = dict(
        drelu=F.relu(t),
        dleaky=F.leaky_relu(t, a),
        dsigmoid=F.sigmoid(t),
        dtanh=F.tanh(t),
        dsoftplus=F.softplus(t),
        dsilu=F.silu(t),
    )
    return {name: torch.autograd.grad(value, t)[0] for name, value in values.items()}


def discarded_relu(x: Tensor, W1: Tensor, b1: Tensor, W2: Tensor, program: str) -> dict[str, Any]:
    h = W1 @ x + b1
    h.relu()
    prints = W2 @ h
    h = h.relu()
    line = next(k for k, text in enumerate(program.splitlines(), 1) if "relu(" in text)
    return dict(line=line, prints=int(prints), fixed=int(W2 @ h))
