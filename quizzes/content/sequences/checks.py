"""Helpers of the checks of several topics: sequences."""

from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Layer = TypeVar("Layer", bound=nn.Module)


def with_values(layer: Layer, **values: object) -> Layer:
    """Return a recurrent cell or layer with some of its parameters set, such as weight_ih; the others are 0."""
    for name, parameter in layer.named_parameters():
        value = torch.as_tensor(values.get(name.removesuffix("_l0"), 0.0))
        parameter.data = value.expand(parameter.shape) if value.dim() == 0 else value.reshape(parameter.shape)
    return layer


def num_recurrent_parameters(cell: str, i: int, h: int, q: int, blocks: int) -> int:
    """Return the number of parameters of a recurrent layer.

    Args:
        cell: The name of the layer in torch.nn.
        i: The input size.
        h: The hidden size.
        q: The number of bias vectors per block.
        blocks: The number of blocks of weights.
    """
    weights: int = sum(p.numel() for p in getattr(nn, cell)(i, h, bias=False, device="meta").parameters())
    return weights + q * blocks * h


def linear_rnn_gradient(x: Tensor) -> dict[str, Tensor]:
    """Return dL/dw of a linear RNN at several points, with L = (h_T - y)^2/2."""
    w, y = torch.linspace(-2, 2, 9, requires_grad=True), torch.linspace(3, -2, 9)
    h = torch.zeros(9)
    for value in x:
        h = w * h + value
    (g,) = torch.autograd.grad(F.mse_loss(h, y, reduction="sum") / 2, w)
    return dict(g=g, w=w, y=y)
