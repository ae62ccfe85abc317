"""Helpers of the checks of several topics: optimization."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


def optimizer_trace(
    make_optimizer: Callable[[list[Tensor]], Optimizer], theta0: float, gradients: Iterable[float]
) -> list[float]:
    """Return the value of a scalar parameter after each step of an optimizer.

    Args:
        make_optimizer: Makes the optimizer of a list of parameters.
        theta0: The initial value of the parameter.
        gradients: The gradient of each step.
    """
    theta = torch.tensor(float(theta0), requires_grad=True)
    optimizer = make_optimizer([theta])
    trace = []
    for gradient in gradients:
        theta.grad = torch.tensor(float(gradient))
        optimizer.step()
        trace.append(theta.item())
    return trace


def scheduler_lrs(make_scheduler: Callable[[Optimizer], LRScheduler], eta0: float, steps: int) -> list[float]:
    """Return the learning rate before the first step of a scheduler, and after each step.

    Args:
        make_scheduler: Makes the scheduler of an optimizer.
        eta0: The learning rate of the optimizer.
        steps: The number of steps.
    """
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=eta0)
    scheduler = make_scheduler(optimizer)
    lrs = [float(scheduler.get_last_lr()[0])]
    for _ in range(steps):
        optimizer.step()
        scheduler.step()
        lrs.append(float(scheduler.get_last_lr()[0]))
    return lrs
