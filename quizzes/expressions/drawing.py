"""Expressions as on paper, several lines high: SymPy draws them in Unicode, in the order in which they are written."""

from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from typing import Any, TypeAlias

import sympy as sp
from sympy.core.symbol import Str
from sympy.logic.boolalg import Boolean
from sympy.printing.pretty import pretty as sympy_pretty
from sympy.printing.pretty.stringpict import prettyForm, stringPict

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
    Tree,
    Where,
    children,
    with_children,
)
from quizzes.expressions.parser import FormatError, comparison_outside, parse, parse_with_ranges, split_equation
from quizzes.expressions.symbol_names import symbol_name
from quizzes.expressions.writing import COMPARISON, NOT, write

Expression: TypeAlias = Any  # an expression of SymPy, which has no types

NO_LIMIT = "‥"  # stands for the limits of a sum over a whole array, and is removed from the output
PRINTER = Lock()  # SymPy sets for the whole process whether it prints Unicode, and resets it after each printing
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠"}


class _Condition(Boolean):  # type: ignore[misc]
    """A condition, which SymPy would reorder: its arguments are printed side by side."""

    def _pretty(self, printer: Any) -> Any:
        return prettyForm(*stringPict.next(*map(printer._print, self.args)))


class _Bracket(sp.Expr):  # type: ignore[misc]
    """Several expressions, or a condition, in brackets."""

    def _pretty(self, printer: Any) -> Any:
        inside = printer._print_seq(self.args, delimiter=", ")
        return prettyForm(*inside.parens("[", "]"), binding=prettyForm.ATOM)


class _Parentheses(sp.Expr):  # type: ignore[misc]
    """An expression in parentheses, such as a sum within a product over an index."""

    def _pretty(self, printer: Any) -> Any:
        return prettyForm(*printer._print(self.args[0]).parens(), binding=prettyForm.ATOM)


class _Symbol(sp.Symbol):  # type: ignore[misc]
    """A symbol that is printed as it is, where SymPy would make subscripts of a part of it."""

    def _pretty(self, printer: Any) -> Any:
        return prettyForm(self.name, binding=prettyForm.ATOM)


def pretty(tree: Tree, left: str = "", width: int = 76, notation: Mapping[str, str] | None = None) -> str:
    """Render an expression with SymPy, several lines high, in the order in which it is written.

    Args:
        tree: The expression.
        left: The left-hand side of an equation, as text; empty for none.
        width: The columns to keep within; a longer expression is broken as SymPy breaks it.
        notation: How symbols are printed whose names don't say it, such as `{"R2": "R²"}`.
    """
    notation = notation or {}
    expression = _alone(_rename(tree, notation))
    if left:
        expression = sp.Eq(_unevaluated(_rename(parse(left), notation)), expression, evaluate=False)
    # A root has a bar, which shows where it ends.
    settings = dict(order="none", num_columns=width, wrap_line=True, use_unicode_sqrt_char=False)
    lines = draw_unicode(expression, **settings).splitlines()
    text = "\n".join(line.replace(f" = {NO_LIMIT}", " " * (3 + len(NO_LIMIT))).rstrip() for line in lines)
    return text.strip("\n")


def draw_unicode(expression: Expression, **settings: Any) -> str:
    """Render an expression of SymPy in Unicode, one thread at a time."""
    with PRINTER:
        return str(sympy_pretty(expression, use_unicode=True, **settings))


def pretty_text(text: str, width: int = 76, notation: Mapping[str, str] | None = None) -> str:
    """Render an equation or expression of the grammar; lists of numbers, inequalities and headings stay as they are.

    Args:
        text: The equation or expression.
        width: The columns to keep within.
        notation: How symbols are printed whose names don't say it.
    """
    text = text.strip()
    if text.endswith(":") or comparison_outside(text):
        return text
    left, right = split_equation(text) or ("", text)
    if right.strip().startswith("[") and _is_list(right):
        return text
    tree, ranges = parse_with_ranges(right)
    drawing = pretty(tree, left.strip(), width, notation)
    if not ranges:
        return drawing
    clauses = ", ".join(f"{index} = {write(first)}..{write(last)}" for index, (first, last) in ranges.items())
    return f"{drawing}\nfor {clauses}"


def _rename(tree: Tree, notation: Mapping[str, str]) -> Tree:
    """Return an expression with other names for some of its symbols."""
    if not notation:
        return tree
    tree = with_children(tree, [_rename(inner, notation) for inner in children(tree)])
    return replace(tree, name=notation.get(tree.name, tree.name)) if isinstance(tree, Name) else tree


