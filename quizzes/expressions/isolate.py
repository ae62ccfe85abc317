"""Solving for a symbol as on paper: what stands around it is undone, from the outside in, on both sides at once.

    3 = floor((n - 1)/2) + 1,  floor((n - 1)/2) = 2,  2 <= (n - 1)/2 < 3,  4 <= n - 1 < 6,  5 <= n < 7

Where the symbol stands in several places they are first collected, if the expression is linear in it.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from quizzes.expressions.parser import write
from quizzes.expressions.tree import OPERATIONS, Call, Name, Num, Op, Tree, Value, evaluate, names, walk

PLUS, MINUS, TIMES, OVER, POWER = (OPERATIONS[op] for op in "+-*/^")


class CannotIsolate(Exception):
    """What stands around the symbol can't be undone."""


@dataclass(frozen=True)
class Range:
    """The values that an expression may have: one, or all between two ends of which one may be left out."""

    low: Value
    high: Value
    without_low: bool = False
    without_high: bool = False

    @property
    def is_single(self) -> bool:
        """Whether it is one value."""
        return self.low == self.high


@dataclass(frozen=True)
class Line:
    """One line of the working: an expression, and the ranges of which it is in one."""

    tree: Tree
    ranges: list[Range]

    def render(self, number: Callable[[Value], str]) -> list[str]:
        """It in the grammar of `expressions.parser`, or as an inequality; its numbers as `number` writes them."""
        text, lines = write(self.tree), []
        for r in self.ranges:
            before, after = "<" if r.without_low else "<=", "<" if r.without_high else "<="
            between = f"{number(r.low)} {before} {text} {after} {number(r.high)}"
            lines.append(f"{text} = {number(r.low)}" if r.is_single else between)
        return lines


Undo = Callable[[Range], list[Range]]


def isolate(tree: Tree, unknown: str, target: Value, values: Mapping[str, Value]) -> list[Line]:
    """The working from `tree = target` to the symbol alone.

    Args:
        tree: The expression.
        unknown: The symbol that is sought.
        target: The value that the expression takes.
        values: The other symbols' values.

    Returns:
        The lines, the first `tree = target`, the last the symbol's own values; no range where there is no value.

    Raises:
        CannotIsolate: Where a function can't be undone, or the symbol stands where it can't be collected.
    """
    lines = [Line(tree, [Range(target, target)])]
    worked_out = _worked_out(tree, unknown, values)
    if worked_out != tree:
        lines.append(Line(tree := worked_out, lines[0].ranges))
    while tree != Name(unknown):
        if _places(tree, unknown) == 1:
            tree, undo = _invert_outermost(tree, unknown)
            lines.append(Line(tree, [found for r in lines[-1].ranges for found in undo(r)]))
        else:
            tree = _collected(tree, unknown)
            lines.append(Line(tree, lines[-1].ranges))
    return lines


def _worked_out(tree: Tree, unknown: str, values: Mapping[str, Value]) -> Tree:
    """The expression with everything in it that the symbol is no part of worked out to a number."""
    if unknown not in names(tree):
        return tree if _is_number(tree) else _number(evaluate(tree, values))
    if isinstance(tree, Op | Call):
        tree = replace(tree, args=tuple(_worked_out(a, unknown, values) for a in tree.args))
    return _joined(tree) if isinstance(tree, Op) else tree


def _joined(tree: Op) -> Tree:
    """`x + 3 - 5` as `x - 2`; without what changes nothing: `x + 0`, `1*x`, `x/1`, `x^1`."""
    match tree:
        case Op("+" | "-", (Op("+" | "-" as before, (x, first)), second)) if _is_number(first) and _is_number(second):
            total = OPERATIONS[tree.op](OPERATIONS[before](0, evaluate(first, {})), evaluate(second, {}))
            return _joined(Op("-" if total < 0 else "+", (x, _number(abs(total)))))
        case Op("+" | "-", (x, number)) if _is(number, 0):
            return x
        case Op("*" | "/" | "^", (x, number)) if _is(number, 1):
            return x
        case Op(("+" | "*") as op, (number, x)) if _is(number, 0 if op == "+" else 1):
            return x
    return tree


def _is_number(tree: Tree) -> bool:
    return isinstance(tree, Num) or (isinstance(tree, Op) and tree.op == "neg" and isinstance(tree.args[0], Num))


def _is(tree: Tree, value: int) -> bool:
    return isinstance(tree, Num) and tree.value == value


def _places(tree: Tree, unknown: str) -> int:
    return sum(isinstance(node, Name) and node.name == unknown for node in walk(tree))


def _collected(tree: Tree, unknown: str) -> Tree:
    """`slope*unknown + start`, for an expression that is linear in the symbol."""
    if not _linear(tree, unknown):
        raise CannotIsolate
    start, one = (evaluate(tree, {unknown: value}) for value in (0, 1))
    if one == start:
        raise CannotIsolate
    scaled = Op("*", (_number(MINUS(one, start)), Name(unknown)))
    return Op("-" if start < 0 else "+", (scaled, _number(abs(start)))) if start else scaled


def _number(value: Any) -> Tree:
    value = Fraction(value)
    size = abs(value)
    number: Tree = Num(size, str(size) if size.denominator == 1 else f"{float(size):.6g}")
    return Op("neg", (number,)) if value < 0 else number


