"""Convolution: drills about output values."""

from random import Random

from quizzes.content.cnn.convolution.formulas import CONV_CHANNELS, CONV_VALUES, add, correlate
from quizzes.content.cnn.shared import Map, extract_windows, pad
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step

FLIPPED = "You flipped the kernel. In deep learning a convolution is a cross-correlation, so do not flip it."


NO_BIAS_IN_SUM = "You left out the bias. It is part of every output value, so add it to each sum."


def _map(rng: Random, size: int) -> Map:
    return [[rng.choice([0, 1, 1, 2, 2, 3, 4]) for _ in range(size)] for _ in range(size)]


def _kernel(rng: Random, size: int) -> Map:
    """A kernel that flipping changes."""
    K = [[rng.choice([-2, -1, -1, 0, 1, 1, 2]) for _ in range(size)] for _ in range(size)]
    return K if _flip(K) != K else _kernel(rng, size)


def _flip(K: Map) -> Map:
    return [row[::-1] for row in K[::-1]]


def _term(number: int) -> str:
    return f"({number})" if number < 0 else str(number)


def _sums(patches: Map, weights: list[int], b: int, O: Map, text: str) -> list[Step]:
    """A step for each output value: the products of its patch, and the bias."""
    steps = []
    for i, row in enumerate(patches):
        for j, values in enumerate(row):
            products = [f"{_term(w)}*{_term(x)}" for w, x in zip(weights, values, strict=True) if w]
            math = [f"O[{i + 1}, {j + 1}] = {' + '.join([*products, _term(b)])}", f"O[{i + 1}, {j + 1}] = {O[i][j]}"]
            steps.append(Step(f"Row {i + 1}, column {j + 1}: {text}", math))
    return steps


def _convolution_steps(X: Map, K: Map, b: int, s: int, p: int, O: Map) -> list[Step]:
    patches = extract_windows(pad(X, p), len(K), len(K[0]), s)
    return _sums(
        patches, [w for row in K for w in row], b, O, "sum weight times input over the patch, then add the bias"
    )


def _rows(X: Map) -> str:
    width = max(len(str(v)) for row in X for v in row)
    return "\n".join("  " + " ".join(str(v).rjust(width) for v in row) for row in X)


def _channel_steps(X1: Map, X2: Map, K1: Map, K2: Map, b: int, O: Map) -> list[Step]:
    first, second = (extract_windows(X, len(K1), len(K1[0]), 1) for X in (X1, X2))
    both = [[a + c for a, c in zip(row, line, strict=True)] for row, line in zip(first, second, strict=True)]
    weights = [w for K in (K1, K2) for row in K for w in row]
    return _sums(both, weights, b, O, "sum weight times input over both channels, then add the bias")


@drill(
    CONV_VALUES,
    id="conv-value-hand",
    tier=1,
    asks="O",
    visualization="convolution",
    decimals=None,
    steps=_convolution_steps,
    prompt="The input\n"
    "{rows_X}\n"
    "is convolved with the kernel\n"
    "{rows_K}\n"
    "with bias {b}, stride {s} and zero padding {p} on each side.\n"
    "Conventions: cross-correlation, so the kernel is not flipped; no activation.",
    hints=(
        "Place the kernel on the top left patch, multiply element-wise, sum, and add the bias. Then move by the "
        "stride.",
        "Use this formula, with X already padded:\n"
        "  O[r, c] = b + sum(i, sum(j, K[i, j]*X[(r - 1)*s + i, (c - 1)*s + j]))",
    ),
    mistakes=[
        Mistake("flipped-filter", {"O": lambda X, K, b, s, p: add(correlate(X, _flip(K), s, p), b)}, FLIPPED),
        Mistake("bias-left-out", {"O": lambda X, K, b, s, p: correlate(X, K, s, p)}, NO_BIAS_IN_SUM),
        Mistake(
            "bias-times-weights",
            {"O": lambda X, K, b, s, p: add(correlate(X, K, s, p), b * len(K) * len(K[0]))},
            "You added the bias once per weight. It is added once per output value, after the sum.",
        ),
        Mistake(
            "stride-ignored",
            {"O": lambda X, K, b, s, p: add(correlate(X, K, 1, p), b)},
            "You ignored the stride. The kernel moves by the stride, so skip the positions in between.",
        ),
        Mistake(
            "padding-ignored",
            {"O": lambda X, K, b, s, p: add(correlate(X, K, s, 0), b)},
            "You ignored the padding. The zeros around the input add positions, so start the kernel on the padded "
            "corner.",
        ),
    ],
)
def conv_value_hand(rng: Random) -> Inputs:
    """Convolution by hand"""
    size, f, s, p = rng.choice([(3, 2, 1, 0), (3, 2, 1, 0), (4, 2, 2, 0), (4, 3, 1, 0), (5, 3, 2, 0), (3, 3, 2, 1)])
    X, K = _map(rng, size), _kernel(rng, f)
    return dict(X=X, K=K, b=rng.choice([-3, -2, -1, 1, 2, 3]), s=s, p=p, rows_X=_rows(X), rows_K=_rows(K))


@drill(
    CONV_CHANNELS,
    id="conv-value-hand:channels",
    tier=2,
    asks="O",
    visualization="matrices X1 K1 / X2 K2",
    decimals=None,
    steps=_channel_steps,
    prompt="An input has the channels\n"
    "  X1 = {X1}\n"
    "  X2 = {X2}\n"
    "One filter has the kernels\n"
    "  K1 = {K1}\n"
    "  K2 = {K2}\n"
    "for them, and the bias {b}.\n"
    "Conventions: stride 1; no padding; cross-correlation, so the kernels are not flipped; no activation.",
    hints=(
        "How many output channels does one filter have? At each position it sums over both input channels.",
        "Use this formula:\n"
        "  O[r, c] = b + sum(i, sum(j, K1[i, j]*X1[r + i - 1, c + j - 1] + K2[i, j]*X2[r + i - 1, c + j - "
        "1]))",
    ),
    mistakes=[
        Mistake(
            "first-channel-only",
            {"O": lambda X1, X2, K1, K2, b: add(correlate(X1, K1), b)},
            "You used the first channel only. The filter spans both channels, so add the products of K2 and X2.",
        ),
        Mistake(
            "bias-for-each-channel",
            {"O": lambda X1, X2, K1, K2, b: add(add(correlate(X1, K1), correlate(X2, K2)), 2 * b)},
            "You added the bias once per channel. A filter has one bias, so add it once, after the sum over the "
            "channels.",
        ),
        Mistake(
            "bias-left-out",
            {"O": lambda X1, X2, K1, K2, b: add(correlate(X1, K1), correlate(X2, K2))},
            NO_BIAS_IN_SUM,
        ),
        Mistake(
            "one-slice-for-both",
            {"O": lambda X1, X2, K1, K2, b: add(add(correlate(X1, K1), correlate(X2, K1)), b)},
            "You applied K1 to both channels. A filter has separate weights per channel, so apply K2 to X2.",
        ),
        Mistake(
            "flipped-filter",
            {"O": lambda X1, X2, K1, K2, b: add(add(correlate(X1, _flip(K1)), correlate(X2, _flip(K2))), b)},
            FLIPPED,
        ),
    ],
)
def conv_value_channels(rng: Random) -> Inputs:
    """Convolution with two input channels"""
    size = rng.choice([2, 3, 3])
    return dict(
        X1=_map(rng, size),
        X2=_map(rng, size),
        K1=_kernel(rng, 2),
        K2=_kernel(rng, 2),
        b=rng.choice([-3, -2, -1, 1, 2, 3]),
    )
