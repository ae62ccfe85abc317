"""An expression as a small tree: what `expressions.parser` makes of a text, evaluated here without any `eval`.

Numbers stay exact (`int` or `Fraction`) until a function such as `exp` makes them inexact, so that a floor, an integer
or a fraction is never off by a rounding. Indices count from 1, as on paper. Where such numbers are worked out, 0 ln 0
is 0, its limit, as entropy and cross-entropy mean it.

What an exponential makes too large (or too small) for a float is a `Decimal` until it is small enough again, so that a
quotient of exponentials, as softmax is one, and the logarithm of such a quotient have their values for all logits.
"""

import decimal
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

Value = Any  # a number, or a list of values: a vector is a list, a matrix a list of rows
LARGEST = 60  # decimal digits before the point (or zeros after it) that any value of ours may have
SMALLEST = 290  # zeros after the point up to which a float is as precise as any other
HIGHEST = 10**6  # the largest argument of exp; its value has fewer digits than a `Decimal` may have
EXACT = 4096  # bits up to which a power stays exact


class UndefinedValue(ArithmeticError):
    """An expression has no value here: a division by zero, a logarithm of a negative number, a value beyond bounds."""


@dataclass(frozen=True, slots=True)
class Num:
    """A number as it was written."""

    value: Fraction
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A symbol; with `index`, one element of a vector or matrix: `z[i]`, `Q[i, k]`."""

    name: str
    index: tuple["Tree", ...] = ()


@dataclass(frozen=True, slots=True)
class Op:
    """An operation: one of `+ - * / ^` with two arguments, or `neg` with one."""

    op: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `FUNCTIONS` and its arguments, or one of `ARRAYS` and its array."""

    function: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Reduction:
    """A sum, mean or product of `body` over an index, which runs as far as the arrays it indexes."""

    fold: str
    index: str
    body: "Tree"


Tree = Num | Name | Op | Call | Reduction


def _sqrt(x, lib):
    if isinstance(x, Decimal) and x >= 0:
        return x.sqrt()
    if isinstance(x, int | Fraction) and x >= 0:
        top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
        if top * top == x.numerator and bottom * bottom == x.denominator:
            return Fraction(top, bottom)
    return lib.sqrt(x)


def _ln(x, lib):
    if x == 0:
        raise UndefinedValue("it takes ln(0), which is minus infinity")
    if isinstance(x, Decimal) and x > 0:
        return x.ln()
    return lib.log(x) if x != 1 else 0


def _exp(x, lib):
    if x > HIGHEST:
        raise UndefinedValue("its value is too large")
    if lib is math and (x > LARGEST * 2.3 or -HIGHEST < x < -SMALLEST * 2.3):
        return _decimal(x).exp()
    return lib.exp(max(x, -HIGHEST))  # what is smaller still would take long to work out, and is 0 to any precision


def _sigmoid(x, lib):
    small = lib.exp(-abs(x))  # never too large, whichever way x lies
    return 1 / (1 + small) if x > 0 else small / (1 + small)


def _softplus(x, lib):
    return max(x, 0) + lib.log(1 + lib.exp(-abs(x)))


# name -> (least arguments, most arguments, value); `lib` is `math` or an mpmath context, whichever computes
FUNCTIONS = {
    "sqrt": (1, 1, lambda lib, x: _sqrt(x, lib)),
    "exp": (1, 1, lambda lib, x: _exp(x, lib)),
    "ln": (1, 1, lambda lib, x: _ln(x, lib)),
    "log2": (1, 1, lambda lib, x: lib.log(x) / lib.log(2)),
    "log10": (1, 1, lambda lib, x: lib.log10(x)),
    "sin": (1, 1, lambda lib, x: lib.sin(x)),
    "cos": (1, 1, lambda lib, x: lib.cos(x)),
    "tanh": (1, 1, lambda lib, x: lib.tanh(x)),
    "sigmoid": (1, 1, lambda lib, x: _sigmoid(x, lib)),
    "softplus": (1, 1, lambda lib, x: _softplus(x, lib)),
    "relu": (1, 1, lambda lib, x: x if x > 0 else x * 0),
    "abs": (1, 1, lambda lib, x: abs(x)),
    "sign": (1, 1, lambda lib, x: (x > 0) - (x < 0)),
    "floor": (1, 1, lambda lib, x: math.floor(x)),
    "ceil": (1, 1, lambda lib, x: math.ceil(x)),
    "min": (2, 9, lambda lib, *xs: min(xs)),
    "max": (2, 9, lambda lib, *xs: max(xs)),
}
WIDE = {"exp", "ln", "sqrt", "abs", "sign", "relu", "min", "max"}  # functions of values of any size
ARRAYS: dict[str, Callable[[Any], Value]] = {"len": len, "min": min, "max": max}  # of a whole array
CONSTANTS = {"pi": math.pi, "e": math.e}
REDUCTIONS = ("sum", "mean", "prod")


