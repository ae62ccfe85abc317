"""The weights that are applied to the image itself: those of the first convolution, or of a first dense layer."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from models.tracing import hooked
from workbench.engine.interpret import samples
from workbench.engine.trained import TrainedNetwork
from workbench.errors import UserError


def compute(trained: TrainedNetwork, on_progress: Callable[[float], None] = lambda progress: None) -> dict[str, Any]:
    """Return the filters of the first layer: rows of weights, or of three weights each if it reads colors.

    Returns:
        `layer` and its `type`; `shape`: filters, channels, height, width; `filters`: the weights of each, in order.

    Raises:
        UserError: If the first layer with weights is neither a convolution nor a dense layer that reads the image.
    """
    name, layer = first_layer(trained)
    weights = layer.weight.detach()
    if isinstance(layer, nn.Linear):
        size = round(weights.shape[1] ** 0.5)
        weights = weights.view(-1, 1, size, size)
    channels = weights.shape[1]
    if channels not in (1, 3):
        raise UserError(f"The filters of {name} have {channels} channels, which can't be shown as colors.")
    filters = [samples.to_rows(each) for each in weights]
    return {"layer": name, "type": type(layer).__name__, "shape": list(weights.shape), "filters": filters}


def first_layer(trained: TrainedNetwork) -> tuple[str, nn.Conv2d | nn.Linear]:
    """Return the first layer that runs and has weights, with its name.

    Raises:
        UserError: If it is neither a convolution nor a dense layer that reads the image.
    """
    network = trained.network
    images: list[Tensor] = []
    layers: list[tuple[str, nn.Module]] = []

    def note(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not name:
            images.append(samples.image_argument(network, args, kwargs))
        if next(module.parameters(recurse=False), None) is not None:
            layers.append((name, module))

    _, batch = samples.get(trained, None)
    with hooked(network, before=note), torch.no_grad():
        trained.forward(batch)
    name, layer = layers[0] if layers else ("", network)
    if isinstance(layer, nn.Conv2d) or (isinstance(layer, nn.Linear) and images and images[0].dim() == 2):
        return name, layer
    kind = type(network).__name__
    raise UserError(f"{kind} begins with neither a convolution nor a dense layer: it has no filters to show.")
