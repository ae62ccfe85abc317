"""Evaluation of expressions: exact as long as possible, always bounded."""

import math
from fractions import Fraction
from time import process_time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.expressions.parser import parse
from quizzes.expressions.tree import (
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
        ("sum(i, 3)", "nothing tells how far i runs: write i = 1..n"),
        ("sum(i = 1..1/2, i)", "runs over integers"),
        ("sum(i = 1..1000, i)", "at most 100 terms"),
        ("mean(i = 1..0, i)", "divides by zero"),
        ("argmax(3)", "no value there"),
        ("argmax([[1, 2], [3, 4]])", "argmax takes a vector"),
        ("z @ 3", "write \\* for a product of numbers"),
        ("z @ [1, 2, 3]", "are 2 and 3, and must be equal"),
        ("z + 1", "does not apply to an array"),
        ("z + [1, 2, 3]", "have 2 and 3 elements"),
        ("z*z", "is A @ B"),
        ("exp(z)", "no value there"),
        ("[z > 1]", "compares numbers"),
        ("where(x > 0, 1, 2)", "x has no value"),
        ("where(1 > 0, 1/0, 2)", "divides by zero"),
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


def test_an_index_may_say_how_far_it_runs():
    assert value("sum(k = 1..n, r^k)", n=4, r=2) == 30
    assert value("sum(k = 0..n - 1, sum(j = 0..k, j))", n=4) == 10
    assert value("prod(k = 3..2, k)") == 1 and value("sum(k = 3..2, k)") == 0
    assert value("mean(k = 1..2, z[k])", z=[4, 6, 100]) == 5
    assert evaluate(substitute(parse("sum(k = 1..n, k*x)"), {"n": integer(3), "x": integer(2)}), {}) == 12


def test_argmax_counts_from_1_and_takes_the_first_of_equal_values():
    z = [3, -1, 7, 7]
    assert value("argmax(z)", z=z) == 3 and value("z[argmax(z)]", z=z) == 7
    assert value("argmax(i, -z[i])", z=z) == 2
    assert value("argmax(i = 0..3, z[i + 1])", z=z) == 2
    assert value("argmax([exp(1000), exp(999), 1/3])") == 1
    assert (
        evaluate(
            substitute(
                parse("argmax(i, a*z[i])"),
                {"#i": integer(2), "a": integer(-1)} | {"z[1]": integer(3), "z[2]": integer(1)},
            ),
            {},
        )
        == 2
    )


@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3), st.lists(st.integers(-9, 9), min_size=18, max_size=18))
def test_matrix_products_are_those_of_numpy(n, m, k, numbers):
    A, B = np.array(numbers[: n * m]).reshape(n, m), np.array(numbers[9 : 9 + m * k]).reshape(m, k)
    x, y = B[:, 0], A[:, 0]
    values = dict(A=A.tolist(), B=B.tolist(), x=x.tolist(), y=y.tolist())
    assert value("A @ B", **values) == (A @ B).tolist()
    assert value("A @ x", **values) == (A @ x).tolist()
    assert value("y @ A", **values) == (y @ A).tolist()
    assert value("y @ A @ x", **values) == y @ A @ x
    assert value("2*(A @ x)/3 - -y", **values) == [
        Fraction(2 * int(a), 3) + int(b) for a, b in zip(A @ x, y, strict=True)
    ]


def test_only_the_case_that_holds_is_evaluated():
    assert value("where(x != 0, 1/x, 0)", x=0) == 0
    assert value("where(x > 0 and 1/x > 1, 1, 2)", x=0) == 2
    assert value("where(x = 0 or 1/x > 1, 1, 2)", x=0) == 1
    assert value("[not 0 <= x < 1]", x=1) == 1 and value("[x = 0.1 + 0.2]", x=0.3) == 1
    assert value("where(exp(1000) > 1/3, exp(1000)/exp(999), 0)") == pytest.approx(math.e)
    assert type(value("[x > 0]", x=3)) is int


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
