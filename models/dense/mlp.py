"""The multi-layer perceptron: Rumelhart, Hinton, Williams, Learning representations by back-propagating errors (1986).

Layers of neurons, each a weighted sum of all that the layer below says, bent by a non-linearity; without the bend the
whole stack would be one linear map. Back-propagation tells every weight its share of the error, so that the hidden
layers find features that nobody designed.

The paper preset, 784-256-10:

    layer      output    parameters
    input      784
    layers.0   256       784*256 + 256 = 200,960
    layers.1   10        256*10  +  10 =   2,570
                                  total  203,530

The 1986 networks bent by the logistic function; ReLU stands here, as in today's notes. The mini is 64-32-10: it reads
digits of 8x8. Dropout and batch normalisation are off as published; a run can switch them on.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid}


class MLP(nn.Module):
    """A stack of dense layers with a non-linearity between them.

    Args:
        sizes: Neurons of every layer, from the input to the output: at least two.
        activation: What bends the hidden layers: `relu`, `tanh` or `sigmoid`.
        dropout: Share of the hidden neurons that each training step leaves out (Srivastava et al., 2014).
        batch_norm: Normalise what comes into each non-linearity over the batch (Ioffe, Szegedy, 2015).
    """

    def __init__(
        self,
        sizes: Sequence[int] = (784, 256, 10),
        activation: str = "relu",
        dropout: float = 0.0,
        batch_norm: bool = False,
    ):
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError("sizes needs two layers or more, each of one neuron or more")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation must be {', '.join(ACTIVATIONS)}")
        self.input_shape = (sizes[0],)
        self.layers = nn.ModuleList(nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) if batch_norm else nn.Identity() for size in sizes[1:-1])
        self.activation = ACTIVATIONS[activation]
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, sizes[-1]) of samples (N, sizes[0])."""
        *hidden, output = self.layers
        for layer, norm in zip(hidden, self.norms, strict=True):
            x = self.dropout(self.activation(norm(layer(x))))
        return output(x)

    def load_reference(self, fitted: Mapping[str, Any]) -> None:
        """Take the weights of a scikit-learn `MLPClassifier` of these sizes, as `vars` shows them."""
        for layer, weight, bias in zip(self.layers, fitted["coefs_"], fitted["intercepts_"], strict=True):
            layer.load_state_dict({"weight": torch.as_tensor(weight).T, "bias": torch.as_tensor(bias)})


FAMILY = dict(
    family="mlp",
    year=1986,
    paper="Rumelhart, Hinton, Williams, Nature 323",
    topic="neuron",
    task="digits",
    idea=(
        "Hidden layers of neurons, bent by a non-linearity, find features that nobody designed; back-propagation "
        "tells each weight its share of the error."
    ),
    builds_on=("perceptron",),
    network="MLP",
    names={"mlp": dict(sizes=(784, 256, 10))},
    input=(784,),
    output=(10,),
    params={"mlp": 203_530},
    mini=dict(sizes=(64, 32, 10)),
    reference="scikit-learn",
)
