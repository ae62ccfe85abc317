"""Random expressions with every node of the grammar: written and read again, and computed by SymPy too."""

from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.nodes import (
    Array,
    Call,
    Comparison,
    Iverson,
    Logic,
    Name,
    Num,
    Op,
    Reduction,
    Where,
    children,
    walk,
    with_children,
)
from quizzes.expressions.parser import FormatError, parse, read, read_condition, write
from quizzes.expressions.tree import UndefinedValue, evaluate, exact

SIGNS = ["=", "!=", "<", "<=", ">", ">="]
NUMBERS = st.sampled_from(["0", "1", "2", "0.5", "13", "1e3"]).map(lambda text: Num(Fraction(text), text))
SCALARS = st.sampled_from("xyab").map(Name)
VALUES = {
    "x": Fraction(-3, 2),
    "y": 2,
    "a": Fraction(1, 3),
    "b": 2,
    "z": [1, -2, Fraction(1, 2)],
    "M": [[1, 2], [0, -1]],
}


def conditions(numbers):
    """Return a strategy of conditions between numbers."""
    comparisons = st.builds(lambda sign, a, b: Comparison(sign, (a, b)), st.sampled_from(SIGNS), numbers, numbers)
    return st.recursive(
        comparisons,
        lambda inner: (
            st.builds(lambda op, a, b: Logic(op, (a, b)), st.sampled_from(["and", "or"]), inner, inner)
            | inner.map(lambda a: Logic("not", (a,)))
        ),
        max_leaves=3,
    )


def operations(inner):
    """Return a strategy of one more operation around expressions."""
    unary = [name for name, row in FUNCTIONS.items() if row.arity[0] == 1]
    return (
        st.builds(lambda op, a, b: Op(op, (a, b)), st.sampled_from("+-*/"), inner, inner)
        | inner.map(lambda a: Op("neg", (a,)))
        | inner.map(lambda a: Op("^", (a, Num(Fraction(2), "2"))))
        | st.builds(lambda name, a: Call(name, (a,)), st.sampled_from(unary), inner)
        | st.builds(lambda name, a, b: Call(name, (a, b)), st.sampled_from(["min", "max"]), inner, inner)
        | st.builds(Where, conditions(inner), inner, inner)
        | conditions(inner).map(Iverson)
    )


scalars = st.recursive(NUMBERS | SCALARS, operations, max_leaves=6)
elements = st.recursive(NUMBERS | SCALARS | st.just(Name("z", (Name("i"),))), operations, max_leaves=4)
arrays = st.just(Name("z")) | st.lists(scalars, min_size=1, max_size=3).map(lambda items: Array(tuple(items)))
trees = (
    scalars
    | st.builds(lambda op, body: Reduction(op, "i", body), st.sampled_from(["sum", "mean", "prod", "argmax"]), elements)
    | st.builds(lambda op, body, last: Reduction(op, "k", body, (Num(Fraction(1), "1"), last)),
                st.sampled_from(["sum", "argmax"]), scalars, scalars)
    | arrays.map(lambda array: Call("argmax", (array,)))
    | st.builds(lambda a, b: Op("@", (a, b)), st.just(Name("M")) | arrays, arrays)
)  # fmt: skip


@given(trees)
def test_what_is_written_is_read_as_the_same_expression(tree):
    try:
        assert parse(write(tree)) == tree
    except FormatError as error:
        assert "nested more than" in str(error)


@given(conditions(scalars))
def test_a_condition_that_is_written_is_read_as_the_same(condition):
    try:
        assert parse(f"[{write(condition)}]") == Iverson(condition)
        assert parse(f"where({write(condition)}, 1, 2)").condition == condition
    except FormatError as error:
        assert "nested more than" in str(error)


@given(trees)
def test_with_children_rebuilds_what_children_returns(tree):
    for node in walk(tree):
        assert with_children(node, children(node)) == node


@given(trees)
def test_the_value_is_that_of_sympy(tree):
    import sympy

    from quizzes.expressions.symbolic import compute

    occurring = [node for node in walk(tree) if isinstance(node, Reduction) and not node.bounds]
    assume(all(Name("z", (Name("i"),)) in list(walk(node.body)) for node in occurring))
    try:
        value = evaluate(tree, {name: exact(v) for name, v in VALUES.items()})
    except UndefinedValue:
        return
    # A float may be on the other side of a jump than the exact value.
    assume(not any(isinstance(node, Call) and FUNCTIONS.get(node.function, FUNCTIONS["exp"]).kinks == "integers"
                   for node in walk(tree)))  # fmt: skip
    assume(not any(isinstance(node, Comparison) and not _is_exact(node) for node in walk(tree)))
    expected = compute(tree, VALUES)
    for number, symbolic in zip(_flat(value), _flat(expected), strict=True):
        assert float(number) == pytest.approx(float(sympy.N(symbolic, 30)), rel=1e-8, abs=1e-9)


def _is_exact(comparison):
    """Return whether a comparison is between exact numbers: floats of equal expressions may differ by a rounding."""
    inexact = {"exp", "ln", "log2", "log10", "sin", "cos", "tanh", "sigmoid", "softplus", "erf", "gelu", "sqrt"}
    return not any(isinstance(node, Call) and node.function in inexact for node in walk(comparison))


def _flat(value):
    return [v for item in value for v in _flat(item)] if isinstance(value, list) else [value]


texts = st.text(alphabet="0123456789.+-*/^@()[],=<>! xyz", max_size=40) | st.lists(
    st.sampled_from(["where(", "[", "]", "x", "y", ">", "<=", "=", "!=", " and ", " or ", "not ", "1", "2.5", *",()"]),
    max_size=25,
).map("".join)  # fmt: skip


@given(texts)
def test_any_text_with_conditions_is_read_or_rejected_where_it_is_wrong(text):
    for reader in (lambda t: read(t, ("x", "y")), lambda t: read_condition(t, ("x", "y")), parse):
        try:
            tree = reader(text)
        except FormatError as error:
            assert error.sentence and 0 <= error.at <= len(text)
        else:
            text = f"[{write(tree)}]" if isinstance(tree, Comparison | Logic) else write(tree)
            again = parse(text)
            assert (again.condition if isinstance(tree, Comparison | Logic) else again) == tree
