"""Pooling: formulas."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import inf
from typing import Any

from quizzes.content.cnn.shared import Map, check_maps, extract_windows, pad
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Shape
from workbench.errors import UserError

GAP_HEAD = Formula(
    "gap-head",
    """
    P = (C + 1)*K
    D = (n^2*C + 1)*K
    """,
    title="Linear classifier after global average pooling or flattening",
    source="derivation: pooling leaves one value per channel, flattening n^2; every class has one weight per value "
    "and one bias",
    n=Int(1, 10000, "size of the last feature map", unit="px"),
    C=Int(1, 100000, "number of channels of the last feature map"),
    K=Int(1, 100000, "number of classes"),
    P=Int(1, meaning="number of parameters of the linear layer after global average pooling"),
    D=Int(1, meaning="number of parameters of the linear layer after flattening"),
)


def pool(X: Map, k: int, s: int, reduce: Callable[[list[Any]], Any]) -> Map:
    """Return a feature map with one value for each k x k window."""
    return [[reduce(values) for values in row] for row in extract_windows(X, k, k, s)]


def mean(values: list[Any]) -> Any:
    """Return the mean, exact for exact values."""
    return Fraction(sum(values)) / len(values)


def check_window(X: Map, k: int, p: int = 0) -> None:
    """Check that a window fits into a padded feature map.

    Raises:
        UserError: If it doesn't, or rows have different lengths.
    """
    check_maps(X=X)
    if k > min(len(X), len(X[0])) + 2 * p:
        raise UserError(f"The window is larger than the {'padded ' if p else ''}map X.")
    if 2 * p > k:
        raise UserError("The padding p must be at most half of the window size k.")


def _pooling(X: Map, k: int, s: int = 0, p: int = 0) -> dict[str, Any]:
    check_window(X, k, p)
    s = s or k
    return {"M": pool(pad(X, p, -inf), k, s, max), "A": pool(pad(X, p), k, s, mean)}


POOLING = Formula(
    "pooling-values",
    "",
    statement="""
M[i, j] = the maximum of the k x k window of X whose first cell is
(s(i-1) + 1 - p, s(j-1) + 1 - p); A[i, j] = its sum divided by k^2
""",
    title="Max and average pooling of a feature map",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 9.3; padding as in the documentation of "
    "torch.nn.MaxPool2d and AvgPool2d",
    conventions="""
Windows that would extend past the padded map are dropped: output sizes are
rounded down. Padding is never the maximum. In an average, padding counts as
zeros, and the sum is divided by k^2 (PyTorch's count_include_pad=True).
""",
    procedure=_pooling,
    procedure_outputs="M A",
    X=Matrix(meaning="feature map"),
    k=Int(1, 100, "window size"),
    s=Int(1, 100, "stride, the window size by default", optional=True),
    p=Int(0, 50, "padding on each side, 0 by default", optional=True),
    M=Matrix(meaning="output of max pooling"),
    A=Matrix(meaning="output of average pooling"),
)


def _pool_shape(H: int, W: int, C: int, k: int, s: int, p: int) -> dict[str, Any]:
    if k > min(H, W) or 2 * p > k:
        raise UserError("The window must be at most as large as the map, and the padding at most half of the window.")
    return {name: [*(pooled_size(n, k, s, p, ceil) for n in (H, W)), C] for name, ceil in (("S", False), ("Q", True))}


def pooled_size(n: int, k: int, s: int, p: int, ceil: bool) -> int:
    """Return the output size of pooling, rounded down or, in ceil mode, up without windows that start past n + p."""
    if not ceil:
        return (n + 2 * p - k) // s + 1
    last = -(-(n + 2 * p - k) // s) + 1
    return last - 1 if (last - 1) * s >= n + p else last


POOL_SHAPE = Formula(
    "pool-shape",
    "",
    title="Shape after pooling, rounded down and in ceil mode",
    source="PyTorch documentation, torch.nn.MaxPool2d: shape, and the note on ceil_mode",
    procedure=_pool_shape,
    procedure_outputs="S Q",
    H=Int(1, 100000, "height of the feature map", unit="px"),
    W=Int(1, 100000, "width of the feature map", unit="px"),
    C=Int(1, 100000, "number of channels of the feature map"),
    k=Int(1, 1000, "window size", unit="px"),
    s=Int(1, 1000, "stride"),
    p=Int(0, 500, "padding on each side", unit="px", default=0),
    S=Shape(meaning="output shape, rounded down, as HxWxC"),
    Q=Shape(meaning="output shape in ceil mode, as HxWxC"),
)


def pool_backward(X: Map, G: Map, k: int, s: int, share: Callable[[list[Any], Any], list[Any]]) -> Map:
    """Return the gradient with respect to X.

    Args:
        X: The feature map.
        G: The gradient with respect to the pooled map.
        k: Window size.
        s: Stride.
        share: The gradient of each value in a window, from the values and the gradient of the window's output.
            Where windows overlap, gradients are summed.
    """
    gradient: Map = [[0] * len(row) for row in X]
    for y, x, values, g in _visit_windows(X, G, k, s):
        for index, part in enumerate(share(values, g)):
            gradient[y + index // k][x + index % k] += part
    return gradient


def _visit_windows(X: Map, G: Map, k: int, s: int) -> Iterator[tuple[int, int, list[Any], Any]]:
    for i, row in enumerate(extract_windows(X, k, k, s)):
        for j, values in enumerate(row):
            yield i * s, j * s, values, G[i][j]


def to_largest(values: list[Any], g: Any) -> list[Any]:
    """Pass the whole gradient to the largest value (the first one of equals)."""
    index = values.index(max(values))
    return [g if k == index else 0 for k in range(len(values))]


def to_all(values: list[Any], g: Any) -> list[Any]:
    """Pass an equal share of the gradient to every value."""
    return [Fraction(g) / len(values)] * len(values)


def _pool_backward(X: Map, G: Map, k: int, s: int) -> dict[str, Any]:
    check_window(X, k)
    check_maps(G=G)
    height, width = ((len(axis) - k) // s + 1 for axis in (X, X[0]))
    if (len(G), len(G[0])) != (height, width):
        raise UserError(f"The pooled map is {height}x{width}, so G must be {height}x{width} too.")
    return {"M": pool_backward(X, G, k, s, to_largest), "A": pool_backward(X, G, k, s, to_all)}


POOL_BACKWARD = Formula(
    "pool-backprop",
    "",
    statement="""
Max: each gradient goes to the largest value of its window.
Average: each value of a window gets 1/k^2 of its gradient.
""",
    title="Backward pass of max and average pooling",
    source="derivation: the derivative of the maximum is 1 for the largest input and 0 for the others, that of the "
    "mean is 1/k^2 for each; where windows overlap, the gradients are summed",
    procedure=_pool_backward,
    procedure_outputs="M A",
    X=Matrix(meaning="feature map before pooling"),
    G=Matrix(meaning="gradient of the loss with respect to the pooled map"),
    k=Int(1, 100, "window size"),
    s=Int(1, 100, "stride"),
    M=Matrix(meaning="gradient with respect to X for max pooling"),
    A=Matrix(meaning="gradient with respect to X for average pooling"),
)
