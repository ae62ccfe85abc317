"""Stacked 3x3 filters: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F


def stack_3x3_vs_5x5(L: int, C: int) -> dict[str, Any]:
    small = [torch.nn.Conv2d(C, C, 3, bias=False, device="meta") for _ in range(L)]
    x = torch.zeros(1, 1, 101, 101, requires_grad=True)
    y = x
    for _ in range(L):
        y = F.conv2d(y, torch.ones(1, 1, 3, 3))
    (gradient,) = torch.autograd.grad(y[0, 0, 40, 40], x)
    r = int(gradient.any(dim=-1).sum())
    large = torch.nn.Conv2d(C, C, r, bias=False, device="meta")
    W, B = sum(layer.weight.numel() for layer in small), large.weight.numel()
    q = 100 - 100 * W / B
    return dict(r=r, W=W, B=B, q=q)