def _is_list(text: str) -> bool:
    try:
        return isinstance(parse_with_ranges(text)[0], Array)
    except FormatError:
        return True


def _unevaluated(tree: Tree) -> Expression:
    """Convert to SymPy for printing: numerals are symbols too, so that nothing is evaluated or reordered."""
    match tree:
        case Num(_, text):
            return sp.Symbol(text)
        case Name(name, index):
            return _Symbol(symbol_name(name, [write(i) for i in index]))
        case Op("neg", (Num(_, text),)):
            return sp.Symbol(f"(-{text})")
        case Op("neg", (a,)):
            return sp.Mul(-1, _unevaluated(a), evaluate=False)
        case Op("+", (a, b)):
            return sp.Add(*_terms(_unevaluated(a)), _unevaluated(b), evaluate=False)
        case Op("-", (a, b)):
            negated = sp.Mul(-1, _unevaluated(b), evaluate=False)
            return sp.Add(*_terms(_unevaluated(a)), negated, evaluate=False)
        case Op("*" | "@", (a, b)):
            return sp.Mul(_unevaluated(a), _unevaluated(b), evaluate=False)
        case Op("/", (a, b)):
            return sp.Mul(_unevaluated(a), sp.Pow(_unevaluated(b), -1, evaluate=False), evaluate=False)
        case Op("^", (a, b)):
            return sp.Pow(_unevaluated(a), _unevaluated(b), evaluate=False)
        case Call(function, args):
            inside = [_unevaluated(a) for a in args]
            row = FUNCTIONS.get(function)
            return row.printed(sp, *inside) if row and row.printed else sp.Function(function)(*inside)
        case Reduction():
            return _unevaluated_reduction(tree)
        case Array(items):
            return _Bracket(*map(_alone, items))
        case Iverson(condition):
            return _Bracket(_condition(condition))
        case Where():
            return _unevaluated_cases(tree)
    raise TypeError(tree)


def _unevaluated_reduction(tree: Reduction) -> Expression:
    body, index = _unevaluated(tree.body), tree.index
    is_sum = isinstance(tree.body, Op) and tree.body.op in ("+", "-", "neg")
    if is_sum and tree.operation in ("sum", "prod"):
        body = _Parentheses(body)
    if tree.operation in ("mean", "argmax"):
        limits = f"{index}={'..'.join(write(bound) for bound in tree.bounds)}" if tree.bounds else index
        return sp.Function(f"{tree.operation}_{limits}")(body)
    ends = [_unevaluated(bound) for bound in tree.bounds] or [sp.Symbol(NO_LIMIT), sp.Symbol(" ")]
    return (sp.Sum if tree.operation == "sum" else sp.Product)(body, (sp.Symbol(index), *ends))


def _unevaluated_cases(tree: Where) -> Expression:
    pairs: list[tuple[Expression, Expression]] = []
    rest: Tree = tree
    while isinstance(rest, Where):
        pairs.append((_alone(rest.value), _condition(rest.condition)))
        rest = rest.otherwise
    return sp.Piecewise(*pairs, (_alone(rest), True), evaluate=False)


def _alone(tree: Tree) -> Expression:
    """Convert an expression outside of an operation: a negative number needs no parentheses."""
    match tree:
        case Op("neg", (Num(_, text),)):
            return sp.Symbol(f"-{text}")
    return _unevaluated(tree)


def _condition(tree: Tree, precedence: int = 0) -> Expression:
    """Convert a condition for printing; one that binds more weakly than the one around it gets parentheses."""
    match tree:
        case Comparison(sign, (a, b)):
            parts, own = [_alone(a), Str(f" {SIGNS.get(sign, sign)} "), _alone(b)], COMPARISON
        case Logic("not", (a,)):
            parts, own = [Str("not "), _condition(a, NOT)], NOT
        case Logic(op, (a, b)):
            own = 1 if op == "or" else 2
            parts = [_condition(a, own), Str(f" {op} "), _condition(b, own)]
        case _:
            raise TypeError(tree)
    return _Condition(Str("("), *parts, Str(")")) if own < precedence else _Condition(*parts)


def _terms(expression: Expression) -> tuple[Expression, ...]:
    return tuple(expression.args) if isinstance(expression, sp.Add) else (expression,)
