"""A series made by code: a trend, a season that repeats every 24 values, and noise that lasts for some values."""

import numpy as np

SET = dict(
    title="the next values of a series with a trend and a season",
    row="one value of a series, an hour after the one before",
    samples=2000,
    shape=(),
    target="demand (MW)",
    source="made by code: a linear trend, a season of 24 steps in two waves, and autoregressive noise",
    licence="MIT",
    synthetic=True,
    modality="series",
    sizes=dict(window=48, horizon=12),
)


def load() -> np.ndarray:
    """Return the values (2000,) in the order of time."""
    rng, count = np.random.default_rng(0), 2000
    hours = np.arange(count)
    season = 20 * np.sin(2 * np.pi * hours / 24) + 8 * np.sin(4 * np.pi * hours / 24 + 1)
    noise, shocks = np.zeros(count), rng.normal(0, 2.5, count)
    for t in range(1, count):
        noise[t] = 0.7 * noise[t - 1] + shocks[t]
    return 100 + 0.03 * hours + season + noise
