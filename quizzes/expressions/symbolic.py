"""Expressions in SymPy: computed exactly, drawn (see `drawing`), and solved for a symbol.

SymPy takes a second to import, so nothing here is imported before a formula must be rendered, verified or solved.
"""

from collections.abc import Mapping
from fractions import Fraction

import sympy as sp

from quizzes.expressions.arithmetic import Value, Values, compare, exact
from quizzes.expressions.cases import hold, only_value, split_cases
from quizzes.expressions.drawing import Expression, draw_unicode, pretty, pretty_text
from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.inverses import CannotIsolate
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
    Tree,
    Where,
    index_range,
    integer,
)
from quizzes.expressions.tree import ARRAYS, bounded_range

__all__ = ["Expression", "compute", "draw_unicode", "pretty", "pretty_text", "solve"]

TOLERANCE = 1e-9  # relative
RELATIONS = {"=": sp.Eq, "!=": sp.Ne, "<": sp.Lt, "<=": sp.Le, ">": sp.Gt, ">=": sp.Ge}
CONNECTIVES = {"and": sp.And, "or": sp.Or, "not": sp.Not}


def compute(tree: Tree, values: Mapping[str, Expression]) -> Expression:
    """Compute an expression exactly with SymPy; symbols without a value stay symbols.

    Args:
        tree: The expression.
        values: Numbers, lists of numbers, or SymPy expressions.
    """
    match tree:
        case Num(value):
            return sp.Rational(value.numerator, value.denominator)
        case Name(name, index):
            if name not in values:
                return {"pi": sp.pi, "e": sp.E}.get(name, sp.Symbol(name, real=True))
            value = values[name]
            for position in index:
                value = value[int(compute(position, values)) - 1]
            return _number(value)
        case Op("neg", (a,)):
            return _apply("*", sp.Integer(-1), compute(a, values))
        case Op("*", (a, Call("ln", (b,)))) if compute(a, values) == 0 == compute(b, values):
            return sp.Integer(0)  # 0 ln 0, as in `tree`
        case Op(op, (a, b)):
            return _apply(op, compute(a, values), compute(b, values))
        case Array(items):
            return [compute(item, values) for item in items]
        case Call("len", (array,)):
            return sp.Integer(len(compute(array, values)))
        case Call("argmax", (array,)):
            return sp.Integer(_largest_position(compute(array, values)))
        case Call(function, (array,)) if function in ARRAYS:
            return FUNCTIONS[function].sympy(sp, *compute(array, values))
        case Call(function, args):
            return FUNCTIONS[function].sympy(sp, *(compute(a, values) for a in args))
        case Reduction(operation, index, body, bounds):
            ends = (int(compute(bound, values)) for bound in bounds)
            indices = bounded_range(*ends) if bounds else index_range(body, index, values)
            terms = [compute(body, {**values, index: k}) for k in indices]
            if operation == "argmax":
                return sp.Integer(_largest_position(terms) + indices.start - 1)
            if operation == "prod":
                return sp.Mul(*terms)
            return sp.Add(*terms) / (len(terms) if operation == "mean" else 1)
        case Iverson(condition):
            return _compute_where(Where(condition, integer(1), integer(0)), values)
        case Where():
            return _compute_where(tree, values)
    return _compute_condition(tree, values)


def _compute_where(tree: Where, values: Mapping[str, Expression]) -> Expression:
    """Compute the case that holds; a Piecewise if that depends on symbols."""
    pairs: list[tuple[Expression, Expression]] = []
    rest: Tree = tree
    while isinstance(rest, Where):
        condition = _compute_condition(rest.condition, values)
        if condition == sp.true:
            break
        if condition != sp.false:
            pairs.append((compute(rest.value, values), condition))
        rest = rest.otherwise
    last = compute(rest.value if isinstance(rest, Where) else rest, values)
    return sp.Piecewise(*pairs, (last, True)) if pairs else last


def _compute_condition(tree: Tree, values: Mapping[str, Expression]) -> Expression:
    """Compute a condition: true, false, or a relation of SymPy."""
    match tree:
        case Comparison(sign, args):
            left, right = (compute(arg, values) for arg in args)
            relation = RELATIONS[sign](left, right)
            if relation not in (sp.true, sp.false) and not relation.free_symbols:
                return sp.true if compare(sign, sp.N(left, 30), sp.N(right, 30)) else sp.false
            return relation
        case Logic(op, args):
            return CONNECTIVES[op](*(_compute_condition(arg, values) for arg in args))
        case Name(name):
            return values[name]
    raise TypeError(tree)


def _largest_position(terms: list[Expression]) -> int:
    """Return the position of the largest number, from 1; of the first one if several are equal."""
    numbers = [sp.N(term, 30) for term in terms]
    return numbers.index(max(numbers)) + 1


def _apply(op: str, x: Expression, y: Expression) -> Expression:
    match op:
        case "@":
            return _matrix_product(x, y)
        case "+" | "-" if isinstance(x, list):
            return [_apply(op, a, b) for a, b in zip(x, y, strict=True)]
        case "*" if isinstance(y, list):
            return [_apply(op, x, b) for b in y]
        case "*" | "/" if isinstance(x, list):
            return [_apply(op, a, y) for a in x]
        case "+":
            return x + y
        case "-":
            return x - y
        case "*":
            return x * y
        case "/":
            return x / y
    return x**y


def _matrix_product(x: list[Expression], y: list[Expression]) -> Expression:
    rows = sp.Matrix(x if isinstance(x[0], list) else [x])
    columns = sp.Matrix(y)  # a vector is a column
    product = (rows * columns).tolist()
    if not isinstance(y[0], list):
        product = [row[0] for row in product]
    return product if isinstance(x[0], list) else product[0]


def _number(value: Value) -> Expression:
    if isinstance(value, list):
        return [_number(v) for v in value]
    value = exact(value)
    return sp.Rational(value.numerator, value.denominator) if isinstance(value, int | Fraction) else value


def solve(tree: Tree, target: Value, unknown: str, values: Values) -> list[float | Fraction]:
    """Solve `tree = target` for a symbol; return candidates, among them every real solution that SymPy finds.

    Args:
        tree: The expression, scalar in `unknown`.
        target: The value of the expression.
        unknown: The symbol to solve for.
        values: The other symbols' values.

    Raises:
        NotImplementedError: If SymPy can't solve the equation.
        Undetermined: If every value of the symbol in a case leads to the target.
    """
    roots: list[float | Fraction] = []
    try:
        forms = list(split_cases(tree, unknown))
    except CannotIsolate:
        raise NotImplementedError from None
    for conditions, form in forms:
        symbol = sp.Symbol(unknown, real=True)
        equation = compute(form, {**values, unknown: symbol}) - _number(target)
        if not conditions or symbol in equation.free_symbols:
            solutions = _solve(equation, symbol)
        elif abs(sp.N(equation, 30)) <= TOLERANCE * max(1, abs(target)):
            solutions = [only_value(conditions, unknown, values)]
        else:
            solutions = []
        roots += [root for root in solutions if hold(conditions, {**values, unknown: root})]
    return roots


def _solve(equation: Expression, symbol: Expression) -> list[float | Fraction]:
    roots: list[float | Fraction] = []
    # Callers put each root into the equation: SymPy's own check and simplification take most of its time.
    for root in sp.solve(equation, symbol, check=False, simplify=False):
        if root.is_Rational:
            roots.append(Fraction(int(root.p), int(root.q)))
        elif root.is_real is not False and not root.free_symbols:
            number = complex(root.evalf())
            if abs(number.imag) < 1e-12:
                roots.append(number.real)
    return roots
