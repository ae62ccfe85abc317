"""Logistic regression: Cox, The regression analysis of binary sequences (1958).

One neuron answers yes or no: a weighted sum of what is measured, the logit, is bent by the sigmoid into a probability.
The probability's negative logarithm, the binary cross-entropy, is the loss, and has one bottom as squared errors have.

    P(yes | x) = sigmoid(z) = 1 / (1 + exp(-z))        z = w x + b        dL/dz = sigmoid(z) - y

The paper preset reads the thirty measurements of the breast cancer data, and its mini is the same network:

    layer    output    parameters
    input    30
    linear   1         30 + 1 = 31

The network gives the logit and leaves the sigmoid to the loss, where both together stay exact for large logits.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class LogisticRegression(nn.Module):
    """One sigmoid neuron.

    Args:
        features: Measurements of a sample.
    """

    def __init__(self, features: int = 30):
        super().__init__()
        self.input_shape = (features,)
        self.linear = nn.Linear(features, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, 1) of samples (N, features): above 0 means yes."""
        return self.linear(x)

    def load_reference(self, fitted: Mapping[str, Any]) -> None:
        """Take the weights of a scikit-learn `LogisticRegression` of two classes, as `vars` shows them."""
        weight, bias = torch.as_tensor(fitted["coef_"]), torch.as_tensor(fitted["intercept_"])
        self.linear.load_state_dict({"weight": weight, "bias": bias})


FAMILY = dict(
    family="logistic-regression",
    year=1958,
    paper="Cox, J. Royal Statistical Society B 20(2)",
    topic="binary-classification",
    task="breast-cancer",
    idea="A weighted sum, bent by the sigmoid into the probability of yes.",
    builds_on=("linear-regression",),
    network="LogisticRegression",
    names={"logistic-regression": dict(features=30)},
    input=(30,),
    output=(1,),
    params={"logistic-regression": 31},
    mini=dict(),
    reference="scikit-learn",
)
