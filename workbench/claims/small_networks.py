"""Small networks and their training on small images, for claims about kinds of layers.

A seed fixes the split, the initial weights wherever networks have the same layers in the same order, and the order of
the samples.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

VALIDATION = 300  # digits that rates are tuned on
TEST = 900  # digits
AUXILIARY_FACTOR = 0.3  # of the loss of an auxiliary classifier, as in GoogLeNet


class Split(NamedTuple):
    """Images (N, channels, height, width) with their classes (N,)."""

    images: "Tensor"
    labels: "Tensor"


class Splits(NamedTuple):
    """The three splits of a dataset."""

    training: Split
    validation: Split
    test: Split


def digits(seed: int, train_samples: int | None = None) -> Splits:
    """Return the digits of 8x8 pixels in splits: 900 for the test, 300 for validation, and at most 597 for training."""
    from workbench.data.digits import load

    images, labels = load()
    return shuffle_and_split(images, labels, seed, VALIDATION, TEST, train_samples)


def shuffle_and_split(
    images: np.ndarray, labels: np.ndarray, seed: int, validation: int, test: int, train_samples: int | None = None
) -> Splits:
    """Return samples in a random order as splits.

    Args:
        images: Float images (N, channels, height, width).
        labels: Classes (N,).
        seed: Seed of the order.
        validation: Number of validation samples.
        test: Number of test samples.
        train_samples: Number of training samples; None uses all that are left.
    """
    import torch

    order = np.random.default_rng(seed).permutation(len(labels))
    rest = order[test + validation :][:train_samples]
    x, y = torch.tensor(images), torch.tensor(labels)
    parts = (rest, order[test : test + validation], order[:test])
    return Splits(*(Split(x[rows], y[rows]) for rows in map(torch.as_tensor, parts)))


def initialize(network: "nn.Module", seed: int) -> None:
    """Draw the weights of convolutions and dense layers by He's normal initialization; biases are 0."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)


def train(
    network: "nn.Module", split: Split, seed: int, *, steps: int, lr: float, batch_size: int = 32
) -> "list[float]":
    """Train a classifier by Adam and return the loss of every step.

    If a network returns further logits in training, those of an auxiliary classifier, their loss counts 0.3 times.
    """
    import torch
    import torch.nn.functional as F

    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=lr, fused=True)
    network.train()
    losses, order = [], torch.empty(0, dtype=torch.long)
    for _ in range(steps):
        if len(order) < batch_size:
            order = torch.randperm(len(split.labels), generator=generator)
        batch, order = order[:batch_size], order[batch_size:]
        outputs = network(split.images[batch])
        every_logits = outputs if isinstance(outputs, tuple) else (outputs,)
        loss, *auxiliary = (F.cross_entropy(logits, split.labels[batch]) for logits in every_logits)
        optimizer.zero_grad()
        (loss + AUXILIARY_FACTOR * sum(auxiliary)).backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def accuracy(network: "nn.Module", split: Split) -> float:
    """Return the accuracy in evaluation mode, in points."""
    import torch

    network.eval()
    with torch.no_grad():
        predictions = network(split.images).argmax(dim=1)
    return 100 * float((predictions == split.labels).float().mean())
