"""Linear regression by least squares: Legendre (1805), Gauss (1809).

The answer is a weighted sum of what is measured, and the best weights make the sum of the squared errors smallest. That
sum is a bowl with one bottom: gradient descent walks down to it, and the normal equation names it at once.

    y = X w + b        L(w, b) = |X w + b - y|^2 / n        dL/dw = 2 X^T (X w + b - y) / n = 0

The paper preset reads the ten measurements of the diabetes data, and its mini is the same network:

    layer    output    parameters
    input    10
    linear   1         10 + 1 = 11

The measurements must be of one scale: where one varies a thousand times as much as another, the bowl is a ravine, and
gradient descent needs about a million times as many steps.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def normal_equation(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """The weights and the bias with the least squared error, without any training.

    They solve the normal equation [X 1]^T [X 1] [w b] = [X 1]^T y. It is not solved as it stands: the product squares
    the condition number, so that half of the digits are lost. A QR decomposition [X 1] = Q R gives the same solution
    from R [w b] = Q^T y, and keeps them.

    Args:
        X: Samples (N, d), of full rank: more samples than columns, and no column a mix of others and a constant.
        y: Targets (N, k).

    Returns:
        Weights (k, d) and biases (k,), as in `nn.Linear`.
    """
    Q, R = torch.linalg.qr(torch.cat([X, X.new_ones(len(X), 1)], dim=1))
    solution = torch.linalg.solve_triangular(R, Q.T @ y, upper=True)  # (d + 1, k)
    return solution[:-1].T, solution[-1]


class LinearRegression(nn.Module):
    """One neuron without a bend.

    Args:
        features: Measurements of a sample.
    """

    def __init__(self, features: int = 10):
        super().__init__()
        self.input_shape = (features,)
        self.linear = nn.Linear(features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Predictions (N, 1) for samples (N, features)."""
        return self.linear(x)

    def load_reference(self, fitted: Mapping[str, Any]) -> None:
        """Take the weights of a fitted scikit-learn `LinearRegression`, as `vars` shows them."""
        weight, bias = torch.as_tensor(fitted["coef_"]), torch.as_tensor(fitted["intercept_"])
        self.linear.load_state_dict({"weight": weight.reshape(1, -1), "bias": bias.reshape(1)})


FAMILY = dict(
    family="linear-regression",
    year=1805,
    paper="Legendre, Nouvelles méthodes pour la détermination des orbites des comètes",
    topic="linear-regression",
    task="diabetes",
    idea="A weighted sum of the measurements, with the weights that make the sum of the squared errors smallest.",
    network="LinearRegression",
    names={"linear-regression": dict(features=10)},
    input=(10,),
    output=(1,),
    params={"linear-regression": 11},
    mini=dict(),
    reference="scikit-learn",
)
