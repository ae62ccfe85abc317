"""Text to expression: a tokeniser and a precedence-climbing parser of our own, so that nothing typed is ever evaluated.

The grammar is arithmetic as people write it: `+ - * / ^`, brackets, functions by name, `2p` and `d(f-1)` as products
(of the strength of `*`, from the left: `1/2x` is `(1/2)*x`), `z[i]` for an element and `sum(j, ...)` over an index. In
formulas of our own `len(z)`, `min(z)` and `max(z)` take a whole array.
"""

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

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

LENGTH, TOKENS, DEPTH, DIGITS, EXPONENT = 300, 150, 25, 15, 99

# Every sign that is read, beside ASCII letters and digits. Nothing is normalised: what is not here is refused by name.
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
STRENGTH = {"+": 10, "-": 10, "*": 20, "/": 20, "^": 40}
NEGATION = 30
ALIASES = {"sigma": "sigmoid", "sgn": "sign"}
ADVICE = {
    "!": "factorials are not used here",
    "%": "write a share of one, as a decimal number or a fraction",
    "'": "leave the quotation mark out",
    '"': "leave the quotation mark out",
    "{": "use round brackets",
    "}": "use round brackets",
    "|": "write abs(x) for an absolute value",
}


class FormatError(UserError):
    """A text that can't be read: no wrong answer, and it costs nothing.

    Attributes:
        sentence: What is the matter and what to write instead.
        text: What was typed.
        at: The place in it, from 0.
    """

    def __init__(self, sentence: str, text: str = "", at: int = 0):
        self.sentence, self.text, self.at = sentence, text, at
        super().__init__(sentence)

    def message_with_caret(self) -> str:
        """The sentence, and below it the text with its caret."""
        sentence, caret = f"{self.sentence[:1].upper()}{self.sentence[1:]}.", self.caret()
        return f"{sentence}\n{caret}" if caret else sentence

    def caret(self) -> str:
        """The text with a caret under the place, cut to a line around it; empty where there is nothing to show."""
        shown = "".join(c if c.isprintable() else "?" for c in self.text)
        start = max(0, self.at - 50)
        return f"{shown[start : start + 72]}\n{' ' * (self.at - start)}^" if shown.strip() else ""


@dataclass(frozen=True, slots=True)
class Token:
    kind: str  # number, name, sign, end
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """Split a text, refusing every sign that isn't in the table."""
    found: list[Token] = []
    at = 0
    while at < len(text) and (match := TOKEN.match(text, at)) and match.lastgroup:
        kind, piece, at = match.lastgroup, match[match.lastgroup], match.end()
        place = match.start(kind)
        if kind == "name":
            piece = "".join(GREEK.get(c) or SUBSCRIPTS.get(c) or c for c in piece)
        elif kind == "sign":
            if piece.isspace() and piece.isascii():
                continue
            if piece != "**" and piece not in SIGNS:
                raise FormatError(_refused(piece), text, place)
            piece = "^" if piece == "**" else SIGNS[piece]
            if len(piece) > 1:  # a superscript: a caret and its digit, joined to a superscript before it
                found, piece, kind = _raised(found, piece[1:], place)
        found.append(Token(kind, piece, place))
    return [*found, Token("end", "", len(text))]


def _raised(found: list[Token], digit: str, at: int) -> tuple[list[Token], str, str]:
    # A superscript's caret stands where its first digit does; its number, where the last one so far does.
    if len(found) > 1 and found[-2].text == "^" and found[-1].at == at - 1 == found[-2].at + len(found[-1].text) - 1:
        return found[:-1], found[-1].text + digit, "number"
    return [*found, Token("sign", "^", at)], digit, "number"


def _refused(sign: str) -> str:
    if sign in ADVICE:
        return f"I don't read {sign!r}: {ADVICE[sign]}"
    shown = f"{sign!r} ({unicodedata.name(sign, 'a character without a name').capitalize()})"
    return f"I don't read {shown}: use plain letters, digits and + - * / ^ ( )"


