"""Overfitting and underfitting: the drills' answers computed by PyTorch or another library."""

from typing import Any

import torch
from torch import Tensor


def early_stopping(val: Tensor, patience: int) -> dict[str, Any]:
    from torch.optim.lr_scheduler import ReduceLROnPlateau

    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    plateau = ReduceLROnPlateau(optimizer, patience=patience - 1, threshold=0.0)
    for stop, loss in enumerate(val.tolist(), 1):
        plateau.step(loss)
        if optimizer.param_groups[0]["lr"] < 1:
            break
        if plateau.num_bad_epochs == 0:
            best = stop
    return dict(best=best, stop=stop)


def bagging_ensemble(p: Tensor) -> dict[str, Any]:
    labels = p.ge(0.5).long()
    votes = torch.bincount(labels, minlength=2)[1]
    P = p.mean()
    soft = torch.stack([1 - P, P]).argmax()
    hard = labels.mode().values
    return dict(votes=votes, P=P, soft=soft, hard=hard)


def bagging_variance(s2: float, rho: float, M: int) -> float:
    covariance = s2 * torch.full((M, M), float(rho)).fill_diagonal_(1.0)
    weights = torch.full((M,), 1 / M)
    return weights @ covariance @ weights
