"""Checks of the drills about pooling."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def pooling_values(X: Tensor, k: int, s: int | None) -> dict[str, Any]:
    return dict(M=F.max_pool2d(X[None], k, s)[0], A=F.avg_pool2d(X[None], k, s)[0])


def pool_backprop(X: Tensor, G: Tensor, k: int, s: int) -> dict[str, Any]:
    def backward(pool: Callable[..., Tensor]) -> Tensor:
        x = X.clone().requires_grad_()
        return torch.autograd.grad(pool(x[None], k, s)[0], x, G)[0]

    return dict(M=backward(F.max_pool2d), A=backward(F.avg_pool2d))


def pooling_shape(H: int, W: int, C: int, k: int, s: int, p: int) -> dict[str, Any]:
    x = torch.empty(1, C, H, W, device="meta")
    S = F.max_pool2d(x, k, s, p)[0].permute(1, 2, 0).shape
    Q = F.max_pool2d(x, k, s, p, ceil_mode=True)[0].permute(1, 2, 0).shape
    return dict(S=S, Q=Q)


def gap_head(n: int, C: int, K: int) -> dict[str, Any]:
    x = torch.empty(1, C, n, n, device="meta")
    averages, values = F.adaptive_avg_pool2d(x, 1).flatten(1), x.flatten(1)
    P, D = (
        sum(p.numel() for p in torch.nn.Linear(features.shape[1], K, device="meta").parameters())
        for features in (averages, values)
    )
    return dict(P=P, D=D)