def exact(value: Value) -> Value:
    """Make a value exact: decimals, also written as texts, become fractions, inside lists too; words stay words."""
    if isinstance(value, list | tuple):
        return [exact(v) for v in value]
    if isinstance(value, float | str):
        try:
            value = Fraction(str(value))
        except ValueError:
            return value
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def evaluate(tree: Tree, values: Mapping[str, Value], lib: Any = math) -> Value:
    """The value of an expression.

    Args:
        tree: The expression.
        values: The value of each symbol, exact (see `exact`) or of the kind that `lib` computes with.
        lib: `math` (exact numbers, then floats) or an mpmath context (every number one of its own).

    Raises:
        UndefinedValue: If the expression is undefined or beyond bounds; the message completes "I can't use this: ...".
    """
    return without_decimals(run_compiled(compile_tree(tree, lib), values))


def run_compiled(compute: Callable[[Mapping[str, Value]], Value], values: Mapping[str, Value]) -> Value:
    """Run a program of `program` on values; raises `UndefinedValue` as `evaluate` does."""
    try:
        return compute(values)
    except ZeroDivisionError:
        raise UndefinedValue("it divides by zero") from None
    except (OverflowError, decimal.Overflow):
        raise UndefinedValue("its value is too large") from None
    except (ValueError, TypeError, decimal.DecimalException):
        raise UndefinedValue("a function in it has no value there") from None
    except KeyError as missing:
        raise UndefinedValue(f"{missing.args[0]} has no value") from None


def compile_tree(
    tree: Tree, lib: Any = math, watch: Callable[[Tree, list[Value]], None] | None = None
) -> Callable[[Mapping[str, Value]], Value]:
    """An expression as nested functions of the values, made once where it is worked out for many values.

    `watch` is called with every function and power in it, and the values of their arguments, each time it is worked
    out.
    """
    if watch and isinstance(tree, Num):
        rough = float(tree.value)  # watching asks only on which side of a kink a value lies, and often
        return lambda values: rough
    if watch and isinstance(tree, Op | Call) and (isinstance(tree, Call) or tree.op == "^"):
        compute = FUNCTIONS[tree.function][2] if isinstance(tree, Call) else lambda _, a, b: _power(a, b)
        inside = [compile_tree(a, lib, watch) for a in tree.args]
        return lambda values: _watched(tree, compute, [a(values) for a in inside], lib, watch)
    match tree:
        case Num(value):
            number = exact(value) if lib is math else lib.mpf(value.numerator) / value.denominator
            return lambda values: number
        case Name(name, ()):
            if name in CONSTANTS:
                constant = CONSTANTS[name] if lib is math else getattr(lib, name) + 0
                return lambda values: values.get(name, constant)
            return lambda values: values[name]
        case Name(name, index):
            positions = [compile_tree(position) for position in index]
            return lambda values: _element(name, values[name], [at(values) for at in positions])
        case Op("neg", (a,)):
            inner = compile_tree(a, lib, watch)
            return lambda values: -inner(values)
        case Op("*", (a, Call("ln", (b,)) as log)) if lib is math and not watch:
            times, factor, argument, power = OPERATIONS["*"], compile_tree(a), compile_tree(b), compile_tree(log)
            return lambda values: 0 if factor(values) == 0 == argument(values) else times(factor(values), power(values))
        case Op(op, (a, b)):
            operate, left, right = OPERATIONS[op], compile_tree(a, lib, watch), compile_tree(b, lib, watch)
            return lambda values: operate(left(values), right(values))
        case Call(function, (array,)) if function in ARRAYS:
            values_of, of = compile_tree(array, lib), ARRAYS[function]
            return lambda values: _number(of(values_of(values)), lib)
        case Call(function, args):
            compute, inside = FUNCTIONS[function][2], [compile_tree(a, lib) for a in args]
            if function in WIDE:
                return lambda values: _number(compute(lib, *(a(values) for a in inside)), lib)
            return lambda values: _number(compute(lib, *(_narrow(a(values)) for a in inside)), lib)
        case Reduction(fold, index, body):
            return _fold_program(fold, index, compile_tree(body, lib), index_occurrences(body, index), lib)
    raise TypeError(tree)


