"""Two independent checks of a graph's gradients: SymPy differentiates the expression, and PyTorch runs autograd."""

import math
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from textwrap import fill
from typing import Any

import sympy as sp

from quizzes.expressions.arithmetic import Value, Values
from quizzes.expressions.functions import FUNCTIONS, Function
from quizzes.expressions.graph import Graph, Node, Passes
from quizzes.expressions.nodes import Call, Name, Op, Tree, walk, with_children
from quizzes.expressions.parser import parse
from quizzes.expressions.symbolic import Expression, compute, draw_unicode
from quizzes.expressions.tree import evaluate
from quizzes.question import to_json

TOLERANCE = 1e-6  # relative
ROUNDING = 1e-12  # of the largest gradient: a smaller difference may be a rounding error
DIGITS = 50
MAX_EXACT_CALLS = 8  # function calls up to which SymPy computes exactly: each may double the time
MAX_CHARACTERS = 1500  # of a formula that is rendered


def _kinked(row: Function) -> Any:
    """Return a SymPy function for one with a kink, whose derivative there is PyTorch's and not SymPy's."""

    def evaluate_numbers(_: type, *args: Expression) -> Expression | None:
        return row.sympy(sp, *args) if all(arg.is_number for arg in args) else None

    def fdiff(self: Expression, argindex: int = 1) -> Expression:
        return compute(parse(row.derivatives[argindex - 1]), dict(zip("ab", self.args, strict=False)))

    name = {"relu": "ReLU", "abs": "Abs"}.get(row.name, row.name)
    return type(name, (sp.Function,), {"eval": classmethod(evaluate_numbers), "fdiff": fdiff})


KINKED = {row.name: _kinked(row) for row in FUNCTIONS.values() if row.gradient_at_kink}


@dataclass(frozen=True)
class Derivative:
    """SymPy's derivative of the root with respect to one leaf.

    Attributes:
        text: The formula in one line.
        pretty: The formula as on paper, several lines high.
        value: The derivative at the point; None if SymPy finds no number.
    """

    text: str
    pretty: str
    value: float | None


def differentiate(graph: Graph, passes: Passes, width: int = 72) -> dict[str, Derivative]:
    """Differentiate the root with respect to each leaf by SymPy, as a formula and at the point of the passes.

    Args:
        graph: The graph.
        passes: Its passes.
        width: The columns that a formula may take.
    """
    expressions: dict[str, Expression] = {}
    for name, node in graph.nodes.items():
        expressions[name] = _expression(node, expressions, passes.values)
    root = expressions[graph.root]
    # Only at a kink must numbers not be rounded.
    exact = bool(passes.kinks) and sum(isinstance(node.tree, Call) for node in graph.nodes.values()) <= MAX_EXACT_CALLS
    exact = exact and not any(_is_rounded(node.tree, passes.values) for node in graph.nodes.values())
    point = {expressions[name]: _number(passes.values[name], exact) for name in graph.leaves}
    return {name: _derivative(root, expressions[name], point, width) for name in graph.leaves}


def _expression(node: Node, operands: Mapping[str, Expression], values: Values) -> Expression:
    if node.operation in KINKED:
        return KINKED[node.operation](*(operands[operand] for operand in node.operands))
    if node.operation:
        return compute(with_children(node.tree, [Name(operand) for operand in node.operands]), operands)
    if any(_is_rounded(part, {}) for part in walk(node.tree)):
        return sp.Float(values[node.name], DIGITS)
    return compute(node.tree, {})


def _is_rounded(tree: Tree, values: Values) -> bool:
    """Return whether an expression is a power too long to be kept exact, on which SymPy would spend hours."""
    if not (isinstance(tree, Op) and tree.op == "^"):
        return False
    base, exponent = (evaluate(arg, values) for arg in tree.args)
    return (
        _is_exact(base) and _is_exact(exponent) and exponent == int(exponent) and not _is_exact(evaluate(tree, values))
    )


def _is_exact(value: Value) -> bool:
    return isinstance(value, int | Fraction)


def _number(value: Value, exact: bool) -> Expression:
    if not _is_exact(value):
        return sp.Float(value, DIGITS)
    number = sp.Rational(value.numerator, value.denominator)
    return number if exact else number.n(DIGITS)


def _derivative(root: Expression, leaf: Expression, point: Mapping[Expression, Expression], width: int) -> Derivative:
    formula = root.diff(leaf)
    natural_log = formula.replace(sp.log, sp.Function("ln"))
    return Derivative(str(natural_log), _render(natural_log, width), _value(root, formula, leaf, point))


def _render(formula: Expression, width: int) -> str:
    text = str(formula)
    if len(text) > MAX_CHARACTERS:
        return f"(a formula of {len(text):,} characters; --json prints it)"
    lines = [line.rstrip() for line in draw_unicode(formula, wrap_line=False).splitlines()]
    return "\n".join(lines) if max(map(len, lines)) <= width else fill(text, width)


def _value(
    root: Expression, formula: Expression, leaf: Expression, point: Mapping[Expression, Expression]
) -> float | None:
    with suppress(TypeError):  # a comparison that can't be decided
        if _is_finite_number(number := sp.N(formula.xreplace(point), DIGITS)):
            return float(number)
        # A quotient such as (x*y)^2/x has no value at 0. With the other leaves fixed first, it may have another form.
        others = {symbol: value for symbol, value in point.items() if symbol != leaf}
        if _is_finite_number(number := sp.N(root.xreplace(others).diff(leaf).xreplace(point), DIGITS)):
            return float(number)
    return None


def _is_finite_number(expression: Expression) -> bool:
    return bool(expression.is_Number and expression.is_finite)


def compare_gradients(
    graph: Graph,
    passes: Passes,
    sympy: Mapping[str, Derivative],
    torch: Mapping[str, Mapping[str, float | None]],
) -> dict[str, Any]:
    """Compare the gradients of the graph, of SymPy and of PyTorch.

    Args:
        graph: The graph.
        passes: Its passes.
        sympy: The result of `differentiate`.
        torch: PyTorch's value and gradient of each node; only the value of a constant.

    Returns:
        leaves: for each leaf its value, SymPy's formula and number, PyTorch's number, and whether all agree. agree:
        whether all leaves agree, and PyTorch's values and gradients at all other nodes too.
    """
    gradients = passes.gradients
    terms = [gradients[name] * d for name, row in passes.local_derivatives.items() for d in row if d is not None]
    rounding = ROUNDING * _largest([*gradients.values(), *terms])
    leaves = {}
    for name in graph.leaves:
        expected, by_sympy, by_torch = gradients[name], sympy[name].value, torch[name]["gradient"]
        leaves[name] = dict(
            value=to_json(passes.values[name]),
            sympy=sympy[name].text,
            sympy_value=by_sympy,
            torch=by_torch,
            agree=_is_close(by_sympy, expected, rounding) and _is_close(by_torch, expected, rounding),
        )
    forward_rounding = ROUNDING * _largest(passes.values.values())
    agree = all(_is_close(torch[name]["gradient"], gradient, rounding) for name, gradient in gradients.items())
    agree = agree and all(_is_close(torch[name]["value"], v, forward_rounding) for name, v in passes.values.items())
    return {"leaves": leaves, "agree": agree and all(leaf["agree"] for leaf in leaves.values())}


def _largest(values: Iterable[Value]) -> float:
    return max(abs(float(value)) for value in values)


def _is_close(value: float | None, expected: Value, rounding: float) -> bool:
    return value is not None and math.isclose(value, float(expected), rel_tol=TOLERANCE, abs_tol=rounding)
