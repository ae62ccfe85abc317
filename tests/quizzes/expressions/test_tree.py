"""Evaluation of expressions: exact as long as possible, always bounded."""

import math
from fractions import Fraction
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.expressions.parser import parse
from quizzes.expressions.tree import (
    FUNCTIONS,
    UndefinedValue,
    evaluate,
    exact,
    index_range,
    integer,
    is_close,
    names,
    substitute,
    walk,
)


def value(text, **values):
    return evaluate(parse(text), {name: exact(value) for name, value in values.items()})


def test_decimals_are_exact():
    assert value("0.1 + 0.2") == Fraction(3, 10)
    assert value("floor(0.29*100)") == 29  # 28 in floats
    assert value("x*100", x=0.29) == 29
    assert value("sqrt(0.25)") == Fraction(1, 2)
    assert value("sqrt(2)") == pytest.approx(math.sqrt(2))
    assert isinstance(value("7/9"), Fraction)
    assert isinstance(value("8/4"), int)


@given(st.fractions(-50, 50, max_denominator=40), st.fractions(-50, 50, max_denominator=40), st.integers(-6, 6))
def test_arithmetic_is_that_of_pythons_fractions(a, b, k):
    assert value("a + b - a*b", a=a, b=b) == a + b - a * b
    if b:
        assert value("a/b", a=a, b=b) == a / b
    if a or k >= 0:
        assert value("a^k", a=a, k=k) == a**k


REFERENCE = {
    "sqrt": math.sqrt, "exp": math.exp, "ln": math.log, "log2": math.log2, "log10": math.log10, "sin": math.sin,
    "cos": math.cos, "tanh": math.tanh, "sigmoid": lambda x: 1/(1 + math.exp(-x)), "abs": abs, "floor": math.floor,
    "softplus": lambda x: math.log1p(math.exp(x)), "relu": lambda x: max(x, 0.0), "ceil": math.ceil,
    "sign": lambda x: math.copysign(1, x) if x else 0, "min": lambda x: min(x, 1), "max": lambda x: max(x, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_in_floats_and_to_thirty_digits(name):
    from mpmath import MPContext

    digits = MPContext()
    digits.dps = 30
    second = ", 1" if name in ("min", "max") else ""
    for x in (Fraction(-7, 2), -1, 0, Fraction(1, 3), 2, Fraction(41, 4)):
        try:
            expected = REFERENCE[name](float(x))
        except ValueError:
            with pytest.raises(UndefinedValue):
                value(f"{name}(x{second})", x=x)
            continue
        assert float(value(f"{name}(x{second})", x=x)) == pytest.approx(expected, rel=1e-12)
        number = digits.mpf(x.numerator) / x.denominator
        computed = evaluate(parse(f"{name}(x{second})"), {"x": number}, digits)
        assert isinstance(computed, digits.mpf)  # mpmath does not mix with fractions
        assert float(computed) == pytest.approx(expected, rel=1e-12)


def test_extreme_arguments_do_not_overflow():
    assert value("sigmoid(-100)") == pytest.approx(math.exp(-100))
    assert value("sigmoid(700)") == 1
    assert value("softplus(700)") == 700
    assert value("tanh(10000)") == 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1/0", "divides by zero"),
        ("0^-1", "divides by zero"),
        ("ln(-1)", "no value there"),
        ("ln(0)", "minus infinity"),
        ("sqrt(-2)", "no value there"),
        ("(-2)^0.5", "root of a negative"),
        ("10^61", "too large"),
        ("10^40*10^40", "too large"),
        ("exp(139)", "too large"),
        ("x + 1", "x has no value"),
        ("z[3]", "z has no element 3"),
        ("z[0]", "z has no element 0"),
        ("sum(i, 3)", "no array gives the range of i"),
    ],
)
def test_undefined_value_names_the_reason(text, reason):
    with pytest.raises(UndefinedValue, match=reason):
        value(text, z=[1, 2])


