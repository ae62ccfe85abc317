"""Inpainting: the region of an image that is masked is filled in by an autoencoder."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from workbench.errors import UserError

ROUNDS = 20  # of projections


def fill(reconstruct: Callable[[Tensor], Tensor], images: Tensor, mask: Tensor, rounds: int = ROUNDS) -> Tensor:
    """Return images whose masked pixels are filled in; the others are left as they are.

    The masked pixels are 0 at first. Each round replaces them by those of the reconstruction, so that the image comes
    closer to those that the network can reproduce. A network that was trained to remove masking noise needs one round.

    Args:
        reconstruct: Maps images to their reconstructions.
        images: Images (N, channels, height, width).
        mask: Whether each pixel is masked, (height, width) or of the shape of the images.
        rounds: The number of reconstructions.
    """
    filled = torch.where(mask, 0.0, images)
    for _ in range(rounds):
        filled = torch.where(mask, reconstruct(filled), images)
    return filled


def region(text: str, size: Sequence[int]) -> Tensor:
    """Return a mask (height, width) of the region that a text such as `2,2,5,5` stands for.

    Args:
        text: First row, first column, row after the last, column after the last.
        size: Height and width of the image.

    Raises:
        UserError: If it is not a region of the image.
    """
    height, width = size
    parts = [part.strip() for part in text.split(",")]
    edges = [int(part) if part.isascii() and part.isdigit() and len(part) < 6 else -1 for part in parts]
    if len(edges) != 4 or not (0 <= edges[0] < edges[2] <= height and 0 <= edges[1] < edges[3] <= width):
        raise UserError(
            f"mask must be top,left,bottom,right within {height} rows and {width} columns, such as "
            f"{height // 4},{width // 4},{height // 2},{width // 2}: not {text[:40]!r}."
        )
    mask = torch.zeros(height, width, dtype=torch.bool)
    mask[edges[0] : edges[2], edges[1] : edges[3]] = True
    return mask
