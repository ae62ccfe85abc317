"""Small datasets that a seed draws or splits, for claims whose trials don't use a task's own splits."""

from typing import NamedTuple

import numpy as np


class Samples(NamedTuple):
    """Inputs (N, features), and their classes or values (N,)."""

    x: np.ndarray
    y: np.ndarray


class Splits(NamedTuple):
    """The three splits of a dataset."""

    train: Samples
    validation: Samples
    test: Samples


def split(x: np.ndarray, y: np.ndarray, seed: int, train: int, validation: int) -> Splits:
    """Return samples shuffled by a seed: the first `train`, the next `validation`, and the rest as test set."""
    order = np.random.default_rng(seed).permutation(len(x))
    parts = np.split(order, [train, train + validation])
    return Splits(*(Samples(x[rows], y[rows]) for rows in parts))


def digits(seed: int, train: int = 600, validation: int = 300) -> Splits:
    """Return the 8x8 digits as rows of 64 pixels from 0 to 16, 897 of them in the test set by default."""
    from workbench.data import digits as dataset

    images, classes = dataset.load()
    return split(16.0 * images.reshape(len(images), -1).astype(float), classes, seed, train, validation)


def plane(shape: str, seed: int, train: int = 200, validation: int = 200, test: int = 1000) -> Splits:
    """Return points of the plane in two classes, drawn by a seed, with coordinates of about -2 to 2.

    Args:
        shape: `xor` (four corners, opposite ones in one class), `moons` (two half moons), `circles` (one inside the
            other) or `blobs` (two round clouds that a straight line separates as well as any curve).
        seed: The seed.
        train: The number of training samples.
        validation: The number of validation samples.
        test: The number of test samples.
    """
    from sklearn.datasets import make_circles, make_moons

    count, rng = train + validation + test, np.random.default_rng(seed)
    if shape == "moons":
        x, y = make_moons(count, noise=0.2, random_state=seed)
    elif shape == "circles":
        x, y = make_circles(count, noise=0.1, factor=0.5, random_state=seed)
    elif shape == "xor":
        corners = rng.integers(0, 2, (count, 2))
        x, y = 2.0 * corners - 1 + rng.normal(0, 0.3, (count, 2)), corners[:, 0] ^ corners[:, 1]
    elif shape == "blobs":
        y = rng.integers(0, 2, count)
        x = np.where(y[:, None] == 1, 0.8, -0.8) + rng.normal(0, 0.8, (count, 2))
    else:
        raise ValueError("shape must be xor, moons, circles or blobs")
    return split(x, y, seed, train, validation)
