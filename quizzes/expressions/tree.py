"""Expressions as small trees, as `expressions.parser` reads them, and their evaluation without any `eval`.

Numbers stay exact (`int` or `Fraction`) until a function such as `exp` makes them inexact, so that `floor`, an integer
or a fraction is never off by a rounding error. Indices count from 1, as on paper. 0 ln 0 is 0, its limit, as in the
definitions of entropy and cross-entropy.

An exponential too large (or too small) for a float is a `Decimal` until it is small enough again, so that a quotient
of exponentials, such as softmax, and the logarithm of such a quotient have their values for all logits.
"""

import decimal
import math
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple, TypeAlias

# A number (int, Fraction, float, Decimal, or a number of mpmath), a text, or a list of values: a vector is a list, a
# matrix a list of rows. Numbers of different types are mixed freely, which no static type describes.
Value: TypeAlias = Any
Values: TypeAlias = Mapping[str, Value]  # by symbol
Evaluator: TypeAlias = Callable[[Values], Value]
Library: TypeAlias = Any  # the module `math` or an mpmath context
Dimension: TypeAlias = tuple[str, int]  # an array and one of its dimensions, counted from 0

MAX_DIGITS = 60  # decimal digits before the point (or zeros after it) that a value may have
MIN_FLOAT_DIGITS = 290  # zeros after the point up to which a float has its full precision
MAX_EXPONENT = 10**6  # the largest argument of exp; its value has fewer digits than a `Decimal` may have
MAX_EXACT_BITS = 4096  # bits up to which a power stays exact


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
    """A sum, mean or product (one of `REDUCTIONS`) of `body` over an index of the arrays in it."""

    operation: str
    index: str
    body: "Tree"


Tree = Num | Name | Op | Call | Reduction
Watch: TypeAlias = Callable[[Tree, list[Value]], None]  # called with a function or power and its arguments


class Function(NamedTuple):
    """A function of the grammar: how many arguments it takes, and its value, which `compute(lib, *args)` returns."""

    min_args: int
    max_args: int
    compute: Callable[..., Value]


def _sqrt(x: Value, lib: Library) -> Value:
    if isinstance(x, Decimal) and x >= 0:
        return x.sqrt()
    if isinstance(x, int | Fraction) and x >= 0:
        top, bottom = math.isqrt(x.numerator), math.isqrt(x.denominator)
        if top * top == x.numerator and bottom * bottom == x.denominator:
            return Fraction(top, bottom)
    return lib.sqrt(x)


def _ln(x: Value, lib: Library) -> Value:
    if x == 0:
        raise UndefinedValue("it takes ln(0), which is minus infinity")
    if isinstance(x, Decimal) and x > 0:
        return x.ln()
    return lib.log(x) if x != 1 else 0


def _exp(x: Value, lib: Library) -> Value:
    if x > MAX_EXPONENT:
        raise UndefinedValue("its value is too large")
    if lib is math and (x > MAX_DIGITS * 2.3 or -MAX_EXPONENT < x < -MIN_FLOAT_DIGITS * 2.3):
        return _to_decimal(x).exp()
    return lib.exp(max(x, -MAX_EXPONENT))  # a smaller argument would take long, and the value is 0 to any precision


def _sigmoid(x: Value, lib: Library) -> Value:
    small = lib.exp(-abs(x))  # never too large, whatever the sign of x
    return 1 / (1 + small) if x > 0 else small / (1 + small)


def _softplus(x: Value, lib: Library) -> Value:
    return max(x, 0) + lib.log(1 + lib.exp(-abs(x)))


