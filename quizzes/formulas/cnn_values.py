"""Convolution and pooling on small maps, number by number."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from math import inf
from typing import Any

from quizzes.formulas import formula
from workbench.errors import UserError

Map = list[list[Any]]


def check_maps(**maps: Map) -> None:
    """Refuse a map whose rows differ in length."""
    for name, rows in maps.items():
        if len({len(row) for row in rows}) > 1:
            raise UserError(f"The rows of {name} have different lengths.")


def pad(X: Map, p: int, value: Any = 0) -> Map:
    """A map with p zeros, or other values, on each side."""
    wide = len(X[0]) + 2 * p
    edge = [[value] * wide for _ in range(p)]
    return [*edge, *([value] * p + row + [value] * p for row in X), *(list(row) for row in edge)]


def windows(X: Map, high: int, wide: int, s: int, d: int = 1) -> list[list[list[Any]]]:
    """What a window of so many rows and columns, d places apart, sees at each of its positions, as one list each."""
    down, across = d * (high - 1) + 1, d * (wide - 1) + 1
    return [
        [
            [X[y + d * a][x + d * b] for a in range(high) for b in range(wide)]
            for x in range(0, len(X[0]) - across + 1, s)
        ]
        for y in range(0, len(X) - down + 1, s)
    ]


def correlate(X: Map, K: Map, s: int = 1, p: int = 0, d: int = 1) -> Map:
    """The filter laid on the map at every position, as it stands: products summed."""
    weights = [w for row in K for w in row]
    return [
        [sum(w * x for w, x in zip(weights, seen, strict=True)) for seen in row]
        for row in windows(pad(X, p), len(K), len(K[0]), s, d)
    ]


def plus(A: Map, b: Any) -> Map:
    """A map plus a number, or plus another map."""
    other = b if isinstance(b, list) else [[b] * len(row) for row in A]
    return [[x + y for x, y in zip(row, line, strict=True)] for row, line in zip(A, other, strict=True)]


def _conv_values(X: Map, K: Map, b: Any, s: int, p: int, d: int = 1) -> dict[str, Any]:
    check_maps(X=X, K=K)
    high, wide = (d * (len(side) - 1) + 1 for side in (K, K[0]))
    if high > len(X) + 2 * p or wide > len(X[0]) + 2 * p:
        padded = f"{len(X) + 2 * p} x {len(X[0]) + 2 * p}"
        raise UserError(f"The filter K covers {high} x {wide}: it is larger than the padded map X, {padded}.")
    return {"O": plus(correlate(X, K, s, p, d), b)}


CONV_VALUES = formula(
    "conv-values",
    "",
    topic="convolution",
    title="What a filter makes of a map",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016 (cross-correlation), plus a bias",
    procedure=_conv_values,
    procedure_outputs="O",
    X="matrix; the map",
    K="matrix; the filter",
    b="real = 0; bias of the filter",
    s="int 1..100 = 1; stride",
    p="int 0..100 = 0; zeros added on each side",
    d="int? 1..100; dilation, 1 where it is left out",
    O="matrix; the output, before any activation",
)


def _conv_channels(X1: Map, X2: Map, K1: Map, K2: Map, b: Any) -> dict[str, Any]:
    check_maps(X1=X1, X2=X2, K1=K1, K2=K2)
    if (len(X1), len(X1[0]), len(K1), len(K1[0])) != (len(X2), len(X2[0]), len(K2), len(K2[0])):
        raise UserError("X1 and X2 have one size, and so have K1 and K2.")
    if len(K1) > len(X1) or len(K1[0]) > len(X1[0]):
        raise UserError("The filter is larger than the map.")
    return {"O": plus(plus(correlate(X1, K1), correlate(X2, K2)), b)}


CONV_CHANNELS = formula(
    "conv-channels",
    "",
    topic="convolution",
    title="What a filter makes of two channels",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016: the sum runs over the channels too",
    procedure=_conv_channels,
    procedure_outputs="O",
    X1="matrix; first channel of the map",
    X2="matrix; second channel of the map",
    K1="matrix; the filter's weights for the first channel",
    K2="matrix; the filter's weights for the second channel",
    b="real = 0; bias of the filter",
    O="matrix; the output, before any activation",
)


def pooled(X: Map, k: int, s: int, of: Callable[[list[Any]], Any]) -> Map:
    """One value for each window of a map."""
    return [[of(seen) for seen in row] for row in windows(X, k, k, s)]


def mean(values: list[Any]) -> Any:
    """The mean, exact for exact values."""
    return Fraction(sum(values)) / len(values)


def _fits(X: Map, k: int, p: int = 0) -> None:
    check_maps(X=X)
    if k > min(len(X), len(X[0])) + 2 * p:
        raise UserError(f"The window is larger than the {'padded ' if p else ''}map X.")
    if 2 * p > k:
        raise UserError("The padding p is at most half of the window's side k.")


def _pooling(X: Map, k: int, s: int = 0, p: int = 0) -> dict[str, Any]:
    _fits(X, k, p)
    s = s or k
    return {"M": pooled(pad(X, p, -inf), k, s, max), "A": pooled(pad(X, p), k, s, mean)}


POOLING = formula(
    "pooling-values",
    "",
    topic="pooling",
    title="Max and average pooling of a map",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 9.3; padding as in the documentation of "
    "torch.nn.MaxPool2d and AvgPool2d",
    conventions="""