def _watched(
    tree: Tree, compute: Callable[..., Value], args: list[Value], lib: Any, watch: Callable[[Tree, list[Value]], None]
) -> Value:
    watch(tree, args)
    wide = not isinstance(tree, Call) or tree.function in WIDE
    return _number(compute(lib, *(args if wide else map(_narrow, args))), lib)


def _number(x: Value, lib: Any) -> Value:
    """A function's value within bounds, and as the arithmetic has it: mpmath's never mixes with fractions."""
    return _within(x) if lib is math else _within(lib.mpf(x.numerator) / x.denominator if _is_exact(x) else x)


def _is_exact(x: Value) -> bool:
    return isinstance(x, int | Fraction)


def _narrow(x: Value) -> Value:
    """An argument of a function that takes no value beyond bounds."""
    if isinstance(x, int | float) and -1e15 < x < 1e15:
        return x
    if _digits(x) > LARGEST:
        raise UndefinedValue("its value is too large")
    return float(x) if isinstance(x, Decimal) else x


def without_decimals(value: Value) -> Value:
    """A value as it leaves: a float, also inside lists, where it was kept as a `Decimal` for what follows from it."""
    if isinstance(value, list):
        return [without_decimals(v) for v in value]
    return _narrow(value) if isinstance(value, Decimal) else value


def _decimal(x: Value) -> Decimal:
    return x if isinstance(x, Decimal) else Decimal(x.numerator) / x.denominator if _is_exact(x) else Decimal(x)


def _mixed(operate: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    """An operation that also takes a `Decimal` with any other number."""

    def mixed(a: Value, b: Value) -> Value:
        if isinstance(a, Decimal) or isinstance(b, Decimal):
            return _within(operate(_decimal(a), _decimal(b)))
        return operate(a, b)

    return mixed


def _element(name: str, value: Value, index: list[Any]) -> Value:
    for at in index:
        if not 1 <= at <= len(value):
            raise UndefinedValue(f"{name} has no element {at}")
        value = value[int(at) - 1]
    return value


def _fold_program(
    fold: str, index: str, term: Callable[[Mapping[str, Value]], Value], where: list[tuple[str, int]], lib: Any
) -> Callable[[Mapping[str, Value]], Value]:
    def compute(values: Mapping[str, Value]) -> Value:
        inside, terms = dict(values), []
        for k in occurrence_range(where, index, values):
            inside[index] = k if lib is math else lib.mpf(k)
            terms.append(term(inside))
        return _fold(fold, terms)

    return compute


def _fold(fold: str, terms: list[Value]) -> Value:
    wide = any(isinstance(term, Decimal) for term in terms)
    if wide:
        terms = [_decimal(term) for term in terms]
    if fold == "prod":
        return _within(math.prod(terms))
    total = _divide(sum(terms), len(terms)) if fold == "mean" else sum(terms)
    return _within(total) if wide else total


def _divide(a: Value, b: Value) -> Value:
    if isinstance(a, int) and isinstance(b, int):
        return Fraction(a, b) if a % b else a // b
    return _within(a / b)


def _power(a: Value, b: Value) -> Value:
    if _digits(b) > LARGEST or abs(b) * abs(_digits(a)) > _most(a):
        raise UndefinedValue("its value is too large")
    whole = b == int(b)
    if isinstance(a, int | Fraction) and abs(b) * max(a.numerator.bit_length(), a.denominator.bit_length()) > EXACT:
        a = float(a)  # near 1 a power stays small while its fraction grows without end
    if isinstance(a, int) and whole and b < 0:
        a = Fraction(a)
    power = a ** (int(b) if whole else b)
    if isinstance(power, complex):
        raise UndefinedValue("it takes a root of a negative number")
    return power


OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "+": _mixed(operator.add),
    "-": _mixed(operator.sub),
    "*": _mixed(lambda a, b: _within(a * b)),
    "/": _mixed(_divide),
    "^": _mixed(_power),
}


