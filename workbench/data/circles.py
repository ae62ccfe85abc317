"""A circle inside a circle, 400 points with noise: no straight line is right about more than some two thirds of them.

Synthetic: made by scikit-learn's make_circles, always the same. Licence: as this program, MIT.
"""

import numpy as np

SET = dict(
    title="which of two circles a point is on",
    row="one point of the plane",
    samples=400,
    features=("x", "y"),
    classes=("outer", "inner"),
    target="circle",
    source="made by code: scikit-learn's make_circles, noise 0.1, factor 0.5",
    licence="MIT",
    synthetic=True,
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Points (400, 2); circles (400,)."""
    from sklearn.datasets import make_circles

    return make_circles(400, noise=0.1, factor=0.5, random_state=0)
