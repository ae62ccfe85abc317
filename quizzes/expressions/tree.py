"""The value of an expression, without any `eval`; with what is in `arithmetic` and `nodes`, of which it is made.

0 ln 0 is 0, its limit, as in the definitions of entropy and cross-entropy. Of cases, only the one that holds is
evaluated.
"""

import decimal
import math
from collections.abc import Callable
from typing import TypeAlias

from quizzes.expressions.arithmetic import (
    OPERATIONS,
    Library,
    UndefinedValue,
    Value,
    Values,
    bounded,
    compare,
    divide,
    exact,
    is_close,
    is_exact,
    largest_position,
    negate,
    power,
    to_decimal,
    to_float_range,
    without_decimals,
)
from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.nodes import (
    REDUCTIONS,
    Array,
    Call,
    Comparison,
    Dimension,
    Iverson,
    Logic,
    Name,
    Num,
    Op,
    Reduction,
    Tree,
    Where,
    children,
    index_occurrences,
    index_range,
    integer,
    names,
    occurrence_range,
    reduction_indices,
    substitute,
    walk,
    with_children,
)

__all__ = [
    "ARRAYS",
    "CONSTANTS",
    "FUNCTIONS",
    "OPERATIONS",
    "REDUCTIONS",
    "Array",
    "Call",
    "Comparison",
    "Dimension",
    "Evaluator",
    "Iverson",
    "Library",
    "Logic",
    "Name",
    "Num",
    "Op",
    "Reduction",
    "Tree",
    "UndefinedValue",
    "Value",
    "Values",
    "Where",
    "bounded_range",
    "children",
    "compile_tree",
    "evaluate",
    "exact",
    "index_occurrences",
    "index_range",
    "integer",
    "is_close",
    "names",
    "occurrence_range",
    "reduction_indices",
    "run_compiled",
    "substitute",
    "walk",
    "with_children",
    "without_decimals",
]

Evaluator: TypeAlias = Callable[[Values], Value]
Watch: TypeAlias = Callable[[Tree, list[Value]], None]  # called with a function, power or comparison and its arguments

