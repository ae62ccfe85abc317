"""Decision regions: what a network says all over the plane, where its inputs are two numbers."""

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from workbench.tasks.task import Batch

if TYPE_CHECKING:
    from workbench.tasks.classification import Classification

GRID = 32  # points a side
MARGIN = 0.1  # of the samples' range, on every side
MOST = 500  # samples that are drawn into it


def regions(task: "Classification", network: nn.Module, samples: Batch) -> dict[str, Any]:
    """The class and its probability on a grid, and the samples; all in the standardised units that the network reads.

    Returns:
        `x` and `y`: the range of each feature. `predicted` and `probability`: rows of the grid, from the least y to the
        most, each from the least x to the most. `samples`: x, y and class of each.
    """
    inputs, classes = samples
    least, most = inputs.amin(dim=0), inputs.amax(dim=0)
    margin = MARGIN * (most - least)
    x_range, y_range = torch.stack([least - margin, most + margin], dim=1).tolist()
    xs, ys = (torch.linspace(low, high, GRID, device=inputs.device) for low, high in (x_range, y_range))
    grid = torch.cartesian_prod(ys, xs).flip(dims=(1,))
    chances = task.scores(task.outputs(network, (grid,))).softmax(dim=1).view(GRID, GRID, -1)
    drawn = zip(inputs[:MOST].tolist(), classes[:MOST].tolist(), strict=True)
    return {
        "picture": "regions",
        "features": list(task.known.features),
        "classes": list(task.known.classes),
        "x": x_range,
        "y": y_range,
        "predicted": chances.argmax(dim=2).tolist(),
        "probability": chances.amax(dim=2).double().round(decimals=3).tolist(),
        "samples": [[x, y, target] for (x, y), target in drawn],
    }
