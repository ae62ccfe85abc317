"""Checks of the drills about fully connected and convolutional layers."""

from typing import Any

import torch


def fc_after_flatten(H: int, W: int, C: int, u: int) -> int:
    x = torch.empty(1, C, H, W, device="meta").flatten(1)
    return sum(p.numel() for p in torch.nn.Linear(x.shape[1], u, device="meta").parameters())


def fc_vs_conv_params(H: int, W: int, C: int, f: int, u: int) -> dict[str, Any]:
    x = torch.empty(1, C, H, W, device="meta").flatten(1)
    dense = torch.nn.Linear(x.shape[1], u, device="meta")
    convolution = torch.nn.Conv2d(C, u, f, device="meta")
    D, P = (sum(p.numel() for p in layer.parameters()) for layer in (dense, convolution))
    return dict(D=D, P=P)
