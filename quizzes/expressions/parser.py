"""Text to expression: a precedence-climbing parser over tokens, so that nothing typed is ever evaluated as code.

The grammar is arithmetic as people write it: `+ - * / ^`, parentheses, functions by name, `2p` and `d(f-1)` as products
(with the precedence of `*`, from the left: `1/2x` is `(1/2)*x`), `z[i]` for an element and `sum(j, ...)` over an index.

- Cases: `where(x > 0, x, a*x)`; a condition compares by `= != < <= > >=` (also in a chain, `0 <= x < 1`), and joins
  conditions by `and`, `or` and `not`. Only the case that holds is evaluated. An Iverson bracket, `[i = k]`, is 1 if its
  condition holds and 0 if not.
- Indices count from 1. An index runs over the arrays that it indexes, or as far as it says: `sum(k = 1..n, r^k)`, and
  in an equation `J[i, k] = [i = k] for i = 1..n, k = 1..n`.
- Arrays: `W @ x` is the product of matrices and vectors; `+` and `-` take two arrays of one shape, `*` and `/` an array
  and a number. `len(z)`, `min(z)`, `max(z)` and `argmax(z)` take a whole array. `argmax` is the position of the largest
  value, counted from 1, of the first one if several are equal; `argmax(k, w[k]*x[k])` is that over an index, and
  `argmax(k = 0..9, s[k + 1])` counts from 0. Arrays, elements and sums occur in formulas alone, not in answers.
"""

from collections.abc import Collection, Iterator
from functools import lru_cache
from typing import TypeAlias

from quizzes.expressions.nodes import Name, Op, Reduction, Tree, children
from quizzes.expressions.syntax import ALIASES, COMPARISONS, DEPTH, RESERVED, Bounds, Parser
from quizzes.expressions.tokens import LENGTH, FormatError, Token, check_length, tokens
from quizzes.expressions.tree import CONSTANTS, UndefinedValue, evaluate
from quizzes.expressions.writing import write

__all__ = [
    "ALIASES",
    "LENGTH",
    "RESERVED",
    "FormatError",
    "Trees",
    "check_length",
    "comparison_outside",
    "parse",
    "parse_with_ranges",
    "read",
    "read_condition",
    "read_list",
    "split_equation",
    "tokens",
    "write",
]

TOKENS = 150  # numbers and signs of a text that a user types

Trees: TypeAlias = list["Tree | Trees"]  # a (nested) list of expressions: a vector, a matrix


@lru_cache(maxsize=4096)
def parse(text: str, symbols: tuple[str, ...] | None = None) -> Tree:
    """Parse an expression of the program's own, such as a formula's; without `symbols`, every name may be a symbol."""
    parser = Parser(text, symbols)
    tree = parser.expression()
    parser.end()
    return tree


def parse_with_ranges(text: str) -> tuple[Tree, dict[str, Bounds]]:
    """Parse the right-hand side of an equation, and how far its indices run: `[i = k] for i = 1..n, k = 1..n`."""
    parser = Parser(text, None)
    parser.keywords = ("for",)
    tree = parser.expression()
    ranges = parser.ranges()
    parser.end()
    return tree, ranges


def split_equation(text: str) -> tuple[str, str] | None:
    """Return the two sides of an equation; None if there is no equals sign outside of parentheses and brackets."""
    for token in _outer_tokens(text):
        if token.text == "=":
            return text[: token.at], text[token.at :].lstrip("=")
    return None


def comparison_outside(text: str) -> bool:
    """Return whether a text has a sign such as `<` outside of parentheses and brackets: it is an inequality."""
    try:
        return any(token.text in COMPARISONS and token.text != "=" for token in _outer_tokens(text))
    except FormatError:
        return "<" in text


def _outer_tokens(text: str) -> Iterator[Token]:
    depth = 0
    for token in tokens(text):
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 0:
            yield token


