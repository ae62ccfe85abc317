"""Upsampling: drills about values of transposed convolutions."""

from random import Random

from quizzes.content.cnn.shared import Map
from quizzes.content.segmentation.upsampling.formulas.values import (
    BILINEAR_KERNEL,
    TRANSPOSED_CONV,
    TRANSPOSED_CONV_1D,
    TRANSPOSED_CONV_MATRIX,
)
from quizzes.content.segmentation.upsampling.maps import output_size, transpose_convolve
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.procedure import in_parentheses
from quizzes.question import Step

FLIPPED = "You flipped the kernel. Each input value is multiplied by the kernel as it is."


def _flip(K: Map) -> Map:
    return [row[::-1] for row in K[::-1]]


def _overwrite(X: Map, K: Map, s: int, p: int, **_: Value) -> Map:
    """Return the output if a later copy replaces what is there."""
    height, width = (output_size(len(X), len(K), s, 0, 0), output_size(len(X[0]), len(K[0]), s, 0, 0))
    output = [[0] * width for _ in range(height)]
    for i, row in enumerate(X):
        for j, value in enumerate(row):
            for a, weights in enumerate(K):
                for b, weight in enumerate(weights):
                    output[i * s + a][j * s + b] = value * weight
    return [line[p : width - p] for line in output[p : height - p]]


def _crop_one_end(X: Map, K: Map, s: int, p: int, **_: Value) -> Map:
    whole = transpose_convolve(X, K, s)
    return [row[2 * p :] for row in whole[2 * p :]]


def _rows(X: Map) -> str:
    return "; ".join(" ".join(str(int(v)) for v in row) for row in X)


def _stamp_steps(X: Map, K: Map, s: int, p: int, O: Map, **_: Value) -> list[Step]:
    steps = []
    for i, row in enumerate(X):
        for j, value in enumerate(row):
            copy = [[int(value * w) for w in weights] for weights in K]
            steps.append(
                Step(
                    f"Multiply the kernel by X[{i + 1}, {j + 1}] = {int(value)}, and add the copy at row {i * s + 1}, "
                    f"column {j * s + 1}: {copy}."
                )
            )
    cut = f" Then cut {p} off each side." if p else ""
    return [*steps, Step(f"Add the copies where they overlap.{cut}", [f"O = {[[int(v) for v in row] for row in O]}"])]


@drill(
    TRANSPOSED_CONV,
    id="transposed-conv-values",
    tier=1,
    asks="O",
    decimals=None,
    visualization="matrices X K",
    steps=_stamp_steps,
    prompt="A transposed convolution with stride {s} and padding {p} has the input X = {X} and the kernel K = {K}.\n"
    "Conventions: bias {b}; output padding {q}; dilation {d}; the kernel is not flipped, as in PyTorch.",
    hints=(
        "Which part of the output does one input value change, and by what?",
        "Add a copy of the kernel times X[i, j] to the output, for each i and j, {s} rows or columns apart. Then cut "
        "the padding off all sides.",
    ),
    mistakes=[
        Mistake("no-overlap-add", {"O": _overwrite}, "You replaced values where copies overlap. Add them."),
        Mistake("flipped", {"O": lambda X, K, s, p, **_: transpose_convolve(X, _flip(K), s, p)}, FLIPPED),
        Mistake(
            "stride-one",
            {"O": lambda X, K, s, p, **_: transpose_convolve(X, K, 1, p)},
            "You moved the kernel by 1. The copies begin s cells apart.",
        ),
        Mistake(
            "not-cut",
            {"O": lambda X, K, s, **_: transpose_convolve(X, K, s)},
            "You did not cut off the padding.",
        ),
        Mistake("cut-one-side", {"O": _crop_one_end}, "Cut the padding off all four sides, not twice off one."),
    ],
)
def transposed_conv_values(rng: Random) -> Inputs:
    """Transposed convolution by hand"""
    f, s, p = rng.choice([(2, 1, 0), (2, 2, 0), (3, 2, 0), (3, 2, 1), (3, 2, 1), (3, 1, 1), (2, 1, 0)])
    X = [[rng.choice([1, 2, 3, 4, -1]) for _ in range(2)] for _ in range(2)]
    K = [[rng.choice([0, 1, 1, 2, 3, -1]) for _ in range(f)] for _ in range(f)]
    if _flip(K) == K or not any(map(any, K)):
        raise UndefinedValue("flipping must change the kernel")
    return dict(X=X, K=K, b=0, s=s, p=p, q=0, d=1)


