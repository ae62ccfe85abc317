"""Helpers of the checks of several topics: architectures."""

from collections.abc import Iterable

import torch
from torch import Tensor
from torch.nn import Module


def num_parameters(*layers: Module) -> int:
    """Return the number of parameters of some layers together."""
    return sum(p.numel() for layer in layers for p in layer.parameters())


def num_macs(layers: Iterable[Module], x: Tensor) -> int:
    """Return the number of multiply-accumulate operations (MACs) of a chain of layers for an input."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        layer_shapes(layers, x)
    flops: int = counter.get_total_flops()  # a MAC is two operations
    return flops // 2


def layer_shapes(layers: Iterable[Module], x: Tensor) -> list[torch.Size]:
    """Return the shape of the output of each layer of a chain."""
    shapes = []
    for layer in layers:
        x = layer(x)
        shapes.append(x.shape)
    return shapes
