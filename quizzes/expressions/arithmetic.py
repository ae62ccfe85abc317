"""Numbers and arrays of expressions: exact arithmetic, always bounded, and nothing is ever evaluated as code.

Numbers stay exact (`int` or `Fraction`) until a function such as `exp` makes them inexact, so that `floor`, an integer
or a fraction is never off by a rounding error.

An exponential too large (or too small) for a float is a `Decimal` until it is small enough again, so that a quotient
of exponentials, such as softmax, and the logarithm of such a quotient have their values for all logits.
"""

import math
import operator
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeAlias

# A number (int, Fraction, float, Decimal, or a number of mpmath), a text, or a list of values: a vector is a list, a
# matrix a list of rows. Numbers of different types are mixed freely, which no static type describes.
Value: TypeAlias = Any
Values: TypeAlias = Mapping[str, Value]  # by symbol
Library: TypeAlias = Any  # the module `math` or an mpmath context

MAX_DIGITS = 60  # decimal digits before the point (or zeros after it) that a value may have
MIN_FLOAT_DIGITS = 290  # zeros after the point up to which a float has its full precision
MAX_EXPONENT = 10**6  # the largest argument of exp; its value has fewer digits than a `Decimal` may have
MAX_EXACT_BITS = 4096  # bits up to which a power stays exact


class UndefinedValue(ArithmeticError):
    """An expression has no value here: a division by zero, a logarithm of a negative number, a value beyond bounds."""


def exact(value: Value) -> Value:
    """Make a value exact: decimals, also written as texts, become fractions, inside lists too; words stay words."""
    if isinstance(value, list | tuple):
        return [exact(v) for v in value]
    if isinstance(value, float | str):
        try:
            value = Fraction(str(value))
        except ValueError:
            return value
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def is_exact(x: Value) -> bool:
    """Return whether a number is an integer or a fraction."""
    return isinstance(x, int | Fraction)