def _stamp_row(x: list[Value], w: list[Value], s: int, p: int = 0) -> list[Value]:
    row: list[Value] = transpose_convolve([x], [w], s)[0]
    return row[p : len(row) - p]


def _row_steps(x: list[Value], w: list[Value], s: int, p: int, o: list[Value], c: list[Value]) -> list[Step]:
    steps = [
        Step(f"Input {k + 1} adds {in_parentheses(v)}*w = {[int(v * a) for a in w]} from cell {k * s + 1} on.")
        for k, v in enumerate(x)
    ]
    cut = f", without {p} cells at each end" if p else ""
    return [
        *steps,
        Step(f"Add them{cut}.", [f"o = {[int(v) for v in o]}"]),
        Step("Count the products in each cell.", [f"c = {[int(v) for v in c]}"]),
    ]


@drill(
    TRANSPOSED_CONV_1D,
    id="transposed-conv-values:row",
    tier=1,
    asks=("o", "c"),
    decimals=None,
    steps=_row_steps,
    prompt="A 1-D transposed convolution has the input x = {x}, the kernel w = {w}, stride {s} and padding {p}. What "
    "is its output o? How many products are added to each output value (c)?\n"
    "Conventions: no bias; the kernel is not flipped, as in PyTorch; products that are 0 count, too.",
    hint="Where does the copy of the kernel of each input begin?",
    mistakes=[
        Mistake("flipped", {"o": lambda x, w, s, p: _stamp_row(x, w[::-1], s, p)}, FLIPPED),
        Mistake(
            "stride-one",
            {
                "o": lambda x, w, s, p: _stamp_row(x, w, 1, p),
                "c": lambda x, w, s, p: _stamp_row([1] * len(x), [1] * len(w), 1, p),
            },
            "You moved the kernel by 1. The copies begin s cells apart.",
        ),
        Mistake(
            "no-overlap-add",
            {
                "o": lambda x, w, s, p: _overwrite([[*x]], [[*w]], s, 0)[0][p : (len(x) - 1) * s + len(w) - p],
                "c": lambda x, w, s, p: [1] * ((len(x) - 1) * s + len(w) - 2 * p),
            },
            "Where copies overlap, their products are added.",
        ),
        Mistake(
            "not-cut",
            {
                "o": lambda x, w, s, p: _stamp_row(x, w, s),
                "c": lambda x, w, s, p: _stamp_row([1] * len(x), [1] * len(w), s),
            },
            "The padding is cut off from both ends of the output.",
        ),
        Mistake(
            "cut-one-side",
            {"o": lambda x, w, s, p: _stamp_row(x, w, s)[2 * p :]},
            "Cut the padding off both ends, not twice off one.",
        ),
    ],
)
def transposed_conv_row(rng: Random) -> Inputs:
    """Transposed convolution of a row"""
    f, s, p = rng.choice([(3, 2, 0), (3, 2, 1), (4, 2, 1), (4, 3, 1), (3, 1, 1), (5, 2, 2), (5, 3, 1)])
    x = [rng.choice([1, 2, 3, 4, 5, -1, -2]) for _ in range(rng.choice([3, 4]))]
    w = [rng.choice([0, 1, 2, 3, -1]) for _ in range(f)]
    if w == w[::-1]:
        raise UndefinedValue("flipping must change the kernel")
    return dict(x=x, w=w, s=s, p=p)


def _toeplitz(y: list[Value], w: list[Value], s: int) -> Map:
    width = (len(y) - 1) * s + len(w)
    return [[w[j - i * s] if 0 <= j - i * s < len(w) else 0 for j in range(width)] for i in range(len(y))]


