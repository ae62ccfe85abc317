"""Decision regions: what a network says all over the plane, where its inputs are two numbers."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from workbench.tasks.task import Batch

GRID = 32  # points a side
MARGIN = 0.1  # of the samples' range, on every side
MOST = 500  # samples that are drawn into it


def regions(
    probabilities: Callable[[Tensor], Tensor], samples: Batch, features: tuple[str, ...], classes: tuple[str, ...]
) -> dict[str, Any]:
    """The class and its probability on a grid, and the samples; all in the standardized units that the network reads.

    Args:
        probabilities: Maps points (N, 2) to the probability of each class (N, K).
        samples: Points (N, 2) and their classes (N,).
        features: The names of the two features.
        classes: The names of the classes.

    Returns:
        `x` and `y`: the range of each feature. `predicted` and `probability`: rows of the grid, from the least y to the
        most, each from the least x to the most. `samples`: x, y and class of each.
    """
    inputs, targets = samples
    least, most = inputs.amin(dim=0), inputs.amax(dim=0)
    margin = MARGIN * (most - least)
    x_range, y_range = torch.stack([least - margin, most + margin], dim=1).tolist()
    xs, ys = (torch.linspace(low, high, GRID, device=inputs.device) for low, high in (x_range, y_range))
    grid = torch.cartesian_prod(ys, xs).flip(dims=(1,))
    grid_probabilities = probabilities(grid).view(GRID, GRID, -1)
    drawn = zip(inputs[:MOST].tolist(), targets[:MOST].tolist(), strict=True)
    return {
        "picture": "regions",
        "features": list(features),
        "classes": list(classes),
        "x": x_range,
        "y": y_range,
        "predicted": grid_probabilities.argmax(dim=2).tolist(),
        "probability": grid_probabilities.amax(dim=2).double().round(decimals=3).tolist(),
        "samples": [[x, y, target] for (x, y), target in drawn],
    }
