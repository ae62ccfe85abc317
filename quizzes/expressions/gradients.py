"""Two more ways to a graph's gradients, held against its own: SymPy differentiates the expression, PyTorch's autograd
goes back through the same graph."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from textwrap import fill
from typing import Any

import sympy as sp

from quizzes.expressions.graph import Graph, Node, Passes
from quizzes.expressions.symbolic import compute, draw_unicode
from quizzes.expressions.tree import Call, Name, Op, Tree, Value, evaluate, walk
from quizzes.question import to_json

AGREEMENT = 1e-6  # relative
ROUNDING = 1e-12  # of the largest gradient: what is smaller than this may be the rounding of a difference
DIGITS = 50
FEW = 8  # functions up to which SymPy works out an expression exactly: each may double the time it takes
LONG = 1500  # characters beyond which a formula isn't drawn
HALF = sp.Rational(1, 2)


class _Relu(sp.Function):
    """SymPy's own derivative of Max(x, 0) has 1/2 at 0; here it is 0, as PyTorch has it."""

    @classmethod
    def eval(cls, x):
        return sp.Max(x, 0) if x.is_number else None

    def fdiff(self, argindex=1):
        return sp.Piecewise((1, self.args[0] > 0), (0, True))


class _Abs(sp.Function):
    """SymPy differentiates its own Abs through real and imaginary parts; here everything is real."""

    @classmethod
    def eval(cls, x):
        return sp.Abs(x) if x.is_number else None

    def fdiff(self, argindex=1):
        return sp.sign(self.args[0])


class _Max(sp.Function):
    sign, numbers = 1, sp.Max

    @classmethod
    def eval(cls, x, y):
        return cls.numbers(x, y) if x.is_number and y.is_number else None

    def fdiff(self, argindex=1):
        one, other = self.args if argindex == 1 else self.args[::-1]
        return sp.Piecewise((1, self.sign * (one - other) > 0), (HALF, sp.Eq(one, other)), (0, True))


class _Min(_Max):
    sign, numbers = -1, sp.Min


KINKED = {"relu": _Relu, "abs": _Abs, "max": _Max, "min": _Min}
for printed, function in zip(("ReLU", "Abs", "max", "min"), KINKED.values(), strict=True):
    function.__name__ = printed  # as SymPy's printers write it


@dataclass(frozen=True)
class Derivative:
    """SymPy's derivative of the root by one leaf.

    Attributes:
        text: In one line.
        drawn: As on paper, several lines high.
        value: At the point; None where SymPy finds no number.
    """

    text: str
    drawn: str
    value: float | None


def differentiate(graph: Graph, found: Passes, width: int = 72) -> dict[str, Derivative]:
    """The derivative of the root by each leaf: as a formula, and at the point of the passes.

    Args:
        graph: The graph.
        found: Its passes.
        width: The columns that a formula is drawn within.
    """
    expressions: dict[str, Any] = {}
    for name, node in graph.nodes.items():
        expressions[name] = _expression(node, expressions, found.values)
    root = expressions[graph.root]
    # Only where a kink lies may a number not be rounded.
    exact = bool(found.kinks) and sum(isinstance(node.tree, Call) for node in graph.nodes.values()) <= FEW
    exact = exact and not any(_is_rounded(node.tree, found.values) for node in graph.nodes.values())
    point = {expressions[name]: _number(found.values[name], exact) for name in graph.leaves}
    return {name: _derivative(root, expressions[name], point, width) for name in graph.leaves}


def _expression(node: Node, known: Mapping[str, Any], values: Mapping[str, Value]) -> Any:
    if node.operation in KINKED:
        return KINKED[node.operation](*(known[operand] for operand in node.operands))
    if node.operation and isinstance(node.tree, Op | Call):
        return compute(replace(node.tree, args=tuple(Name(operand) for operand in node.operands)), known)
    if any(_is_rounded(part, {}) for part in walk(node.tree)):
        return sp.Float(values[node.name], DIGITS)
    return compute(node.tree, {})


