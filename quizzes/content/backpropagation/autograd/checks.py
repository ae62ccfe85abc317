"""Checks of the drills about autograd."""

from collections.abc import Callable
from itertools import permutations
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


def autograd_backward_order(x: float, w: float, b: float, t: float) -> dict[str, Any]:
    weight = torch.tensor(float(w), requires_grad=True)
    h = torch.relu(weight * x + b)
    y = weight * h + x
    ((y - t) ** 2 / 2).backward()
    lines: dict[str, tuple[str, Callable[[dict[str, float]], float]]] = dict(
        dy=("dy", lambda v: v["y"] - v["t"]),
        outer=("w_outer", lambda v: v["dy"] * v["h"]),
        dh=("dh", lambda v: v["dy"] * v["w"]),
        dz=("dz", lambda v: v["dh"] if v["h"] > 0 else 0),
        inner=("w_inner", lambda v: v["dz"] * v["x"]),
        dw=("dw", lambda v: v["w_outer"] + v["w_inner"]),
    )
    # The first order of the lines in which each of them finds what it uses, and that ends with PyTorch's gradient.
    for order in permutations(lines):
        values = dict(x=x, w=w, t=t, h=h.item(), y=y.item())
        try:
            for name, compute in map(lines.__getitem__, order):
                values[name] = compute(values)
        except KeyError:
            continue
        if weight.grad is not None and abs(values["dw"] - weight.grad.item()) < 1e-9:
            return dict(steps=order, dw=weight.grad)
    raise ValueError("no order computes the gradient")


def grad_accumulate_printout(a: float, w0: float, eta: float, log: str) -> dict[str, Any]:
    printed = [float(line.partition("=")[2]) for line in log.splitlines()]

    def run(missing: str) -> tuple[list[float], float]:
        w = torch.tensor(float(w0), requires_grad=True)
        optimizer = torch.optim.SGD([w], lr=eta)
        prints, derivative = [], 0.0
        for _ in range(3):
            if missing != "zero_grad":
                optimizer.zero_grad()
            loss = (w - a) ** 2
            derivative = torch.autograd.grad(loss, w, retain_graph=True)[0].item()
            if missing == "backward":
                return [], 0.0
            loss.backward()
            assert w.grad is not None
            prints.append(w.grad.item())
            if missing != "step":
                optimizer.step()
        return prints, derivative

    def agrees(prints: list[float]) -> bool:
        return len(prints) == 3 and all(abs(u - v) < 1e-4 for u, v in zip(prints, printed, strict=True))

    causes = [missing for missing in ("zero_grad", "step", "backward") if agrees(run(missing)[0])]
    return dict(cause=" or ".join(causes), third=run("")[0][2], at=run(causes[0])[1])
