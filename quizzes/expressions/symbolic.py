"""Expressions in SymPy: rendered as on paper, computed exactly, and solved for a symbol.

SymPy takes a second to import, so nothing here is imported before a formula must be rendered, verified or solved.
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from threading import Lock
from typing import Any, TypeAlias

import sympy as sp
from sympy.printing.pretty import pretty as sympy_pretty

from quizzes.expressions.parser import parse, write
from quizzes.expressions.tree import ARRAYS, Call, Name, Num, Op, Reduction, Tree, Value, Values, exact, index_range

Expression: TypeAlias = Any  # an expression of SymPy, which has no types

NO_LIMIT = "‥"  # stands for the limits of a sum over a whole array, and is removed from the output
PRINTER = Lock()  # SymPy sets for the whole process whether it prints Unicode, and resets it after each printing
PRINTED_NAMES = {"ln": "ln", "sigmoid": "sigma", "relu": "ReLU"}  # of functions that SymPy lacks or names otherwise


def pretty(tree: Tree, left: str = "", width: int = 76) -> str:
    """Render an expression with SymPy, several lines high, in the order in which it is written.

    Args:
        tree: The expression.
        left: The left-hand side of an equation, as text; empty for none.
        width: The columns to keep within; a longer expression is broken as SymPy breaks it.
    """
    expression = _unevaluated(tree)
    if left:
        expression = sp.Eq(_unevaluated(parse(left)), expression, evaluate=False)
    lines = draw_unicode(expression, order="none", num_columns=width, wrap_line=True).splitlines()
    text = "\n".join(line.replace(f" = {NO_LIMIT}", " " * (3 + len(NO_LIMIT))).rstrip() for line in lines)
    return text.strip("\n")


def draw_unicode(expression: Expression, **settings: Any) -> str:
    """Render an expression of SymPy in Unicode, one thread at a time."""
    with PRINTER:
        return str(sympy_pretty(expression, use_unicode=True, **settings))


def pretty_text(text: str, width: int = 76) -> str:
    """Render an equation or expression of the grammar; lists of numbers and inequalities stay as they are."""
    if "<" in text:
        return text.strip()
    left, _, right = text.rpartition("=")
    if right.strip().startswith("["):
        return text.strip()
    return pretty(parse(right), left.strip(), width)


def _unevaluated(tree: Tree) -> Expression:
    """Convert to SymPy for printing: numerals are symbols too, so that nothing is evaluated or reordered."""
    match tree:
        case Num(_, text):
            return sp.Symbol(text)
        case Name(name, index):
            return sp.Symbol(_element_name(name, [write(i) for i in index]) if index else name)
        case Op("neg", (Num(_, text),)):
            return sp.Symbol(f"(-{text})")
        case Op("neg", (a,)):
            return sp.Mul(-1, _unevaluated(a), evaluate=False)
        case Op("+", (a, b)):
            return sp.Add(*_terms(_unevaluated(a)), _unevaluated(b), evaluate=False)
        case Op("-", (a, b)):
            negated = sp.Mul(-1, _unevaluated(b), evaluate=False)
            return sp.Add(*_terms(_unevaluated(a)), negated, evaluate=False)
        case Op("*", (a, b)):
            return sp.Mul(_unevaluated(a), _unevaluated(b), evaluate=False)
        case Op("/", (a, b)):
            return sp.Mul(_unevaluated(a), sp.Pow(_unevaluated(b), -1, evaluate=False), evaluate=False)
        case Op("^", (a, b)):
            return sp.Pow(_unevaluated(a), _unevaluated(b), evaluate=False)
        case Call("sqrt", (a,)):
            return sp.Pow(_unevaluated(a), sp.Rational(1, 2), evaluate=False)
        case Call(("exp" | "floor" | "ceil" | "abs") as function, (a,)):
            return _functions()[function](_unevaluated(a), evaluate=False)
        case Call(function, args):
            return sp.Function(PRINTED_NAMES.get(function, function))(*(_unevaluated(a) for a in args))
        case Reduction("mean", index, body):
            return sp.Function(f"mean_{index}")(_unevaluated(body))
        case Reduction(operation, index, body):
            limits = (sp.Symbol(index), sp.Symbol(NO_LIMIT), sp.Symbol(" "))
            return (sp.Sum if operation == "sum" else sp.Product)(_unevaluated(body), limits)
    raise TypeError(tree)


def _element_name(name: str, index: list[str]) -> str:
    """Name an element: with subscripts if its indices are single symbols, with brackets if they are expressions."""
    return f"{name}_{''.join(index)}" if all(map(str.isalnum, index)) else f"{name}[{', '.join(index)}]"


def _terms(expression: Expression) -> tuple[Expression, ...]:
    return tuple(expression.args) if isinstance(expression, sp.Add) else (expression,)


@cache
def _functions() -> dict[str, Any]:
    return {
        "sqrt": sp.sqrt,
        "exp": sp.exp,
        "ln": sp.log,
        "log2": lambda x: sp.log(x, 2),
        "log10": lambda x: sp.log(x, 10),
        "sin": sp.sin,
        "cos": sp.cos,
        "tanh": sp.tanh,
        "sigmoid": lambda x: 1 / (1 + sp.exp(-x)),
        "softplus": lambda x: sp.log(1 + sp.exp(x)),
        "relu": lambda x: sp.Max(x, 0),
        "abs": sp.Abs,
        "sign": sp.sign,
        "floor": sp.floor,
        "ceil": sp.ceiling,
        "min": sp.Min,
        "max": sp.Max,
    }


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
            return -compute(a, values)
        case Op("*", (a, Call("ln", (b,)))) if compute(a, values) == 0 == compute(b, values):
            return sp.Integer(0)  # 0 ln 0, as in `tree`
        case Op(op, (a, b)):
            return _apply(op, compute(a, values), compute(b, values))
        case Call("len", (array,)):
            return sp.Integer(len(compute(array, values)))
        case Call(function, (array,)) if function in ARRAYS:
            return _functions()[function](*compute(array, values))
        case Call(function, args):
            return _functions()[function](*(compute(a, values) for a in args))
        case Reduction(operation, index, body):
            terms = [compute(body, {**values, index: k}) for k in index_range(body, index, values)]
            if operation == "prod":
                return sp.Mul(*terms)
            return sp.Add(*terms) / (len(terms) if operation == "mean" else 1)
    raise TypeError(tree)


def _apply(op: str, x: Expression, y: Expression) -> Expression:
    match op:
        case "+":
            return x + y
        case "-":
            return x - y
        case "*":
            return x * y
        case "/":
            return x / y
    return x**y


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
    """
    symbol = sp.Symbol(unknown, real=True)
    equation = compute(tree, {**values, unknown: symbol}) - _number(target)
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
