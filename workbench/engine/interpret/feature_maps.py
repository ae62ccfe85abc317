"""Feature maps: the outputs of layers for one test sample."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from models.tracing import hooked
from workbench.engine.interpret import samples
from workbench.engine.trained import TrainedNetwork
from workbench.errors import UserError, unknown_name

MAX_LAYERS, MAX_CHANNELS = 4, 6  # if no layer is named
MAX_CHANNELS_OF_LAYER = 48  # if one is

Forward = Callable[[], object]  # runs a network once


def compute(
    trained: TrainedNetwork,
    layer: str | None = None,
    sample: int | None = None,
    on_progress: Callable[[float], None] = lambda progress: None,
) -> dict[str, Any]:
    """Return the strongest maps of some convolutions from the first to the last, or of one layer.

    Maps are outputs of the layer itself, before any activation that follows. The strongest have the largest mean
    absolute value.

    Returns:
        The sample, as `samples.describe` returns it; `all_layers`, the names of the layers that have maps; `layers`:
        for each its `layer`, `type`, `shape` (channels, height, width), and `maps`: `channel`, `strength` and `pixels`.

    Raises:
        UserError: If there is no such layer, or no convolution at all.
    """
    number, batch = samples.get(trained, sample)
    network = trained.network
    with torch.no_grad():
        image, maps = record(network, lambda: trained.forward(batch))
    names = list(maps)
    check_layer(layer, names)
    selection = [layer] if layer is not None else spread(convolutions(network, names))
    most = MAX_CHANNELS if layer is None else MAX_CHANNELS_OF_LAYER
    layers = [strongest(network, name, maps[name][0], most) for name in selection]
    return {**samples.describe(trained, number, batch, image[0]), "all_layers": names, "layers": layers}


def record(network: nn.Module, forward: Forward, requires_grad: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
    """Run a network, and return the image that it reads and the maps of every layer.

    Args:
        network: The network.
        forward: Runs it.
        requires_grad: Whether the maps carry gradients with respect to the image.

    Returns:
        The image as the network reads it (N, channels, height, width), or flat (N, pixels). Layer -> maps (N, channels,
        height, width), in the order in which the layers run; of a layer that runs several times, the first maps.

    Raises:
        UserError: If the network reads no image.
    """
    images: list[Tensor] = []
    maps: dict[str, Tensor] = {}

    def note_image(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not name and not images:
            image = samples.image_argument(network, args, kwargs)
            # A layer may change the image in place.
            images.append(image.requires_grad_() if requires_grad else image.detach().clone())

    def note_maps(name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        if name and isinstance(output, Tensor) and output.dim() == 4:
            maps.setdefault(name, output.clone())  # a later layer may change it in place

    with hooked(network, after=note_maps, before=note_image):
        forward()
    if not images:  # the task calls its layers one by one
        samples.image_argument(network, (), {})
    return images[0], maps


def check_layer(layer: str | None, names: list[str]) -> None:
    """Check that a layer has maps, if one is named.

    Raises:
        UserError: If it has none.
    """
    if layer is not None and layer not in names:
        raise unknown_name("layer with maps", layer, names)


def convolutions(network: nn.Module, names: list[str]) -> list[str]:
    """Return the layers that are convolutions.

    Raises:
        UserError: If there is none.
    """
    selection = [name for name in names if isinstance(network.get_submodule(name), nn.Conv2d)]
    if not selection:
        kind = type(network).__name__
        raise UserError(f"{kind} has no convolution, so it has no maps: see its filters, or choose a run of lenet5.")
    return selection


def spread(names: list[str]) -> list[str]:
    """Return a few names, evenly from the first to the last."""
    count = min(MAX_LAYERS, len(names))
    return [names[round(k * (len(names) - 1) / max(1, count - 1))] for k in range(count)]


def strongest(network: nn.Module, name: str, maps: Tensor, most: int) -> dict[str, Any]:
    """Return the strongest maps of a layer (channels, height, width) as plain data, the strongest first."""
    strength = maps.abs().mean(dim=(1, 2))
    order = strength.argsort(descending=True, stable=True)[:most].tolist()
    selection = [dict(channel=k, strength=float(strength[k]), pixels=maps[k].tolist()) for k in order]
    return dict(layer=name, type=type(network.get_submodule(name)).__name__, shape=list(maps.shape), maps=selection)