def is_close(a: Value, b: Value, tolerance: float) -> bool:
    """Return whether two values are equal up to a relative tolerance, element by element; integers and texts exactly.

    Numbers of a magnitude below 1 are compared up to the tolerance itself.
    """
    if isinstance(a, list) or isinstance(b, list):
        if not (isinstance(a, list) and isinstance(b, list) and len(a) == len(b)):
            return False
        return all(is_close(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, str) or isinstance(b, str) or (isinstance(a, int) and isinstance(b, int)):
        return bool(a == b)
    return abs(float(a) - float(b)) <= tolerance * max(1.0, abs(float(b)))


def to_decimal(x: Value) -> Decimal:
    """Convert a number to a `Decimal`."""
    return x if isinstance(x, Decimal) else Decimal(x.numerator) / x.denominator if is_exact(x) else Decimal(x)


def to_float_range(x: Value) -> Value:
    """Make a number fit for functions of floats.

    Raises:
        UndefinedValue: If it is too large.
    """
    if isinstance(x, int | float) and -1e15 < x < 1e15:
        return x
    if _digits(x) > MAX_DIGITS:
        raise UndefinedValue("its value is too large")
    return float(x) if isinstance(x, Decimal) else x


def without_decimals(value: Value) -> Value:
    """Make every `Decimal` of a value, also inside lists, a float."""
    if isinstance(value, list):
        return [without_decimals(v) for v in value]
    return to_float_range(value) if isinstance(value, Decimal) else value


def bounded(x: Value) -> Value:
    """Return a number, a `Decimal` that fits into a float as a float.

    Raises:
        UndefinedValue: If it is too large.
    """
    if isinstance(x, int | float) and -1e15 < x < 1e15:
        return x
    digits = _digits(x)
    if isinstance(x, Decimal) and -MIN_FLOAT_DIGITS < digits <= MAX_DIGITS:
        return float(x)
    if digits > _max_digits(x):
        raise UndefinedValue("its value is too large")
    return x


def divide(a: Value, b: Value) -> Value:
    """Divide two numbers, exactly if both are exact."""
    if isinstance(a, int) and isinstance(b, int):
        return Fraction(a, b) if a % b else a // b
    return bounded(a / b)


def power(a: Value, b: Value) -> Value:
    """Raise a number to a power, exactly as long as the result is not too long.

    Raises:
        UndefinedValue: If the result is too large, or a root of a negative number.
    """
    if _digits(b) > MAX_DIGITS or (digits := b * _digits(a)) > _max_digits(a):
        raise UndefinedValue("its value is too large")
    if digits < -MAX_EXPONENT:
        return 0 * a  # to any precision
    has_integer_exponent = b == int(b)
    if digits < -MIN_FLOAT_DIGITS and isinstance(a, int | Fraction | float):
        a, b = to_decimal(a), to_decimal(b)
    bits = max(a.numerator.bit_length(), a.denominator.bit_length()) if isinstance(a, int | Fraction) else 0
    if abs(b) * bits > MAX_EXACT_BITS:
        a = float(a)  # near 1 a power stays small while its fraction grows without end
    if isinstance(a, int) and has_integer_exponent and b < 0:
        a = Fraction(a)
    result = a ** (int(b) if has_integer_exponent else b)
    if isinstance(result, complex):
        raise UndefinedValue("it takes a root of a negative number")
    return result


def _digits(x: Value) -> float:
    """Return about log10 of the magnitude of a number, also of one too large for a float."""
    if isinstance(x, int):
        return x.bit_length() * 0.302
    if isinstance(x, Fraction):
        return (x.numerator.bit_length() - x.denominator.bit_length()) * 0.302 if x else 0.0
    if isinstance(x, float):
        return math.log10(abs(x)) if x else 0.0
    if isinstance(x, Decimal):
        return x.adjusted() + 1 if x else 0
    if isinstance(x, list):
        raise UndefinedValue("it uses an array where a number is needed")
    # A number of mpmath: its mantissa, its exponent and the mantissa's bits, without converting it.
    _, mantissa, exponent, bits = x._mpf_
    if exponent and not mantissa:
        raise UndefinedValue("its value is infinite")
    return float((exponent + bits) * 0.302)


def _max_digits(x: Value) -> int:
    """Return how many digits before the point a number may have: more for types that store an exponent."""
    return MAX_DIGITS if isinstance(x, int | Fraction | float) else MAX_EXPONENT


SPECIAL = {Decimal, list}  # types that Python's own operators don't handle as expressions do


def _operation(sign: str, operate: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    """Extend an operation on numbers to a `Decimal` with any other number, and to arrays."""

    def operate_on_any(a: Value, b: Value) -> Value:
        if a.__class__ in SPECIAL or b.__class__ in SPECIAL:
            if isinstance(a, list) or isinstance(b, list):
                return _operate_on_arrays(sign, a, b)
            return bounded(operate(to_decimal(a), to_decimal(b)))
        return operate(a, b)

    return operate_on_any


def _operate_on_arrays(sign: str, a: Value, b: Value) -> Value:
    """Add or subtract arrays of the same shape, or multiply or divide an array by a number.

    Raises:
        UndefinedValue: If the operation is another one, or the shapes differ.
    """
    operate = OPERATIONS[sign]
    if sign in "+-" and isinstance(a, list) and isinstance(b, list):
        if len(a) != len(b):
            raise UndefinedValue(f"the arrays around {sign} have {len(a)} and {len(b)} elements")
        return [operate(x, y) for x, y in zip(a, b, strict=True)]
    if sign in "*/" and not isinstance(b, list):
        return [operate(x, b) for x in a]
    if sign == "*" and not isinstance(a, list):
        return [operate(a, y) for y in b]
    if sign == "*":
        raise UndefinedValue("* multiplies by a number; the product of two arrays is A @ B")
    raise UndefinedValue(f"{sign} does not apply to an array here")


def negate(x: Value) -> Value:
    """Return the negative of a number or, element by element, of an array."""
    return [negate(item) for item in x] if isinstance(x, list) else -x


def matrix_product(a: Value, b: Value) -> Value:
    """Multiply a matrix or vector by another; the product of two vectors is a number, as in NumPy.

    Raises:
        UndefinedValue: If one is a number, or the inner dimensions differ.
    """
    if not isinstance(a, list) or not isinstance(b, list):
        raise UndefinedValue("@ multiplies matrices and vectors; write * for a product of numbers")
    if isinstance(a[0], list):
        return [matrix_product(row, b) for row in a]
    if len(a) != len(b):
        raise UndefinedValue(f"the inner dimensions of a matrix product are {len(a)} and {len(b)}, and must be equal")
    if isinstance(b[0], list):
        return [matrix_product(a, column) for column in map(list, zip(*b, strict=True))]
    add, multiply = OPERATIONS["+"], OPERATIONS["*"]
    total: Value = 0
    for x, y in zip(a, b, strict=True):
        total = add(total, multiply(x, y))
    return total


OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "+": _operation("+", operator.add),
    "-": _operation("-", operator.sub),
    "*": _operation("*", lambda a, b: bounded(a * b)),
    "/": _operation("/", divide),
    "^": _operation("^", power),
    "@": matrix_product,
}
COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compare(sign: str, a: Value, b: Value) -> bool:
    """Compare two numbers exactly.

    Raises:
        UndefinedValue: If one is an array.
    """
    if a.__class__ in SPECIAL or b.__class__ in SPECIAL:
        if isinstance(a, list) or isinstance(b, list):
            raise UndefinedValue(f"{sign} compares numbers, not arrays")
        a, b = to_decimal(a), to_decimal(b)
    return bool(COMPARISONS[sign](a, b))


def largest_position(array: Value) -> int:
    """Return the position of the largest element, counted from 1; of the first one if several are equal.

    Raises:
        UndefinedValue: If the array is empty or a matrix.
    """
    if not array or isinstance(array[0], list):
        raise UndefinedValue("argmax takes a vector")
    best = 0
    for k, value in enumerate(array):
        if compare(">", value, array[best]):
            best = k
    return best + 1
