"""The exclusive or, which no single neuron computes (Minsky and Papert, Perceptrons, 1969): 400 points at four corners.

Synthetic: made here, always the same. Licence: as this program, MIT.
"""

import numpy as np

SET = dict(
    title="whether just one of two inputs is on",
    row="two inputs, each off (about 0) or on (about 1)",
    samples=400,
    features=("a", "b"),
    classes=("0", "1"),
    target="a xor b",
    source="made by code: 100 points around each corner of the unit square, noise 0.15",
    licence="MIT",
    synthetic=True,
)
EACH, NOISE = 100, 0.15


def load() -> tuple[np.ndarray, np.ndarray]:
    """Points (400, 2) around the corners of the unit square; whether one of both is on (400,)."""
    corners = np.tile([[0, 0], [0, 1], [1, 0], [1, 1]], (EACH, 1))
    noise = np.random.default_rng(0).normal(0, NOISE, corners.shape)
    return corners + noise, corners[:, 0] ^ corners[:, 1]
