"""The adding problem: Hochreiter, Schmidhuber, Long short-term memory (1997), section 5.4, in its common simpler form.

Each step of a sequence has a value from 0 to 1 and a mark. Two steps are marked with 1, one in either half of the
sequence, all others with 0. The target is the sum of the two marked values. To predict the mean of the targets, 1, has
a mean squared error of 1/6, the variance of the sum of two uniform values.

In the paper, values are from -1 to 1, and the sequences differ in length.
"""

import numpy as np

SET = dict(
    title="the sum of two marked values of a sequence",
    row="one sequence of 20 steps, each with a value and a mark",
    samples=10_000,
    shape=(20, 2),
    target="sum",
    source="made by code, after Hochreiter and Schmidhuber 1997",
    licence="MIT",
    synthetic=True,
    modality="memory",
    sizes=dict(steps=20, in_features=2, out_features=1),
)
MIN_STEPS = 2


def load(steps: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences (10,000, steps, 2), float32, and the sums of their marked values (10,000,)."""
    rng, count = np.random.default_rng(0), 10_000
    values, marks = rng.random((count, steps), dtype=np.float32), np.zeros((count, steps), np.float32)
    rows = np.arange(count)
    for start, end in ((0, steps // 2), (steps // 2, steps)):
        marks[rows, rng.integers(start, end, count)] = 1
    return np.stack([values, marks], axis=2), (values * marks).sum(axis=1).astype(np.float64)