class Parser:
    """Precedence climbing over the tokens of one text."""

    def __init__(self, text: str, symbols: Collection[str] | None):
        self.text, self.symbols = text, symbols
        self.tokens, self.at, self.depth = tokens(text), 0, 0
        self.bound: list[str] = []

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def fail(self, sentence: str, at: int | None = None) -> FormatError:
        return FormatError(sentence, self.text, self.next.at if at is None else at)

    def take(self, sign: str) -> bool:
        if self.next.kind == "sign" and self.next.text == sign:
            self.at += 1
            return True
        return False

    def need(self, sign: str, why: str) -> None:
        if not self.take(sign):
            raise self.fail(f"I expected {sign!r} {why}")

    def expression(self, floor: int = 0) -> Tree:
        self.depth += 1
        if self.depth > DEPTH:
            raise self.fail(f"this is nested more than {DEPTH} deep: write it flatter")
        left = self.operand()
        while True:
            token = self.next
            if token.kind == "sign" and token.text in STRENGTH:
                op, implicit = token.text, False
            elif token.kind in ("number", "name") or (token.kind == "sign" and token.text in "(√"):
                op, implicit = "*", True
            else:
                break
            if STRENGTH[op] <= floor:
                break
            if implicit:
                if token.kind == "number":
                    raise self.fail("a number can't follow directly: put an operation between, or close the gap")
            else:
                self.at += 1
            right = self.expression(STRENGTH[op] - (op == "^"))
            if op == "^":
                self.check_exponent(right, token.at)
            left = Op(op, (left, right))
        self.depth -= 1
        return left

    def check_exponent(self, exponent: Tree, at: int) -> None:
        try:
            if not names(exponent) - CONSTANTS.keys() and abs(evaluate(exponent, {})) > EXPONENT:
                raise self.fail(f"exponents up to {EXPONENT} are read", at)
        except UndefinedValue as reason:
            raise self.fail(f"I can't use this exponent: {reason}", at) from None

    def operand(self) -> Tree:
        token = self.next
        if token.kind == "number":
            self.at += 1
            return self.number(token)
        if token.kind == "name":
            self.at += 1
            return self.name(token)
        if self.take("("):
            inside = self.expression()
            if self.next.text == ",":
                raise self.comma()
            self.need(")", "to close the bracket")
            return inside
        if self.take("-"):
            return Op("neg", (self.expression(NEGATION),))
        if self.take("+"):
            return self.expression(NEGATION)
        if self.take("√"):
            return Call("sqrt", (self.expression(STRENGTH["^"]),))
        if token.kind == "end":
            raise self.fail("something is missing at the end" if self.tokens[:-1] else "there is no answer here yet")
        advice = ADVICE.get(token.text)
        raise self.fail(
            f"I don't read {token.text!r}: {advice}" if advice else f"a number is missing before {token.text!r}"
        )

    def number(self, token: Token) -> Num:
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(mantissa.replace(".", "").lstrip("0")) > DIGITS:
            raise self.fail(f"numbers of up to {DIGITS} digits are read", token.at)
        if abs(int(exponent or 0)) > EXPONENT if len(exponent) < 6 else True:
            raise self.fail(f"exponents up to {EXPONENT} are read", token.at)
        return Num(Fraction(token.text), token.text)

    def name(self, token: Token) -> Tree:
        name = token.text
        if self.known(name):
            return Name(name, self.index() if self.next.text == "[" else ())
        function = ALIASES.get(name, name)
        if self.next.text == "(" and (function in FUNCTIONS or function in REDUCTIONS or self.takes_array(function)):
            self.at += 1
            return self.fold(function) if function in REDUCTIONS else self.call(function, token.at)
        if name in CONSTANTS:
            return Name(name)
        if name == "log":
            raise self.fail("log is read differently by different people: write ln, log2 or log10", token.at)
        if name in FUNCTIONS:
            raise self.fail(f"write the argument of {name} in brackets: {name}(...)")
        return self.split(token)

    def known(self, name: str) -> bool:
        if self.symbols is None:
            return not (name in CONSTANTS or name in FUNCTIONS or name in REDUCTIONS or name in ARRAYS)
        return name in self.symbols or name in self.bound

    def takes_array(self, name: str) -> bool:
        """Whether a function may be of a whole array: there are arrays in our own formulas, and in no answer."""
        return self.symbols is None and name in ARRAYS

    def split(self, token: Token) -> Tree:
        """Read `wx` as a product where `w` and `x` are symbols here."""
        letters = list(token.text)
        if len(letters) > DEPTH or not all(self.known(c) for c in letters):
            if not self.symbols:
                raise self.fail(f"I don't know {token.text[:40]!r} here: a number is wanted", token.at)
            have = ", ".join(sorted(self.symbols))
            raise self.fail(f"I don't know {token.text[:40]!r}: the symbols here are {have}", token.at)
        product: Tree = Name(letters[0])
        for letter in letters[1:]:
            product = Op("*", (product, Name(letter)))
        return product

    def call(self, function: str, at: int) -> Tree:
        least, most = FUNCTIONS[function][:2] if function in FUNCTIONS else (1, 1)
        args = [self.expression()]
        while self.take(","):
            args.append(self.expression())
        self.need(")", f"to close {function}")
        if not least <= len(args) <= most and not (len(args) == 1 and self.takes_array(function)):
            wanted = "one value" if most == 1 else f"{least} or more values"
            raise self.fail(f"{function} takes {wanted} in its brackets", at)
        return Call(function, tuple(args))

    def fold(self, name: str) -> Tree:
        index = self.next.text
        if self.next.kind != "name":
            raise self.fail(f"{name} starts with the name of its index: {name}(i, ...)")
        self.at += 1
        self.need(",", f"after the index of {name}")
        self.bound.append(index)
        body = self.expression()
        self.bound.pop()
        self.need(")", f"to close {name}")
        return Reduction(name, index, body)

    def index(self) -> tuple[Tree, ...]:
        self.at += 1
        items = [self.expression()]
        while self.take(","):
            items.append(self.expression())
        self.need("]", "after the index")
        return tuple(items)

    def comma(self) -> FormatError:
        before, after = self.tokens[self.at - 1], self.tokens[self.at + 1]
        if before.kind == after.kind == "number" and "." in before.text + after.text:
            return self.fail("write the number with a point and without a comma")
        if before.kind == after.kind == "number":
            point, joined = f"{before.text}.{after.text}", f"{before.text}{after.text}"
            if len(after.text) != 3 or before.text == "0":
                return self.fail(f"is {before.text},{after.text} meant as {point}? Write it with a point")
            return self.fail(f"is {before.text},{after.text} meant as {point} or as {joined}? Write one of the two")
        return self.fail("one value is wanted here, without a comma")

    def end(self) -> None:
        token = self.next
        if token.kind == "end":
            return
        if token.text == ",":
            raise self.comma()
        if token.text == "=":
            raise self.fail("write the value alone, without an equals sign")
        if token.text in ADVICE:
            raise self.fail(f"I don't read {token.text!r}: {ADVICE[token.text]}")
        raise self.fail(f"I don't know what to do with {token.text!r} here")


