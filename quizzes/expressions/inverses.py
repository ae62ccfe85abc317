"""Inverses of operations and functions, of single values and of ranges: floor(x) = 2 is undone by 2 <= x < 3."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from quizzes.expressions.arithmetic import OPERATIONS, Value

ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER = (OPERATIONS[op] for op in "+-*/^")


class CannotIsolate(Exception):
    """The operations around the symbol can't be undone."""


@dataclass(frozen=True)
class Range:
    """The values that an expression may have: from `low` to `high`, each end included unless it is open."""

    low: Value
    high: Value
    low_open: bool = False
    high_open: bool = False

    @property
    def is_single(self) -> bool:
        """Return whether it is one value."""
        return bool(self.low == self.high)


Inverse: TypeAlias = Callable[[Value], Value]
RangeInverse: TypeAlias = Callable[[Range], list[Range]]


def increasing(inverse: Inverse) -> RangeInverse:
    """Return the inverse of an increasing function for ranges; a single value without an inverse has no solution."""

    def invert(r: Range) -> list[Range]:
        try:
            return [Range(inverse(r.low), inverse(r.high), r.low_open, r.high_open)]
        except (ValueError, ArithmeticError):
            if r.is_single:
                return []
            raise CannotIsolate from None

    return invert


def decreasing(inverse: Inverse) -> RangeInverse:
    """Return the inverse of a decreasing function for ranges."""
    invert = increasing(inverse)
    return lambda r: [Range(f.high, f.low, f.high_open, f.low_open) for f in invert(r)]


def monotone(is_increasing: bool, inverse: Inverse) -> RangeInverse:
    """Return the inverse of an increasing or decreasing function for ranges."""
    return increasing(inverse) if is_increasing else decreasing(inverse)


def without_zero(invert: RangeInverse) -> RangeInverse:
    """Restrict an inverse that jumps at zero: a range that contains zero does not map to a single range."""

    def checked(r: Range) -> list[Range]:
        if not r.is_single and r.low <= 0 <= r.high:
            raise CannotIsolate
        return invert(r)

    return checked


def both_signs(inverse: Inverse) -> RangeInverse:
    """Return the inverse of a function that is the same for x and -x."""

    def invert(r: Range) -> list[Range]:
        if not r.is_single:
            raise CannotIsolate
        return [Range(x, x) for size in increasing(inverse)(r) if size.low >= 0 for x in sorted({-size.low, size.low})]

    return invert


def of_rounding(arguments: Callable[[int], Range]) -> RangeInverse:
    """Return the inverse of a function that rounds: each integer has a range of arguments."""

    def invert(r: Range) -> list[Range]:
        if not r.is_single:
            raise CannotIsolate
        return [arguments(int(r.low))] if r.low == int(r.low) else []

    return invert


def of_extremum(is_maximum: bool, r: Range, *others: Value) -> list[Range]:
    """Undo a maximum or minimum: if one of the other values was selected, this one is not determined."""
    other = max(others) if is_maximum else min(others)
    # After a rounded inverse such as atanh, a value next to the other one may be the other one itself.
    if not r.is_single or math.isclose(r.low, other, rel_tol=1e-9, abs_tol=1e-12):
        raise CannotIsolate
    return [r] if (r.low > other) == is_maximum else []


def root(y: Value, k: Value) -> Value:
    """Return the number whose k-th power is y, exact if it is rational."""
    if k < 0:
        return DIVIDE(1, root(y, -k))
    if y < 0:
        if k != int(k) or k % 2 == 0:
            raise ValueError
        return -root(-y, k)
    if k == Fraction(1, 2):
        return y * y
    if isinstance(y, int | Fraction):
        near = Fraction(*(round(part ** (1 / k)) for part in (y.numerator, y.denominator)))
        if near**k == y:
            return near.numerator if near.denominator == 1 else near
    return float(y) ** float(1 / k)


def of_operation(op: str, is_first: bool, c: Value) -> RangeInverse:
    """Return the inverse of `x op c`, or of `c op x` if the symbol isn't the first operand.

    Raises:
        CannotIsolate: If it has none.
    """
    match op, is_first:
        case "+", _:
            return increasing(lambda y: SUBTRACT(y, c))
        case "-", True:
            return increasing(lambda y: ADD(y, c))
        case "-", False:
            return decreasing(lambda y: SUBTRACT(c, y))
        case "*", _ if c:
            return monotone(c > 0, lambda y: DIVIDE(y, c))
        case "/", True:
            return monotone(c > 0, lambda y: MULTIPLY(y, c))
        case "/", False if c:
            return without_zero(monotone(c < 0, lambda y: DIVIDE(c, y)))
        case "^", False if c > 0 and c != 1:
            return monotone(c > 1, lambda y: math.log(y) / math.log(c))
        case "^", True if c:
            if c == int(c) and c % 2 == 0:
                return both_signs(lambda y: root(y, c))
            invert = monotone(c > 0, lambda y: root(y, c))
            return invert if c > 0 else without_zero(invert)
    raise CannotIsolate
