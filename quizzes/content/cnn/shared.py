"""Symbols and helpers of formulas of several topics: CNNs."""

from typing import Any

from quizzes.symbols import Int
from workbench.errors import UserError

PARAMETERS = Int(1, meaning="number of parameters, weights and biases")


Map = list[list[Any]]


def check_maps(**maps: Map) -> None:
    """Check that the rows of each feature map have the same length.

    Raises:
        UserError: If they differ.
    """
    for name, rows in maps.items():
        if len({len(row) for row in rows}) > 1:
            raise UserError(f"The rows of {name} have different lengths.")


def pad(X: Map, p: int, value: Any = 0) -> Map:
    """Return a feature map with p rows and columns of zeros, or of another value, on each side."""
    width = len(X[0]) + 2 * p
    edge = [[value] * width for _ in range(p)]
    return [*edge, *([value] * p + row + [value] * p for row in X), *(list(row) for row in edge)]


def extract_windows(X: Map, height: int, width: int, s: int, d: int = 1) -> list[list[list[Any]]]:
    """Return the values in each window position as a flat list: rows of positions, of height x width values each."""
    down, across = d * (height - 1) + 1, d * (width - 1) + 1
    return [
        [
            [X[y + d * a][x + d * b] for a in range(height) for b in range(width)]
            for x in range(0, len(X[0]) - across + 1, s)
        ]
        for y in range(0, len(X) - down + 1, s)
    ]