def _is_rounded(tree: Tree, values: Mapping[str, Value]) -> bool:
    """Whether a power is too long to be kept exact: SymPy would work it out for hours."""
    if not (isinstance(tree, Op) and tree.op == "^"):
        return False
    base, exponent = (evaluate(arg, values) for arg in tree.args)
    return (
        _is_exact(base) and _is_exact(exponent) and exponent == int(exponent) and not _is_exact(evaluate(tree, values))
    )


def _is_exact(value: Value) -> bool:
    return isinstance(value, int | Fraction)


def _number(value: Value, exact: bool) -> Any:
    if not _is_exact(value):
        return sp.Float(value, DIGITS)
    number = sp.Rational(value.numerator, value.denominator)
    return number if exact else number.n(DIGITS)


def _derivative(root: Any, leaf: Any, point: Mapping[Any, Any], width: int) -> Derivative:
    formula = root.diff(leaf)
    printed = formula.replace(sp.log, sp.Function("ln"))
    return Derivative(str(printed), _drawn(printed, width), _value(root, formula, leaf, point))


def _drawn(formula: Any, width: int) -> str:
    text = str(formula)
    if len(text) > LONG:
        return f"(a formula of {len(text):,} characters, which --json prints)"
    lines = [line.rstrip() for line in draw_unicode(formula, wrap_line=False).splitlines()]
    return "\n".join(lines) if max(map(len, lines)) <= width else fill(text, width)


def _value(root: Any, formula: Any, leaf: Any, point: Mapping[Any, Any]) -> float | None:
    with suppress(TypeError):  # a comparison that can't be decided
        if _is_number(number := sp.N(formula.xreplace(point), DIGITS)):
            return float(number)
        # A quotient such as (x*y)^2/x has no value at 0. With the others fixed first it may have another form.
        others = {symbol: value for symbol, value in point.items() if symbol != leaf}
        if _is_number(number := sp.N(root.xreplace(others).diff(leaf).xreplace(point), DIGITS)):
            return float(number)
    return None


def _is_number(found: Any) -> bool:
    return bool(found.is_Number and found.is_finite)


def compare_gradients(
    graph: Graph,
    found: Passes,
    sympy: Mapping[str, Derivative],
    torch: Mapping[str, Mapping[str, float | None]],
) -> dict[str, Any]:
    """Hold the gradients of all three ways against one another.

    Args:
        graph: The graph.
        found: Its passes by hand.
        sympy: What `differentiate` found.
        torch: PyTorch's value and gradient of each node; of a constant only the value.

    Returns:
        leaves: of each leaf its value, SymPy's formula and number, PyTorch's number, and whether all agree; agree:
        whether they do so everywhere, PyTorch also in the values and gradients at the operations.
    """
    terms = [found.gradients[name] * local for name, row in found.local.items() for local in row if local is not None]
    slack = ROUNDING * _largest([*found.gradients.values(), *terms])
    leaves = {}
    for name in graph.leaves:
        true, one, two = found.gradients[name], sympy[name].value, torch[name]["gradient"]
        leaves[name] = dict(
            value=to_json(found.values[name]),
            sympy=sympy[name].text,
            sympy_value=one,
            torch=two,
            agree=_close(one, true, slack) and _close(two, true, slack),
        )
    forward = ROUNDING * _largest(found.values.values())
    same = all(_close(torch[name]["gradient"], true, slack) for name, true in found.gradients.items())
    same = same and all(_close(torch[name]["value"], true, forward) for name, true in found.values.items())
    return {"leaves": leaves, "agree": same and all(leaf["agree"] for leaf in leaves.values())}


def _largest(values: Iterable[Value]) -> float:
    return max(abs(float(value)) for value in values)


def _close(value: float | None, true: Value, slack: float) -> bool:
    return value is not None and math.isclose(value, float(true), rel_tol=AGREEMENT, abs_tol=slack)
