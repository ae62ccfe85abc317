"""Checks of the drills about gradient descent and the learning rate."""

from typing import Any

import torch
from torch import Tensor

from quizzes.content.optimization.checks import scheduler_lrs


def gd_stability_steps(c: float, eta: float, w0: float, t: int) -> float:
    w = torch.tensor(float(w0), requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=eta)
    for _ in range(t):
        optimizer.zero_grad()
        (c * w**2 / 2).backward()
        optimizer.step()
    return w.item()


def gd_stability(c1: float, c2: float, eta: float, w1_0: float, w2_0: float, t: int) -> dict[str, Any]:
    curvature = torch.tensor([float(c1), float(c2)])

    def loss(w: Tensor) -> Tensor:
        return (curvature * w**2).sum() / 2

    w = torch.tensor([float(w1_0), float(w2_0)], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=eta)
    for _ in range(t):
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
    w1, w2 = w.tolist()
    hessian = torch.func.hessian(loss)(w.detach())
    eta_max = 2 / torch.linalg.eigvalsh(hessian).max()
    return dict(eta_max=eta_max, w1=w1, w2=w2)


def lr_schedules(eta0: float, eta_min: float, t: int, T: int) -> float:
    from torch.optim.lr_scheduler import CosineAnnealingLR

    return scheduler_lrs(lambda optimizer: CosineAnnealingLR(optimizer, T_max=T, eta_min=eta_min), eta0, t)[t]


def lr_schedules_step(eta0: float, gamma: float, t: int, s: int) -> float:
    from torch.optim.lr_scheduler import StepLR

    return scheduler_lrs(lambda optimizer: StepLR(optimizer, step_size=s, gamma=gamma), eta0, t)[t]


def lr_schedules_exponential(eta0: float, gamma: float, t: int) -> float:
    from torch.optim.lr_scheduler import ExponentialLR

    return scheduler_lrs(lambda optimizer: ExponentialLR(optimizer, gamma=gamma), eta0, t)[t]


def lr_schedules_warm_up(eta0: float, T_w: int, T_c: int, t_a: int, t_b: int) -> dict[str, Any]:
    from torch.optim import Optimizer
    from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

    def warm_up_then_cosine(optimizer: Optimizer) -> SequentialLR:
        warm_up = LinearLR(optimizer, start_factor=1e-12, total_iters=T_w)  # its start factor must be above 0
        return SequentialLR(optimizer, [warm_up, CosineAnnealingLR(optimizer, T_max=T_c)], milestones=[T_w])

    lrs = scheduler_lrs(warm_up_then_cosine, eta0, max(t_a, t_b))
    return dict(eta_a=lrs[t_a], eta_b=lrs[t_b])
