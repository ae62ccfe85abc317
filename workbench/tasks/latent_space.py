"""The space of an autoencoder's codes: a scatter plot by class, a grid of points, a path, as plain data."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from workbench.errors import UserError

GRID = 7  # points along each axis
STEPS = 8  # points of a path
MARGIN = 0.05  # of the range of the codes, on every side
MAX_CODES = 500  # that are listed
MOST = 1e6  # of a coordinate, in magnitude


def scatter(codes: Tensor, targets: Tensor, classes: Sequence[str]) -> dict[str, Any]:
    """Return the codes by class in a plane: the code itself if it has two numbers, else its first principal components.

    Args:
        codes: (N, features).
        targets: The class of each (N,).
        classes: The names of the classes.

    Returns:
        `features`: what the axes are. `x` and `y`: the range of each. `samples`: x, y and class of each.
    """
    listed, names = codes[:MAX_CODES].double(), ["z1", "z2"]
    if codes.shape[1] != 2:
        listed, names = _first_components(listed), ["first principal component of the codes", "second"]
    x_range, y_range = bounds(listed)
    samples = zip(listed.round(decimals=3).tolist(), targets[:MAX_CODES].tolist(), strict=True)
    return {
        "kind": "codes",
        "features": names,
        "classes": list(classes),
        "x": x_range,
        "y": y_range,
        "samples": [[x, y, target] for (x, y), target in samples],
    }


def _first_components(codes: Tensor) -> Tensor:
    """Return the first two principal components (N, 2); the second is 0 if there is only one number."""
    centered = codes - codes.mean(dim=0)
    if codes.shape[1] == 1:
        return torch.cat([centered, torch.zeros_like(centered)], dim=1)
    _, _, directions = torch.linalg.svd(centered, full_matrices=False)
    signs = directions.gather(1, directions.abs().argmax(dim=1, keepdim=True)).sign()  # the largest entry is positive
    components = centered @ (signs * directions)[:2].T
    return torch.nn.functional.pad(components, (0, 2 - components.shape[1]))


def bounds(codes: Tensor) -> list[list[float]]:
    """Return the smallest and the largest value of each number of codes (N, features), with a margin."""
    low, high = codes.amin(dim=0), codes.amax(dim=0)
    margin = (MARGIN * (high - low)).clamp(min=1e-3)
    ranges: list[list[float]] = torch.stack([low - margin, high + margin], dim=1).double().round(decimals=4).tolist()
    return ranges


def grid(codes: Tensor) -> tuple[Tensor, dict[str, Any]]:
    """Return points of the plane of codes (N, 2), and where they are.

    Returns:
        The points (GRID * GRID, 2), row by row from the largest second number to the smallest, each from the smallest
        first number to the largest; and the ranges `x` and `y` of the plane.
    """
    low, high = codes.quantile(0.02, dim=0), codes.quantile(0.98, dim=0)
    xs, ys = (torch.linspace(start, end, GRID) for start, end in zip(low.tolist(), high.tolist(), strict=True))
    points = torch.cartesian_prod(ys.flip(0), xs).flip(dims=(1,))
    ranges = torch.stack([low, high], dim=1).double().round(decimals=3).tolist()
    return points, {"kind": "decoded-plane", "x": ranges[0], "y": ranges[1], "columns": GRID}


def interpolate(start: Tensor, end: Tensor) -> Tensor:
    """Return codes (STEPS, features) on the line from one code (features,) to another, both included."""
    return torch.lerp(start, end, torch.linspace(0, 1, STEPS)[:, None])


def coordinate(question: Mapping[str, str], name: str, default: float) -> float:
    """Return a coordinate of a question.

    Raises:
        UserError: If it is not a number.
    """
    text = question.get(name)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= MOST:  # NaN compares as false
        raise UserError(f"{name} must be a number of at most {MOST:g} in magnitude, not {text[:40]!r}.")
    return value
