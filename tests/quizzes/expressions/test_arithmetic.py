"""Arithmetic of very large and very small numbers, against Python's fractions and mpmath."""

from fractions import Fraction

import mpmath
import pytest

from quizzes.expressions.arithmetic import UndefinedValue, power


@pytest.mark.parametrize(
    ("base", "exponent"),
    [
        (Fraction(1, 2**100), 2),
        (Fraction(-1, 2**600), 3),
        (0.001, 50),
        (0.001, 200),
        (Fraction(1, 10), 100_000),
        (10, -400),
        (1e-200, Fraction(5, 2)),
        (-1e-250, 4),
    ],
)
def test_a_power_that_is_small_has_its_value(base, exponent):
    with mpmath.workdps(40):
        first = mpmath.mpf(base.numerator) / base.denominator if isinstance(base, Fraction) else mpmath.mpf(base)
        second = mpmath.mpf(exponent.numerator) / exponent.denominator
        value = power(base, exponent)
        number = (
            mpmath.mpf(value.numerator) / value.denominator if isinstance(value, Fraction) else mpmath.mpf(str(value))
        )
        assert abs(number / first**second - 1) < 1e-12


@pytest.mark.parametrize(("base", "exponent"), [(10, 70), (Fraction(1, 10), -70), (1e-40, -2), (1.5, 10**6)])
def test_a_power_that_is_large_has_none(base, exponent):
    with pytest.raises(UndefinedValue, match="too large"):
        power(base, exponent)