def _digits(x: Value) -> float:
    """About log10 of the size of a number, also of one too large for a float."""
    if isinstance(x, int):
        return x.bit_length() * 0.302
    if isinstance(x, Fraction):
        return (x.numerator.bit_length() - x.denominator.bit_length()) * 0.302 if x else 0.0
    if isinstance(x, float):
        return math.log10(abs(x)) if x else 0.0
    if isinstance(x, Decimal):
        return x.adjusted() + 1 if x else 0
    # mpmath's number: its mantissa, its exponent and the mantissa's bits, without converting it.
    _, mantissa, exponent, bits = x._mpf_
    if exponent and not mantissa:
        raise UndefinedValue("its value is infinite")
    return (exponent + bits) * 0.302


def _most(x: Value) -> int:
    """How many digits before the point a number may have: more where they are an exponent, and cost nothing."""
    return LARGEST if isinstance(x, int | Fraction | float) else HIGHEST


def _within(x: Value) -> Value:
    if isinstance(x, int | float) and -1e15 < x < 1e15:
        return x
    digits = _digits(x)
    if isinstance(x, Decimal) and -SMALLEST < digits <= LARGEST:
        return float(x)
    if digits > _most(x):
        raise UndefinedValue("its value is too large")
    return x


def children(tree: Tree) -> tuple[Tree, ...]:
    """The expressions directly inside one."""
    match tree:
        case Name(_, index):
            return index
        case Op(_, args) | Call(_, args):
            return args
        case Reduction(_, _, body):
            return (body,)
    return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """An expression and every expression inside it."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def names(tree: Tree) -> set[str]:
    """The symbols an expression needs a value for, indices that a sum binds left out."""
    if isinstance(tree, Reduction):
        return names(tree.body) - {tree.index}
    own = {tree.name} if isinstance(tree, Name) else set()
    return own.union(*(names(child) for child in children(tree)))


def index_range(tree: Tree, index: str, values: Mapping[str, Value]) -> range:
    """Return the values of an index in an expression, from 1 to the length of the array dimension that it indexes."""
    return occurrence_range(index_occurrences(tree, index), index, values)


def reduction_indices(tree: Tree) -> Iterator[tuple[str, list[tuple[str, int]]]]:
    """The indices that the sums, means and products of an expression run over, each with where it stands."""
    for node in walk(tree):
        if isinstance(node, Reduction):
            yield node.index, index_occurrences(node.body, node.index)


def index_occurrences(tree: Tree, index: str) -> list[tuple[str, int]]:
    """Where an index stands in an expression: the arrays, and which of their dimensions, from 0."""
    at = Name(index)
    return [(n.name, n.index.index(at)) for n in walk(tree) if isinstance(n, Name) and at in n.index]


def occurrence_range(occurrences: list[tuple[str, int]], index: str, values: Mapping[str, Value]) -> range:
    """Return the values of an index, from its occurrences: see `index_occurrences`."""
    for name, dimension in occurrences:
        if name in values:
            value = values[name]
            for _ in range(dimension):
                value = value[0]
            return range(1, len(value) + 1)
    raise UndefinedValue(f"nothing says how far {index} runs")


def substitute(tree: Tree, values: Mapping[str, Tree]) -> Tree:
    """The expression with every symbol in `values` (an element as `z[2]`) replaced; sums are written out."""
    match tree:
        case Name(name, index):
            at = [substitute(position, values) for position in index]
            key = f"{name}[{', '.join(str(p.value) if isinstance(p, Num) else '?' for p in at)}]" if at else name
            return values.get(key, replace(tree, index=tuple(at)))
        case Op(_, args) | Call(_, args):
            return replace(tree, args=tuple(substitute(a, values) for a in args))
        case Reduction(fold, index, body):
            last = values.get(f"#{index}")
            if not isinstance(last, Num):
                return replace(tree, body=substitute(body, {k: v for k, v in values.items() if k != index}))
            terms = [substitute(body, {**values, index: integer(k)}) for k in range(1, int(last.value) + 1)]
            joined = terms[0]
            for term in terms[1:]:
                joined = Op("*" if fold == "prod" else "+", (joined, term))
            return Op("/", (joined, integer(len(terms)))) if fold == "mean" else joined
    return tree


def integer(k: int) -> Num:
    """A whole number as an expression."""
    return Num(Fraction(k), str(k))
