"""The receptive field of one unit: the pixels it can depend on, and those it does (Luo, Li, Urtasun, Zemel, 2016)."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from workbench.engine.interpret import samples
from workbench.engine.interpret.axis_field import AxisField, ReceptiveField, receptive_fields
from workbench.engine.interpret.feature_maps import Forward, check_layer, convolutions, record
from workbench.engine.trained import TrainedNetwork

MAX_SAMPLES, BATCH_SIZE = 32, 8  # test samples that the gradient is averaged over
EFFECTIVE_SHARE = 0.0455  # of the largest gradient: the paper's threshold of the effective receptive field

Unit = tuple[int, int]  # row and column in a map


def compute(
    trained: TrainedNetwork,
    layer: str | None = None,
    sample: int | None = None,
    on_progress: Callable[[float], None] = lambda progress: None,
) -> dict[str, Any]:
    """Return the receptive field of the unit in the middle of a layer; by default of the last convolution.

    A unit is a position of the maps with all channels.

    Returns:
        The sample, as `samples.describe` returns it; `all_layers`, the names of the layers that have maps; `layer`,
        `type`, `shape` and `unit`: its row and column in the map. `theoretical`: `size` (height, width) and `first`,
        the row and column of its first pixel, which may be outside of the image; both are None along an axis that is
        covered as a whole. `effective`: `gradients`, by row, of the sum of the unit's channels, absolute, averaged over
        the input channels and `samples` test samples; `pixels`, the number of those with at least 4.55% of the largest
        gradient; and `side`, the square root of that number.

    Raises:
        UserError: If there is no such layer, or no convolution at all.
    """
    number, batch = samples.get(trained, sample)
    network = trained.network
    with torch.no_grad():
        image, maps = record(network, partial(trained.forward, batch))
    names = list(maps)
    check_layer(layer, names)
    name = layer if layer is not None else convolutions(network, names)[-1]
    channels, height, width = maps[name].shape[1:]
    unit = (height // 2, width // 2)
    gradients = mean_gradient(trained, name, unit, on_progress)
    largest = gradients.max()
    pixels = int((gradients >= EFFECTIVE_SHARE * largest).sum()) if largest > 0 else 0
    field = receptive_fields(network, partial(trained.forward, batch))[name]
    return {
        **samples.describe(trained, number, batch, image[0]),
        "all_layers": names,
        "layer": name,
        "type": type(network.get_submodule(name)).__name__,
        "shape": [channels, height, width],
        "unit": list(unit),
        "theoretical": theoretical(field, unit),
        "effective": {
            "gradients": gradients.tolist(),
            "samples": min(MAX_SAMPLES, len(trained.source)),
            "pixels": pixels,
            "side": pixels**0.5,
        },
    }


def theoretical(field: ReceptiveField, unit: Unit) -> dict[str, Any]:
    """Return the size of a unit's field along both axes, and its first pixel."""

    def first(axis: AxisField, position: int) -> int | None:
        return None if axis.size is None else axis.first + position * axis.step

    return {"size": [field.y.size, field.x.size], "first": [first(field.y, unit[0]), first(field.x, unit[1])]}


def mean_gradient(trained: TrainedNetwork, layer: str, unit: Unit, on_progress: Callable[[float], None]) -> Tensor:
    """Return the mean absolute gradient (height, width) of a unit with respect to the image that the network reads."""
    count = min(MAX_SAMPLES, len(trained.source))
    total = torch.zeros(())
    for start in range(0, count, BATCH_SIZE):
        end = min(start + BATCH_SIZE, count)
        batch = trained.source.batch(slice(start, end))
        gradient = unit_gradient(trained.network, partial(trained.forward, batch), layer, unit)
        total = total + gradient.abs().mean(dim=1).sum(dim=0)
        on_progress(end / count)
    return total / count


def unit_gradient(network: nn.Module, forward: Forward, layer: str, unit: Unit) -> Tensor:
    """Return the gradient of a unit, the sum of its channels, with respect to the image, in the image's shape.

    Args:
        network: The network.
        forward: Runs it.
        layer: A layer with maps.
        unit: The unit.
    """
    image, maps = record(network, forward, requires_grad=True)
    row, column = unit
    [gradient] = torch.autograd.grad(maps[layer][:, :, row, column].sum(), image)
    return gradient