@lru_cache(maxsize=4096)
def parse(text: str, symbols: tuple[str, ...] | None = None) -> Tree:
    """Read an expression of our own, such as a formula's: every name may be a symbol, unless `symbols` says which."""
    parser = Parser(text, symbols)
    tree = parser.expression()
    parser.end()
    return tree


def read(text: str, symbols: Collection[str] = ()) -> Tree:
    """Read what a person typed, within every cap.

    Args:
        text: The answer.
        symbols: The symbols it may use; none where a number is wanted.

    Raises:
        FormatError: Where it can't be read, with the place.
    """
    parser = _capped(text, symbols)
    tree = parser.expression()
    parser.end()
    _bounded(tree, text)
    return tree


def read_list(text: str) -> list:
    """Read a list of numbers, or of such lists: `[1, 2]`, `1, 2`, `(1, 2)`, `[[1, 2], [3, 4]]`, `1, 2; 3, 4`."""
    parser = _capped(text, ())
    rows = [_items(parser)]
    while parser.take(";"):
        rows.append(_items(parser))
    parser.end()
    if len(rows) > 1:
        return rows
    alone = rows[0]
    return alone[0] if len(alone) == 1 and isinstance(alone[0], list) else alone


def _items(parser: Parser) -> list:
    items = [_item(parser)]
    while parser.take(","):
        items.append(_item(parser))
    return items


