"""The multi-layer perceptron: Rumelhart, Hinton, Williams, Learning representations by back-propagating errors (1986).

Layers of neurons, each a weighted sum of all that the layer below says, bent by a non-linearity; without the bend the
whole stack would be one linear map. Back-propagation tells every weight its share of the error, so that the hidden
layers find features that nobody designed.

The paper preset, 784-256-10:

    layer    output    parameters
    input    784
    hidden   256       784*256 + 256 = 200,960
    output   10        256*10  +  10 =   2,570
                                total  203,530

The 1986 networks bent by the logistic function; ReLU stands here, as in today's notes. The mini is 64-32-10: it reads
digits of 8x8.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn


class MLP(nn.Module):
    """A stack of dense layers with ReLU between them.

    Args:
        sizes: Neurons of every layer, from the input to the output: at least two.
    """

    def __init__(self, sizes: Sequence[int] = (784, 256, 10)):
        super().__init__()
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError("sizes needs two layers or more, each of one neuron or more")
        self.input_shape = (sizes[0],)
        self.layers = nn.ModuleList(nn.Linear(fan_in, fan_out) for fan_in, fan_out in pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, sizes[-1]) of samples (N, sizes[0])."""
        *hidden, output = self.layers
        for layer in hidden:
            x = layer(x).relu()
        return output(x)


FAMILY = dict(
    family="mlp",
    year=1986,
    paper="Rumelhart, Hinton, Williams, Nature 323",
    topic="neuron",
    task="digits",
    network="MLP",
    names={"mlp": dict(sizes=(784, 256, 10))},
    input=(784,),
    output=(10,),
    params={"mlp": 203_530},
    mini=dict(sizes=(64, 32, 10)),
    reference=None,
)
