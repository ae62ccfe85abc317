"""Augmentation: every training picture changed a little, at random and otherwise each time it is seen.

Only pictures with one class each can be changed like this: boxes or masks would have to move with them.
"""

from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor

from workbench.errors import UserError
from workbench.tasks.task import Batch


def check(samples: Batch, model: str) -> None:
    """Refuse what isn't pictures with a class each.

    Raises:
        UserError: It isn't.
    """
    pictures, *targets = samples
    if pictures.dim() != 4 or not pictures.is_floating_point():
        raise UserError(f"Augmentation is for pictures, and {model} reads none: use a network such as lenet5-modern.")
    if any(target.dim() > 1 for target in targets):
        raise UserError("Augmentation would move the pictures away from their targets in this task: leave it out.")


def augmented(pictures: Tensor, strengths: dict[str, float]) -> Tensor:
    """A batch of pictures (N, channels, height, width), each changed by its own random numbers.

    Args:
        pictures: Left as they are.
        strengths: Of `methods.AUGMENTATIONS`: `shift` in pixels, `rotate` in degrees, `zoom` as a share of the size,
            `flip` as a chance, `noise` as a standard deviation.
    """
    if strengths.keys() & {"shift", "rotate", "zoom", "flip"}:
        pictures = moved(pictures, strengths)
    if "noise" in strengths:
        pictures = pictures + strengths["noise"] * torch.randn_like(pictures)
    return pictures


def moved(pictures: Tensor, strengths: dict[str, float]) -> Tensor:
    """Shift, rotate, zoom and flip in one interpolation; what comes in from outside repeats the edge."""
    count, _, height, width = pictures.shape

    def either_way(name: str, shape: tuple[int, ...] = (count,)) -> Tensor:
        if name not in strengths:
            return pictures.new_zeros(shape)
        return strengths[name] * (2 * torch.rand(shape, device=pictures.device) - 1)

    angle, size = either_way("rotate") * pi / 180, 1 + either_way("zoom")
    mirror = 1 - 2 * (torch.rand(count, device=pictures.device) < strengths.get("flip", 0.0)).float()
    # Where each pixel of the new picture is found in the old one, whose sides reach from -1 to 1.
    across, down = either_way("shift") * 2 / width, either_way("shift") * 2 / height
    cos, sin = angle.cos() / size, angle.sin() / size
    shape = height / width  # a turn is one of pixels, not of shares of the sides
    rows = [mirror * cos, -sin * shape, across, mirror * sin / shape, cos, down]
    places = F.affine_grid(torch.stack(rows, 1).view(count, 2, 3), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, places.to(pictures.dtype), padding_mode="border", align_corners=False)
