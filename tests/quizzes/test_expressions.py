"""Expressions as answers: one that differs on a share of the domain, on a NumPy grid, is incorrect."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quizzes import bank
from quizzes.answers.expressions import equal, one_sided
from quizzes.expressions.parser import FormatError, parse
from quizzes.expressions.tree import FUNCTIONS, UndefinedValue
from quizzes.marking import mark

NUMPY = {"sign": np.sign, "abs": np.abs, "max": np.maximum, "min": np.minimum, "relu": lambda x: np.maximum(x, 0),
         "floor": np.floor, "ceil": np.ceil}  # fmt: skip
SEEDS = range(1, 601, 40)


def on_grid(text, **values):
    """Evaluate an expression on a grid with Python's and NumPy's arithmetic."""
    return eval(text.replace("^", "**"), {**NUMPY, **values}) + 0 * next(iter(values.values()))


def share_of_difference(a, b):
    """Return the share of the grid on which two arrays differ."""
    return float(np.mean(np.abs(a - b) > 1e-9))


def guesses(text, x, y):
    """Yield answers that a student may guess: no sign, another one, or a constant's sign flipped."""
    yield "0"
    yield f"-({text})"
    for u in x:
        yield from (f"{u}", f"-({u})", f"{u}/{len(x)}", f"-({u})/{len(x)}")
    for v in y:
        number = f"{v:g}".lstrip("-")
        for a, b in ((" - ", " + "), (" + ", " - ")):
            if f"{a}{number})" in text:
                yield text.replace(f"{a}{number})", f"{b}{number})", 1)


def test_guesses_at_a_gradient_with_steps_are_wrong():
    w, b = np.meshgrid(np.linspace(-9, 9, 203), np.linspace(-9, 9, 207))
    tries = 0
    for question in (bank.draw("loss-gradient-symbolic", seed) for seed in SEEDS):
        (part,) = question.parts
        if "sign" not in part.answer:
            continue
        expected = on_grid(part.answer, w=w, b=b)
        assert not one_sided(part.answer, part.variables)
        for answer in guesses(part.answer, question.params["x"], question.params["y"]):
            if share_of_difference(expected, on_grid(answer, w=w, b=b)) >= 0.01:
                tries += 1
                assert mark(question, {part.part: answer}).mark == "wrong", (question.seed, answer)
    assert tries > 20


def test_the_absolute_value_of_a_smooth_answer_is_wrong():
    question = bank.draw("activation-derivs", 7)
    (part,) = question.parts
    assert mark(question, {part.part: part.answer}).mark == "right"
    assert mark(question, {part.part: f"abs({part.answer})"}).mark == "wrong"


numbers = st.integers(-8, 8).map(lambda k: f"{k / 4:g}" if k >= 0 else f"({k / 4:g})")
pieces = st.recursive(
    st.builds("({}*x + {})".format, numbers, numbers) | numbers,
    lambda inner: (
        st.builds("{}({})".format, st.sampled_from(["sign", "abs", "relu", "floor", "ceil"]), inner)
        | st.builds("{}({}, {})".format, st.sampled_from(["max", "min"]), inner, inner)
        | st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner)
    ),
    max_leaves=5,
)


@settings(max_examples=15)
@given(pieces, pieces)
def test_piecewise_expressions_are_equal_if_equal_on_a_dense_grid(expected, other):
    x = np.linspace(-2.9937, 3.0041, 2001)
    difference = share_of_difference(on_grid(expected, x=x), on_grid(other, x=x))
    domain = {"x": [-2.9937, 3.0041]}
    assert equal(parse(expected), expected, domain)
    assert equal(parse(f"({expected}) + max({other}, {other}) - ({other})"), expected, domain)
    if difference >= 0.01:
        assert not equal(parse(other), expected, domain)
        assert not equal(parse(expected), other, domain)


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("sign(x)", "x/abs(x)"),
        ("max(0, sign(x))", "(1 + sign(x))/2"),  # they differ only on the kink, where both values are conventions
        ("sign(3x - 1.5)", "sign(x - 0.5)"),
        ("sign(x)*sign(x + 1)", "sign(x)/sign(x + 1)"),
        ("floor(x)/ceil(x + 0.5)", "-floor(x)/(-ceil(x + 0.5))"),
        ("sign(x)^2*x", "sqrt(sign(x)^2)*x"),
        ("100x", "ln(exp(100x))"),
        ("(-1)^x", "cos(pi*x)"),  # has a value at integers only
    ],
)
def test_equal_forms_of_steps(expected, answer):
    assert equal(parse(answer), expected, {"x": [-3, 3]})


@pytest.mark.parametrize(
    ("expected", "answer"),
    [
        ("relu(x - 2.99)", "0"),
        ("0*x", "max(0, x - 2.999) + abs(0)"),
        ("sign(x - 1.00001)", "sign(x - 1)"),
        ("x", "x + max(0, 0.0001 - abs(x - 1))"),
        ("0*x", "relu(sin(x) - 0.9999)"),
    ],
)
def test_narrow_pieces_are_compared(expected, answer):
    assert not equal(parse(answer), expected, {"x": [-3, 3]})


def test_steps_outside_the_domain_are_named():
    assert one_sided("sign(x - 5) + sign(x) + tanh(x + 9)", {"x": [-3, 3]}) == ["sign(x - 5)"]


leaves = st.sampled_from(["w", "b", "0", "1", "2", "0.5", "139", "pi", "1e9", "(w - w)"])
anything = st.recursive(
    leaves,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/^"), inner)
        | st.builds("-{}".format, inner)
        | st.builds("{}({})".format, st.sampled_from([f for f in FUNCTIONS if FUNCTIONS[f].arity[0] == 1]), inner)
        | st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner)
    ),
    max_leaves=10,
)


@cache
def questions():
    return [bank.draw("loss-gradient-symbolic", seed) for seed in (15, 24, 163)]


@settings(max_examples=100)
@example("sqrt((sign(-3*w + b - 7.5))^2)")
@example("sqrt(sqrt(sign(w)))")
@example("floor(w)/sign(b)")
@given(anything)
def test_any_expression_is_graded(text):
    for question in questions():
        assert mark(question, {"dL": text}).mark in ("right", "wrong", "not_understood")
    for expected in ("x", "sign(x)"):
        try:
            tree = parse(text.replace("w", "x").replace("b", "x"))
            equal(tree, expected, {"x": [-math.pi, 200]})
        except (UndefinedValue, FormatError):
            pass
