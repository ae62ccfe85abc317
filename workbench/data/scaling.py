"""Scalers: what brings features to one scale. They are fitted to the training part alone and then used on every part.

    z-score    (x - mean) / deviation             mean 0, deviation 1    standardisation
    min-max    (x - least) / (most - least)       from 0 to 1            normalisation

Whatever is measured on held-out samples would leak into training: their scale is a part of what is to be predicted. So
a held-out sample may well fall outside 0 to 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Scaler:
    """x -> (x - shift) / spread.

    Attributes:
        shift: What becomes 0: one number a feature, or one for all.
        spread: What becomes 1. A feature that is the same in every training sample has spread 1: it becomes 0 there,
            and nothing is divided by 0.
    """

    shift: np.ndarray
    spread: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Values (N, ...) on the common scale."""
        return (values - self.shift) / self.spread

    def back(self, scaled: np.ndarray) -> np.ndarray:
        """Scaled values (N, ...) in their own units."""
        return scaled * self.spread + self.shift


def z_score(train: np.ndarray, axis: int | None = 0) -> Scaler:
    """Mean 0 and deviation 1 over the training samples (N, ...).

    Args:
        axis: 0 scales every feature by itself; None all alike, as for the pixels of a picture.
    """
    if train.dtype == np.uint8 and axis is None:
        return _of_levels(train)
    mean = np.clip(train.mean(axis), train.min(axis), train.max(axis))  # of many 0.1 it is not quite 0.1, by rounding
    return Scaler(mean, _spread(train, axis, train.std(axis)))


def min_max(train: np.ndarray, axis: int | None = 0) -> Scaler:
    """Least 0 and most 1 over the training samples (N, ...); `axis` as for `z_score`."""
    return Scaler(_real(train.min(axis)), _spread(train, axis, np.ptp(train, axis)))


SCALERS: dict[str, Callable[..., Scaler]] = {"z-score": z_score, "min-max": min_max}


def _of_levels(train: np.ndarray) -> Scaler:
    """The z-score of bytes, by how often each of the 256 comes: many pictures as floats would need much memory."""
    at_once = max(1, len(train) // 100)
    counts = sum(np.bincount(train[k : k + at_once].ravel(), minlength=256) for k in range(0, len(train), at_once))
    levels = np.arange(256)
    mean = np.average(levels, weights=counts)
    deviation = np.sqrt(np.average((levels - mean) ** 2, weights=counts))
    return Scaler(np.asarray(mean, np.float32), np.asarray(deviation or 1, np.float32))


def _spread(train: np.ndarray, axis: int | None, measured: np.ndarray) -> np.ndarray:
    # A constant column's deviation needn't come out as 0, nor need that of a column that is not quite constant.
    constant = (train.min(axis) == train.max(axis)) | (measured == 0)
    return _real(np.where(constant, 1, measured).astype(train.dtype))


def _real(values: np.ndarray) -> np.ndarray:
    """Bytes as floats: differences of bytes would run over."""
    return values.astype(np.float32) if values.dtype == np.uint8 else values
