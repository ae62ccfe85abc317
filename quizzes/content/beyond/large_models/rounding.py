"""Affine quantization with exact numbers: scale, zero point and integers, rounded half to even."""

from fractions import Fraction

from quizzes.expressions.tree import Value
from workbench.errors import UserError


def check_range(lo: Value, hi: Value) -> None:
    """Check that a range contains 0, and more than 0.

    Raises:
        UserError: If it doesn't.
    """
    if lo > 0 or hi < 0 or lo == hi:
        raise UserError("The range must contain 0 and one more value: choose lo <= 0 <= hi and lo < hi.")


def clip(value: Value, low: Value, high: Value) -> Value:
    """Return a value, or the nearest bound if it is outside."""
    return max(low, min(high, value))


def affine(lo: Value, hi: Value, levels: int = 255) -> tuple[Fraction, int]:
    """Return the scale and the zero point that map a range to the integers from 0 to `levels`.

    Raises:
        UserError: If the range doesn't contain 0, or is empty.
    """
    check_range(lo, hi)
    scale = Fraction(hi - lo) / levels
    return scale, clip(round(-lo / scale), 0, levels)  # round() of a fraction rounds half to even


def quantize(x: Value, scale: Value, zero_point: int, low: int = 0, high: int = 255) -> int:
    """Return the integer that stands for a value."""
    return int(clip(round(Fraction(x) / scale) + zero_point, low, high))