@drill(
    TRANSPOSED_CONV_MATRIX,
    id="transposed-conv-values:matrix",
    tier=2,
    asks=("C", "o"),
    decimals=None,
    prompt="A 1-D convolution without padding has the kernel w = {w} and stride {s}. It maps {m} values to {r}, so it "
    "is a product y = C x with a matrix C of {r} rows and {m} columns.\n"
    "What is C? The transposed convolution multiplies by the transposed matrix: what is o = C^T y for y = {y}?\n"
    "Conventions: the convolution is a cross-correlation, so the kernel is not flipped.",
    hint="Which inputs does the first output of the convolution depend on, and which the second one?",
    mistakes=[
        Mistake(
            "flipped",
            {
                "C": lambda y, w, s: _toeplitz(y, w[::-1], s),
                "o": lambda y, w, s: _stamp_row(y, w[::-1], s),
            },
            "You flipped the kernel. In a cross-correlation it is not flipped.",
        ),
        Mistake(
            "stride-one",
            {"C": lambda y, w, s: [row[-i:] + row[:-i] if i else row for i, row in enumerate(_shifted(y, w, s))]},
            "Each row is shifted by the stride, not by 1.",
        ),
        Mistake(
            "transposed",
            {"C": lambda y, w, s: [list(column) for column in zip(*_toeplitz(y, w, s), strict=True)]},
            "That is the transposed matrix. C has one row per output of the convolution.",
        ),
        Mistake(
            "last-copy-only",
            {"o": lambda y, w, s: _overwrite([[*y]], [[*w]], s, 0)[0]},
            "An entry of C^T y is a sum over all rows of C.",
        ),
    ],
)
def transposed_conv_matrix(rng: Random) -> Inputs:
    """Convolution as a matrix, transposed"""
    f, s = rng.choice([(2, 1), (3, 1), (3, 2), (4, 2), (4, 3)])
    y = [rng.choice([1, 2, 3, 4, -1, -2]) for _ in range(rng.choice([2, 3]))]
    w = [rng.choice([1, 2, 3, -1, -2]) for _ in range(f)]
    if w == w[::-1]:
        raise UndefinedValue("flipping must change the kernel")
    return dict(y=y, w=w, s=s, r=len(y), m=(len(y) - 1) * s + f)


def _shifted(y: list[Value], w: list[Value], s: int) -> Map:
    """Return the first row of the matrix, once per row."""
    return [_toeplitz(y, w, s)[0] for _ in y]


@drill(
    BILINEAR_KERNEL,
    id="transposed-conv-values:bilinear-kernel",
    tier=2,
    asks=("f", "p", "W", "o"),
    prompt="FCN's upsampling layers are transposed convolutions whose kernels start as bilinear interpolation. For the "
    "factor s = {s}, which is the stride, the kernel size f is 2s if s is even and 2s - 1 if it is odd. A weight of "
    "the kernel is (1 - |i - c|/s)(1 - |j - c|/s), where c = (f - 1)/2 is its center, and rows i and columns j are "
    "counted from 0.\n"
    "What is the kernel size f, and with which padding p is the output s times as large as the input? What is the "
    "weight W in row {i} and column {j}? What is the output size o for an input of size {n}?",
    hint="Where is the center of the kernel? How far is the weight from it, along rows and along columns?",
    mistakes=[
        Mistake("size-of-stride", "f = s", "With f = s the copies would not overlap, so nothing is interpolated."),
        Mistake("other-parity", "f = 4s - 1 - s - 2*floor(s/2)", "Check whether the stride is even or odd."),
        Mistake("padding-of-kernel", "p = floor((f - 1)/2)", "Then the output would be smaller than s times n."),
        Mistake("no-padding", "p = 0; o = (n - 1)*s + f", "Without padding, the output is larger than s times n."),
        Mistake(
            "one-dimension",
            "W = 1 - abs(i - c)/s",
            "That is the weight along one axis. Multiply by the one of the other axis.",
        ),
        Mistake("center-counted-from-1", "W = (1 - abs(i - f/2)/s)*(1 - abs(j - f/2)/s)", "The center is (f - 1)/2."),
    ],
)
def bilinear_kernel(rng: Random) -> Inputs:
    """Transposed convolution as bilinear interpolation"""
    s = rng.choice([2, 3, 4, 5, 8, 16])
    f = s + s // 2 * 2
    return dict(s=s, n=rng.randint(5, 20), i=rng.randrange(f), j=rng.randrange(f))
