"""Two spirals wound into each other, after Lang and Witbrock's test of 1988: 500 points, one and a half turns each.

Synthetic: made here, always the same. A few neurons can't part them; two layers of some dozens can. Licence: as this
program, MIT.
"""

import numpy as np

SET = dict(
    title="which of two spirals a point is on",
    row="one point of the plane",
    samples=500,
    features=("x", "y"),
    classes=("one", "other"),
    target="spiral",
    source="made by code: radius grows with the angle, the other spiral is turned by half a turn, noise 0.03",
    licence="MIT",
    synthetic=True,
)
EACH, TURNS, NOISE = 250, 1.5, 0.03


def load() -> tuple[np.ndarray, np.ndarray]:
    """Points (500, 2) within about 1 of the middle; spirals (500,)."""
    rng = np.random.default_rng(0)
    spirals = np.repeat([0, 1], EACH)
    radius = np.sqrt(rng.uniform(0.02, 1, len(spirals)))  # the root, so that points lie equally dense all along
    angle = 2 * np.pi * TURNS * radius + np.pi * spirals
    points = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    return points + rng.normal(0, NOISE, points.shape), spirals
