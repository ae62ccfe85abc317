"""The networks of the zoo, without their weights."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn


def zoo(name: str) -> "nn.Module":
    """Return a network of the registry as published, on the meta device."""
    import torch

    import models

    with torch.device("meta"):
        return models.build(name)


def parameters(network: "nn.Module") -> int:
    """Return the number of parameters."""
    return sum(parameter.numel() for parameter in network.parameters())
