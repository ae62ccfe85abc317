"""Solve an equation for a symbol as on paper: undo the operations around it, from the outside in.

    3 = floor((n - 1)/2) + 1,  floor((n - 1)/2) = 2,  2 <= (n - 1)/2 < 3,  4 <= n - 1 < 6,  5 <= n < 7

If the symbol occurs several times and the expression is linear in it, its terms are collected first. Cases and Iverson
brackets are solved one case after the other; a solution counts if its case holds for it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from quizzes.expressions.arithmetic import OPERATIONS, Value, Values
from quizzes.expressions.cases import Undetermined, describe, first_case, hold, only_value, split_cases
from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.inverses import CannotIsolate, Range, RangeInverse, decreasing, of_operation
from quizzes.expressions.nodes import (
    Call,
    Comparison,
    Iverson,
    Logic,
    Name,
    Num,
    Op,
    Tree,
    Where,
    children,
    names,
    walk,
    with_children,
)
from quizzes.expressions.tree import evaluate
from quizzes.expressions.writing import write

__all__ = ["CannotIsolate", "Line", "Range", "Undetermined", "isolate"]


@dataclass(frozen=True)
class Line:
    """One line of the solution: an expression, and the ranges of which it is in one.

    Attributes:
        tree: The expression.
        ranges: The ranges.
        case: The conditions of the case that begins with this line; empty if none does.
    """

    tree: Tree
    ranges: list[Range]
    case: str = ""

    def render(self, format_number: Callable[[Value], str]) -> list[str]:
        """Render the line as equations in the grammar of `expressions.parser` or as inequalities, one per range."""
        text, lines = write(self.tree), [f"Case {self.case}:"] if self.case else []
        for r in self.ranges:
            left, right = "<" if r.low_open else "<=", "<" if r.high_open else "<="
            inequality = f"{format_number(r.low)} {left} {text} {right} {format_number(r.high)}"
            lines.append(f"{text} = {format_number(r.low)}" if r.is_single else inequality)
        return lines


def isolate(tree: Tree, unknown: str, target: Value, values: Values) -> list[Line]:
    """Solve `tree = target` for a symbol, line by line.

    Args:
        tree: The expression.
        unknown: The symbol to solve for.
        target: The value of the expression.
        values: The other symbols' values.

    Returns:
        The lines, the first `tree = target`, the last the symbol's own values; no range if there is no value.

    Raises:
        CannotIsolate: If a function can't be undone, or the symbol's terms can't be collected.
        Undetermined: If every value of the symbol in a case leads to the target.
    """
    lines = [Line(tree, [Range(target, target)])]
    evaluated = _evaluate_constants(tree, unknown, values)
    if evaluated != tree:
        lines.append(Line(tree := evaluated, lines[0].ranges))
    if first_case(tree, unknown):
        return [*lines, *_isolate_cases(tree, unknown, target)]
    return [*lines, *_undo_operations(tree, unknown, lines[-1].ranges)]


def _isolate_cases(tree: Tree, unknown: str, target: Value) -> list[Line]:
    """Solve each case, and keep the solutions for which it holds."""
    lines: list[Line] = []
    solutions: list[Range] = []
    for conditions, form in split_cases(tree, unknown):
        form, case = _evaluate_constants(form, unknown, {}), describe(conditions)
        lines.append(Line(form, [Range(target, target)], case))
        if unknown not in names(form):
            if not math.isclose(evaluate(form, {}), target, rel_tol=1e-9, abs_tol=1e-12):
                continue
            value = only_value(conditions, unknown, {})
            lines.append(Line(Name(unknown), [Range(value, value)]))
        lines += _undo_operations(lines[-1].tree, unknown, lines[-1].ranges)
        if not all(r.is_single for r in lines[-1].ranges):
            raise CannotIsolate
        solutions += [r for r in lines[-1].ranges if hold(conditions, {unknown: r.low}) and r not in solutions]
    return [*lines, Line(Name(unknown), solutions)]


def _undo_operations(tree: Tree, unknown: str, ranges: list[Range]) -> list[Line]:
    """Return the lines from an expression without cases, which is in one of the ranges, to the symbol."""
    lines = [Line(tree, ranges)]
    while tree != Name(unknown):
        if _count(tree, unknown) == 1:
            tree, invert = _invert_outermost(tree, unknown)
            lines.append(Line(tree, [inner for r in lines[-1].ranges for inner in invert(r)]))
        else:
            tree = _collect(tree, unknown)
            lines.append(Line(tree, lines[-1].ranges))
    return lines[1:]


def _evaluate_constants(tree: Tree, unknown: str, values: Values) -> Tree:
    """Replace every part of an expression that does not depend on the symbol by its value."""
    if unknown not in names(tree):
        return tree if _is_number(tree) else _number(evaluate(tree, values))
    if isinstance(tree, Where) and unknown not in names(tree.condition):
        holds = evaluate(tree.condition, values)
        return _evaluate_constants(tree.value if holds else tree.otherwise, unknown, values)
    if isinstance(tree, Where | Iverson):
        # Numbers within a condition that depends on the symbol are evaluated; the condition itself has no value yet.
        return with_children(tree, [_evaluate_inside(child, unknown, values) for child in children(tree)])
    if isinstance(tree, Op | Call):
        tree = replace(tree, args=tuple(_evaluate_constants(a, unknown, values) for a in tree.args))
    return _simplify(tree) if isinstance(tree, Op) else tree


def _evaluate_inside(tree: Tree, unknown: str, values: Values) -> Tree:
    """Do the same inside a condition, whose comparisons without the symbol stay comparisons."""
    if isinstance(tree, Comparison | Logic):
        return with_children(tree, [_evaluate_inside(child, unknown, values) for child in children(tree)])
    return _evaluate_constants(tree, unknown, values)


def _simplify(tree: Op) -> Tree:
    """Make `x + 3 - 5` into `x - 2` and `0*x` into 0, and drop what changes nothing: `x + 0`, `1*x`, `x/1`, `x^1`."""
    match tree:
        case Op("+" | "-", (Op("+" | "-" as inner, (x, first)), second)) if _is_number(first) and _is_number(second):
            total = OPERATIONS[tree.op](OPERATIONS[inner](0, evaluate(first, {})), evaluate(second, {}))
            return _simplify(Op("-" if total < 0 else "+", (x, _number(abs(total)))))
        case Op("+" | "-", (x, number)) if _is(number, 0):
            return x
        case Op("*" | "/" | "^", (x, number)) if _is(number, 1):
            return x
        case Op("*", (a, b)) if _is(a, 0) or _is(b, 0):
            return _number(0)
        case Op(("+" | "*") as op, (number, x)) if _is(number, 0 if op == "+" else 1):
            return x
    return tree


def _is_number(tree: Tree) -> bool:
    return isinstance(tree, Num) or (isinstance(tree, Op) and tree.op == "neg" and isinstance(tree.args[0], Num))


def _is(tree: Tree, value: int) -> bool:
    return isinstance(tree, Num) and tree.value == value


def _count(tree: Tree, unknown: str) -> int:
    return sum(isinstance(node, Name) and node.name == unknown for node in walk(tree))


def _collect(tree: Tree, unknown: str) -> Tree:
    """Rewrite an expression that is linear in the symbol as `slope*unknown + intercept`."""
    if not _is_linear(tree, unknown):
        raise CannotIsolate
    intercept, at_one = (evaluate(tree, {unknown: value}) for value in (0, 1))
    if at_one == intercept:
        raise CannotIsolate
    scaled = Op("*", (_number(OPERATIONS["-"](at_one, intercept)), Name(unknown)))
    return Op("-" if intercept < 0 else "+", (scaled, _number(abs(intercept)))) if intercept else scaled


def _number(value: Value) -> Tree:
    value = Fraction(value)
    size = abs(value)
    number: Tree = Num(size, str(size) if size.denominator == 1 else f"{float(size):.6g}")
    return Op("neg", (number,)) if value < 0 else number


def _is_linear(tree: Tree, unknown: str) -> bool:
    if isinstance(tree, Name) or unknown not in names(tree):
        return True
    match tree:
        case Op("+" | "-" | "neg", args):
            return all(_is_linear(a, unknown) for a in args)
        case Op("*", (a, b)):
            return (unknown in names(a)) != (unknown in names(b)) and _is_linear(a, unknown) and _is_linear(b, unknown)
        case Op("/", (a, b)):
            return unknown not in names(b) and _is_linear(a, unknown)
    return False


def _invert_outermost(tree: Tree, unknown: str) -> tuple[Tree, RangeInverse]:
    """Return the argument of the outermost operation that contains the symbol, and the inverse of that operation."""
    match tree:
        case Op("neg", (a,)):
            return a, decreasing(lambda y: -y)
        case Op("@"):
            raise CannotIsolate
        case Op(op, (a, b)):
            is_first = unknown in names(a)
            inner, other = (a, b) if is_first else (b, a)
            return inner, of_operation(op, is_first, evaluate(other, {}))
        case Call(function, args) if function in FUNCTIONS and (inverse := FUNCTIONS[function].inverse):
            (inner,) = (arg for arg in args if unknown in names(arg))
            others = [evaluate(arg, {}) for arg in args if arg is not inner]
            return inner, lambda r: inverse(r, *others)
    raise CannotIsolate
