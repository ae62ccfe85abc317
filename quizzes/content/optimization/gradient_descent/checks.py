"""Gradient descent and the learning rate: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F


def gd_stability_steps(c: float, eta: float, w0: float, t: int) -> float:
    parameter = torch.tensor(float(w0), requires_grad=True)
    optimizer = torch.optim.SGD([parameter], lr=eta)
    for _ in range(t):
        optimizer.zero_grad()
        (F.mse_loss(parameter, torch.tensor(0.0)) * c / 2).backward()
        optimizer.step()
    return parameter.item()


def gd_stability(c1: float, c2: float, eta: float, w1_0: float, w2_0: float, t: int) -> dict[str, Any]:
    w = torch.tensor([float(w1_0), float(w2_0)], requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=eta)
    curvature = torch.tensor([float(c1), float(c2)])

    def loss(w):
        return (curvature * w**2).sum() / 2

    for _ in range(t):
        optimizer.zero_grad()
        loss(w).backward()
        optimizer.step()
    w1, w2 = w.tolist()
    eta_max = 2 / torch.linalg.eigvalsh(torch.autograd.functional.hessian(loss, w.detach())).max().item()
    return dict(eta_max=eta_max, w1=w1, w2=w2)


def lr_schedules(eta0: float, eta_min: float, t: int, T: int) -> float:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=T, eta_min=eta_min)
    for _ in range(t):
        optimizer.step()
        scheduler.step()
    return scheduler.get_last_lr()[0]


def lr_schedules_step(eta0: float, gamma: float, t: int, s: int) -> float:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=s, gamma=gamma)
    for _ in range(t):
        optimizer.step()
        scheduler.step()
    return scheduler.get_last_lr()[0]


def lr_schedules_exponential(eta0: float, gamma: float, t: int) -> float:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
    scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=gamma)
    for _ in range(t):
        optimizer.step()
        scheduler.step()
    return scheduler.get_last_lr()[0]


def lr_schedules_warm_up(eta0: float, T_w: int, T_c: int, t_a: int, t_b: int) -> dict[str, Any]:
    from torch.optim.lr_scheduler import CosineAnnealingLR, LinearLR, SequentialLR

    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
    warmup = LinearLR(optimizer, start_factor=1e-12, total_iters=T_w)  # LinearLR needs a start factor above 0
    scheduler = SequentialLR(optimizer, [warmup, CosineAnnealingLR(optimizer, T_max=T_c)], milestones=[T_w])
    lrs = []
    for _ in range(t_b + 1):
        lrs.append(scheduler.get_last_lr()[0])
        optimizer.step()
        scheduler.step()
    eta_a, eta_b = lrs[t_a], lrs[t_b]
    return dict(eta_a=eta_a, eta_b=eta_b)
