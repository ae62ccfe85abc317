"""Linear models: linear, logistic and softmax regression, each a single dense layer with its own loss.

Linear regression (Legendre 1805, Gauss 1809) predicts a number as a weighted sum of the features. The weights minimize
the mean squared error, a convex function: gradient descent approaches its one minimum, and the normal equation gives
it directly.

    y = X w + b        L(w, b) = |X w + b - y|^2 / n        dL/dw = 2 X^T (X w + b - y) / n = 0

Logistic regression (Cox 1958) decides between two classes: the sigmoid turns the weighted sum, the logit, into a
probability. The loss is the binary cross-entropy, which is convex too.

    P(yes | x) = sigmoid(z) = 1 / (1 + exp(-z))        z = w x + b        dL/dz = sigmoid(z) - y

Softmax regression, or multinomial logistic regression (Cox 1958), has a logit for each class. It is the last layer of
nearly every classifier; on its own it draws straight boundaries between the classes.

    P(k | x) = exp(z_k) / sum_j exp(z_j)        z = W x + b        dL/dz = softmax(z) - onehot(y)

The paper presets read the 10 features of the diabetes data, the 30 of the breast cancer data, and images of 28x28:

    network                input    output    parameters
    linear-regression      10       1         10 + 1        =    11
    logistic-regression    30       1         30 + 1        =    31
    softmax-regression     784      10        784*10 + 10   = 7,850

The minis are the same networks; that of softmax regression reads the 64 pixels of 8x8 digits.

All three output logits, or the prediction itself, and leave sigmoid and softmax to the loss, which is exact for large
logits too. Adding a constant to all logits of softmax changes no probability, so that two trained networks may agree
in their probabilities but not in their weights. Features must have similar scales: if one varies a thousand times as
much as another, gradient descent needs about a million times as many steps.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn


def normal_equation(X: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights and biases with the smallest squared error, without any training.

    They solve the normal equation [X 1]^T [X 1] [w b] = [X 1]^T y. Forming this product would square the condition
    number and lose half of the digits. A QR decomposition [X 1] = Q R gives the same solution from R [w b] = Q^T y,
    and keeps them.

    Args:
        X: Samples (N, d) of full rank: more samples than features, and no feature a combination of the others and a
            constant.
        y: Targets (N, k).

    Returns:
        Weights (k, d) and biases (k,), as in `nn.Linear`.
    """
    Q, R = torch.linalg.qr(torch.cat([X, X.new_ones(len(X), 1)], dim=1))
    solution = torch.linalg.solve_triangular(R, Q.T @ y, upper=True)  # (d + 1, k)
    return solution[:-1].T, solution[-1]


class LinearModel(nn.Module):
    """One dense layer.

    Args:
        in_features: Features of a sample, such as its pixels.
        out_features: Outputs.
    """

    def __init__(self, in_features: int, out_features: int):
        super().__init__()
        self.input_shape = (in_features,)
        self.linear = nn.Linear(in_features, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Return predictions or logits (N, out_features) for samples (N, in_features)."""
        outputs: Tensor = self.linear(x)
        return outputs

    def load_reference(self, estimator: Mapping[str, Any]) -> None:
        """Load the weights of a fitted scikit-learn `LinearRegression` or `LogisticRegression`, given its `vars`."""
        weight, bias = torch.as_tensor(estimator["coef_"]), torch.as_tensor(estimator["intercept_"])
        shape = self.linear.weight.shape
        self.linear.load_state_dict({"weight": weight.reshape(shape), "bias": bias.reshape(shape[:1])})


class LinearRegression(LinearModel):
    """One neuron without an activation, which predicts a number.

    Args:
        in_features: Features of a sample.
    """

    def __init__(self, in_features: int = 10):
        super().__init__(in_features, 1)


class LogisticRegression(LinearModel):
    """One sigmoid neuron, which outputs its logit: above 0 means yes.

    Args:
        in_features: Features of a sample.
    """

    def __init__(self, in_features: int = 30):
        super().__init__(in_features, 1)


class SoftmaxRegression(LinearModel):
    """One neuron for each class, which outputs the class's logit.

    Args:
        in_features: Features of a sample, such as its pixels.
        num_classes: Number of classes.
    """

    def __init__(self, in_features: int = 784, num_classes: int = 10):
        super().__init__(in_features, num_classes)


FAMILIES = dict(
    linear=dict(
        family="linear-regression",
        year=1805,
        paper="Legendre, Nouvelles méthodes pour la détermination des orbites des comètes",
        topic="linear-regression",
        task="diabetes",
        contribution="A weighted sum of the features, with the weights that minimize the sum of the squared errors.",
        network="LinearRegression",
        names={"linear-regression": dict(in_features=10)},
        inputs=dict(features="float32[in_features]"),
        outputs=dict(value="float32[1]"),
        sizes=dict(features="in_features"),
        params={"linear-regression": 11},
        mini=dict(),
        reference="scikit-learn",
    ),
    logistic=dict(
        family="logistic-regression",
        year=1958,
        paper="Cox, J. Royal Statistical Society B 20(2)",
        topic="binary-classification",
        task="breast-cancer",
        contribution="A weighted sum that the sigmoid turns into the probability of one of two classes.",
        builds_on=("linear-regression",),
        network="LogisticRegression",
        names={"logistic-regression": dict(in_features=30)},
        inputs=dict(features="float32[in_features]"),
        outputs=dict(logits="float32[1]"),
        sizes=dict(features="in_features"),
        params={"logistic-regression": 31},
        mini=dict(),
        reference="scikit-learn",
    ),
    softmax=dict(
        family="softmax-regression",
        year=1958,
        paper="Cox, J. Royal Statistical Society B 20(2)",
        topic="multiclass-classification",
        task="digits",
        contribution="A weighted sum for each class; softmax turns them into probabilities.",
        builds_on=("logistic-regression",),
        network="SoftmaxRegression",
        names={"softmax-regression": dict(in_features=784)},
        inputs=dict(features="float32[in_features]"),
        outputs=dict(logits="float32[num_classes]"),
        sizes=dict(features="in_features", classes="num_classes"),
        params={"softmax-regression": 7_850},
        mini=dict(in_features=64),
        reference="scikit-learn",
    ),
)
