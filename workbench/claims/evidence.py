"""Evidence for exact and structural claims: what was compared, and whether it agreed."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Evidence:
    """One comparison.

    Attributes:
        what: What was compared, in words.
        agrees: Whether it is as the statement says.
        detail: The values.
    """

    what: str
    agrees: bool
    detail: str


def near(what: str, value: Any, expected: Any, tolerance: float) -> Evidence:
    """Compare two numbers, or two arrays or tensors of one shape; the largest difference must be within a tolerance."""
    import numpy as np

    a, b = np.asarray(value, dtype=float), np.asarray(expected, dtype=float)
    if a.shape != b.shape:
        return Evidence(what, False, f"shapes {a.shape} and {b.shape}")
    difference = float(np.max(np.abs(a - b), initial=0.0))
    return Evidence(
        what, bool(difference <= tolerance), f"largest difference {difference:.3g}, tolerance {tolerance:g}"
    )


def equal(what: str, value: Any, expected: Any) -> Evidence:
    """Compare two values that must be the same: counts, shapes, names."""
    return Evidence(what, bool(value == expected), f"{value} and {expected}")


def within(what: str, values: Iterable[float], low: float, high: float) -> Evidence:
    """Compare values with bounds, which belong to the range."""
    numbers = [float(value) for value in values]
    smallest, largest = min(numbers), max(numbers)
    return Evidence(what, low <= smallest and largest <= high, f"from {smallest:.6g} to {largest:.6g}")


def true(what: str, agrees: bool, detail: str = "") -> Evidence:
    """Record whether something is so."""
    return Evidence(what, bool(agrees), detail or ("yes" if agrees else "no"))
