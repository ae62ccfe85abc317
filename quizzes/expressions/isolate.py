"""Solve an equation for a symbol as on paper: undo the operations around it, from the outside in.

    3 = floor((n - 1)/2) + 1,  floor((n - 1)/2) = 2,  2 <= (n - 1)/2 < 3,  4 <= n - 1 < 6,  5 <= n < 7

If the symbol occurs several times and the expression is linear in it, its terms are collected first.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction

from quizzes.expressions.parser import write
from quizzes.expressions.tree import OPERATIONS, Call, Name, Num, Op, Tree, Value, Values, evaluate, names, walk

ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER = (OPERATIONS[op] for op in "+-*/^")


class CannotIsolate(Exception):
    """The operations around the symbol can't be undone."""


@dataclass(frozen=True)
class Range:
    """The values that an expression may have: from `low` to `high`, each end included unless it is open."""

    low: Value
    high: Value
    low_open: bool = False
    high_open: bool = False

    @property
    def is_single(self) -> bool:
        """Return whether it is one value."""
        return bool(self.low == self.high)


@dataclass(frozen=True)
class Line:
    """One line of the solution: an expression, and the ranges of which it is in one."""

    tree: Tree
    ranges: list[Range]

    def render(self, format_number: Callable[[Value], str]) -> list[str]:
        """Render the line as equations in the grammar of `expressions.parser` or as inequalities, one per range."""
        text, lines = write(self.tree), []
        for r in self.ranges:
            left, right = "<" if r.low_open else "<=", "<" if r.high_open else "<="
            inequality = f"{format_number(r.low)} {left} {text} {right} {format_number(r.high)}"
            lines.append(f"{text} = {format_number(r.low)}" if r.is_single else inequality)
        return lines


Inverse = Callable[[Value], Value]
RangeInverse = Callable[[Range], list[Range]]


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
    """
    lines = [Line(tree, [Range(target, target)])]
    evaluated = _evaluate_constants(tree, unknown, values)
    if evaluated != tree:
        lines.append(Line(tree := evaluated, lines[0].ranges))
    while tree != Name(unknown):
        if _count(tree, unknown) == 1:
            tree, invert = _invert_outermost(tree, unknown)
            lines.append(Line(tree, [inner for r in lines[-1].ranges for inner in invert(r)]))
        else:
            tree = _collect(tree, unknown)
            lines.append(Line(tree, lines[-1].ranges))
    return lines


def _evaluate_constants(tree: Tree, unknown: str, values: Values) -> Tree:
    """Replace every part of an expression that does not depend on the symbol by its value."""
    if unknown not in names(tree):
        return tree if _is_number(tree) else _number(evaluate(tree, values))
    if isinstance(tree, Op | Call):
        tree = replace(tree, args=tuple(_evaluate_constants(a, unknown, values) for a in tree.args))
    return _simplify(tree) if isinstance(tree, Op) else tree


def _simplify(tree: Op) -> Tree:
    """Make `x + 3 - 5` into `x - 2`, and drop operations that change nothing: `x + 0`, `1*x`, `x/1`, `x^1`."""
    match tree:
        case Op("+" | "-", (Op("+" | "-" as inner, (x, first)), second)) if _is_number(first) and _is_number(second):
            total = OPERATIONS[tree.op](OPERATIONS[inner](0, evaluate(first, {})), evaluate(second, {}))
            return _simplify(Op("-" if total < 0 else "+", (x, _number(abs(total)))))
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


def _count(tree: Tree, unknown: str) -> int:
    return sum(isinstance(node, Name) and node.name == unknown for node in walk(tree))


def _collect(tree: Tree, unknown: str) -> Tree:
    """Rewrite an expression that is linear in the symbol as `slope*unknown + intercept`."""
    if not _is_linear(tree, unknown):
        raise CannotIsolate
    intercept, at_one = (evaluate(tree, {unknown: value}) for value in (0, 1))
    if at_one == intercept:
        raise CannotIsolate
    scaled = Op("*", (_number(SUBTRACT(at_one, intercept)), Name(unknown)))
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
            return a, _decreasing(lambda y: -y)
        case Op(op, (a, b)):
            is_first = unknown in names(a)
            inner, other = (a, b) if is_first else (b, a)
            return inner, _inverse(op, is_first, evaluate(other, {}))
        case Call(("max" | "min") as function, (a, b)):
            inner, other = (a, b) if unknown in names(a) else (b, a)
            return inner, _inverse_of_extremum(function, evaluate(other, {}))
        case Call("relu", (a,)):
            return a, _inverse_of_extremum("max", 0)
        case Call("floor", (a,)):
            return a, _inverse_of_rounding(lambda y: Range(y, y + 1, high_open=True))
        case Call("ceil", (a,)):
            return a, _inverse_of_rounding(lambda y: Range(y - 1, y, low_open=True))
        case Call("abs", (a,)):
            return a, _both_signs(lambda y: y)
        case Call(function, (a,)) if function in INVERSES:
            return a, _increasing(INVERSES[function])
    raise CannotIsolate


INVERSES: dict[str, Inverse] = {
    "sqrt": lambda y: _root(y, Fraction(1, 2)),
    "exp": math.log,
    "ln": math.exp,
    "log2": lambda y: POWER(2, y),
    "log10": lambda y: POWER(10, y),
    "tanh": math.atanh,
    "sigmoid": lambda y: math.log(y / (1 - y)),
    "softplus": lambda y: math.log(math.expm1(y)),
}


def _inverse(op: str, is_first: bool, c: Value) -> RangeInverse:
    """Return the inverse of `x op c`, or of `c op x` if the symbol isn't the first operand."""
    match op, is_first:
        case "+", _:
            return _increasing(lambda y: SUBTRACT(y, c))
        case "-", True:
            return _increasing(lambda y: ADD(y, c))
        case "-", False:
            return _decreasing(lambda y: SUBTRACT(c, y))
        case "*", _ if c:
            return _monotone(c > 0, lambda y: DIVIDE(y, c))
        case "/", True:
            return _monotone(c > 0, lambda y: MULTIPLY(y, c))
        case "/", False if c:
            return _without_zero(_monotone(c < 0, lambda y: DIVIDE(c, y)))
        case "^", False if c > 0 and c != 1:
            return _monotone(c > 1, lambda y: math.log(y) / math.log(c))
        case "^", True if c:
            if c == int(c) and c % 2 == 0:
                return _both_signs(lambda y: _root(y, c))
            invert = _monotone(c > 0, lambda y: _root(y, c))
            return invert if c > 0 else _without_zero(invert)
    raise CannotIsolate