def _linear(tree: Tree, unknown: str) -> bool:
    if isinstance(tree, Name) or unknown not in names(tree):
        return True
    match tree:
        case Op("+" | "-" | "neg", args):
            return all(_linear(a, unknown) for a in args)
        case Op("*", (a, b)):
            return sum(unknown in names(side) for side in (a, b)) == 1 and _linear(a, unknown) and _linear(b, unknown)
        case Op("/", (a, b)):
            return unknown not in names(b) and _linear(a, unknown)
    return False


def _invert_outermost(tree: Tree, unknown: str) -> tuple[Tree, Undo]:
    """What is inside the outermost operation, and how that operation is undone."""
    match tree:
        case Op("neg", (a,)):
            return a, _decreasing(lambda y: -y)
        case Op(op, (a, b)):
            first = unknown in names(a)
            inner, other = (a, b) if first else (b, a)
            return inner, _undo(op, first, evaluate(other, {}))
        case Call(("max" | "min") as function, (a, b)):
            inner, other = (a, b) if unknown in names(a) else (b, a)
            return inner, _chosen(function, evaluate(other, {}))
        case Call("relu", (a,)):
            return a, _chosen("max", 0)
        case Call("floor", (a,)):
            return a, _whole(lambda y: Range(y, y + 1, without_high=True))
        case Call("ceil", (a,)):
            return a, _whole(lambda y: Range(y - 1, y, without_low=True))
        case Call("abs", (a,)):
            return a, _either(lambda y: y)
        case Call(function, (a,)) if function in INVERSES:
            return a, _increasing(INVERSES[function])
    raise CannotIsolate


INVERSES: dict[str, Callable[[Any], Value]] = {
    "sqrt": lambda y: _root(y, Fraction(1, 2)),
    "exp": math.log,
    "ln": math.exp,
    "log2": lambda y: POWER(2, y),
    "log10": lambda y: POWER(10, y),
    "tanh": math.atanh,
    "sigmoid": lambda y: math.log(y / (1 - y)),
    "softplus": lambda y: math.log(math.expm1(y)),
}


def _undo(op: str, first: bool, c: Any) -> Undo:
    """How `x op c` (or, where the symbol isn't `first`, `c op x`) is undone."""
    match op, first:
        case "+", _:
            return _increasing(lambda y: MINUS(y, c))
        case "-", True:
            return _increasing(lambda y: PLUS(y, c))
        case "-", False:
            return _decreasing(lambda y: MINUS(c, y))
        case "*", _ if c:
            return _monotone(c > 0, lambda y: OVER(y, c))
        case "/", True:
            return _monotone(c > 0, lambda y: TIMES(y, c))
        case "/", False if c:
            return _between_signs(_monotone(c < 0, lambda y: OVER(c, y)))
        case "^", False if c > 0 and c != 1:
            return _monotone(c > 1, lambda y: math.log(y) / math.log(c))
        case "^", True if c:
            even = c == int(c) and c % 2 == 0
            return _either(lambda y: _root(y, c)) if even else _monotone(c > 0, lambda y: _root(y, c))
    raise CannotIsolate


def _root(y: Any, k: Any) -> Value:
    """The number whose k-th power is y, exact where it can be."""
    if k < 0:
        return OVER(1, _root(y, -k))
    if y < 0:
        if k != int(k) or k % 2 == 0:
            raise ValueError
        return -_root(-y, k)
    if k == Fraction(1, 2):
        return y * y
    if isinstance(y, int | Fraction):
        near = Fraction(*(round(part ** (1 / k)) for part in (y.numerator, y.denominator)))
        if near**k == y:
            return near.numerator if near.denominator == 1 else near
    return float(y) ** float(1 / k)


def _monotone(up: bool, inverse: Callable[[Any], Value]) -> Undo:
    return _increasing(inverse) if up else _decreasing(inverse)


def _increasing(inverse: Callable[[Any], Value]) -> Undo:
    def undo(r: Range) -> list[Range]:
        try:
            return [Range(inverse(r.low), inverse(r.high), r.without_low, r.without_high)]
        except (ValueError, ArithmeticError):
            if r.is_single:
                return []
            raise CannotIsolate from None

    return undo


def _decreasing(inverse: Callable[[Any], Value]) -> Undo:
    rising = _increasing(inverse)
    return lambda r: [Range(f.high, f.low, f.without_high, f.without_low) for f in rising(r)]


def _between_signs(undo: Undo) -> Undo:
    """For what jumps at zero: a range that holds zero has no single range to go to."""

    def checked(r: Range) -> list[Range]:
        if not r.is_single and r.low <= 0 <= r.high:
            raise CannotIsolate
        return undo(r)

    return checked


def _either(inverse: Callable[[Any], Value]) -> Undo:
    """For what forgets the sign."""

    def undo(r: Range) -> list[Range]:
        if not r.is_single:
            raise CannotIsolate
        return [Range(x, x) for size in _increasing(inverse)(r) if size.low >= 0 for x in sorted({-size.low, size.low})]

    return undo


def _whole(back: Callable[[Any], Range]) -> Undo:
    def undo(r: Range) -> list[Range]:
        if not r.is_single:
            raise CannotIsolate
        return [back(int(r.low))] if r.low == int(r.low) else []

    return undo


def _chosen(function: str, other: Any) -> Undo:
    """For the larger or smaller of two: where the other one was chosen, nothing is known of this one."""

    def undo(r: Range) -> list[Range]:
        # After a rounded inverse such as atanh, a value next to the other one may be the other one itself.
        if not r.is_single or math.isclose(r.low, other, rel_tol=1e-9, abs_tol=1e-12):
            raise CannotIsolate
        return [r] if (r.low > other) == (function == "max") else []

    return undo
