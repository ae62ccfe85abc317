"""Sinusoidal encodings of positions: Vaswani et al., Attention is all you need (2017), section 3.5."""

from math import pi

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


def encode_positions(x: Tensor, temperature: float) -> Tensor:
    """Return the encodings of the positions of a map (N, features, h, w), row by row (h*w, features).

    The first half of the features encodes the row, the second half the column. Both run to 2 pi, however large the map
    is: p = 2 pi i / (h + 1e-6) for row i from 1 on, then sin(p / t^(2k/d)) and cos(p / t^(2k/d)) in turn for k from 0
    on, with the temperature t and half of the features d.
    """
    features, rows, columns = x.shape[1:]
    half = features // 2
    exponents = torch.arange(0, half, 2, device=x.device, dtype=torch.float32) / half
    encodings = []
    for count in (rows, columns):
        steps = torch.arange(1, count + 1, device=x.device, dtype=torch.float32) / (count + 1e-6) * 2 * pi
        angles = steps[:, None] / temperature**exponents
        encodings.append(torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1))
    row, column = encodings
    encoded = torch.cat([row[:, None].expand(-1, columns, -1), column[None].expand(rows, -1, -1)], dim=2)
    return encoded.flatten(0, 1).to(x.dtype)


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
