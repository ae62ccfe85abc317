"""Expressions as small trees, as `expressions.parser` reads them, and what is in them.

Indices count from 1, as on paper.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from quizzes.expressions.arithmetic import UndefinedValue, Values

Dimension: TypeAlias = tuple[str, int]  # an array and one of its dimensions, counted from 0
REDUCTIONS = ("sum", "mean", "prod", "argmax")
MAX_EXPANDED = 20  # terms up to which a sum with bounds is written out


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
class Array:
    """A vector, `[1, 2]`, or a matrix, a list of rows."""

    items: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Op:
    """An operation: one of `+ - * / ^ @` with two arguments, or `neg` with one."""

    op: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A function of `FUNCTIONS` and its arguments, or one of `ARRAYS` and its array."""

    function: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Reduction:
    """A sum, mean, product or position of the largest value (one of `REDUCTIONS`) of `body` over an index.

    The index runs over the arrays in the body that it indexes, or over the integers from `first` to `last`.
    """

    operation: str
    index: str
    body: "Tree"
    bounds: tuple["Tree", ...] = ()  # first and last; empty if the arrays in the body give them


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition: `args[0] sign args[1]`, with one of `= != < <= > >=`."""

    sign: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Logic:
    """A condition made of conditions: `and` or `or` of two, or `not` of one."""

    op: str
    args: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Where:
    """One of two cases: `where(condition, value, otherwise)`."""

    condition: "Tree"
    value: "Tree"
    otherwise: "Tree"


@dataclass(frozen=True, slots=True)
class Iverson:
    """An Iverson bracket, `[i = k]`: 1 if the condition holds, and 0 if not."""

    condition: "Tree"


Tree = Num | Name | Array | Op | Call | Reduction | Comparison | Logic | Where | Iverson


def children(tree: Tree) -> tuple[Tree, ...]:
    """Return the expressions directly inside an expression."""
    match tree:
        case Name(_, index):
            return index
        case Op(_, args) | Call(_, args) | Comparison(_, args) | Logic(_, args) | Array(args):
            return args
        case Reduction(_, _, body, bounds):
            return (body, *bounds)
        case Where(condition, value, otherwise):
            return (condition, value, otherwise)
        case Iverson(condition):
            return (condition,)
    return ()


def with_children(tree: Tree, inner: Sequence[Tree]) -> Tree:
    """Return an expression with other expressions in place of those that `children` returns, in the same order."""
    match tree:
        case Name():
            return replace(tree, index=tuple(inner))
        case Op() | Call() | Comparison() | Logic():
            return replace(tree, args=tuple(inner))
        case Array():
            return Array(tuple(inner))
        case Reduction():
            return replace(tree, body=inner[0], bounds=tuple(inner[1:]))
        case Where():
            return Where(*inner)
        case Iverson():
            return Iverson(*inner)
    return tree


def walk(tree: Tree) -> Iterator[Tree]:
    """Yield an expression and every expression inside it."""
    yield tree
    for child in children(tree):
        yield from walk(child)


def names(tree: Tree) -> set[str]:
    """Return the symbols that an expression needs a value for, without the indices that its sums bind."""
    if isinstance(tree, Reduction):
        return (names(tree.body) - {tree.index}).union(*map(names, tree.bounds))
    own = {tree.name} if isinstance(tree, Name) else set()
    return own.union(*(names(child) for child in children(tree)))


def natural_order(symbols: Iterable[str]) -> list[str]:
    """Return symbols in alphabetical order, but numbers in them by their value: w1, w2, w10."""

    def key(name: str) -> list[tuple[int, str]]:
        return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"([0-9]+)", name)]

    return sorted(symbols, key=key)


def index_range(tree: Tree, index: str, values: Values) -> range:
    """Return the values of an index in an expression: 1 to the length of the array dimension that it indexes."""
    return occurrence_range(index_occurrences(tree, index), index, values)


def reduction_indices(tree: Tree) -> Iterator[tuple[str, list[Dimension]]]:
    """Yield the index of each sum, mean and product in an expression, with the dimensions that it indexes.

    An index with bounds of its own is left out.
    """
    for node in walk(tree):
        if isinstance(node, Reduction) and not node.bounds:
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
    raise UndefinedValue(f"nothing tells how far {index} runs: write {index} = 1..n")


def substitute(tree: Tree, values: Mapping[str, Tree]) -> Tree:
    """Replace symbols and elements by expressions.

    Args:
        tree: The expression.
        values: The new expression for each symbol (`z`) or element (`z[2]`). An integer for `#i` is the length over
            which a sum, mean or product with index `i` is written out; one whose bounds become numbers is, too.
    """
    match tree:
        case Name(name, index):
            at = [substitute(position, values) for position in index]
            key = f"{name}[{', '.join(str(p.value) if isinstance(p, Num) else '?' for p in at)}]" if at else name
            return values.get(key, replace(tree, index=tuple(at)))
        case Reduction(_, index, body, bounds):
            bounds = tuple(substitute(bound, values) for bound in bounds)
            last = values.get(f"#{index}")
            ends = bounds or ((integer(1), last) if last else ())
            numbers = [int(end.value) for end in ends if isinstance(end, Num)]
            if len(numbers) == 2 and (last or numbers[1] - numbers[0] < MAX_EXPANDED):
                return _write_out(tree, values, range(numbers[0], numbers[1] + 1))
            inside = {k: v for k, v in values.items() if k != index}
            return replace(tree, body=substitute(body, inside), bounds=bounds)
    return with_children(tree, [substitute(child, values) for child in children(tree)])


def _write_out(tree: Reduction, values: Mapping[str, Tree], indices: range) -> Tree:
    """Write out the terms of a sum, mean or product, or the values of which argmax finds the largest."""
    terms = [substitute(tree.body, {**values, tree.index: integer(k)}) for k in indices]
    if tree.operation == "argmax":
        position = Call("argmax", (Array(tuple(terms)),))
        return position if indices.start == 1 else Op("+", (position, integer(indices.start - 1)))
    if not terms:
        return integer(int(tree.operation == "prod"))
    joined = terms[0]
    for term in terms[1:]:
        joined = Op("*" if tree.operation == "prod" else "+", (joined, term))
    return Op("/", (joined, integer(len(terms)))) if tree.operation == "mean" else joined


def integer(k: int) -> Num:
    """Return an integer as an expression."""
    return Num(Fraction(k), str(k))
