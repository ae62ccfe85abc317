"""The weights that look at the picture itself: those of the first convolution, or of a first dense layer."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from workbench.engine.inside.trained import Trained, as_read, pixels
from workbench.errors import UserError


def look(trained: Trained, told: Callable[[float], None] = lambda share: None) -> dict[str, Any]:
    """The filters of the first layer, as they are: rows of weights, of three each where the layer reads colours.

    Returns:
        `layer` and its `type`; `shape`: filters, channels, height, width; `filters`: the pixels of each, in order.

    Raises:
        UserError: The first layer with weights is neither a convolution nor dense over the picture.
    """
    name, layer = first(trained)
    weights = layer.weight.detach()
    if isinstance(layer, nn.Linear):
        side = round(weights.shape[1] ** 0.5)
        weights = weights.view(-1, 1, side, side)
    if weights.shape[1] not in (1, 3):
        raise UserError(f"The filters of {name} look at {weights.shape[1]} channels, which are no colours to be shown.")
    shown = [pixels(one) for one in weights]
    return {"layer": name, "type": type(layer).__name__, "shape": list(weights.shape), "filters": shown}


def first(trained: Trained) -> tuple[str, nn.Conv2d | nn.Linear]:
    """The first layer that runs and has weights, with its name.

    Raises:
        UserError: It is neither a convolution nor dense over the picture.
    """
    ran: list[tuple[str, nn.Module]] = []
    hooks = [
        module.register_forward_hook(lambda module, *_, name=name: ran.append((name, module)))
        for name, module in trained.network.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    ]
    batch = trained.batch(0, 1)
    read = as_read(trained, batch)
    del ran[:]
    try:
        with torch.no_grad():
            trained.network(read)
    finally:
        for hook in hooks:
            hook.remove()
    name, layer = ran[0] if ran else ("", trained.network)
    dense = isinstance(layer, nn.Linear) and read.dim() == 2
    if not isinstance(layer, (nn.Conv2d, nn.Linear)) or not (dense or isinstance(layer, nn.Conv2d)):
        kind = type(trained.network).__name__
        raise UserError(f"{kind} begins with neither a convolution nor a dense layer: it has no filters to be shown.")
    return name, layer