FUNCTIONS = {
    "sqrt": Function(1, 1, lambda lib, x: _sqrt(x, lib)),
    "exp": Function(1, 1, lambda lib, x: _exp(x, lib)),
    "ln": Function(1, 1, lambda lib, x: _ln(x, lib)),
    "log2": Function(1, 1, lambda lib, x: lib.log(x) / lib.log(2)),
    "log10": Function(1, 1, lambda lib, x: lib.log10(x)),
    "sin": Function(1, 1, lambda lib, x: lib.sin(x)),
    "cos": Function(1, 1, lambda lib, x: lib.cos(x)),
    "tanh": Function(1, 1, lambda lib, x: lib.tanh(x)),
    "sigmoid": Function(1, 1, lambda lib, x: _sigmoid(x, lib)),
    "softplus": Function(1, 1, lambda lib, x: _softplus(x, lib)),
    "relu": Function(1, 1, lambda lib, x: x if x > 0 else x * 0),
    "abs": Function(1, 1, lambda lib, x: abs(x)),
    "sign": Function(1, 1, lambda lib, x: (x > 0) - (x < 0)),
    "floor": Function(1, 1, lambda lib, x: math.floor(x)),
    "ceil": Function(1, 1, lambda lib, x: math.ceil(x)),
    "min": Function(2, 9, lambda lib, *xs: min(xs)),
    "max": Function(2, 9, lambda lib, *xs: max(xs)),
}
UNBOUNDED = {"exp", "ln", "sqrt", "abs", "sign", "relu", "min", "max"}  # functions that take a value of any size
ARRAYS: dict[str, Callable[[Value], Value]] = {"len": len, "min": min, "max": max}  # functions of a whole array
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


