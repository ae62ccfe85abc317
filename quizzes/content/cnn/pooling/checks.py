"""Pooling: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def pooling_values(X: Tensor, k: int, s: int | None) -> dict[str, Any]:
    M = F.max_pool2d(X[None], k, s)[0]
    A = F.avg_pool2d(X[None], k, s)[0]
    return dict(M=M, A=A)


def pool_backprop(X: Tensor, G: Tensor, k: int, s: int) -> dict[str, Any]:
    def backward(pool):
        x = X.clone().requires_grad_()
        return torch.autograd.grad(pool(x[None], k, s)[0], x, G)[0]

    M, A = backward(F.max_pool2d), backward(F.avg_pool2d)
    return dict(M=M, A=A)


def pooling_shape(H: int, W: int, C: int, k: int, s: int, p: int) -> dict[str, Any]:
    x = torch.empty(1, C, H, W, device="meta")
    S = F.max_pool2d(x, k, s, p)[0].permute(1, 2, 0).shape
    Q = F.max_pool2d(x, k, s, p, ceil_mode=True)[0].permute(1, 2, 0).shape
    return dict(S=S, Q=Q)


def gap_head(n: int, C: int, K: int) -> dict[str, Any]:
    x = torch.empty(1, C, n, n, device="meta")
    pooled = torch.nn.AdaptiveAvgPool2d(1)(x).flatten(1).shape[1]
    flat = torch.nn.Flatten()(x).shape[1]
    P, D = (sum(p.numel() for p in torch.nn.Linear(v, K, device="meta").parameters()) for v in (pooled, flat))
    return dict(P=P, D=D)
