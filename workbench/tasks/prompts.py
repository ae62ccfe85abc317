"""Prompts for objects whose masks are known: clicks, boxes, and clicks that correct a prediction."""

import torch
from torch import Tensor

BOX_NOISE = 0.1  # standard deviation of a corner of a training box, relative to the box, as in SAM's training


def sample_objects(instances: Tensor, generator: torch.Generator) -> Tensor:
    """Return the mask of a random object of each image (N, H, W), bool.

    Args:
        instances: k + 1 where the object at index k is visible, 0 elsewhere, (N, H, W).
        generator: An RNG on the CPU.
    """
    most = max(1, int(instances.max()))
    is_present = torch.stack([(instances == k).flatten(1).any(dim=1) for k in range(1, most + 1)], dim=1)
    numbers = _rand(is_present.shape, generator, instances).masked_fill(~is_present, -1).argmax(dim=1) + 1
    return instances == numbers[:, None, None]


def sample_clicks(masks: Tensor, generator: torch.Generator) -> Tensor:
    """Return a random pixel (N, 2), x and y, of each mask (N, H, W), bool; any pixel if it is empty."""
    ranks = _rand(masks.shape, generator, masks).masked_fill(~masks, -1)
    places = ranks.flatten(1).argmax(dim=1)
    return torch.stack([places % masks.shape[2], places // masks.shape[2]], dim=1).float()


def enclosing_boxes(masks: Tensor) -> Tensor:
    """Return x1, y1, x2, y2 (N, 4) of the outermost pixels of each mask (N, H, W), bool, that is not empty."""
    corners = []
    for dim in (1, 2):
        line = masks.any(dim=dim).int()
        corners += [line.argmax(dim=1), line.shape[1] - 1 - line.flip(1).argmax(dim=1)]
    x1, x2, y1, y2 = corners
    return torch.stack([x1, y1, x2, y2], dim=1).float()


def jitter(boxes: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """Return boxes (N, 4) with corners moved at random, within an image of this height and width."""
    sizes = (boxes[:, 2:] - boxes[:, :2]).repeat(1, 2)
    noise = torch.randn(boxes.shape, generator=generator).to(boxes.device)
    return (boxes + BOX_NOISE * sizes * noise).clamp(0, size - 1)


def sample_corrections(predicted: Tensor, masks: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return a random pixel (N, 2) where a prediction is wrong, and its label (N,): 1 inside the object, 0 outside.

    Where a prediction has no error, it is any pixel of the object.

    Args:
        predicted: Masks (N, H, W), bool.
        masks: The masks of the objects.
        generator: An RNG on the CPU.
    """
    errors = predicted ^ masks
    is_perfect = ~errors.flatten(1).any(dim=1)
    clicks = sample_clicks(torch.where(is_perfect[:, None, None], masks, errors), generator)
    x, y = clicks.long().unbind(1)
    return clicks, masks[torch.arange(len(masks), device=masks.device), y, x].long()


def mask_ious(predicted: Tensor, masks: Tensor) -> Tensor:
    """Return the IoU of masks (..., H, W), bool; 1 if both are empty."""
    overlap, union = (op(predicted, masks).sum(dim=(-2, -1)) for op in (torch.logical_and, torch.logical_or))
    return torch.where(union > 0, overlap / union.clamp(min=1), 1.0)


def _rand(shape: torch.Size, generator: torch.Generator, like: Tensor) -> Tensor:
    return torch.rand(shape, generator=generator).to(like.device)
