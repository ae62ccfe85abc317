"""Augmentation of images: each is changed a little at random, otherwise in each batch.

Only images with one class each can be changed like this: boxes or masks would have to move with them.
"""

from collections.abc import Mapping
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor


def augment(images: Tensor, strengths: Mapping[str, float]) -> Tensor:
    """Return images (N, channels, height, width), each changed by its own random numbers.

    Args:
        images: The images, which stay as they are.
        strengths: Of `engine.methods.AUGMENTATIONS`: `shift` in pixels, `rotate` in degrees, `zoom` as a share of the
            size, `flip` as a probability, `noise` as a standard deviation.
    """
    if strengths.keys() & {"shift", "rotate", "zoom", "flip"}:
        images = move(images, strengths)
    if "noise" in strengths:
        images = images + strengths["noise"] * torch.randn_like(images)
    return images


def move(images: Tensor, strengths: Mapping[str, float]) -> Tensor:
    """Return images that are shifted, rotated, zoomed and flipped in one interpolation; beyond an edge, it repeats."""
    count, _, height, width = images.shape

    def draw(name: str, shape: tuple[int, ...] = (count,)) -> Tensor:
        if name not in strengths:
            return images.new_zeros(shape)
        return strengths[name] * (2 * torch.rand(shape, device=images.device) - 1)

    angle, size = draw("rotate") * pi / 180, 1 + draw("zoom")
    mirror = 1 - 2 * (torch.rand(count, device=images.device) < strengths.get("flip", 0.0)).float()
    # Where each pixel of the new image is in the old one, whose coordinates go from -1 to 1.
    across, down = draw("shift") * 2 / width, draw("shift") * 2 / height
    cos, sin = angle.cos() / size, angle.sin() / size
    shape = height / width  # a rotation is one of pixels, not of coordinates
    rows = [mirror * cos, -sin * shape, across, mirror * sin / shape, cos, down]
    places = F.affine_grid(torch.stack(rows, 1).view(count, 2, 3), list(images.shape), align_corners=False)
    return F.grid_sample(images, places.to(images.dtype), padding_mode="border", align_corners=False)
