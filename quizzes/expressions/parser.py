"""Text to expression: a tokenizer and a precedence-climbing parser, so that nothing typed is ever evaluated as code.

The grammar is arithmetic as people write it: `+ - * / ^`, parentheses, functions by name, `2p` and `d(f-1)` as products
(with the precedence of `*`, from the left: `1/2x` is `(1/2)*x`), `z[i]` for an element and `sum(j, ...)` over an index.
In the program's own formulas `len(z)`, `min(z)` and `max(z)` take a whole array.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from quizzes.expressions.tree import (
    ARRAYS,
    CONSTANTS,
    FUNCTIONS,
    REDUCTIONS,
    Call,
    Name,
    Num,
    Op,
    Reduction,
    Tree,
    UndefinedValue,
    children,
    evaluate,
    names,
)
from workbench.errors import UserError

# Limits of what is typed: characters, tokens, levels of nesting, digits of a number, and size of an exponent.
LENGTH, TOKENS, DEPTH, DIGITS, EXPONENT = 300, 150, 25, 15, 99

Trees: TypeAlias = list["Tree | Trees"]  # a (nested) list of expressions: a vector, a matrix

# Every sign that is read, apart from ASCII letters and digits. Nothing is normalized: other signs are rejected by name.
SIGNS = {
    **{c: c for c in "+-*/^()[],;|="},
    **{"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "√": "√"},
    **{c: f"^{n}" for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")},
}
GREEK = dict(
    zip(
        "αβγδεζηθκλμνπρστφχψω",
        "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu pi rho sigma tau phi chi psi omega".split(),
        strict=True,
    )
)
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
TOKEN = re.compile(
    rf"\s*(?:(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|(?P<name>[A-Za-z_{''.join(GREEK)}][A-Za-z0-9_{''.join(SUBSCRIPTS)}]*)|(?P<sign>\*\*|.))",
    re.ASCII | re.DOTALL,
)
PRECEDENCE = {"+": 10, "-": 10, "*": 20, "/": 20, "^": 40}
NEGATION = 30  # the precedence of a minus sign before a value
ALIASES = {"sigma": "sigmoid", "sgn": "sign"}
ADVICE = {
    "!": "factorials are not used here",
    "%": "write a decimal number or a fraction instead",
    "'": "leave out the quotation mark",
    '"': "leave out the quotation mark",
    "{": "use parentheses",
    "}": "use parentheses",
    "|": "write abs(x) for an absolute value",
}


class FormatError(UserError):
    """A text can't be read. It is not a wrong answer, and it is not counted.

    Attributes:
        sentence: What the problem is and what to write instead.
        text: The text.
        at: The position of the problem in it, from 0.
    """

    def __init__(self, sentence: str, text: str = "", at: int = 0):
        self.sentence, self.text, self.at = sentence, text, at
        super().__init__(sentence)

    def message_with_caret(self) -> str:
        """Return the sentence, and below it the text with a caret."""
        sentence, caret = f"{self.sentence[:1].upper()}{self.sentence[1:]}.", self.caret()
        return f"{sentence}\n{caret}" if caret else sentence

    def caret(self) -> str:
        """Return the text around the problem with a caret below it; empty if there is no text."""
        printable = "".join(c if c.isprintable() else "?" for c in self.text)
        start = max(0, self.at - 50)
        return f"{printable[start : start + 72]}\n{' ' * (self.at - start)}^" if printable.strip() else ""


def check_length(text: str, limit: int = LENGTH) -> None:
    """Raise `FormatError` if a text has too many characters."""
    if len(text) > limit:
        raise FormatError(f"this has {len(text)} characters; the limit is {limit}")


@dataclass(frozen=True, slots=True)
class Token:
    """A token: its kind (number, name, sign or end), its text and its position."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """Split a text into tokens, the last of kind `end`.

    Raises:
        FormatError: If it has a sign that isn't in `SIGNS`.
    """
    result: list[Token] = []
    end = 0
    while end < len(text) and (match := TOKEN.match(text, end)) and match.lastgroup:
        kind, piece, end = match.lastgroup, match[match.lastgroup], match.end()
        start = match.start(kind)
        if kind == "name":
            piece = "".join(GREEK.get(c) or SUBSCRIPTS.get(c) or c for c in piece)
        elif kind == "sign":
            if piece.isspace() and piece.isascii():
                continue
            if piece != "**" and piece not in SIGNS:
                raise FormatError(_unknown_sign(piece), text, start)
            piece = "^" if piece == "**" else SIGNS[piece]
            if len(piece) > 1:
                result = _with_superscript(result, piece[1:], start)
                continue
        result.append(Token(kind, piece, start))
    return [*result, Token("end", "", len(text))]


def _with_superscript(before: list[Token], digit: str, at: int) -> list[Token]:
    """Add a superscript digit: to the exponent, if the sign before it is a superscript too, or as a new exponent."""
    # The caret has the position of the first superscript, the number that of the last one so far.
    if len(before) > 1 and before[-2].text == "^":
        exponent = before[-1]
        if exponent.at == at - 1 == before[-2].at + len(exponent.text) - 1:
            return [*before[:-1], Token("number", exponent.text + digit, at)]
    return [*before, Token("sign", "^", at), Token("number", digit, at)]


def _unknown_sign(sign: str) -> str:
    if sign in ADVICE:
        return f"can't read {sign!r}: {ADVICE[sign]}"
    name = unicodedata.name(sign, "a character without a name").capitalize()
    return f"can't read {sign!r} ({name}): use plain letters, digits and + - * / ^ ( )"


class Parser:
    """Precedence climbing over the tokens of one text.

    Args:
        text: The text.
        symbols: The names that are symbols; None if every name may be one.
    """

    def __init__(self, text: str, symbols: Collection[str] | None):
        self.text, self.symbols = text, symbols
        self.tokens, self.at, self.depth = tokens(text), 0, 0
        self.bound: list[str] = []

    @property
    def next(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    def error(self, sentence: str, at: int | None = None) -> FormatError:
        """Return an error at a position; None for the next token's."""
        return FormatError(sentence, self.text, self.next.at if at is None else at)

    def accept(self, sign: str) -> bool:
        """Consume the next token if it is a sign; return whether it is."""
        if self.next.kind == "sign" and self.next.text == sign:
            self.at += 1
            return True
        return False

    def expect(self, sign: str, purpose: str) -> None:
        """Consume a sign, or raise an error that names its purpose."""
        if not self.accept(sign):
            raise self.error(f"expected {sign!r} {purpose}")

    def expression(self, precedence: int = 0) -> Tree:
        """Parse operations that bind more strongly than a precedence."""
        self.depth += 1
        if self.depth > DEPTH:
            raise self.too_deep()
        left = self.operand()
        while True:
            token = self.next
            if token.kind == "sign" and token.text in PRECEDENCE:
                op, is_implicit = token.text, False
            elif token.kind in ("number", "name") or (token.kind == "sign" and token.text in "(√"):
                op, is_implicit = "*", True
            else:
                break
            if PRECEDENCE[op] <= precedence:
                break
            if is_implicit:
                if token.kind == "number":
                    raise self.error("a number can't follow here: write an operator before it, or remove the space")
            else:
                self.at += 1
            right = self.expression(PRECEDENCE[op] - (op == "^"))
            if op == "^":
                self.check_exponent(right, token.at)
            left = Op(op, (left, right))
        self.depth -= 1
        return left

    def too_deep(self) -> FormatError:
        """Return the error for too many levels of nesting."""
        return self.error(f"this is nested more than {DEPTH} levels deep: simplify it")

    def check_exponent(self, exponent: Tree, at: int) -> None:
        """Reject a constant exponent that is too large."""
        try:
            if not names(exponent) - CONSTANTS.keys() and abs(evaluate(exponent, {})) > EXPONENT:
                raise self.error(f"exponents must be at most {EXPONENT}", at)
        except UndefinedValue as reason:
            raise self.error(f"can't evaluate this exponent: {reason}", at) from None

    def operand(self) -> Tree:
        """Parse a number, a name, or an expression in parentheses or behind a sign."""
        token = self.next
        if token.kind == "number":
            self.at += 1
            return self.number(token)
        if token.kind == "name":
            self.at += 1
            return self.name(token)
        if self.accept("("):
            inside = self.expression()
            if self.next.text == ",":
                raise self.comma()
            self.expect(")", "to close the parenthesis")
            return inside
        if self.accept("-"):
            return Op("neg", (self.expression(NEGATION),))
        if self.accept("+"):
            return self.expression(NEGATION)
        if self.accept("√"):
            return Call("sqrt", (self.expression(PRECEDENCE["^"]),))
        if token.kind == "end":
            raise self.error(
                "something is missing at the end" if self.tokens[:-1] else "this is empty: enter an answer"
            )
        advice = ADVICE.get(token.text)
        raise self.error(
            f"can't read {token.text!r}: {advice}" if advice else f"a number is missing before {token.text!r}"
        )

    def number(self, token: Token) -> Num:
        """Return the number of a token."""
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(mantissa.replace(".", "").lstrip("0")) > DIGITS:
            raise self.error(f"numbers may have at most {DIGITS} digits", token.at)
        if abs(int(exponent or 0)) > EXPONENT if len(exponent) < 6 else True:
            raise self.error(f"exponents must be at most {EXPONENT}", token.at)
        return Num(Fraction(token.text), token.text)

    def name(self, token: Token) -> Tree:
        """Parse what begins with a name: a symbol, an element, a function, a constant, or a product of symbols."""
        name = token.text
        if self.is_symbol(name):
            return Name(name, self.index() if self.next.text == "[" else ())
        function = ALIASES.get(name, name)
        is_function = function in FUNCTIONS or function in REDUCTIONS or self.takes_array(function)
        if self.next.text == "(" and is_function:
            self.at += 1
            return self.reduction(function) if function in REDUCTIONS else self.call(function, token.at)
        if name in CONSTANTS:
            return Name(name)
        if name == "log":
            raise self.error("log is ambiguous: write ln, log2 or log10", token.at)
        if name in FUNCTIONS:
            raise self.error(f"write the argument of {name} in parentheses: {name}(...)")
        return self.product(token)

    def is_symbol(self, name: str) -> bool:
        """Return whether a name is a symbol, or the index of a sum around it."""
        if self.symbols is None:
            return not (name in CONSTANTS or name in FUNCTIONS or name in REDUCTIONS or name in ARRAYS)
        return name in self.symbols or name in self.bound

    def takes_array(self, name: str) -> bool:
        """Return whether a function may take a whole array: the program's formulas have arrays, answers don't."""
        return self.symbols is None and name in ARRAYS

    def product(self, token: Token) -> Tree:
        """Read `wx` as a product if `w` and `x` are symbols here."""
        letters = list(token.text)
        if len(letters) > DEPTH or not all(self.is_symbol(c) for c in letters):
            advice = f"the symbols are {', '.join(sorted(self.symbols))}" if self.symbols else "enter a number"
            raise self.error(f"unknown name {token.text[:40]!r}: {advice}", token.at)
        product: Tree = Name(letters[0])
        for letter in letters[1:]:
            product = Op("*", (product, Name(letter)))
        return product

    def call(self, function: str, at: int) -> Tree:
        """Parse the arguments of a function."""
        least, most = FUNCTIONS[function][:2] if function in FUNCTIONS else (1, 1)
        args = [self.expression()]
        while self.accept(","):
            args.append(self.expression())
        self.expect(")", f"to close {function}")
        if not least <= len(args) <= most and not (len(args) == 1 and self.takes_array(function)):
            count = "one argument" if most == 1 else f"{least} to {most} arguments"
            raise self.error(f"{function} takes {count}", at)
        return Call(function, tuple(args))

    def reduction(self, name: str) -> Tree:
        """Parse the index and the body of a sum, mean or product."""
        index = self.next.text
        if self.next.kind != "name":
            raise self.error(f"{name} begins with its index: {name}(i, ...)")
        self.at += 1
        self.expect(",", f"after the index of {name}")
        self.bound.append(index)
        body = self.expression()
        self.bound.pop()
        self.expect(")", f"to close {name}")
        return Reduction(name, index, body)

    def index(self) -> tuple[Tree, ...]:
        """Parse the indices of an element."""
        self.at += 1
        items = [self.expression()]
        while self.accept(","):
            items.append(self.expression())
        self.expect("]", "after the index")
        return tuple(items)

    def comma(self) -> FormatError:
        """Return the error for a comma where one value is expected: it may separate decimals or thousands."""
        before, after = self.tokens[self.at - 1], self.tokens[self.at + 1]
        if before.kind == after.kind == "number" and "." in before.text + after.text:
            return self.error("write the number with a decimal point, without commas")
        if before.kind == after.kind == "number":
            point, joined = f"{before.text}.{after.text}", f"{before.text}{after.text}"
            if len(after.text) != 3 or before.text == "0":
                return self.error(f"does {before.text},{after.text} mean {point}? Use a decimal point")
            return self.error(f"does {before.text},{after.text} mean {point} or {joined}? Write one of the two")
        return self.error("enter one value here, without a comma")

    def end(self) -> None:
        """Check that no token is left."""
        token = self.next
        if token.kind == "end":
            return
        if token.text == ",":
            raise self.comma()
        if token.text == "=":
            raise self.error("write the value alone, without an equals sign")
        if token.text in ADVICE:
            raise self.error(f"can't read {token.text!r}: {ADVICE[token.text]}")
        raise self.error(f"unexpected {token.text!r}")


