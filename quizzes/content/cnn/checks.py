"""Helpers of the checks of several topics: CNNs."""

import torch
from torch import Tensor


def receptive_range(unit: Tensor, x: Tensor) -> tuple[int, int]:
    """Return the first and the last position of an input on which a unit depends, by the unit's gradient.

    Args:
        unit: The value of the unit.
        x: The input, of shape (1, 1, length).
    """
    (gradient,) = torch.autograd.grad(unit, x, retain_graph=True)
    positions = gradient[0, 0].nonzero()
    return int(positions.min()), int(positions.max())
