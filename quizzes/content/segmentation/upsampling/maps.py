"""Feature maps that become larger: transposed convolution, unpooling and interpolation, by hand."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import NamedTuple

from quizzes.content.cnn.shared import Map
from quizzes.expressions.tree import Value
from workbench.errors import UserError

MAX_SIZE = 64  # rows and columns of a map that is computed by hand


def output_size(n: int, f: int, s: int, p: int, q: int, d: int = 1) -> int:
    """Return the output size of a transposed convolution.

    Args:
        n: Input size.
        f: Kernel size.
        s: Stride.
        p: Padding, which is cut off from both ends of the output.
        q: Output padding.
        d: Dilation.

    Raises:
        UserError: If nothing is left, or the size is larger than `MAX_SIZE`.
    """
    size = (n - 1) * s - 2 * p + d * (f - 1) + q + 1
    if size < 1:
        raise UserError(f"The padding {p} cuts off the whole output. Use a smaller one.")
    if size > MAX_SIZE:
        raise UserError(f"The output would have the size {size}. Use at most {MAX_SIZE}.")
    return size


def transpose_convolve(X: Map, K: Map, s: int = 1, p: int = 0, q: int = 0, d: int = 1) -> Map:
    """Return the output of a transposed convolution: each value of X adds itself times K at its place.

    Raises:
        UserError: As `output_size` does.
    """
    height = output_size(len(X), len(K), s, p, q, d)
    width = output_size(len(X[0]), len(K[0]), s, p, q, d)
    output = [[0] * width for _ in range(height)]
    for i, row in enumerate(X):
        for j, value in enumerate(row):
            add_copy(output, value, K, i * s - p, j * s - p, d)
    return output


def add_copy(output: Map, value: Value, K: Map, top: int, left: int, d: int = 1) -> None:
    """Add a kernel, times a value, to the cells of an output from (top, left) on; what is outside is left out."""
    for a, weights in enumerate(K):
        for b, weight in enumerate(weights):
            y, x = top + a * d, left + b * d
            if 0 <= y < len(output) and 0 <= x < len(output[0]):
                output[y][x] += value * weight


class Pooled(NamedTuple):
    """The maximum of a window.

    Attributes:
        value: The maximum.
        place: Its index in the flattened map, from 0; that of the first one of equals.
    """

    value: Value
    place: int


def pool_with_indices(X: Map, k: int, s: int) -> list[list[Pooled]]:
    """Return the maximum of each k x k window of a map, with its place."""
    width = len(X[0])
    windows = [
        [[(X[y + a][x + b], (y + a) * width + x + b) for a in range(k) for b in range(k)] for x in columns]
        for y in range(0, len(X) - k + 1, s)
        for columns in [range(0, width - k + 1, s)]
    ]
    return [[Pooled(*max(window, key=lambda cell: (cell[0], -cell[1]))) for window in row] for row in windows]


def unpool(V: Map, indices: Sequence[Sequence[int]], height: int, width: int) -> Map:
    """Return a map of zeros with each value at its index; of several values with one index, the last one counts.

    Raises:
        UserError: If V and the indices have different shapes, or an index is outside of the map.
    """
    if [len(row) for row in V] != [len(row) for row in indices]:
        raise UserError("V and I must have the same shape, because each value has one index.")
    output = [[0] * width for _ in range(height)]
    for values, places in zip(V, indices, strict=True):
        for value, place in zip(values, places, strict=True):
            if place != int(place) or not 0 <= place < height * width:
                raise UserError(f"The indices of a {height}x{width} map are integers from 0 to {height * width - 1}.")
            output[int(place) // width][int(place) % width] = value
    return output


class Sample(NamedTuple):
    """Place in a row that a value of a larger row comes from.

    Attributes:
        place: The coordinate in the smaller row.
        first: The index before it.
        second: The index after it; the same at the end of the row.
        weight: The weight of the second one.
    """

    place: Fraction
    first: int
    second: int
    weight: Fraction


def linear_samples(n: int, m: int, is_aligned: bool) -> list[Sample]:
    """Return where the m values of a linearly interpolated row come from, in a row of n values.

    Args:
        n: Size of the row.
        m: Size of the new row.
        is_aligned: Whether the centers of the first and of the last pixel stay in place (PyTorch's align_corners).
    """
    samples = []
    for i in range(m):
        if is_aligned:
            place = Fraction(i * (n - 1), m - 1) if m > 1 else Fraction(0)
        else:
            place = max(Fraction(0), Fraction(2 * i + 1, 2) * Fraction(n, m) - Fraction(1, 2))
        first = min(floor(place), n - 1)
        samples.append(Sample(place, first, min(first + 1, n - 1), place - first))
    return samples


def nearest_indices(n: int, m: int) -> list[int]:
    """Return the index in a row of n values that each of m values comes from, rounded down."""
    return [i * n // m for i in range(m)]


def resize_bilinear(X: Map, height: int, width: int, is_aligned: bool) -> Map:
    """Return a map of another size, interpolated along rows and along columns."""
    columns = linear_samples(len(X[0]), width, is_aligned)
    lines = [[row[s.first] * (1 - s.weight) + row[s.second] * s.weight for s in columns] for row in X]
    return [
        [a * (1 - s.weight) + b * s.weight for a, b in zip(lines[s.first], lines[s.second], strict=True)]
        for s in linear_samples(len(X), height, is_aligned)
    ]


def resize_nearest(X: Map, height: int, width: int) -> Map:
    """Return a map of another size, each value of which is that of the pixel at the rounded-down coordinates."""
    columns = nearest_indices(len(X[0]), width)
    return [[X[i][j] for j in columns] for i in nearest_indices(len(X), height)]


def insert_zeros(X: Map, s: int) -> Map:
    """Return a map s times as large, with each value at the top left of its s x s cells and zeros elsewhere."""
    return [[X[y // s][x // s] if y % s == x % s == 0 else 0 for x in range(len(X[0]) * s)] for y in range(len(X) * s)]