CONSTANTS = {"pi": math.pi, "e": math.e}
ARRAYS: dict[str, Callable[[Value], Value]] = {  # functions of a whole array
    "len": len,
    "min": min,
    "max": max,
    "argmax": largest_position,
}
MAX_TERMS = 100  # of a sum with bounds


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
        watch: Called at each evaluation with every function, power and comparison that is evaluated, and its
            arguments' values.
    """
    if watch and isinstance(tree, Num):
        approximate = float(tree.value)  # watching only compares a value with a kink, and does so often
        return lambda values: approximate
    if watch and isinstance(tree, Op | Call) and (isinstance(tree, Call) or tree.op == "^"):
        compute = FUNCTIONS[tree.function].value if isinstance(tree, Call) else lambda _, a, b: power(a, b)
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
            return lambda values: negate(inner(values))
        case Op("*", (a, Call("ln", (b,)) as log)) if lib is math and not watch:
            times, factor, argument, logarithm = OPERATIONS["*"], compile_tree(a), compile_tree(b), compile_tree(log)
            return lambda values: (
                0 if factor(values) == 0 == argument(values) else times(factor(values), logarithm(values))
            )
        case Op(op, (a, b)):
            operate, left, right = OPERATIONS[op], compile_tree(a, lib, watch), compile_tree(b, lib, watch)
            return lambda values: operate(left(values), right(values))
        case Call(function, (array,)) if function in ARRAYS:
            elements, reduce = compile_tree(array, lib), ARRAYS[function]
            return lambda values: _bounded_number(reduce(elements(values)), lib)
        case Call(function, args):
            row, inside = FUNCTIONS[function], [compile_tree(a, lib) for a in args]
            compute = row.value
            if row.takes_any_size:
                return lambda values: _bounded_number(compute(lib, *(a(values) for a in inside)), lib)
            return lambda values: _bounded_number(compute(lib, *(to_float_range(a(values)) for a in inside)), lib)
        case Array(items):
            inside = [compile_tree(item, lib, watch) for item in items]
            return lambda values: [item(values) for item in inside]
        case Reduction():
            return _compile_reduction(tree, compile_tree(tree.body, lib), lib)
    return _compile_cases(tree, lib, watch)


def _compile_cases(tree: Tree, lib: Library, watch: Watch | None) -> Evaluator:
    """Compile a condition, cases or an Iverson bracket."""
    inside = [compile_tree(child, lib, watch) for child in children(tree)]
    match tree, inside:
        case Comparison(sign), [left, right]:
            if watch:
                return lambda values: _watched_comparison(tree, [left(values), right(values)], watch)
            return lambda values: compare(sign, left(values), right(values))
        case Logic("and"), [left, right]:
            return lambda values: left(values) and right(values)
        case Logic("or"), [left, right]:
            return lambda values: left(values) or right(values)
        case Logic("not"), [condition]:
            return lambda values: not condition(values)
        case Where(), [condition, value, otherwise]:
            return lambda values: value(values) if condition(values) else otherwise(values)
        case Iverson(), [condition]:
            one, zero = (1, 0) if lib is math else (lib.mpf(1), lib.mpf(0))
            return lambda values: one if condition(values) else zero
    raise TypeError(tree)


def _watched(tree: Op | Call, compute: Callable[..., Value], args: list[Value], lib: Library, watch: Watch) -> Value:
    watch(tree, args)
    takes_any_size = not isinstance(tree, Call) or FUNCTIONS[tree.function].takes_any_size
    return _bounded_number(compute(lib, *(args if takes_any_size else map(to_float_range, args))), lib)


def _watched_comparison(tree: Comparison, args: list[Value], watch: Watch) -> bool:
    watch(tree, args)
    return compare(tree.sign, *args)


def _bounded_number(x: Value, lib: Library) -> Value:
    """Check a function's value against the bounds and make it a number of `lib`: mpmath's don't mix with fractions."""
    return bounded(x) if lib is math else bounded(lib.mpf(x.numerator) / x.denominator if is_exact(x) else x)


def _element(name: str, value: Value, index: list[Value]) -> Value:
    for at in index:
        if not 1 <= at <= len(value):
            raise UndefinedValue(f"{name} has no element {at}")
        value = value[int(at) - 1]
    return value


def _compile_reduction(tree: Reduction, term: Evaluator, lib: Library) -> Evaluator:
    occurrences = index_occurrences(tree.body, tree.index)
    ends = [compile_tree(bound) for bound in tree.bounds]

    def compute(values: Values) -> Value:
        if ends:
            indices = bounded_range(*(end(values) for end in ends))
        else:
            indices = occurrence_range(occurrences, tree.index, values)
        inside, terms = dict(values), []
        for k in indices:
            inside[tree.index] = k if lib is math else lib.mpf(k)
            terms.append(term(inside))
        if tree.operation == "argmax":
            return _bounded_number(largest_position(terms) + indices.start - 1, lib)
        return _reduce(tree.operation, terms)

    return compute


def bounded_range(first: Value, last: Value) -> range:
    """Return the integers from a first to a last one, both included.

    Raises:
        UndefinedValue: If one is not an integer, or there are too many.
    """
    if first != int(first) or last != int(last):
        raise UndefinedValue(f"an index runs over integers, not from {float(first):g} to {float(last):g}")
    if last - first >= MAX_TERMS:
        raise UndefinedValue(f"a sum may have at most {MAX_TERMS} terms")
    return range(int(first), int(last) + 1)


def _reduce(operation: str, terms: list[Value]) -> Value:
    has_decimals = any(isinstance(term, decimal.Decimal) for term in terms)
    if has_decimals:
        terms = [to_decimal(term) for term in terms]
    if operation == "prod":
        return bounded(math.prod(terms))
    total = divide(sum(terms), len(terms)) if operation == "mean" else sum(terms)
    return bounded(total) if has_decimals else total