def test_exponentials_beyond_floats_cancel():
    assert value("exp(1000)/exp(1001)") == pytest.approx(math.exp(-1), rel=1e-15)
    assert value("ln(exp(-100000)/(1 + exp(5000)))") == pytest.approx(-105_000, rel=1e-15)
    assert value("(exp(800) - exp(799))/(exp(800) + exp(799))") == pytest.approx(math.tanh(0.5), rel=1e-14)
    assert value("x*exp(1000)/exp(1000)", x=Fraction(2, 3)) == pytest.approx(2 / 3)
    assert value("sqrt(exp(1000))*exp(200)^2.5/exp(1000)") == pytest.approx(1)
    assert value("ln(mean(i, exp(z[i]))/prod(i, exp(z[i])))", z=[1000, -1000]) == pytest.approx(1000 - math.log(2))
    assert type(value("exp(-1000)")) is float


TOWERS = [
    "exp(exp(exp(9)))",
    "exp(exp(exp(99)))",
    "exp(-exp(exp(13)))",
    "floor(exp(1000))",
    "sin(exp(1000))",
]


@pytest.mark.parametrize("text", TOWERS)
def test_towers_of_exponentials_are_rejected_quickly(text):
    from mpmath import MPContext

    for lib in (math, MPContext()):
        started = process_time()
        try:
            assert evaluate(parse(text), {}, lib) < 1e-300
        except UndefinedValue as error:
            assert "too large" in str(error)
        assert process_time() - started < 0.2


def test_powers_near_one_stay_bounded():
    assert value("((0.99999999999999^99)^99)^99") == pytest.approx(math.exp(99**3 * math.log1p(-1e-14)))
    assert value("b^t", b=0.999, t=10_000) == pytest.approx(0.999**10_000)
    assert value("1 - b^t", b=0.9, t=10_000) == 1


def test_sums_run_over_their_arrays():
    Q, z = [[1, 2, 3], [4, 5, 6]], [2, 4]
    assert value("sum(i, z[i])", z=z) == 6
    assert value("mean(i, z[i]^2)", z=z) == 10
    assert value("prod(i, z[i])", z=z) == 8
    assert value("sum(i, sum(k, Q[i, k]))", Q=Q) == 21
    assert value("sum(k, Q[2, k]*Q[1, k])", Q=Q) == 32
    assert list(index_range(parse("Q[i, k]"), "k", {"Q": Q})) == [1, 2, 3]
    assert list(index_range(parse("Q[i, k]"), "i", {"Q": Q})) == [1, 2]


def test_names_and_substitution():
    tree = parse("sum(j, a*z[j]) + b")
    assert names(tree) == {"a", "z", "b"}
    assert sum(1 for _ in walk(parse("1 + 2*3"))) == 5
    swapped = substitute(parse("a - b/a"), {"a": integer(6), "b": parse("2 + 1")})
    assert evaluate(swapped, {}) == Fraction(11, 2)
    sum_of_two = substitute(parse("mean(j, z[j])"), {"#j": integer(2), "z[1]": integer(3), "z[2]": integer(4)})
    assert evaluate(sum_of_two, {}) == Fraction(7, 2)


def test_exact_converts_texts_and_lists_but_not_words():
    assert exact([0.1, "7/9", "word", 4.0]) == [Fraction(1, 10), Fraction(7, 9), "word", 4]


@pytest.mark.parametrize(
    ("a", "b", "tolerance", "close"),
    [
        (10**9, 10**9 + 1, 1e-6, False),  # integers are compared exactly
        (10**9 + 0.5, 10**9, 1e-6, True),
        (0.0, 1e-7, 1e-6, True),
        (0.0, 2e-6, 1e-6, False),
        (Fraction(1, 3), 0.3333333, 1e-6, True),
        ([[1.0, 2], [3, 4]], [[1, 2], [3, 4.0]], 1e-9, True),
        ([1, 2], [1, 2, 3], 1e-9, False),
        ([1], 1, 1e-9, False),
        ("A", "A", 1e-9, True),
        ("A", 1, 1e-9, False),
    ],
)
def test_is_close(a, b, tolerance, close):
    assert is_close(a, b, tolerance) is close
