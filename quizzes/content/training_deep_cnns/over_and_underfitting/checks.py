"""Checks of the drills about overfitting and underfitting."""

from typing import Any

import torch
from torch import Tensor


def early_stopping(val: Tensor, patience: int) -> dict[str, Any]:
    # PyTorch has no early stopping, so this is brute force: look for the best epoch again after each epoch.
    losses = val.tolist()
    best = stop = 1
    while stop < len(losses) and stop - best < patience:
        stop += 1
        best = losses.index(min(losses[:stop])) + 1  # the first one, because an equal loss is not an improvement
    return dict(best=best, stop=stop)


def bagging_ensemble(p: Tensor) -> dict[str, Any]:
    labels = (p >= 0.5).long()
    P = p.mean()
    soft, hard = torch.stack([1 - P, P]).argmax(), labels.mode().values
    return dict(votes=labels.sum(), P=P, soft=soft, hard=hard)


def bagging_variance(s2: float, rho: float, M: int) -> Tensor:
    # The variance of a weighted sum, from the covariance matrix of the models.
    covariance = s2 * torch.full((M, M), float(rho)).fill_diagonal_(1.0)
    weights = torch.full((M,), 1 / M)
    return weights @ covariance @ weights