def read(text: str, symbols: Collection[str] = ()) -> Tree:
    """Read an expression that a user typed, within all limits.

    Args:
        text: The text.
        symbols: The symbols that it may use; none for a number.

    Raises:
        FormatError: If it can't be read, with the position.
    """
    parser = _limited_parser(text, symbols)
    tree = parser.expression()
    parser.end()
    _check_constants(tree, text)
    return tree


def read_condition(text: str, symbols: Collection[str] = ()) -> Tree:
    """Read a condition that a user typed, such as `n > f and p <= 2`, within the limits of `read`.

    Raises:
        FormatError: If it can't be read, with the position.
    """
    parser = _limited_parser(text, symbols)
    tree = parser.condition()
    parser.end()
    _check_constants(tree, text)
    return tree


def read_list(text: str) -> Trees:
    """Read a list of numbers, or of such lists: `[1, 2]`, `1, 2`, `(1, 2)`, `[[1, 2], [3, 4]]`, `1, 2; 3, 4`.

    Raises:
        FormatError: If it can't be read, with the position.
    """
    parser = _limited_parser(text, ())
    rows = [_items(parser)]
    while parser.accept(";"):
        rows.append(_items(parser))
    parser.end()
    if len(rows) > 1:
        return [*rows]
    first = rows[0][0]
    return first if len(rows[0]) == 1 and isinstance(first, list) else rows[0]


def _items(parser: Parser) -> Trees:
    items = [_item(parser)]
    while parser.accept(","):
        items.append(_item(parser))
    return items


def _item(parser: Parser) -> Tree | Trees:
    if parser.next.text == "[" or (parser.next.text == "(" and _is_list(parser)):
        closing = {"[": "]", "(": ")"}[parser.next.text]
        parser.depth += 1
        if parser.depth > DEPTH:
            raise parser.too_deep()
        parser.at += 1
        items = _items(parser)
        while parser.accept(";"):
            items = [items] if not isinstance(items[0], list) else items
            items.append(_items(parser))
        parser.expect(closing, "to close the list")
        parser.depth -= 1
        return items
    tree = parser.expression()
    _check_constants(tree, parser.text)
    return tree


def _is_list(parser: Parser) -> bool:
    """Return whether the parenthesis that opens here contains a comma of its own: a list, not a grouping."""
    depth = 0
    for token in parser.tokens[parser.at :]:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 1 and token.text == ",":
            return True
        if depth == 0:
            return False
    return False


def _limited_parser(text: str, symbols: Collection[str]) -> Parser:
    check_length(text)
    parser = Parser(text, symbols)
    if len(parser.tokens) - 1 > TOKENS:
        raise parser.error(f"this has more than {TOKENS} numbers and signs: shorten it", parser.tokens[TOKENS].at)
    return parser


def _check_constants(tree: Tree, text: str) -> None:
    """Reject a value beyond bounds anywhere: evaluate every part of an expression that has no symbol."""
    constants: list[Tree] = []
    if _find_constants(tree, text, constants):
        constants = [tree]
    try:
        for constant in constants:
            evaluate(constant, {})
    except UndefinedValue as reason:
        raise FormatError(f"can't evaluate this: {reason}", text, 0) from None


def _find_constants(tree: Tree, text: str, constants: list[Tree]) -> bool:
    """Return whether an expression has no symbol; if it has one, add its largest parts that have none to a list."""
    if isinstance(tree, Reduction) or (isinstance(tree, Name) and tree.index):
        raise FormatError("sums and indices can't be used here: write out every term", text, 0)
    if isinstance(tree, Op) and tree.op == "@":
        raise FormatError("@ multiplies arrays, which can't be used here: write * for a product", text, text.find("@"))
    if isinstance(tree, Name):
        return tree.name in CONSTANTS
    inner = [child for child in children(tree) if _find_constants(child, text, constants)]
    if len(inner) == len(children(tree)):
        return True
    constants += inner
    return False
