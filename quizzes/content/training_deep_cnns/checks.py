"""Helpers of the checks of several topics: training deep CNNs."""

from typing import Protocol

import torch
from torch import Generator, Tensor


class Initializer(Protocol):
    """A function such as `torch.nn.init.kaiming_normal_`, which fills a tensor with random numbers."""

    def __call__(self, tensor: Tensor, *, generator: Generator | None) -> Tensor: ...


def normal_std(initializer: Initializer, *shape: int) -> Tensor:
    """Return the standard deviation of a normal initialization.

    It multiplies standard normal numbers by its standard deviation. So divide its weights by the standard normal
    numbers of the same seed. The ratio of the norms is exact, and no number close to zero is a divisor.
    """
    weight = initializer(torch.empty(shape), generator=Generator().manual_seed(0))
    standard = torch.empty(shape).normal_(0, 1, generator=Generator().manual_seed(0))
    std: Tensor = torch.linalg.vector_norm(weight) / torch.linalg.vector_norm(standard)
    return std


def uniform_bound(initializer: Initializer, *shape: int) -> Tensor:
    """Return the bound a of an initialization that is uniform from -a to a, in the way of `normal_std`."""
    weight = initializer(torch.empty(shape), generator=Generator().manual_seed(0))
    standard = torch.empty(shape).uniform_(-1, 1, generator=Generator().manual_seed(0))
    bound: Tensor = torch.linalg.vector_norm(weight) / torch.linalg.vector_norm(standard)
    return bound


def weight_decay_step(w: float, g_w: float, b: float, g_b: float, eta: float, lam: float) -> dict[str, float]:
    """Return a weight and a bias after a step of SGD that decays the weight alone.

    Args:
        w: The weight.
        g_w: The gradient of the loss with respect to the weight.
        b: The bias.
        g_b: The gradient of the loss with respect to the bias.
        eta: The learning rate.
        lam: The weight decay.
    """
    weight, bias = (torch.tensor(float(value), requires_grad=True) for value in (w, b))
    weight.grad, bias.grad = torch.tensor(float(g_w)), torch.tensor(float(g_b))
    groups = [{"params": [weight], "weight_decay": lam}, {"params": [bias], "weight_decay": 0}]
    torch.optim.SGD(groups, lr=eta).step()
    return dict(w_new=weight.item(), b_new=bias.item())
