"""Two half moons that hold each other, 400 points with noise: no straight line parts them.

Synthetic: made by scikit-learn's make_moons, always the same. Licence: as this program, MIT.
"""

import numpy as np

SET = dict(
    title="which of two half moons a point is on",
    row="one point of the plane",
    samples=400,
    features=("x", "y"),
    classes=("upper", "lower"),
    target="moon",
    source="made by code: scikit-learn's make_moons, noise 0.2",
    licence="MIT",
    synthetic=True,
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Points (400, 2); moons (400,)."""
    from sklearn.datasets import make_moons

    return make_moons(400, noise=0.2, random_state=0)