def is_close(a: Value, b: Value, tolerance: float) -> bool:
    """Return whether two values are equal up to a relative tolerance, element by element; integers and texts exactly.

    Numbers of a magnitude below 1 are compared up to the tolerance itself.
    """
    if isinstance(a, list) or isinstance(b, list):
        if not (isinstance(a, list) and isinstance(b, list) and len(a) == len(b)):
            return False
        return all(is_close(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, str) or isinstance(b, str) or (isinstance(a, int) and isinstance(b, int)):
        return bool(a == b)
    return abs(float(a) - float(b)) <= tolerance * max(1.0, abs(float(b)))


def evaluate(tree: Tree, values: Values, lib: Library = math) -> Value:
    """Evaluate an expression.

    Args:
        tree: The expression.
        values: The value of each symbol, exact (see `exact`) or of the type that `lib` computes with.
        lib: `math` (exact numbers, then floats) or an mpmath context (every number is the context's own).

    Raises:
        UndefinedValue: If the expression is undefined or beyond bounds; the message completes "can't evaluate: ...".
    """
    return without_decimals(run_compiled(compile_tree(tree, lib), values))


def run_compiled(evaluator: Evaluator, values: Values) -> Value:
    """Evaluate an expression that `compile_tree` compiled.

    Raises:
        UndefinedValue: If the expression is undefined or beyond bounds.
    """
    try:
        return evaluator(values)
    except ZeroDivisionError:
        raise UndefinedValue("it divides by zero") from None
    except (OverflowError, decimal.Overflow):
        raise UndefinedValue("its value is too large") from None
    except (ValueError, TypeError, decimal.DecimalException):
        raise UndefinedValue("a function in it has no value there") from None
    except KeyError as missing:
        raise UndefinedValue(f"{missing.args[0]} has no value") from None


def compile_tree(tree: Tree, lib: Library = math, watch: Watch | None = None) -> Evaluator:
    """Compile an expression to nested functions of the values, for evaluation at many points.

    Args:
        tree: The expression.
        lib: As in `evaluate`.
        watch: Called at each evaluation with every function and power in the expression and its arguments' values.
    """
    if watch and isinstance(tree, Num):
        approximate = float(tree.value)  # watching only compares a value with a kink, and does so often
        return lambda values: approximate
    if watch and isinstance(tree, Op | Call) and (isinstance(tree, Call) or tree.op == "^"):
        compute = FUNCTIONS[tree.function].compute if isinstance(tree, Call) else lambda _, a, b: _power(a, b)
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
            elements, reduce = compile_tree(array, lib), ARRAYS[function]
            return lambda values: _bounded_number(reduce(elements(values)), lib)
        case Call(function, args):
            compute, inside = FUNCTIONS[function].compute, [compile_tree(a, lib) for a in args]
            if function in UNBOUNDED:
                return lambda values: _bounded_number(compute(lib, *(a(values) for a in inside)), lib)
            return lambda values: _bounded_number(compute(lib, *(_to_float_range(a(values)) for a in inside)), lib)
        case Reduction(_, index, body):
            return _compile_reduction(tree, compile_tree(body, lib), index_occurrences(body, index), lib)
    raise TypeError(tree)


def _watched(tree: Op | Call, compute: Callable[..., Value], args: list[Value], lib: Library, watch: Watch) -> Value:
    watch(tree, args)
    unbounded = not isinstance(tree, Call) or tree.function in UNBOUNDED
    return _bounded_number(compute(lib, *(args if unbounded else map(_to_float_range, args))), lib)


def _bounded_number(x: Value, lib: Library) -> Value:
    """Check a function's value against the bounds and make it a number of `lib`: mpmath's don't mix with fractions."""
    return _bounded(x) if lib is math else _bounded(lib.mpf(x.numerator) / x.denominator if _is_exact(x) else x)


def _is_exact(x: Value) -> bool:
    return isinstance(x, int | Fraction)


def _to_float_range(x: Value) -> Value:
    """Make a number fit for functions of floats, or raise `UndefinedValue` if it is too large."""
    if isinstance(x, int | float) and -1e15 < x < 1e15:
        return x
    if _digits(x) > MAX_DIGITS:
        raise UndefinedValue("its value is too large")
    return float(x) if isinstance(x, Decimal) else x


def without_decimals(value: Value) -> Value:
    """Make every `Decimal` of a value, also inside lists, a float."""
    if isinstance(value, list):
        return [without_decimals(v) for v in value]
    return _to_float_range(value) if isinstance(value, Decimal) else value


def _to_decimal(x: Value) -> Decimal:
    return x if isinstance(x, Decimal) else Decimal(x.numerator) / x.denominator if _is_exact(x) else Decimal(x)


def _with_decimals(operate: Callable[[Value, Value], Value]) -> Callable[[Value, Value], Value]:
    """Extend an operation to a `Decimal` with any other number."""

    def operate_on_any(a: Value, b: Value) -> Value:
        if isinstance(a, Decimal) or isinstance(b, Decimal):
            return _bounded(operate(_to_decimal(a), _to_decimal(b)))
        return operate(a, b)

    return operate_on_any


def _element(name: str, value: Value, index: list[Value]) -> Value:
    for at in index:
        if not 1 <= at <= len(value):
            raise UndefinedValue(f"{name} has no element {at}")
        value = value[int(at) - 1]
    return value


def _compile_reduction(tree: Reduction, term: Evaluator, occurrences: list[Dimension], lib: Library) -> Evaluator:
    def compute(values: Values) -> Value:
        inside, terms = dict(values), []
        for k in occurrence_range(occurrences, tree.index, values):
            inside[tree.index] = k if lib is math else lib.mpf(k)
            terms.append(term(inside))
        return _reduce(tree.operation, terms)

    return compute


def _reduce(operation: str, terms: list[Value]) -> Value:
    has_decimals = any(isinstance(term, Decimal) for term in terms)
    if has_decimals:
        terms = [_to_decimal(term) for term in terms]
    if operation == "prod":
        return _bounded(math.prod(terms))
    total = _divide(sum(terms), len(terms)) if operation == "mean" else sum(terms)
    return _bounded(total) if has_decimals else total


def _divide(a: Value, b: Value) -> Value:
    if isinstance(a, int) and isinstance(b, int):
        return Fraction(a, b) if a % b else a // b
    return _bounded(a / b)


def _power(a: Value, b: Value) -> Value:
    if _digits(b) > MAX_DIGITS or abs(b) * abs(_digits(a)) > _max_digits(a):
        raise UndefinedValue("its value is too large")
    has_integer_exponent = b == int(b)
    bits = max(a.numerator.bit_length(), a.denominator.bit_length()) if isinstance(a, int | Fraction) else 0
    if abs(b) * bits > MAX_EXACT_BITS:
        a = float(a)  # near 1 a power stays small while its fraction grows without end
    if isinstance(a, int) and has_integer_exponent and b < 0:
        a = Fraction(a)
    power = a ** (int(b) if has_integer_exponent else b)
    if isinstance(power, complex):
        raise UndefinedValue("it takes a root of a negative number")
    return power


OPERATIONS: dict[str, Callable[[Value, Value], Value]] = {
    "+": _with_decimals(operator.add),
    "-": _with_decimals(operator.sub),
    "*": _with_decimals(lambda a, b: _bounded(a * b)),
    "/": _with_decimals(_divide),
    "^": _with_decimals(_power),
}


def _digits(x: Value) -> float:
    """Return about log10 of the magnitude of a number, also of one too large for a float."""
    if isinstance(x, int):
        return x.bit_length() * 0.302
    if isinstance(x, Fraction):
        return (x.numerator.bit_length() - x.denominator.bit_length()) * 0.302 if x else 0.0
    if isinstance(x, float):
        return math.log10(abs(x)) if x else 0.0
    if isinstance(x, Decimal):
        return x.adjusted() + 1 if x else 0
    # A number of mpmath: its mantissa, its exponent and the mantissa's bits, without converting it.
    _, mantissa, exponent, bits = x._mpf_
    if exponent and not mantissa:
        raise UndefinedValue("its value is infinite")
    return float((exponent + bits) * 0.302)


def _max_digits(x: Value) -> int:
    """Return how many digits before the point a number may have: more for types that store an exponent."""
    return MAX_DIGITS if isinstance(x, int | Fraction | float) else MAX_EXPONENT


def _bounded(x: Value) -> Value:
    """Return a number, a `Decimal` that fits into a float as a float; raise `UndefinedValue` if it is too large."""
    if isinstance(x, int | float) and -1e15 < x < 1e15:
        return x
    digits = _digits(x)
    if isinstance(x, Decimal) and -MIN_FLOAT_DIGITS < digits <= MAX_DIGITS:
        return float(x)
    if digits > _max_digits(x):
        raise UndefinedValue("its value is too large")
    return x


def children(tree: Tree) -> tuple[Tree, ...]:
    """Return the expressions directly inside an expression."""
    match tree:
        case Name(_, index):
            return index
        case Op(_, args) | Call(_, args):
            return args
        case Reduction(_, _, body):
            return (body,)
    return ()


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield an expression and every expression inside it."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def names(tree: Tree) -> set[str]:
    """Return the symbols that an expression needs a value for, without the indices that its sums bind."""
    if isinstance(tree, Reduction):
        return names(tree.body) - {tree.index}
    own = {tree.name} if isinstance(tree, Name) else set()
    return own.union(*(names(child) for child in children(tree)))


def index_range(tree: Tree, index: str, values: Values) -> range:
    """Return the values of an index in an expression: 1 to the length of the array dimension that it indexes."""
    return occurrence_range(index_occurrences(tree, index), index, values)


def reduction_indices(tree: Tree) -> Iterator[tuple[str, list[Dimension]]]:
    """Yield the index of each sum, mean and product in an expression, with the dimensions that it indexes."""
    for node in walk(tree):
        if isinstance(node, Reduction):
            yield node.index, index_occurrences(node.body, node.index)


def index_occurrences(tree: Tree, index: str) -> list[Dimension]:
    """Return the array dimensions that an index indexes in an expression."""
    at = Name(index)
    return [(n.name, n.index.index(at)) for n in walk(tree) if isinstance(n, Name) and at in n.index]


def occurrence_range(occurrences: Iterable[Dimension], index: str, values: Values) -> range:
    """Return the values of an index: 1 to the length of the first dimension in `occurrences` that has a value.

    Raises:
        UndefinedValue: If none of the arrays has a value.
    """
    for name, dimension in occurrences:
        if name in values:
            value = values[name]
            for _ in range(dimension):
                value = value[0]
            return range(1, len(value) + 1)
    raise UndefinedValue(f"no array gives the range of {index}")


def substitute(tree: Tree, values: Mapping[str, Tree]) -> Tree:
    """Replace symbols and elements by expressions.

    Args:
        tree: The expression.
        values: The new expression for each symbol (`z`) or element (`z[2]`). An integer for `#i` is the length over
            which a sum, mean or product with index `i` is written out.
    """
    match tree:
        case Name(name, index):
            at = [substitute(position, values) for position in index]
            key = f"{name}[{', '.join(str(p.value) if isinstance(p, Num) else '?' for p in at)}]" if at else name
            return values.get(key, replace(tree, index=tuple(at)))
        case Op(_, args) | Call(_, args):
            return replace(tree, args=tuple(substitute(a, values) for a in args))
        case Reduction(operation, index, body):
            last = values.get(f"#{index}")
            if not isinstance(last, Num):
                return replace(tree, body=substitute(body, {k: v for k, v in values.items() if k != index}))
            terms = [substitute(body, {**values, index: integer(k)}) for k in range(1, int(last.value) + 1)]
            joined = terms[0]
            for term in terms[1:]:
                joined = Op("*" if operation == "prod" else "+", (joined, term))
            return Op("/", (joined, integer(len(terms)))) if operation == "mean" else joined
    return tree


def integer(k: int) -> Num:
    """Return an integer as an expression."""
    return Num(Fraction(k), str(k))
