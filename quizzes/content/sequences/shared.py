"""Symbols and helpers of formulas of several topics: sequences."""

from collections.abc import Sequence
from fractions import Fraction
from math import exp, tanh
from typing import Any

from quizzes.symbols import Int
from workbench.errors import UserError

Number = int | float | Fraction
Row = Sequence[Number]
Rows = Sequence[Row]

BLOCKS = {"RNN": 1, "GRU": 3, "LSTM": 4}  # matrix pairs of each cell: one per gate, and one for the candidate

INPUT_SIZE = Int(1, 1000000, "input size, features per time step")


HIDDEN_SIZE = Int(1, 100000, "hidden size")


BIAS_VECTORS = Int(1, 2, "bias vectors per block: 1 as in textbooks, 2 as in PyTorch", default=2)


STEPS = Int(1, 1000000, "number of time steps, which does not matter", default=1)


def sigmoid(z: Number) -> float:
    """Return 1/(1 + e^-z); the exponential is never too large, whatever the sign of z."""
    small = exp(-abs(float(z)))
    return 1 / (1 + small) if z > 0 else small / (1 + small)


def affine(W: Rows, x: Row, b: Row | None = None) -> list[Any]:
    """Return W x + b."""
    products = [sum(w * v for w, v in zip(row, x, strict=True)) for row in W]
    return [p + c for p, c in zip(products, b, strict=True)] if b else products


def apply_tanh(values: Row) -> list[float]:
    """Return tanh of each value."""
    return [tanh(value) for value in values]


def check_sizes(blocks: int, **arrays: Any) -> int:
    """Check that the arrays of a recurrent layer fit each other, and return the hidden size.

    Args:
        blocks: The number of blocks of rows in the weights.
        arrays: X (T x i), W_x (blocks*h x i), W_h (blocks*h x h), and biases (blocks*h), initial states (h), or None
            for those that are left out.

    Raises:
        UserError: If they don't.
    """
    X, W_x, W_h = arrays["X"], arrays["W_x"], arrays["W_h"]
    hidden = len(W_h[0])
    rows = f"{blocks} x {hidden} = {blocks * hidden}" if blocks > 1 else str(hidden)
    for name in ("W_x", "W_h"):
        if len(arrays[name]) != blocks * hidden:
            raise UserError(f"{name} has {len(arrays[name])} rows. W_h has {hidden} columns, so it must have {rows}.")
    if len(W_x[0]) != len(X[0]):
        raise UserError(f"W_x has {len(W_x[0])} columns and X has {len(X[0])}. Give both the same number of columns.")
    for name, values in arrays.items():
        if name not in ("X", "W_x", "W_h") and values is not None:
            expected = hidden if name.endswith("0") else blocks * hidden
            if len(values) != expected:
                raise UserError(f"{name} has {len(values)} values, and it must have {expected}.")
    return hidden
