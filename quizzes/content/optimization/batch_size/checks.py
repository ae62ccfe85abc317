"""Batch, mini-batch, stochastic: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch


def iterations_per_epoch(N: int, B: int, epochs: int) -> dict[str, Any]:
    from torch.utils.data import BatchSampler

    batches = list(BatchSampler(range(N), B, drop_last=False))
    iters, last = len(batches), len(batches[-1])
    total = sum(iters for _ in range(epochs))
    return dict(iters=iters, last=last, total=total)


def iterations_drop_last(N: int, B: int, epochs: int) -> dict[str, Any]:
    from torch.utils.data import BatchSampler

    batches = list(BatchSampler(range(N), B, drop_last=True))
    iters, unused = len(batches), N - sum(map(len, batches))
    total = sum(iters for _ in range(epochs))
    return dict(iters=iters, unused=unused, total=total)


def iterations_batch_size(N: int, B: int, epochs: int) -> int:
    from torch.utils.data import DataLoader

    return sum(len(DataLoader(range(N), batch_size=B)) for _ in range(epochs))


def effective_batch(B: int, k: int, G: int) -> int:
    weight = torch.zeros(1, requires_grad=True)
    for _device in range(G):
        for _batch in range(k):
            (weight * torch.ones(B)).sum().backward()  # every sample adds 1 to the gradient
    return int(weight.grad)


def effective_batch_learning_rate(eta0: float, B0: int, B: int, k: int, G: int) -> float:
    from scipy.interpolate import interp1d

    samples = torch.ones(G, k, B).sum().item()
    return float(interp1d([0, B0], [0, eta0], fill_value="extrapolate")(samples))  # a line through the origin