Windows that would reach over the padded map are left out: sizes are rounded down.
Padding never wins a maximum; in an average it counts as zeros, and the sum is
divided by k^2 (PyTorch's count_include_pad=True).
""",
    procedure=_pooling,
    procedure_outputs="M A",
    X="matrix; the map",
    k="int 1..100; side of the window",
    s="int? 1..100; stride, the side of the window where it is left out",
    p="int? 0..50; padding on each side, 0 where it is left out",
    M="matrix; the output of max pooling",
    A="matrix; the output of average pooling",
)


def _pool_shape(H: int, W: int, C: int, k: int, s: int, p: int) -> dict[str, Any]:
    if k > min(H, W) or 2 * p > k:
        raise UserError("The window is at most as large as the map, and the padding at most half of the window.")
    return {name: [*(pooled_side(n, k, s, p, up) for n in (H, W)), C] for name, up in (("S", False), ("Q", True))}


def pooled_side(n: int, k: int, s: int, p: int, up: bool) -> int:
    """A side after pooling, rounded down, or up: then without a window that would start past the map (n + p)."""
    if not up:
        return (n + 2 * p - k) // s + 1
    last = -(-(n + 2 * p - k) // s) + 1
    return last - 1 if (last - 1) * s >= n + p else last


POOL_SHAPE = formula(
    "pool-shape",
    "",
    topic="pooling",
    title="Shape after pooling, rounded down and rounded up",
    source="PyTorch documentation, torch.nn.MaxPool2d: shape, and the note on ceil_mode",
    procedure=_pool_shape,
    procedure_outputs="S Q",
    H="int 1..100000; height of the map [px]",
    W="int 1..100000; width of the map [px]",
    C="int 1..100000; channels of the map",
    k="int 1..1000; side of the window [px]",
    s="int 1..1000; stride",
    p="int 0..500 = 0; padding on each side [px]",
    S="shape; height x width x depth, sizes rounded down",
    Q="shape; height x width x depth in ceil mode",
)


def spread(X: Map, G: Map, k: int, s: int, share: Callable[[list[Any], Any], list[Any]]) -> Map:
    """The gradient of a map: each window hands the gradient of its output to its values, and overlaps add up."""
    D: Map = [[0] * len(row) for row in X]
    for y, x, seen, g in _visits(X, G, k, s):
        for at, part in enumerate(share(seen, g)):
            D[y + at // k][x + at % k] += part
    return D


def _visits(X: Map, G: Map, k: int, s: int) -> Iterator[tuple[int, int, list[Any], Any]]:
    for i, row in enumerate(windows(X, k, k, s)):
        for j, seen in enumerate(row):
            yield i * s, j * s, seen, G[i][j]


def to_largest(seen: list[Any], g: Any) -> list[Any]:
    """All of the gradient to the largest value (the first of equals)."""
    at = seen.index(max(seen))
    return [g if k == at else 0 for k in range(len(seen))]


def to_all(seen: list[Any], g: Any) -> list[Any]:
    """An equal share of the gradient to every value."""
    return [Fraction(g) / len(seen)] * len(seen)


def _pool_backward(X: Map, G: Map, k: int, s: int) -> dict[str, Any]:
    _fits(X, k)
    check_maps(G=G)
    high, wide = ((len(side) - k) // s + 1 for side in (X, X[0]))
    if (len(G), len(G[0])) != (high, wide):
        raise UserError(f"The output is {high} x {wide} here, and so must G be.")
    return {"M": spread(X, G, k, s, to_largest), "A": spread(X, G, k, s, to_all)}


POOL_BACKWARD = formula(
    "pool-backprop",
    "",
    topic="pooling",
    title="The gradient's way back through pooling",
    source="derivation: the maximum has slope 1 in its largest input and 0 in the others, the mean 1/k^2 in each; "
    "where windows overlap, the chain rule sums",
    procedure=_pool_backward,
    procedure_outputs="M A",
    X="matrix; the map that was pooled",
    G="matrix; gradient of the loss with respect to the pooled map",
    k="int 1..100; side of the window",
    s="int 1..100; stride",
    M="matrix; gradient with respect to X if it was max pooling",
    A="matrix; gradient with respect to X if it was average pooling",
)
