"""Convolution and pooling of small feature maps, value by value."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import inf
from typing import Any

from quizzes.formulas import formula
from workbench.errors import UserError

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


def correlate(X: Map, K: Map, s: int = 1, p: int = 0, d: int = 1) -> Map:
    """Return the cross-correlation of a feature map and a kernel, which is not flipped."""
    weights = [w for row in K for w in row]
    return [
        [sum(w * x for w, x in zip(weights, values, strict=True)) for values in row]
        for row in extract_windows(pad(X, p), len(K), len(K[0]), s, d)
    ]


def add(A: Map, b: Any) -> Map:
    """Return the element-wise sum of a feature map and a number or another feature map."""
    other = b if isinstance(b, list) else [[b] * len(row) for row in A]
    return [[x + y for x, y in zip(row, line, strict=True)] for row, line in zip(A, other, strict=True)]


def _conv_values(X: Map, K: Map, b: Any, s: int, p: int, d: int = 1) -> dict[str, Any]:
    check_maps(X=X, K=K)
    height, width = (d * (len(axis) - 1) + 1 for axis in (K, K[0]))
    if height > len(X) + 2 * p or width > len(X[0]) + 2 * p:
        padded = f"{len(X) + 2 * p}x{len(X[0]) + 2 * p}"
        raise UserError(f"The kernel K covers {height}x{width}, which is larger than the padded map X, {padded}.")
    return {"O": add(correlate(X, K, s, p, d), b)}


CONV_VALUES = formula(
    "conv-values",
    "",
    topic="convolution",
    title="2-D convolution, one channel",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016 (cross-correlation), plus a bias",
    procedure=_conv_values,
    procedure_outputs="O",
    X="matrix; input",
    K="matrix; kernel",
    b="real = 0; bias",
    s="int 1..100 = 1; stride",
    p="int 0..100 = 0; zero padding on each side",
    d="int? 1..100; dilation, 1 by default",
    O="matrix; pre-activation output",
)


def _conv_channels(X1: Map, X2: Map, K1: Map, K2: Map, b: Any) -> dict[str, Any]:
    check_maps(X1=X1, X2=X2, K1=K1, K2=K2)
    if (len(X1), len(X1[0]), len(K1), len(K1[0])) != (len(X2), len(X2[0]), len(K2), len(K2[0])):
        raise UserError("X1 and X2 must have one size, and so must K1 and K2.")
    if len(K1) > len(X1) or len(K1[0]) > len(X1[0]):
        raise UserError("The kernel must not be larger than the input.")
    return {"O": add(add(correlate(X1, K1), correlate(X2, K2)), b)}


CONV_CHANNELS = formula(
    "conv-channels",
    "",
    topic="convolution",
    title="2-D convolution, two input channels",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016: the sum includes the channels",
    procedure=_conv_channels,
    procedure_outputs="O",
    X1="matrix; first channel of the input",
    X2="matrix; second channel of the input",
    K1="matrix; kernel for the first channel",
    K2="matrix; kernel for the second channel",
    b="real = 0; bias",
    O="matrix; pre-activation output",
)


def pool(X: Map, k: int, s: int, reduce: Callable[[list[Any]], Any]) -> Map:
    """Return a feature map with one value for each k x k window."""
    return [[reduce(values) for values in row] for row in extract_windows(X, k, k, s)]


def mean(values: list[Any]) -> Any:
    """Return the mean, exact for exact values."""
    return Fraction(sum(values)) / len(values)


def _check_window(X: Map, k: int, p: int = 0) -> None:
    check_maps(X=X)
    if k > min(len(X), len(X[0])) + 2 * p:
        raise UserError(f"The window is larger than the {'padded ' if p else ''}map X.")
    if 2 * p > k:
        raise UserError("The padding p must be at most half of the window size k.")


def _pooling(X: Map, k: int, s: int = 0, p: int = 0) -> dict[str, Any]:
    _check_window(X, k, p)
    s = s or k
    return {"M": pool(pad(X, p, -inf), k, s, max), "A": pool(pad(X, p), k, s, mean)}


POOLING = formula(
    "pooling-values",
    "",
    topic="pooling",
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
    X="matrix; feature map",
    k="int 1..100; window size",
    s="int? 1..100; stride, the window size by default",
    p="int? 0..50; padding on each side, 0 by default",
    M="matrix; output of max pooling",
    A="matrix; output of average pooling",
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


POOL_SHAPE = formula(
    "pool-shape",
    "",
    topic="pooling",
    title="Shape after pooling, rounded down and in ceil mode",
    source="PyTorch documentation, torch.nn.MaxPool2d: shape, and the note on ceil_mode",
    procedure=_pool_shape,
    procedure_outputs="S Q",
    H="int 1..100000; height of the feature map [px]",
    W="int 1..100000; width of the feature map [px]",
    C="int 1..100000; number of channels of the feature map",
    k="int 1..1000; window size [px]",
    s="int 1..1000; stride",
    p="int 0..500 = 0; padding on each side [px]",
    S="shape; output shape, rounded down, as HxWxC",
    Q="shape; output shape in ceil mode, as HxWxC",
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
    _check_window(X, k)
    check_maps(G=G)
    height, width = ((len(axis) - k) // s + 1 for axis in (X, X[0]))
    if (len(G), len(G[0])) != (height, width):
        raise UserError(f"The pooled map is {height}x{width}, so G must be {height}x{width} too.")
    return {"M": pool_backward(X, G, k, s, to_largest), "A": pool_backward(X, G, k, s, to_all)}


POOL_BACKWARD = formula(
    "pool-backprop",
    "",
    topic="pooling",
    title="Backward pass of max and average pooling",
    source="derivation: the derivative of the maximum is 1 for the largest input and 0 for the others, that of the "
    "mean is 1/k^2 for each; where windows overlap, the gradients are summed",
    procedure=_pool_backward,
    procedure_outputs="M A",
    X="matrix; feature map before pooling",
    G="matrix; gradient of the loss with respect to the pooled map",
    k="int 1..100; window size",
    s="int 1..100; stride",
    M="matrix; gradient with respect to X for max pooling",
    A="matrix; gradient with respect to X for average pooling",
)
