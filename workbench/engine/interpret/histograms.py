"""Histograms of weights and gradients, one for each parameter of a network."""

from typing import Any

import torch
from torch import Tensor, nn

BINS = 32


def describe(network: nn.Module, name: str, values: Tensor) -> dict[str, Any]:
    """Return a parameter's values, or its gradient, as plain data.

    Args:
        network: The network.
        name: The full name of the parameter.
        values: Its values or its gradient.

    Returns:
        `parameter`, its name; `type`, the class of its module; `shape`; and what `histogram` returns.
    """
    owner = network.get_submodule(name.rpartition(".")[0])
    return {"parameter": name, "type": type(owner).__name__, "shape": list(values.shape), **histogram(values)}


def histogram(values: Tensor) -> dict[str, Any]:
    """Return how numbers are distributed.

    Args:
        values: Numbers of any shape; at least one. Those that are not finite are only counted.

    Returns:
        `count`, of all numbers; `mean`; `sd`, the standard deviation divided by N; `norm`, the square root of the sum
        of squares; `zeros`, the share that is exactly 0; `not_finite`, the number that are NaN or infinite; `low` and
        `high`, the ends of the histogram; `counts`, of its bins of equal width, of which the last includes `high`.
    """
    numbers = values.detach().flatten().double().cpu()
    finite = numbers[numbers.isfinite()]
    low, high = (finite.min().item(), finite.max().item()) if len(finite) else (0.0, 0.0)
    if low == high:  # a bin needs a width: the same as in numpy.histogram
        low, high = low - 0.5, high + 0.5
    counts, _ = torch.histogram(finite, bins=BINS, range=(low, high))
    return {
        "count": len(numbers),
        "mean": finite.mean().item() if len(finite) else None,
        "sd": finite.std(correction=0).item() if len(finite) else None,
        "norm": finite.norm().item(),
        "zeros": (numbers == 0).double().mean().item(),
        "not_finite": len(numbers) - len(finite),
        "low": low,
        "high": high,
        "counts": counts.long().tolist(),
    }
