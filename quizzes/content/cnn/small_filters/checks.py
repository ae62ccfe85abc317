"""Checks of the drills about stacks of 3x3 filters."""

from typing import Any

import torch
import torch.nn.functional as F

from quizzes.content.cnn.checks import receptive_range


def stack_3x3_vs_5x5(L: int, C: int) -> dict[str, Any]:
    x = torch.zeros(1, 1, 101, requires_grad=True)  # along one axis
    y = x
    for _ in range(L):
        y = F.conv1d(y, torch.ones(1, 1, 3))
    first, last = receptive_range(y[0, 0, 40], x)
    r = last - first + 1
    W = L * torch.nn.Conv2d(C, C, 3, bias=False, device="meta").weight.numel()
    B = torch.nn.Conv2d(C, C, r, bias=False, device="meta").weight.numel()
    return dict(r=r, W=W, B=B, q=100 - 100 * W / B)
