"""Solving for a symbol step by step, against SymPy and against trying every value."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quizzes.expressions.isolate import CannotIsolate, isolate
from quizzes.expressions.parser import parse
from quizzes.expressions.tree import Call, Tree, UndefinedValue, evaluate, walk

LAYERS = [
    *("({x} + 3)", "({x} - 5)", "(2 - {x})", "({x}*3)", "(-2*{x})", "({x}/4)", "(6/{x})", "(-{x})", "({x})^2"),
    *("({x})^3", "({x})^(-1)", "sqrt({x})", "abs({x})", "exp({x})", "ln({x})", "2^({x})", "sigmoid({x})", "tanh({x})"),
    *("relu({x})", "max({x}, 1)", "min(2, {x})", "log2({x})", "log10({x})", "softplus({x})", "({x}*k)", "(m - {x})"),
]
VALUES = {"k": 7, "m": Fraction(1, 3)}


def nested(layers: list[str]) -> str:
    text = "x"
    for layer in layers:
        text = layer.format(x=text)
    return text


LARGEST_ARGUMENT = {"sigmoid": 10, "tanh": 10, "softplus": 10, "exp": 200}


def is_saturated(part: Tree, values: dict[str, Any]) -> bool:
    """Return whether a float loses the argument of this function: sigmoid(35) is 1 to the last digit."""
    largest = LARGEST_ARGUMENT.get(part.function) if isinstance(part, Call) else None
    return largest is not None and abs(float(evaluate(part.args[0], values))) > largest


@given(layers=st.lists(st.sampled_from(LAYERS), min_size=1, max_size=4), x=st.integers(-6, 6))
def test_isolate_finds_the_value_and_every_line_holds(layers, x):
    tree = parse(nested(layers))
    try:
        target = evaluate(tree, {**VALUES, "x": x})
        assume(not any(is_saturated(part, {**VALUES, "x": x}) for part in walk(tree)))
        lines = isolate(tree, "x", target, VALUES)
        assert all(r.is_single for r in lines[-1].ranges)
        for line in lines:
            value = float(evaluate(line.tree, {**VALUES, "x": x}))
            near = [abs(float(r.low) - value) <= 1e-6 * max(1.0, abs(value)) for r in line.ranges]
            assert any(near), line
    except (UndefinedValue, CannotIsolate):
        return


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("3*(x - 4)/2", 9),
        ("5 - 2*x", -3),
        ("7/(x + 1)", Fraction(7, 3)),
        ("(x - 1)^2", 9),
        ("(x - 1)^2", -9),
        ("x^3 + 1", -7),
        ("4*sqrt(x) - 1", 7),
        ("x + (x - 1)*(k - 1)", 20),
        ("x/4 - x + 3*(2 - x)", 5),
    ],
)
def test_isolate_finds_the_solutions_of_sympy(text, target):
    import sympy

    x = sympy.Symbol("x", real=True)
    solutions = {Fraction(r.low) for r in isolate(parse(text), "x", target, VALUES)[-1].ranges}
    left = sympy.sympify(text.replace("^", "**"), locals={"x": x, "k": 7})
    equation = sympy.Eq(left, sympy.Rational(target))
    assert solutions == {Fraction(str(root)) for root in sympy.solve(equation, x)}


@given(n=st.integers(1, 200), s=st.integers(1, 5), p=st.integers(0, 9), up=st.booleans())
def test_ranges_of_rounded_values_are_exactly_the_solutions(n, s, p, up):
    tree = parse(f"{'ceil' if up else 'floor'}((n + 2*p - 3)/s) + 1")
    values = {"s": s, "p": p}
    target = evaluate(tree, values | {"n": n})
    (r,) = isolate(tree, "n", target, values)[-1].ranges
    inside = [
        k
        for k in range(-50, 300)
        if (k > r.low if r.low_open else k >= r.low) and (k < r.high if r.high_open else k <= r.high)
    ]
    assert inside == [k for k in range(-50, 300) if evaluate(tree, values | {"n": k}) == target]


def test_dividing_by_the_symbol_reverses_the_inequality():
    lines = isolate(parse("2*ceil(560/B)"), "B", 44, {})
    assert lines[-2].render(str) == ["21 < 560 / B <= 22"]
    assert lines[-1].render(lambda v: f"{float(v):.2f}") == ["25.45 <= B < 26.67"]


@pytest.mark.parametrize(
    "text", ["tanh(max(x, 1)) + 1 - tanh(1)", "sin(x)", "x*x", "x^2 + x", "exp(x) + x", "floor(x^2)"]
)
def test_isolate_raises_if_the_symbol_cannot_be_isolated(text):
    with pytest.raises(CannotIsolate):
        isolate(parse(text), "x", 1, {})


def test_a_range_around_zero_has_no_single_range_of_reciprocals():
    for text in ("floor(x^(-1) + 0.5)", "floor(1/x + 0.5)"):  # the solutions are x <= -2 and x > 2
        with pytest.raises(CannotIsolate):
            isolate(parse(text), "x", 0, {})
