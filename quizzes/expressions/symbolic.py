"""Expressions in SymPy: to be printed as on paper, worked out exactly, and solved for a symbol.

SymPy takes a second to import, so nothing here is imported before a formula must be drawn, verified or solved.
"""

from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from threading import Lock
from typing import Any

import sympy as sp
from sympy.printing.pretty import pretty as sympy_pretty

from quizzes.expressions.parser import parse, write
from quizzes.expressions.tree import ARRAYS, Call, Name, Num, Op, Reduction, Tree, exact, index_range

UNSAID = "‥"  # the limits of a sum that runs over a whole array; taken out of the drawing again
PRINTER = Lock()  # SymPy keeps for the whole process whether it prints Unicode, and puts it back after each printing
PRINTED = {"ln": "ln", "sigmoid": "sigma", "relu": "ReLU"}  # functions that SymPy knows not, or by another name


def pretty(tree: Tree, left: str = "", width: int = 76) -> str:
    """An expression as SymPy prints it, several lines high, in the order in which it was written.

    Args:
        tree: The expression.
        left: What stands before an equals sign, as an expression's text.
        width: The columns to keep within; where it doesn't fit, it is broken as SymPy breaks it.
    """
    drawn = _draw(tree)
    if left:
        drawn = sp.Eq(_draw(parse(left)), drawn, evaluate=False)
    lines = draw_unicode(drawn, order="none", num_columns=width, wrap_line=True).splitlines()
    drawing = "\n".join(line.replace(f" = {UNSAID}", " " * (3 + len(UNSAID))).rstrip() for line in lines)
    return drawing.strip("\n")


def draw_unicode(expression: Any, **settings: Any) -> str:
    """SymPy's drawing of one of its own expressions in Unicode, one thread after the other."""
    with PRINTER:
        return sympy_pretty(expression, use_unicode=True, **settings)


def pretty_text(text: str, width: int = 76) -> str:
    """An equation or expression of our own grammar, printed; lists of numbers and inequalities stay as they are."""
    if "<" in text:
        return text.strip()
    left, _, right = text.rpartition("=")
    if right.strip().startswith("["):
        return text.strip()
    return pretty(parse(right), left.strip(), width)


def _draw(tree: Tree) -> Any:
    """SymPy's form for printing: numerals are symbols too, so that nothing is worked out or put in another order."""
    match tree:
        case Num(_, text):
            return sp.Symbol(text)
        case Name(name, index):
            return sp.Symbol(_indexed(name, [write(i) for i in index]) if index else name)
        case Op("neg", (Num(_, text),)):
            return sp.Symbol(f"(-{text})")
        case Op("neg", (a,)):
            return sp.Mul(-1, _draw(a), evaluate=False)
        case Op("+", (a, b)):
            return sp.Add(*_terms(_draw(a)), _draw(b), evaluate=False)
        case Op("-", (a, b)):
            return sp.Add(*_terms(_draw(a)), sp.Mul(-1, _draw(b), evaluate=False), evaluate=False)
        case Op("*", (a, b)):
            return sp.Mul(_draw(a), _draw(b), evaluate=False)
        case Op("/", (a, b)):
            return sp.Mul(_draw(a), sp.Pow(_draw(b), -1, evaluate=False), evaluate=False)
        case Op("^", (a, b)):
            return sp.Pow(_draw(a), _draw(b), evaluate=False)
        case Call("sqrt", (a,)):
            return sp.Pow(_draw(a), sp.Rational(1, 2), evaluate=False)
        case Call(("exp" | "floor" | "ceil" | "abs") as function, (a,)):
            known = {"exp": sp.exp, "floor": sp.floor, "ceil": sp.ceiling, "abs": sp.Abs}[function]
            return known(_draw(a), evaluate=False)
        case Call(function, args):
            return sp.Function(PRINTED.get(function, function))(*(_draw(a) for a in args))
        case Reduction(fold, index, body):
            if fold == "mean":
                return sp.Function(f"mean_{index}")(_draw(body))
            return (sp.Sum if fold == "sum" else sp.Product)(
                _draw(body), (sp.Symbol(index), sp.Symbol(UNSAID), sp.Symbol(" "))
            )
    raise TypeError(tree)


def _indexed(name: str, index: list[str]) -> str:
    """An element's name: subscripts where they are single symbols, brackets where they are worked out."""
    return f"{name}_{''.join(index)}" if all(map(str.isalnum, index)) else f"{name}[{', '.join(index)}]"


def _terms(drawn: Any) -> tuple:
    return drawn.args if isinstance(drawn, sp.Add) else (drawn,)


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


def compute(tree: Tree, values: Mapping[str, Any]) -> Any:
    """SymPy's own working out of an expression: exact, with the symbols that have no value left standing.

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
            x, y = compute(a, values), compute(b, values)
            return {"+": lambda: x + y, "-": lambda: x - y, "*": lambda: x * y, "/": lambda: x / y, "^": lambda: x**y}[
                op
            ]()
        case Call("len", (array,)):
            return sp.Integer(len(compute(array, values)))
        case Call(function, (array,)) if function in ARRAYS:
            return _functions()[function](*compute(array, values))
        case Call(function, args):
            return _functions()[function](*(compute(a, values) for a in args))
        case Reduction(fold, index, body):
            terms = [compute(body, {**values, index: k}) for k in index_range(body, index, values)]
            if fold == "prod":
                return sp.Mul(*terms)
            return sp.Add(*terms) / (len(terms) if fold == "mean" else 1)
    raise TypeError(tree)


def _number(value: Any) -> Any:
    if isinstance(value, list):
        return [_number(v) for v in value]
    value = exact(value)
    return sp.Rational(value.numerator, value.denominator) if isinstance(value, int | Fraction) else value


def solve(tree: Tree, target: Any, unknown: str, values: Mapping[str, Any]) -> list[float | Fraction]:
    """Every real value of a symbol for which an expression takes a value.

    Args:
        tree: The expression, scalar in `unknown`.
        target: The value to be taken.
        unknown: The symbol that is sought.
        values: The other symbols' values.
    """
    symbol = sp.Symbol(unknown, real=True)
    equation = compute(tree, {**values, unknown: symbol}) - _number(target)
    found: list[float | Fraction] = []
    # Whoever asks holds each root against the equation: SymPy's own check and simplifying take most of its time.
    for root in sp.solve(equation, symbol, check=False, simplify=False):
        if root.is_Rational:
            found.append(Fraction(int(root.p), int(root.q)))
        elif root.is_real is not False and not root.free_symbols:
            number = complex(root.evalf())
            if abs(number.imag) < 1e-12:
                found.append(number.real)
    return found
