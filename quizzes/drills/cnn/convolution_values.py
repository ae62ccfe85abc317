"""Convolution: what a filter makes of a small map."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.cnn_values import CONV_CHANNELS, CONV_VALUES, Map, correlate, pad, plus, windows
from quizzes.question import Step


def _map(rng: Random, side: int) -> Map:
    return [[rng.choice([0, 1, 1, 2, 2, 3, 4]) for _ in range(side)] for _ in range(side)]


def _filter(rng: Random, side: int) -> Map:
    K = [[rng.choice([-2, -1, -1, 0, 1, 1, 2]) for _ in range(side)] for _ in range(side)]
    return K if _flipped(K) != K else _filter(rng, side)


def _flipped(K: Map) -> Map:
    return [row[::-1] for row in K[::-1]]


def _written(number: int) -> str:
    return f"({number})" if number < 0 else str(number)


def _sums(patches: Map, weights: list[int], b: int, O: Map, of: str) -> list[Step]:
    """A step for each output value: the products of its patch, and the bias."""
    steps = []
    for i, row in enumerate(patches):
        for j, seen in enumerate(row):
            products = [f"{_written(w)}*{_written(x)}" for w, x in zip(weights, seen, strict=True) if w]
            math = [f"O[{i + 1}, {j + 1}] = {' + '.join([*products, _written(b)])}", f"O[{i + 1}, {j + 1}] = {O[i][j]}"]
            steps.append(Step(f"Row {i + 1}, column {j + 1}: {of}.", math))
    return steps


def _steps(X: Map, K: Map, b: int, s: int, p: int, O: Map) -> list[Step]:
    patches = windows(pad(X, p), len(K), len(K[0]), s)
    return _sums(patches, [w for row in K for w in row], b, O, "weight times value over the patch, plus the bias")


@drill(
    CONV_VALUES,
    id="conv-value-hand",
    tier=1,
    asks="O",
    visualization="convolution",
    decimals=None,
    steps=_steps,
    prompt="The map\n{picture_X}\nmeets the filter\n{picture_K}\nwith bias {b}, stride {s} and padding {p} (rows "
    "and columns of zeros on each side). As in every deep-learning library, the filter is laid on the map as it stands "
    "(cross-correlation). What comes out, before any activation?",
    hint="Lay the filter on the top left patch, multiply number by number, sum, add the bias; then move by the stride.",
)
def conv_value_hand(rng: Random) -> dict[str, Any]:
    """A convolution by hand"""
    side, f, s, p = rng.choice([(3, 2, 1, 0), (3, 2, 1, 0), (4, 2, 2, 0), (4, 3, 1, 0), (5, 3, 2, 0), (3, 3, 2, 1)])
    X, K = _map(rng, side), _filter(rng, f)
    return dict(X=X, K=K, b=rng.choice([-3, -2, -1, 1, 2, 3]), s=s, p=p, picture_X=_rows(X), picture_K=_rows(K))


def _rows(X: Map) -> str:
    wide = max(len(str(v)) for row in X for v in row)
    return "\n".join("  " + " ".join(str(v).rjust(wide) for v in row) for row in X)


conv_value_hand.mistake(
    "flipped-filter",
    {"O": lambda X, K, b, s, p: plus(correlate(X, _flipped(K), s, p), b)},
    "The filter is not turned round: in deep learning a convolution is a cross-correlation.",
)
conv_value_hand.mistake(
    "bias-left-out",
    {"O": lambda X, K, b, s, p: correlate(X, K, s, p)},
    "The bias is added to every sum: plus b in every place.",
)
conv_value_hand.mistake(
    "bias-times-weights",
    {"O": lambda X, K, b, s, p: plus(correlate(X, K, s, p), b * len(K) * len(K[0]))},
    "The bias is added once for each position, not once for each weight.",
)
conv_value_hand.mistake(
    "stride-ignored",
    {"O": lambda X, K, b, s, p: plus(correlate(X, K, 1, p), b)},
    "The filter moves by the stride: only every s-th position counts.",
)
conv_value_hand.mistake(
    "padding-ignored",
    {"O": lambda X, K, b, s, p: plus(correlate(X, K, s, 0), b)},
    "The zeros around the map give positions too: the filter starts on them.",
)
conv_value_hand.torch("O = F.conv2d(X[None, None], K[None, None], torch.tensor([float(b)]), stride=s, padding=p)[0, 0]")


def _channel_steps(X1: Map, X2: Map, K1: Map, K2: Map, b: int, O: Map) -> list[Step]:
    first, second = (windows(X, len(K1), len(K1[0]), 1) for X in (X1, X2))
    both = [[a + c for a, c in zip(row, line, strict=True)] for row, line in zip(first, second, strict=True)]
    weights = [w for K in (K1, K2) for row in K for w in row]
    return _sums(both, weights, b, O, "the products of both channels, in one sum, plus the bias")


@drill(
    CONV_CHANNELS,
    id="conv-value-hand:channels",
    tier=2,
    asks="O",
    visualization="matrices X1 K1 / X2 K2",
    decimals=None,
    steps=_channel_steps,
    prompt="A map has the two channels\n  X1 = {X1}\n  X2 = {X2}\nand one filter has for them the weights\n  K1 = "
    "{K1}\n"
    "  K2 = {K2}\nand the bias {b}. Stride 1, no padding; the filter is laid on the map as it stands "
    "(cross-correlation). What is the filter's output, before any activation?",
    hint="One filter makes one channel: at each position it sums over both of its slices.",
)
def conv_value_channels(rng: Random) -> dict[str, Any]:
    """A filter over two channels"""
    side = rng.choice([2, 3, 3])
    return dict(
        X1=_map(rng, side),
        X2=_map(rng, side),
        K1=_filter(rng, 2),
        K2=_filter(rng, 2),
        b=rng.choice([-3, -2, -1, 1, 2, 3]),
    )


conv_value_channels.mistake(
    "first-channel-only",
    {"O": lambda X1, X2, K1, K2, b: plus(correlate(X1, K1), b)},
    "The filter reaches through all channels: add what its second slice makes of the second.",
)
conv_value_channels.mistake(
    "bias-for-each-channel",
    {"O": lambda X1, X2, K1, K2, b: plus(plus(correlate(X1, K1), correlate(X2, K2)), 2 * b)},
    "A filter has one bias, added once after the sum over the channels.",
)
conv_value_channels.mistake(
    "bias-left-out",
    {"O": lambda X1, X2, K1, K2, b: plus(correlate(X1, K1), correlate(X2, K2))},
    "The bias is added to every sum: plus b in every place.",
)
conv_value_channels.mistake(
    "one-slice-for-both",
    {"O": lambda X1, X2, K1, K2, b: plus(plus(correlate(X1, K1), correlate(X2, K1)), b)},
    "The filter has weights of its own for each channel: K2 belongs to X2.",
)
conv_value_channels.mistake(
    "flipped-filter",
    {"O": lambda X1, X2, K1, K2, b: plus(plus(correlate(X1, _flipped(K1)), correlate(X2, _flipped(K2))), b)},
    "The filter is not turned round: in deep learning a convolution is a cross-correlation.",
)
conv_value_channels.torch(
    "O = F.conv2d(torch.stack([X1, X2])[None], torch.stack([K1, K2])[None], torch.tensor([float(b)]))[0, 0]"
)
