"""Feature maps: what layers make of one test sample."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from workbench.engine.inside.trained import Trained, as_read, convolutions, maps
from workbench.errors import unknown_name

LAYERS, CHANNELS = 4, 6  # as many as are shown where no layer is named
MOST = 48  # channels of a layer that is named


def look(
    trained: Trained,
    layer: str | None = None,
    sample: int | None = None,
    told: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """The strongest maps of some convolutions from the first to the last, or of one layer; before any activation.

    A map is the stronger, the larger its mean absolute value.

    Returns:
        The sample, as `Trained.seen` gives it; `all_layers`: the names of those that can be asked for; `layers`: for
        each its `layer`, `type`, `shape` (channels, height, width), and `maps`: `channel`, `strength` and `pixels`.

    Raises:
        UserError: There is no such layer, or no convolution at all.
    """
    number = trained.number(sample)
    with torch.no_grad():
        found = maps(trained.network, as_read(trained, trained.batch(number, number + 1)))
    known = list(found)
    if layer is not None and layer not in found:
        raise unknown_name("layer with maps", layer, known)
    chosen = [layer] if layer is not None else spread(convolutions(trained.network, known))
    most = CHANNELS if layer is None else MOST
    shown = [strongest(trained.network, name, found[name][0], most) for name in chosen]
    return {**trained.seen(number), "all_layers": known, "layers": shown}


def spread(names: list[str]) -> list[str]:
    """A few, from the first to the last, evenly."""
    count = min(LAYERS, len(names))
    return [names[round(k * (len(names) - 1) / max(1, count - 1))] for k in range(count)]


def strongest(network: nn.Module, name: str, made: Tensor, most: int) -> dict[str, Any]:
    """A layer's maps (channels, height, width) as plain data, the strongest first."""
    strength = made.abs().mean(dim=(1, 2))
    order = strength.argsort(descending=True, stable=True)[:most].tolist()
    shown = [dict(channel=k, strength=float(strength[k]), pixels=made[k].tolist()) for k in order]
    return dict(layer=name, type=type(network.get_submodule(name)).__name__, shape=list(made.shape), maps=shown)