def _item(parser: Parser):
    if parser.next.text == "[" or (parser.next.text == "(" and _closes_a_list(parser)):
        closing = {"[": "]", "(": ")"}[parser.next.text]
        parser.depth += 1
        if parser.depth > DEPTH:
            raise parser.fail(f"this is nested more than {DEPTH} deep: write it flatter")
        parser.at += 1
        items = _items(parser)
        while parser.take(";"):
            items = [items] if not isinstance(items[0], list) else items
            items.append(_items(parser))
        parser.need(closing, "to close the list")
        parser.depth -= 1
        return items
    tree = parser.expression()
    _bounded(tree, parser.text)
    return tree


def _closes_a_list(parser: Parser) -> bool:
    """Whether the round bracket that opens here holds a comma of its own: a list, and no mere grouping."""
    depth = 0
    for token in parser.tokens[parser.at :]:
        depth += (token.text in ("(", "[")) - (token.text in (")", "]"))
        if depth == 1 and token.text == ",":
            return True
        if depth == 0:
            return False
    return False


def _capped(text: str, symbols: Collection[str]) -> Parser:
    if len(text) > LENGTH:
        raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
    parser = Parser(text, symbols)
    if len(parser.tokens) - 1 > TOKENS:
        raise parser.fail(f"this has more than {TOKENS} numbers and signs: write it shorter", parser.tokens[TOKENS].at)
    return parser


def _bounded(tree: Tree, text: str) -> None:
    """Refuse a value without bounds wherever it hides: every part that is a number alone is worked out."""
    numbers: list[Tree] = []
    if _constant(tree, text, numbers):
        numbers = [tree]
    try:
        for number in numbers:
            evaluate(number, {})
    except UndefinedValue as reason:
        raise FormatError(f"I can't use this: {reason}", text, 0) from None


def _constant(tree: Tree, text: str, found: list[Tree]) -> bool:
    """Whether an expression is a number alone; where it isn't, the largest parts of it that are go to `found`."""
    if isinstance(tree, Reduction) or (isinstance(tree, Name) and tree.index):
        raise FormatError("there is nothing to sum or to index here: write every term out", text, 0)
    if isinstance(tree, Name):
        return tree.name in CONSTANTS
    alone = [part for part in children(tree) if _constant(part, text, found)]
    if len(alone) == len(children(tree)):
        return True
    found += alone
    return False


def write(tree: Tree, floor: int = 0) -> str:
    """An expression as one line that reads back as the same expression."""
    match tree:
        case Num(_, text):
            return text
        case Name(name, index):
            return name + (f"[{', '.join(write(i) for i in index)}]" if index else "")
        case Call(function, args):
            return f"{function}({', '.join(write(a) for a in args)})"
        case Reduction(fold, index, body):
            return f"{fold}({index}, {write(body)})"
        case Op("neg", (a,)):
            line, strength = f"-{write(a, NEGATION)}", NEGATION
        case Op(op, (a, b)):
            strength = STRENGTH[op]
            tight = op == "^"
            left, right = write(a, strength + tight), write(b, strength + (not tight))
            line = f"{left}{op}{right}" if tight else f"{left} {op} {right}"
    return f"({line})" if strength < floor else line
