"""Text to tokens, and the error for a text that can't be read."""

import re
import unicodedata
from dataclasses import dataclass

from workbench.errors import UserError

LENGTH = 300  # characters of a text that a user types

# Every sign that is read, apart from ASCII letters and digits. Nothing is normalized: other signs are rejected by name.
SIGNS = {
    **{c: c for c in "+-*/^@()[],;|=<>"},
    **{c: c for c in ("<=", ">=", "!=", "..")},
    **{"**": "^", "==": "=", "≤": "<=", "≥": ">=", "≠": "!="},
    **{"×": "*", "·": "*", "⋅": "*", "÷": "/", "−": "-", "√": "√"},
}
SUPERSCRIPTS = {c: str(n) for n, c in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
GREEK = dict(
    zip(
        "αβγδεζηθκλμνπρστφχψω",
        "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu pi rho sigma tau phi chi psi omega".split(),
        strict=True,
    )
)
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.(?!\.)\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    rf"|(?P<name>[A-Za-z_{''.join(GREEK)}][A-Za-z0-9_{''.join(SUBSCRIPTS)}]*)|(?P<sign>\*\*|[<>!=]=|\.\.|.))",
    re.ASCII | re.DOTALL,
)
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
            if piece in SUPERSCRIPTS:
                result = _with_superscript(result, SUPERSCRIPTS[piece], start)
                continue
            if piece not in SIGNS:
                raise FormatError(_unknown_sign(piece), text, start)
            piece = SIGNS[piece]
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


class TokenReader:
    """The tokens of a text, one after the other."""

    def __init__(self, text: str):
        self.text, self.tokens, self.at = text, tokens(text), 0

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
