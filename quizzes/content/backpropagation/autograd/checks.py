"""Checks of the drills about autograd."""

from typing import Any

import torch
from torch import Tensor


def autograd_dag(x: int, y: int, z: int) -> dict[str, Any]:
    leaves = [torch.tensor(float(value), requires_grad=True) for value in (x, y, z)]
    x_leaf, y_leaf, z_leaf = leaves
    a, m = x_leaf + y_leaf, torch.maximum(y_leaf, z_leaf)
    f = a * m
    da, dm, dx, dy, dz = torch.autograd.grad(f, (a, m, *leaves))
    return dict(f=f, da=da, dm=dm, dx=dx, dy=dy, dz=dz)


def autograd_shared_node(x: int, y: int) -> dict[str, Any]:
    x_leaf, y_leaf = (torch.tensor(float(value), requires_grad=True) for value in (x, y))
    u = x_leaf * y_leaf
    v = u + x_leaf
    f = u * v
    dv, du, dx, dy = torch.autograd.grad(f, (v, u, x_leaf, y_leaf))
    return dict(f=f, dv=dv, du=du, dx=dx, dy=dy)


def grad_accumulate(k: int, g: Tensor) -> dict[str, Any]:
    def accumulate_grad(divisor: int) -> Tensor | None:
        weight = torch.zeros((), requires_grad=True)
        for slope in g:
            (weight * slope / divisor).backward()
        return weight.grad

    return dict(grad=accumulate_grad(1), avg=accumulate_grad(k))