def _root(y: Value, k: Value) -> Value:
    """Return the number whose k-th power is y, exact if it is rational."""
    if k < 0:
        return DIVIDE(1, _root(y, -k))
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


def _monotone(is_increasing: bool, inverse: Inverse) -> RangeInverse:
    return _increasing(inverse) if is_increasing else _decreasing(inverse)


def _increasing(inverse: Inverse) -> RangeInverse:
    def invert(r: Range) -> list[Range]:
        try:
            return [Range(inverse(r.low), inverse(r.high), r.low_open, r.high_open)]
        except (ValueError, ArithmeticError):
            if r.is_single:
                return []
            raise CannotIsolate from None

    return invert


def _decreasing(inverse: Inverse) -> RangeInverse:
    invert = _increasing(inverse)
    return lambda r: [Range(f.high, f.low, f.high_open, f.low_open) for f in invert(r)]


def _without_zero(invert: RangeInverse) -> RangeInverse:
    """Restrict an inverse that jumps at zero: a range that contains zero does not map to a single range."""

    def checked(r: Range) -> list[Range]:
        if not r.is_single and r.low <= 0 <= r.high:
            raise CannotIsolate
        return invert(r)

    return checked


def _both_signs(inverse: Inverse) -> RangeInverse:
    """Return the inverse of a function that is the same for x and -x."""

    def invert(r: Range) -> list[Range]:
        if not r.is_single:
            raise CannotIsolate
        return [Range(x, x) for size in _increasing(inverse)(r) if size.low >= 0 for x in sorted({-size.low, size.low})]

    return invert


def _inverse_of_rounding(arguments: Callable[[int], Range]) -> RangeInverse:
    def invert(r: Range) -> list[Range]:
        if not r.is_single:
            raise CannotIsolate
        return [arguments(int(r.low))] if r.low == int(r.low) else []

    return invert


def _inverse_of_extremum(function: str, other: Value) -> RangeInverse:
    """Return the inverse of a maximum or minimum of two: if the other one was selected, this one is not determined."""

    def invert(r: Range) -> list[Range]:
        # After a rounded inverse such as atanh, a value next to the other one may be the other one itself.
        if not r.is_single or math.isclose(r.low, other, rel_tol=1e-9, abs_tol=1e-12):
            raise CannotIsolate
        return [r] if (r.low > other) == (function == "max") else []

    return invert
