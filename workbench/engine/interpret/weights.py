"""The weights of a trained network: a histogram for each parameter."""

from collections.abc import Callable
from typing import Any

from workbench.engine.interpret.histograms import describe
from workbench.engine.trained import TrainedNetwork


def compute(trained: TrainedNetwork, on_progress: Callable[[float], None] = lambda progress: None) -> dict[str, Any]:
    """Return the histograms of all parameters, in the order of the network.

    Returns:
        `parameters`: for each what `histograms.describe` returns.
    """
    network = trained.network
    return {"parameters": [describe(network, name, weight) for name, weight in network.named_parameters()]}
