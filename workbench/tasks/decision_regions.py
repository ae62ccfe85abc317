"""Decision regions: the predicted class at each point of the plane, for a network with two inputs."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from workbench.data.sources import Batch

GRID = 32  # points along each axis
MARGIN = 0.1  # of the samples' range, on every side
MAX_SAMPLES = 500  # that are listed


def decision_regions(
    probabilities: Callable[[Tensor], Tensor], samples: Batch, features: tuple[str, ...], classes: tuple[str, ...]
) -> dict[str, Any]:
    """The class and its probability on a grid, and the samples; all in the standardized units that the network reads.

    Args:
        probabilities: Maps points (N, 2) to the probability of each class (N, K).
        samples: Points `features` (N, 2) and their classes `target` (N,).
        features: The names of the two features.
        classes: The names of the classes.

    Returns:
        `x` and `y`: the range of each feature. `predicted` and `probability`: rows of the grid, from the smallest y to
        the largest, each from the smallest x to the largest. `samples`: x, y and class of each.
    """
    inputs, targets = samples["features"], samples["target"]
    low, high = inputs.amin(dim=0), inputs.amax(dim=0)
    margin = MARGIN * (high - low)
    x_range, y_range = torch.stack([low - margin, high + margin], dim=1).tolist()
    xs, ys = (torch.linspace(start, end, GRID, device=inputs.device) for start, end in (x_range, y_range))
    grid = torch.cartesian_prod(ys, xs).flip(dims=(1,))
    grid_probabilities = probabilities(grid).view(GRID, GRID, -1)
    listed = zip(inputs[:MAX_SAMPLES].tolist(), targets[:MAX_SAMPLES].tolist(), strict=True)
    return {
        "kind": "regions",
        "features": list(features),
        "classes": list(classes),
        "x": x_range,
        "y": y_range,
        "predicted": grid_probabilities.argmax(dim=2).tolist(),
        "probability": grid_probabilities.amax(dim=2).double().round(decimals=3).tolist(),
        "samples": [[x, y, target] for (x, y), target in listed],
    }
