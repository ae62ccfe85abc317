"""Changed and rewritten expressions, and an oracle that says whether two expressions are equal.

A mutant has one change at a random place: another number, sign, symbol or function, a term less, a bump of its own. A
rewrite is equal by an identity. The oracle shares nothing with the program but the tree: it computes with 50 digits of
mpmath, at random points of the domain and 1e-6 to either side of every kink of both expressions that it comes across.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any, TypeAlias

from mpmath import MPContext

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
    walk,
    with_children,
)

POINTS, BESIDE = 400, 1e-6
BISECTIONS, CROSSINGS = 60, 3
EQUAL = 1e-18  # relative difference of two values that counts as none

lib = MPContext()
lib.dps = 50
lib.trap_complex = True
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "exp": lib.exp,
    "ln": lib.log,
    "log2": lambda x: lib.log(x) / lib.log(2),
    "sqrt": lib.sqrt,
    "sin": lib.sin,
    "cos": lib.cos,
    "tan": lib.tan,
    "sinh": lib.sinh,
    "cosh": lib.cosh,
    "tanh": lib.tanh,
    "sigmoid": lambda x: 1 / (1 + lib.exp(-x)),
    "softplus": lambda x: lib.log(1 + lib.exp(x)),
    "Phi": lib.ncdf,
    "erf": lib.erf,
    "abs": abs,
    "sign": lib.sign,
    "relu": lambda x: max(lib.mpf(0), x),
    "floor": lib.floor,
    "ceil": lib.ceil,
    "max": max,
    "min": min,
}
Point: TypeAlias = dict[str, Any]
Domain: TypeAlias = dict[str, list[float]]


def value(tree: Tree, point: Point) -> Any:
    """Return the value of an expression at a point, in 50 digits; raises ArithmeticError or ValueError without one."""
    match tree:
        case Num(number):
            return lib.mpf(number.numerator) / number.denominator
        case Name(name):
            return lib.e if name == "e" and name not in point else lib.pi if name == "pi" else point[name]
        case Op("neg", (a,)):
            return -value(a, point)
        case Op(op, (a, b)):
            x, y = value(a, point), value(b, point)
            if op == "+":
                return x + y
            if op == "-":
                return x - y
            if op == "*":
                return x * y
            return x / y if op == "/" else lib.power(x, y)
        case Call(function, args):
            return FUNCTIONS[function](*(value(arg, point) for arg in args))
        case Where(condition, yes, no):
            return value(yes if _holds(condition, point) else no, point)
        case Iverson(condition):
            return lib.mpf(_holds(condition, point))
    raise ValueError(f"no value of {tree}")


def _holds(condition: Tree, point: Point) -> bool:
    match condition:
        case Comparison(sign, (a, b)):
            x, y = value(a, point), value(b, point)
            return bool({"<": x < y, "<=": x <= y, ">": x > y, ">=": x >= y, "=": x == y, "!=": x != y}[sign])
        case Logic("not", (a,)):
            return not _holds(a, point)
        case Logic(op, (a, b)):
            return (all if op == "and" else any)(_holds(each, point) for each in (a, b))
    raise ValueError(f"no condition: {condition}")


def are_equal(tree: Tree, truth: Tree, domain: Domain, rng: Random) -> bool:
    """Return whether an expression has the value of the true one wherever that has one."""
    compared = 0
    for point in _points((tree, truth), domain, rng):
        try:
            expected = value(truth, point)
        except (ArithmeticError, ValueError):
            continue
        compared += 1
        try:
            if abs(value(tree, point) - expected) > EQUAL * max(1, abs(expected)):
                return False
        except (ArithmeticError, ValueError):
            return False
    return compared > 0


def _points(trees: tuple[Tree, ...], domain: Domain, rng: Random) -> Iterator[Point]:
    points = [{name: lib.mpf(rng.uniform(*ends)) for name, ends in domain.items()} for _ in range(POINTS)]
    yield from points
    for region in (region for tree in trees for node in walk(tree) for region in _regions(node)):
        crossings = 0
        for one, other in pairwise(points):
            try:
                if crossings == CROSSINGS or region(one) == region(other):
                    continue
                crossings += 1
                yield from _beside(region, one, other)
            except (ArithmeticError, ValueError):
                continue


def _regions(node: Tree) -> Iterator[Callable[[Point], object]]:
    """Yield, for a part with a kink, a function that says on which side of it a point is."""
    match node:
        case Call("abs" | "sign" | "relu", (a,)):
            yield lambda point: value(a, point) > 0
        case Call("floor" | "ceil", (a,)):
            yield lambda point: lib.floor(value(a, point))
        case Call("max" | "min", (a, b)) | Comparison(_, (a, b)):
            yield lambda point: value(a, point) > value(b, point)


def _beside(region: Callable[[Point], object], one: Point, other: Point) -> Iterator[Point]:
    """Yield a point on each side of a kink between two points."""
    start, low, high = region(one), lib.mpf(0), lib.mpf(1)

    def at(share: Any) -> Point:
        return {name: one[name] + share * (other[name] - one[name]) for name in one}

    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if region(at(middle)) == start else (low, middle)
    yield at(low - BESIDE)
    yield at(high + BESIDE)


def _number(fraction: Fraction) -> Tree:
    if fraction < 0:
        return Op("neg", (_number(-fraction),))
    if fraction.denominator == 1:
        return Num(fraction, str(fraction))
    return Op("/", (_number(Fraction(fraction.numerator)), _number(Fraction(fraction.denominator))))


ONE, TWO = _number(Fraction(1)), _number(Fraction(2))
SWAPS = {"+": "-", "-": "+", "*": "/", "/": "*"}
OTHERS = {
    "sin": "cos", "cos": "sin", "exp": "sqrt", "sqrt": "exp", "sigmoid": "tanh", "tanh": "sigmoid", "max": "min",
    "min": "max", "floor": "ceil", "ceil": "floor", "abs": "relu", "relu": "abs", "ln": "sqrt", "Phi": "sigmoid",
    "softplus": "relu",
}  # fmt: skip


def _mutations(node: Tree, domain: Domain, rng: Random) -> list[Tree]:
    """Return what a node may be changed into."""
    result: list[Tree] = []
    match node:
        case Num(number):
            result += [_number(n) for n in (number + 1, number - 1, number * 2, -number, number * Fraction(1001, 1000))]
        case Name(name) if name in domain:
            result += [Name(other) for other in domain if other != name]
            result += [Op("neg", (node,)), Op("^", (node, TWO)), Op("-", (ONE, node))]
        case Op("neg", (a,)):
            result.append(a)
        case Op("^", (a, b)):
            result += [a, Op("^", (a, Op("+", (b, ONE)))), Op("*", (a, b))]
        case Op(op, (a, b)):
            result += [a, b, Op(SWAPS[op], (a, b)), Op(op, (b, a))]
        case Call(function, args):
            result += [args[0], Call(function, (Op("neg", (args[0],)), *args[1:]))]
            result += [Call(OTHERS[function], args)] if function in OTHERS else []
            result.append(Call(function, (Op("+", (args[0], _number(Fraction(rng.choice([1, 50]), 50)))), *args[1:])))
        case Comparison(sign, (a, b)):
            result += [Comparison(sign, (b, a)), Comparison(sign, (a, Op("+", (b, _number(Fraction(1, 20))))))]
        case Where(condition, yes, no):
            result += [Where(condition, no, yes), yes, no]
    return result


def _bump(tree: Tree, domain: Domain, rng: Random) -> Tree:
    """Return an expression that differs in a part of the domain alone: beyond a place, or around it."""
    name = rng.choice(list(domain))
    low, high = domain[name]
    place = _number(Fraction(rng.uniform(low, high)).limit_denominator(100))
    distance: Tree = Op("-", (Name(name), place))
    if rng.random() < 0.5:
        width = _number(Fraction(high - low).limit_denominator(100) / rng.choice([4, 20, 100]))
        distance = Op("-", (width, Call("abs", (distance,))))
    return Op("+", (tree, Op("*", (_number(Fraction(1, 7)), Call("max", (_number(Fraction(0)), distance))))))


def mutant(tree: Tree, domain: Domain, rng: Random) -> Tree:
    """Return an expression with one change."""
    if rng.random() < 0.15:
        return _bump(tree, domain, rng)
    places = [node for node in walk(tree) if _mutations(node, domain, rng)]
    node = rng.choice(places)
    return replace_once(tree, node, rng.choice(_mutations(node, domain, rng)))


def replace_once(tree: Tree, node: Tree, by: Tree) -> Tree:
    """Return an expression with another one in place of a node, which is the same object."""
    if tree is node:
        return by
    return with_children(tree, [replace_once(child, node, by) for child in children(tree)]) if children(tree) else tree


def _identities(node: Tree, rng: Random) -> list[Tree]:
    """Return expressions that are equal to a node wherever it has a value, but at kinks."""
    three = _number(Fraction(3))
    result: list[Tree] = [
        Op("*", (node, ONE)),
        Op("neg", (Op("neg", (node,)),)),
        Op("/", (Op("*", (node, three)), three)),
    ]
    result.append(Op("-", (Op("+", (node, TWO)), TWO)))
    match node:
        case Num(number):
            result += [
                _number(number),
                Op("/", (_number(number * 4), _number(Fraction(4)))),
                Op("-", (_number(number + 1), ONE)),
            ]
        case Op("+", (a, b)):
            result += [Op("+", (b, a)), Op("-", (a, Op("neg", (b,))))]
        case Op("-", (a, b)):
            result += [Op("+", (a, Op("neg", (b,)))), Op("neg", (Op("-", (b, a)),))]
        case Op("*", (a, b)):
            result += [Op("*", (b, a)), Op("neg", (Op("*", (Op("neg", (a,)), b)),))]
            if isinstance(a, Op) and a.op in "+-":
                result.append(Op(a.op, (Op("*", (a.args[0], b)), Op("*", (a.args[1], b)))))
            if isinstance(b, Op) and b.op in "+-":
                result.append(Op(b.op, (Op("*", (a, b.args[0])), Op("*", (a, b.args[1])))))
        case Op("/", (a, b)):
            result += [Op("*", (a, Op("/", (ONE, b)))), Op("/", (Op("neg", (a,)), Op("neg", (b,))))]
            if isinstance(a, Op) and a.op in "+-":
                result.append(Op(a.op, (Op("/", (a.args[0], b)), Op("/", (a.args[1], b)))))
        case Op("^", (a, Num(number))) if number == 2:
            result.append(Op("*", (a, a)))
        case Call("sigmoid", (a,)):
            result.append(Op("/", (ONE, Op("+", (ONE, Call("exp", (Op("neg", (a,)),)))))))
            result.append(Op("-", (ONE, Call("sigmoid", (Op("neg", (a,)),)))))
        case Call("tanh", (a,)):
            result.append(Op("-", (Op("*", (TWO, Call("sigmoid", (Op("*", (TWO, a)),)))), ONE)))
        case Call("exp", (Op("+", (a, b)),)):
            result.append(Op("*", (Call("exp", (a,)), Call("exp", (b,)))))
        case Call("sqrt", (a,)):
            result.append(Op("^", (a, Op("/", (ONE, TWO)))))
        case Call("abs", (a,)):
            result.append(Call("max", (a, Op("neg", (a,)))))
        case Call("relu", (a,)):
            result.append(Op("/", (Op("+", (a, Call("abs", (a,)))), TWO)))
        case Call("max", (a, b)):
            result.append(Op("/", (Op("+", (Op("+", (a, b)), Call("abs", (Op("-", (a, b)),)))), TWO)))
        case Call("sign", (a,)):
            result += [Op("/", (a, Call("abs", (a,)))), Op("neg", (Call("sign", (Op("neg", (a,)),)),))]
        case Call("ln", (Op("/", (a, b)),)):
            result.append(Op("neg", (Call("ln", (Op("/", (b, a)),)),)))
    return result


def rewrite(tree: Tree, rng: Random) -> Tree:
    """Return an equal expression, by one to four identities at random places."""
    for _ in range(rng.randint(1, 4)):
        node = rng.choice([part for part in walk(tree) if not isinstance(part, Comparison | Logic)])
        tree = replace_once(tree, node, rng.choice(_identities(node, rng)))
    return tree
