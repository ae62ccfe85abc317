"""Initial weights of dense and convolutional layers, drawn by a named scheme; their biases are zero.

    he        normal,  variance 2 / fan_in               (He et al. 2015: for ReLU)
    xavier    uniform, variance 2 / (fan_in + fan_out)   (Glorot and Bengio 2010: for tanh)
    normal    normal,  standard deviation `scale`
    uniform   uniform, from -scale to scale

Embeddings, recurrent cells and norms keep the weights that the network gave them.
"""

from torch import nn

from workbench.engine.spec.sections import He, Initialization, Normal, Uniform, Xavier
from workbench.errors import UserError

LAYERS = (nn.Linear, nn.modules.conv._ConvNd)


def initialize_weights(network: nn.Module, scheme: Initialization) -> None:
    """Draw the initial weights from torch's current RNG state.

    Raises:
        UserError: If the network has no such layer.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, LAYERS)]
    if not layers:
        raise UserError("This network has no dense or convolutional layer to initialize: leave init out.")
    for layer in layers:
        match scheme:
            case He():
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            case Xavier():
                nn.init.xavier_uniform_(layer.weight)
            case Normal(std):
                nn.init.normal_(layer.weight, std=std)
            case Uniform(bound):
                nn.init.uniform_(layer.weight, -bound, bound)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
