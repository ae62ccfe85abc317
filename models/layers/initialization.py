"""Initial weights that several families share."""

from collections.abc import Callable

from torch import Tensor, nn


def init_like_torchvision(network: nn.Module, init_classifier: Callable[[Tensor], object]) -> None:
    """Initialize a mobile network as torchvision does: He et al. (2015) for filters, zeros for biases.

    Args:
        network: The network.
        init_classifier: Fills the weight matrix of a dense layer in place; here torchvision's networks differ.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.Linear):
            init_classifier(module.weight)
            nn.init.zeros_(module.bias)
