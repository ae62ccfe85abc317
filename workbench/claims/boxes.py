"""Random boxes."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor


def random_boxes(rng: np.random.Generator, count: int, size: int = 40) -> "Tensor":
    """Return corners (count, 4) with integer coordinates in an image of size x size pixels."""
    import torch

    first = rng.integers(0, size - 2, size=(count, 2))
    last = rng.integers(first + 1, size)
    return torch.as_tensor(np.concatenate([first, last], axis=1)).double()
