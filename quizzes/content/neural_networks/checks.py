"""Helpers of several checks: neural networks."""

from typing import Any

import numpy as np
from torch import Tensor


def make_perceptron(w: Tensor, b: float, eta: float, labels: list[int]) -> Any:
    """Return a perceptron of scikit-learn with the given weights.

    Args:
        w: The weights.
        b: The bias.
        eta: The learning rate.
        labels: The labels of the two classes.
    """
    from sklearn.linear_model import Perceptron

    model = Perceptron(eta0=eta, shuffle=False)
    model.partial_fit(np.zeros((1, len(w))), labels[:1], classes=labels)  # creates the weights, which are replaced
    model.coef_, model.intercept_ = w.numpy().copy()[None], np.array([float(b)])
    return model
