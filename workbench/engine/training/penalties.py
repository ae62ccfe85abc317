"""The L1 and L2 penalties, which are added to the loss so that weights stay small."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def weights(network: nn.Module) -> list[nn.Parameter]:
    """Return the parameters that penalties count: matrices and filters, but no biases and no scales of a norm."""
    return [weight for weight in network.parameters() if weight.dim() > 1 and weight.requires_grad]


def penalty(weights: Iterable[Tensor], l1: float, l2: float) -> Tensor:
    """Return l1 Σ|w| + l2 Σw²; its gradient is l1 sign(w) + 2 l2 w, with sign(0) = 0."""
    terms = []
    for weight in weights:
        if l1:
            terms.append(l1 * weight.abs().sum())
        if l2:
            terms.append(l2 * weight.square().sum())
    return torch.stack(terms).sum()
