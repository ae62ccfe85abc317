"""The receptive field of one unit: how far it could see, and what it looks at (Luo, Li, Urtasun, Zemel, 2016)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from workbench.engine.inside.reach import Field, Reach, fields
from workbench.engine.inside.trained import Trained, as_read, convolutions, maps
from workbench.errors import unknown_name

SAMPLES, AT_ONCE = 32, 8  # test samples that the gradient is averaged over
SEEN = 0.0455  # of the greatest gradient: the paper counts what is above as seen


def look(
    trained: Trained,
    layer: str | None = None,
    sample: int | None = None,
    told: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """The receptive field of the unit in the middle of a layer, the last convolution where none is named.

    A unit is a place of the map with all its channels.

    Returns:
        The sample, as `Trained.seen` gives it; `all_layers`: the names of those that can be asked for; `layer`, `type`,
        `shape` and `unit`: row and column in the map. `theoretical`: `size` (height, width) and `first`, the row and
        column where it begins, which may lie outside of the picture; both are None along an axis of which everything
        is seen. `effective`: `gradients`, by row, of the sum of the unit's channels, absolute, averaged over channels
        and `samples` test samples; `pixels`: how many have 4.55% of the greatest or more, and `side`, the root of that.

    Raises:
        UserError: There is no such layer, or no convolution at all.
    """
    number = trained.number(sample)
    read = as_read(trained, trained.batch(number, number + 1))
    with torch.no_grad():
        found = maps(trained.network, read)
    known = list(found)
    if layer is not None and layer not in found:
        raise unknown_name("layer with maps", layer, known)
    name = layer if layer is not None else convolutions(trained.network, known)[-1]
    made = found[name][0]
    unit = (made.shape[1] // 2, made.shape[2] // 2)
    gradients = effective(trained, name, unit, told)
    seen = int((gradients >= SEEN * gradients.max()).sum()) if gradients.max() > 0 else 0
    return {
        **trained.seen(number),
        "all_layers": known,
        "layer": name,
        "type": type(trained.network.get_submodule(name)).__name__,
        "shape": list(made.shape),
        "unit": list(unit),
        "theoretical": theoretical(fields(trained.network, read)[name], unit),
        "effective": {
            "gradients": gradients.tolist(),
            "samples": min(SAMPLES, len(trained.samples[0])),
            "pixels": seen,
            "side": seen**0.5,
        },
    }


def theoretical(field: Field, unit: tuple[int, int]) -> dict[str, Any]:
    """Where a unit's field begins and how large it is, along both axes."""

    def first(reach: Reach, place: int) -> int | None:
        return None if reach.size is None else reach.first + place * reach.step

    return {"size": [field.y.size, field.x.size], "first": [first(field.y, unit[0]), first(field.x, unit[1])]}


def effective(trained: Trained, name: str, unit: tuple[int, int], told: Callable[[float], None]) -> Tensor:
    """The mean absolute gradient (height, width) of a unit with respect to what the network reads."""
    count = min(SAMPLES, len(trained.samples[0]))
    total = torch.zeros(())
    for first in range(0, count, AT_ONCE):
        read = as_read(trained, trained.batch(first, min(first + AT_ONCE, count)))
        total = total + gradient(trained.network, name, read, unit).abs().mean(dim=1).sum(dim=0)
        told(min(1.0, (first + AT_ONCE) / count))
    return total / count


def gradient(network: nn.Module, name: str, batch: Tensor, unit: tuple[int, int]) -> Tensor:
    """The gradient of a unit, the sum of its channels, with respect to a batch, in the batch's shape."""
    batch = batch.detach().requires_grad_()
    made = maps(network, batch)[name]
    [slope] = torch.autograd.grad(made[:, :, unit[0], unit[1]].sum(), batch)
    return slope
