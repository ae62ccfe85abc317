"""Softmax regression, or multinomial logistic regression: Cox, The regression analysis of binary sequences (1958).

Each class has a weighted sum of its own, its logit, and softmax makes probabilities of them all. It is the last layer
of nearly every classifier; here it stands alone, and draws straight borders between the classes.

    P(k | x) = exp(z_k) / sum_j exp(z_j)        z = W x + b        dL/dz = softmax(z) - onehot(y)

The paper preset, for pictures of 28x28 pixels:

    layer    output    parameters
    input    784
    linear   10        784*10 + 10 = 7,850

The mini is 64-10: it reads digits of 8x8. The network gives the logits, and the loss takes the softmax. A number added
to all logits changes no probability, so that two trained networks may agree in what they say and not in their weights.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


class SoftmaxRegression(nn.Module):
    """One neuron for each class.

    Args:
        features: Numbers of a sample, such as its pixels.
        classes: Number of classes.
    """

    def __init__(self, features: int = 784, classes: int = 10):
        super().__init__()
        self.input_shape = (features,)
        self.linear = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (N, classes) of samples (N, features)."""
        return self.linear(x)

    def load_reference(self, fitted: Mapping[str, Any]) -> None:
        """Take the weights of a scikit-learn `LogisticRegression` of many classes, as `vars` shows them."""
        weight, bias = torch.as_tensor(fitted["coef_"]), torch.as_tensor(fitted["intercept_"])
        self.linear.load_state_dict({"weight": weight, "bias": bias})


FAMILY = dict(
    family="softmax-regression",
    year=1958,
    paper="Cox, J. Royal Statistical Society B 20(2)",
    topic="multiclass-classification",
    task="digits",
    idea="A weighted sum for each class; softmax makes probabilities of them all.",
    builds_on=("logistic-regression",),
    network="SoftmaxRegression",
    names={"softmax-regression": dict(features=784)},
    input=(784,),
    output=(10,),
    params={"softmax-regression": 7_850},
    mini=dict(features=64),
    reference="scikit-learn",
)
