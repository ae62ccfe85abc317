"""Smaller and noisier training sets, which show the effect of more data or of regularization."""

import torch

from workbench.data.sources import Relabeled, Source, Subset
from workbench.errors import UserError


def reduced(source: Source, samples: int, seed: int) -> Source:
    """Return a random subset of a training set. A larger subset with the same seed contains a smaller one.

    Raises:
        UserError: If the training set has fewer samples.
    """
    if samples > len(source):
        raise UserError(f"The training set has {len(source)} samples, fewer than {samples}: leave train_samples out.")
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(seed))
    return Subset(source, order[:samples])


def with_wrong_labels(source: Source, share: float, classes: int, seed: int) -> Source:
    """Return a training set in which a share of the samples, drawn at random, have the label of another class."""
    generator = torch.Generator().manual_seed(seed)
    labels = source.batch(slice(0, len(source)))["target"].clone()
    wrong = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    shifts = torch.randint(1, classes, (len(wrong),), generator=generator)
    labels[wrong] = (labels[wrong] + shifts) % classes
    return Relabeled(source, labels)
