"""Forecasts of a time series by simple rules, which a network should beat."""

import numpy as np


def last_value(past: np.ndarray, horizon: int) -> np.ndarray:
    """Return forecasts (horizon,) that repeat the last value of the past."""
    return np.full(horizon, past[-1])


def seasonal_naive(past: np.ndarray, horizon: int, period: int) -> np.ndarray:
    """Return forecasts (horizon,) that repeat the last season of the past (`period` values)."""
    return np.resize(past[-period:], horizon)


def find_period(train: np.ndarray) -> int:
    """Return the lag from 2 to a third of the training values at which the series repeats with the smallest error."""
    lags = range(2, max(3, len(train) // 3))
    return min(lags, key=lambda lag: float(np.abs(train[lag:] - train[:-lag]).mean()))