@lru_cache(maxsize=4096)
def parse(text: str, symbols: tuple[str, ...] | None = None) -> Tree:
    """Parse an expression of the program's own, such as a formula's; without `symbols`, every name may be a symbol."""
    parser = Parser(text, symbols)
    tree = parser.expression()
    parser.end()
    return tree


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
    if isinstance(tree, Name):
        return tree.name in CONSTANTS
    inner = [child for child in children(tree) if _find_constants(child, text, constants)]
    if len(inner) == len(children(tree)):
        return True
    constants += inner
    return False


def write(tree: Tree, precedence: int = 0) -> str:
    """Write an expression as one line that `parse` reads as the same expression.

    Args:
        tree: The expression.
        precedence: The precedence of the operation around it; a weaker one gets parentheses.
    """
    match tree:
        case Num(_, text):
            return text
        case Name(name, index):
            return name + (f"[{', '.join(write(i) for i in index)}]" if index else "")
        case Call(function, args):
            return f"{function}({', '.join(write(a) for a in args)})"
        case Reduction(operation, index, body):
            return f"{operation}({index}, {write(body)})"
        case Op("neg", (a,)):
            line, own = f"-{write(a, NEGATION)}", NEGATION
        case Op(op, (a, b)):
            own = PRECEDENCE[op]
            is_power = op == "^"  # binds from the right, and is written without spaces
            left, right = write(a, own + is_power), write(b, own + (not is_power))
            line = f"{left}{op}{right}" if is_power else f"{left} {op} {right}"
    return f"({line})" if own < precedence else line
