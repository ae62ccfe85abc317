"""Training and evaluation of small detectors on scenes made by code, for claims about detectors.

A seed fixes the scenes, the initial weights of networks of the same layers, and the order of the samples.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

    from workbench.data.scenes import Options

BATCH_SIZE = 32


class Scenes(NamedTuple):
    """Images (N, 3, size, size), with boxes (N, M, 4) in pixels and labels (N, M), -1 for none."""

    images: "Tensor"
    boxes: "Tensor"
    labels: "Tensor"


def draw(options: "Options", count: int, seed: int) -> Scenes:
    """Return scenes; another seed has other ones."""
    from workbench.data.shape_scenes import draw_scenes

    return _scenes(*draw_scenes(options, count, 10**8 + seed * 10**5))


def shape_scenes(split: str, seed: int) -> Scenes:
    """Return a split of the dataset `shape-scenes`."""
    from workbench import data

    return _scenes(*data.load("shape-scenes", seed)[split])


def _scenes(images: np.ndarray, boxes: np.ndarray, labels: np.ndarray) -> Scenes:
    """Return scenes with pixels from -1 to 1."""
    import torch

    return Scenes(torch.from_numpy(images).float() / 127.5 - 1, torch.from_numpy(boxes), torch.from_numpy(labels))


def train(network: "nn.Module", scenes: Scenes, seed: int, *, steps: int, lr: float) -> None:
    """Train a detector by Adam with a one-cycle schedule."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    network.train()
    order = torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < BATCH_SIZE:
            order = torch.randperm(len(scenes.labels), generator=generator)
        batch, order = order[:BATCH_SIZE], order[BATCH_SIZE:]
        images, boxes, labels = (values[batch] for values in scenes)
        terms = network.losses(network(images), boxes, labels, labels >= 0)  # type: ignore[operator]
        optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
        schedule.step()


def ap50(network: "nn.Module", scenes: Scenes, num_classes: int) -> float:
    """Return the average precision at IoU 0.5 in evaluation mode, in points."""
    import torch

    from workbench.tasks.average_precision import AveragePrecision

    meter = AveragePrecision(num_classes)
    network.eval()
    with torch.no_grad():
        for start in range(0, len(scenes.labels), 100):
            images, boxes, labels = (values[start : start + 100] for values in scenes)
            masks = labels >= 0
            objects = ([own[mask] for own, mask in zip(values, masks, strict=True)] for values in (boxes, labels))
            meter.update(network.detect(network(images)), *objects)  # type: ignore[operator]
    return 100 * meter.compute()["ap50"]
