"""PyTorch autograd: the dynamic graph: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
from torch import Tensor


def autograd_dag(x: int, y: int, z: int) -> dict[str, Any]:
    x, y, z = (torch.tensor(float(v), requires_grad=True) for v in (x, y, z))
    a, m = x + y, torch.maximum(y, z)
    f = a * m
    da, dm, dx, dy, dz = torch.autograd.grad(f, (a, m, x, y, z))
    return dict(f=f, da=da, dm=dm, dx=dx, dy=dy, dz=dz)


def autograd_shared_node(x: int, y: int) -> dict[str, Any]:
    x, y = (torch.tensor(float(v), requires_grad=True) for v in (x, y))
    u = x * y
    v = u + x
    f = u * v
    dv, du, dx, dy = torch.autograd.grad(f, (v, u, x, y))
    return dict(f=f, dv=dv, du=du, dx=dx, dy=dy)


def grad_accumulate(k: int, g: Tensor) -> dict[str, Any]:
    def accumulated_grad(divisor):
        weight = torch.zeros((), requires_grad=True)
        for slope in g:
            (weight * slope / divisor).backward()
        return weight.grad

    grad, avg = accumulated_grad(1), accumulated_grad(k)
    return dict(grad=grad, avg=avg)
