"""Helpers of the checks of several topics: classification."""

import torch
from torch import Tensor


def confusion_labels(counts: Tensor) -> tuple[list[int], list[int]]:
    """Return the true and the predicted label of each sample of a confusion matrix.

    Args:
        counts: A row per true class, a column per predicted class.
    """
    classes = torch.arange(len(counts))
    pairs = torch.cartesian_prod(classes, classes).repeat_interleave(counts.flatten().long(), dim=0)
    return pairs[:, 0].tolist(), pairs[:, 1].tolist()
