"""Every function of the grammar, column by column of its row: a new row is tested without a new test."""

import math
from fractions import Fraction
from functools import reduce

import mpmath
import pytest
import sympy
import torch

from quizzes.expressions.functions import FUNCTIONS, ROWS
from quizzes.expressions.graph import build_graph, describe_nodes, run_passes
from quizzes.expressions.inverses import CannotIsolate, Range
from quizzes.expressions.parser import parse, write
from quizzes.expressions.symbolic import compute, pretty
from quizzes.expressions.tree import UndefinedValue, evaluate, exact

POINTS = [Fraction(-7, 2), -1, Fraction(-1, 5), 0, Fraction(1, 3), 1, 2, Fraction(41, 4)]
ROW = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def call(row) -> str:
    """Return a call of the function, of x and, if it takes more arguments, of numbers."""
    return f"{row.name}({', '.join(['x', '1', '3/2'][: row.arity[0]])})"


def value_at(row, x):
    """Return the value at x; None if there is none."""
    try:
        return evaluate(parse(call(row)), {"x": exact(x)})
    except UndefinedValue:
        return None


def by_torch(row, x, requires_grad=False):
    """Return PyTorch's value at x, and the tensor of x."""
    x = torch.tensor(float(x), dtype=torch.float64, requires_grad=requires_grad)
    others = [torch.tensor(float(v), dtype=torch.float64) for v in (1, 1.5)[: row.arity[0] - 1]]
    return reduce(getattr, row.torch.split(".")[1:], torch)(x, *others), x


def test_a_name_has_one_row():
    assert len(FUNCTIONS) == len(ROWS) and {"erf", "gelu"} <= FUNCTIONS.keys()


@ROW
def test_the_value_is_that_of_pytorch(row):
    for x in POINTS:
        value, (expected, _) = value_at(row, x), by_torch(row, x)
        if value is None:
            assert not math.isfinite(expected.item())
        else:
            assert float(value) == pytest.approx(expected.item(), rel=1e-12, abs=1e-15)


@ROW
def test_the_value_to_thirty_digits_is_that_of_sympy(row):
    digits = mpmath.MPContext()
    digits.dps = 30
    for x in POINTS:
        if value_at(row, x) is None:
            continue
        number = digits.mpf(Fraction(x).numerator) / Fraction(x).denominator
        value = evaluate(parse(call(row)), {"x": number}, digits)
        assert isinstance(value, digits.mpf)  # mpmath does not mix with fractions
        expected = compute(parse(call(row)), {"x": x})
        assert abs(sympy.Float(str(value), 30) - sympy.N(expected, 30)) < 1e-28 * max(1, abs(float(value)))


@ROW
def test_derivatives_are_difference_quotients(row):
    if not row.derivatives:
        assert all(by_torch(row, x, True)[0].requires_grad is False or _slope(row, x) == 0 for x in POINTS)
        return
    for x in (Fraction(-7, 2), Fraction(-1, 5), Fraction(1, 3), Fraction(41, 4)):
        if value_at(row, x) is None:
            continue
        text = f"{row.name}({', '.join(['x', 'y'][: row.arity[0]])})"
        graph = build_graph(text)
        passes = run_passes(graph, {name: v for name, v in {"x": x, "y": Fraction(1)}.items() if name in graph.leaves})
        for leaf in graph.leaves:
            high, low = (
                evaluate(parse(text), {**{"x": x, "y": Fraction(1)}, leaf: passes.values[leaf] + h})
                for h in (Fraction(1, 10**5), Fraction(-1, 10**5))
            )
            quotient = float(high - low) / 2e-5
            assert float(passes.gradients[leaf]) == pytest.approx(quotient, rel=1e-6, abs=1e-8)


def _slope(row, x):
    value, at = by_torch(row, x, True)
    value.backward()
    return at.grad.item()


@ROW
def test_gradients_are_those_of_pytorch_also_at_kinks(row):
    from quizzes.expressions.gradients import compare_gradients, differentiate
    from workbench.engine.autograd import gradients

    if not row.derivatives:
        return
    for x in [*POINTS, Fraction(3, 2)]:
        if value_at(row, x) is None or (row.kinks == "end" and x == 0):
            continue
        graph = build_graph(f"{row.name}({', '.join(['x', '3/2'][: row.arity[0]])})*y")
        passes = run_passes(graph, {"x": exact(x), "y": 3})
        verdict = compare_gradients(
            graph, passes, differentiate(graph, passes), gradients(describe_nodes(graph, passes))
        )
        assert verdict["agree"], (x, verdict)
        at_kink = (row.kinks == "zero" and x == 0) or (row.kinks == "equal" and x == Fraction(3, 2))
        assert bool(passes.kinks) == (at_kink and bool(row.gradient_at_kink))


@ROW
def test_the_inverse_leads_back_to_the_argument(row):
    if row.inverse is None:
        return
    others = [1, Fraction(3, 2)][: row.arity[0] - 1]
    solved = 0
    for x in POINTS[:-1]:  # at the last one floats of tanh and erf lose the argument
        value = value_at(row, x)
        if value is None:
            continue
        try:
            ranges = row.inverse(Range(value, value), *others)
        except CannotIsolate:  # the argument is not determined, as below the other argument of max
            assert row.kinks in ("zero", "equal")
            continue
        solved += 1
        assert any(float(r.low) - 1e-9 <= x <= float(r.high) + 1e-9 for r in ranges), (x, ranges)
        for r in ranges:
            ends = [r.low] if not r.low_open else []
            ends += [r.high] if not r.high_open and r.high != r.low else []
            assert all(float(value_at(row, end)) == pytest.approx(float(value), rel=1e-9) for end in ends)
    assert solved


@ROW
def test_it_is_written_and_drawn(row):
    tree = parse(call(row))
    assert parse(write(tree)) == tree
    drawing = pretty(tree, "y")
    assert drawing.strip() and "x" in drawing and "=" in drawing


@ROW
def test_kinks_are_where_the_slopes_differ(row):
    """The slopes on both sides of 0, of an integer, or of the other argument differ just where the row says so."""
    for place, kind in ((Fraction(0), "zero"), (Fraction(2), "integers"), (Fraction(1), "equal")):
        h = Fraction(1, 10**6)
        values = [value_at(row, place + k * h) for k in (-1, 0, 1)]
        if None in values:
            assert row.kinks in ("end", "") and row.name in ("sqrt", "ln", "log2", "log10")
            continue
        left, right = (float(b - a) / 1e-6 for a, b in ((values[0], values[1]), (values[1], values[2])))
        expected = row.kinks == kind or (row.kinks == "integers" and kind != "integers")
        assert (abs(left - right) > 1e-2 or left > 1e3) == expected, (place, left, right)
