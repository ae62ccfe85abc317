"""Shapes as text."""

from collections.abc import Iterable


def format_shape(shape: Iterable[object]) -> str:
    """Return a shape as it is written: `28x28x1`."""
    return "x".join(map(str, shape))
