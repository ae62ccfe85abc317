"""Sinusoidal encodings of positions: Vaswani et al., Attention is all you need (2017), section 3.5."""

import torch
from torch import Tensor

from workbench.errors import UserError


def sinusoids(length: int, features: int, base: float = 10_000.0) -> Tensor:
    """Return the encodings of the first positions (length, features), in float32.

        PE(p, 2i) = sin(p / base^(2i/features))      PE(p, 2i + 1) = cos(p / base^(2i/features))

    Raises:
        ValueError: If the number of features is odd.
    """
    if features % 2:
        raise ValueError(f"the number of features must be even, not {features}")
    exponents = torch.arange(0, features, 2, dtype=torch.double) / features
    angles = torch.arange(length, dtype=torch.double)[:, None] / base**exponents
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1).float()


def grid_sinusoids(grid_size: int, features: int) -> Tensor:
    """Return the encodings of the positions of a square map, row by row (grid_size**2, features), in float32.

    The first half of the features encodes the column, the second half the row; within each, all sines come first. It is
    the layout of MAE's published weights.

    Raises:
        ValueError: If the number of features is not a multiple of 4.
    """
    if features % 4:
        raise ValueError(f"the number of features must be a multiple of 4, not {features}")
    line = sinusoids(grid_size, features // 2)
    line = torch.cat([line[:, 0::2], line[:, 1::2]], dim=1)
    return torch.cat([line.repeat(grid_size, 1), line.repeat_interleave(grid_size, dim=0)], dim=1)


def check_length(length: int, max_length: int) -> None:
    """Check that a text is not longer than the positions that a network has.

    Raises:
        UserError: If it is.
    """
    if length > max_length:
        raise UserError(
            f"The text has {length:,} tokens, and this network has positions for {max_length:,}. Use a shorter text, "
            "or a network with a larger max_length."
        )
