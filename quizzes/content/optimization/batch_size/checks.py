"""Checks of the drills about batch, mini-batch and stochastic gradient descent."""

from typing import Any

import torch
from torch import Tensor


def iterations_per_epoch(N: int, B: int, epochs: int) -> dict[str, Any]:
    from torch.utils.data import BatchSampler

    batches = list(BatchSampler(range(N), B, drop_last=False))
    return dict(iters=len(batches), last=len(batches[-1]), total=epochs * len(batches))


def iterations_drop_last(N: int, B: int, epochs: int) -> dict[str, Any]:
    from torch.utils.data import BatchSampler

    batches = list(BatchSampler(range(N), B, drop_last=True))
    return dict(iters=len(batches), unused=N - sum(map(len, batches)), total=epochs * len(batches))


def iterations_batch_size(N: int, B: int, epochs: int) -> int:
    from torch.utils.data import DataLoader, TensorDataset

    return epochs * len(DataLoader(TensorDataset(torch.arange(N)), batch_size=B))


def effective_batch(B: int, k: int, G: int) -> Tensor | None:
    weight = torch.tensor(0.0, requires_grad=True)
    for _device in range(G):
        for _batch in range(k):
            (weight * torch.ones(B)).sum().backward()  # each sample adds 1 to the gradient
    return weight.grad


def effective_batch_learning_rate(eta0: float, B0: int, B: int, k: int, G: int) -> float:
    samples = torch.ones(G, k, B).sum()
    # The linear scaling rule is a line through the origin and through eta0 at a batch of B0 samples.
    return torch.lerp(torch.tensor(0.0), torch.tensor(float(eta0)), samples / B0).item()
