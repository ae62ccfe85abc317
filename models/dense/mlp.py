"""The multi-layer perceptron: Rumelhart, Hinton, Williams, Learning representations by back-propagating errors (1986).

Each neuron applies a nonlinear activation to a weighted sum of the outputs of the layer before; without activations the
whole stack would be one linear map. Back-propagation computes the gradient of the error with respect to every weight,
so that the hidden layers learn features that nobody designed.

The paper preset, 784-256-10:

    layer      output    parameters
    input      784
    layers.0   256       784*256 + 256 = 200,960
    layers.1   10        256*10  +  10 =   2,570
                                  total  203,530

The networks in the paper used the logistic function; this one uses ReLU by default, as is common today. The mini is
64-32-10 and reads digits of 8x8. Dropout and batch normalization, which are not in the paper, are off by default.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


class MLP(nn.Module):
    """Dense layers with an activation between them.

    Args:
        in_features: Features of a sample, such as its pixels.
        hidden_sizes: Neurons of each hidden layer; none leave a linear model.
        out_features: Outputs, such as one logit per class.
        activation: `relu`, `tanh` or `sigmoid`.
        dropout: Probability that a hidden neuron is dropped in a training step (Srivastava et al., 2014).
        batch_norm: Whether the inputs of each activation are normalized over the batch (Ioffe, Szegedy, 2015).
    """

    def __init__(
        self,
        in_features: int = 784,
        hidden_sizes: Sequence[int] = (256,),
        out_features: int = 10,
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ):
        super().__init__()
        sizes = (in_features, *hidden_sizes, out_features)
        if min(sizes) < 1:
            raise ValueError("in_features, out_features and each of hidden_sizes must be 1 or more")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be {', '.join(ACTIVATIONS)}")
        self.input_shape = (in_features,)
        self.layers = nn.ModuleList(nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) if batch_norm else nn.Identity() for size in hidden_sizes)
        self.activations = nn.ModuleList(ACTIVATIONS[activation]() for _ in hidden_sizes)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, out_features) for samples (N, in_features)."""
        *hidden, output = self.layers
        for layer, norm, activation in zip(hidden, self.norms, self.activations, strict=True):
            x = self.dropout(activation(norm(layer(x))))
        outputs: Tensor = output(x)
        return outputs

    def load_reference(self, estimator: Mapping[str, Any]) -> None:
        """Load the weights of a fitted scikit-learn `MLPClassifier` of these sizes, given its `vars`."""
        for layer, weight, bias in zip(self.layers, estimator["coefs_"], estimator["intercepts_"], strict=True):
            layer.load_state_dict({"weight": torch.as_tensor(weight).T, "bias": torch.as_tensor(bias)})


FAMILY = dict(
    family="mlp",
    year=1986,
    paper="Rumelhart, Hinton, Williams, Nature 323",
    topic="neuron",
    task="digits",
    contribution=(
        "Hidden layers of neurons with nonlinear activations learn features that nobody designed; back-propagation "
        "gives each weight its gradient."
    ),
    builds_on=("perceptron",),
    network="MLP",
    names={"mlp": dict(in_features=784, hidden_sizes=(256,), out_features=10)},
    inputs=dict(features="float32[in_features]"),
    outputs=dict(outputs="float32[out_features]"),
    sizes=dict(features="in_features", outputs="out_features"),
    params={"mlp": 203_530},
    mini=dict(in_features=64, hidden_sizes=(32,)),
    reference="scikit-learn",
)
