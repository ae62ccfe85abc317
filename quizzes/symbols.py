"""The symbols of a formula: one class for each kind of value.

    Formula(
        "conv-out-size",
        "o = floor((n + 2p - f)/s) + 1",
        n=Int(1, 512, "input size", unit="px"),
        p=Int(0, meaning="padding per side", unit="px", default=0),
        ...
    )

A symbol has a meaning and a domain, and it reads a value that a user typed. Its name is that of the keyword.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar, Self

from quizzes.answers import KINDS
from quizzes.answers.forms import form_problem
from quizzes.answers.notation import list_notation, number_notation
from quizzes.expressions.graph import build_graph
from quizzes.expressions.parser import FormatError, Trees, read, read_list
from quizzes.expressions.tree import Value, evaluate, exact
from quizzes.layers import read_layers
from quizzes.question import Part
from workbench.errors import UserError, unknown_name

SUM_TOLERANCE = 0.005  # probabilities are often rounded


@dataclass(frozen=True)
class Symbol:
    """A symbol of a formula.

    Attributes:
        kind: The kind of its values.
        answer_kind: The kind of answer that asks for it.
        in_words: What its values are, in words.
        depth: The levels of lists in a value.
        low, high: The interval of its values (of its elements); None for no limit.
        meaning: What it stands for.
        unit: Its unit; empty for a pure number.
        default: Its value if the user gives none; None for no default.
        optional: Whether it may be left out although it has no default.
        words: The texts that a `Word` may be.
        length_of: The array whose number of values or rows it is; it needs no value then, and may have no other.
        classes_of: For one-hot rows, the array whose columns are the classes: numbers from 0 may take the rows' place.
        notation: How it is printed where its name doesn't say it, such as `σ²` for `s2`.
        name: Its name in the equations, which the formula sets.
    """

    kind: ClassVar[str]
    answer_kind: ClassVar[str]
    in_words: ClassVar[str]
    depth: ClassVar[int] = 0

    low: float | None = None
    high: float | None = None
    meaning: str = ""
    _: KW_ONLY
    unit: str = ""
    default: Value = None
    optional: bool = False
    words: tuple[str, ...] = ()
    length_of: str = ""
    classes_of: str = ""
    notation: str = ""
    name: str = ""

    def named(self, name: str) -> Self:
        """Return the symbol with its name, and with an exact default."""
        return replace(self, name=name, default=None if self.default is None else self.exact(self.default))

    @property
    def is_required(self) -> bool:
        """Return whether the user must give a value."""
        return self.default is None and not self.optional

    def exact(self, value: Value) -> Value:
        """Return a value with exact numbers."""
        return exact(value)

    def check(self, value: Value) -> Value:
        """Return a value if the symbol may have it.

        Raises:
            UserError: If the value is of another kind or outside the domain.
        """
        if not self._is_element(value):
            raise UserError(f"{self.name} ({self.meaning}) must be {self.describe_domain()}.")
        return value

    def _is_element(self, value: Value) -> bool:
        return not isinstance(value, list | str) and self.is_in_domain(value)

    def is_in_domain(self, value: Value) -> bool:
        """Return whether a number is within the limits."""
        return bool((self.low is None or value >= self.low) and (self.high is None or value <= self.high))

    def describe_domain(self) -> str:
        """Describe the values that it may have, such as "an integer from 1 to 9"."""
        interval = "" if self.low is None else f" from {self.low:g}"
        if self.high is not None:
            interval += f"{' up' if self.low is None else ''} to {self.high:g}"
        elif self.low is not None:
            interval += " up"
        others = ", or class numbers from 0" if self.classes_of else ""
        others += f"; by default the length of {self.length_of}" if self.length_of else ""
        return self.in_words + interval + others

    def read(self, text: str) -> Value:
        """Read a value that a user typed; `check` tells whether the symbol may have it.

        Raises:
            FormatError: If it can't be read.
        """
        part = Part(self.name, self.answer_kind, f"{self.meaning} ({self.unit})" if self.unit else self.meaning, None)
        return evaluate(read(number_notation(text, part, self.kind == "int")), {})


class Int(Symbol):
    """An integer."""

    kind, answer_kind, in_words = "int", "integer", "an integer"

    def _is_element(self, value: Value) -> bool:
        return super()._is_element(value) and value == int(value)


class Real(Symbol):
    """A number."""

    kind, answer_kind, in_words = "real", "decimal", "a number"


class Rational(Symbol):
    """A number that is answered by an exact fraction."""

    kind, answer_kind, in_words = "fraction", "fraction", "a fraction"


class Array(Symbol):
    """A list of numbers, or of rows of numbers."""

    example: ClassVar[str]

    def check(self, value: Value) -> Value:
        elements = [value]
        for _ in range(self.depth):
            if not all(isinstance(element, list) and element for element in elements):
                raise UserError(f"{self.name} ({self.meaning}) is a {self.kind}: write it as {self.example}.")
            elements = [element for row in elements for element in row]
        if self.depth == 2 and len({len(row) for row in value}) > 1:
            raise UserError(
                f"{self.name} ({self.meaning}) has rows of different lengths: give every row the same number of values."
            )
        for element in elements:
            super().check(element)
        return value

    def read(self, text: str) -> Value:
        return _evaluate_list(read_list(list_notation(text, self.depth)))


class Vector(Array):
    """A list of numbers."""

    kind, answer_kind, in_words, depth, example = "vector", "vector", "a vector of numbers", 1, "[1, 2]"


class Matrix(Array):
    """A list of rows of numbers."""

    kind, answer_kind, in_words, depth, example = "matrix", "matrix", "a matrix of numbers", 2, "[[1, 2], [3, 4]]"


class Distribution(Vector):
    """Probabilities that sum to 1, up to their rounding; a one-hot vector is one."""

    def check(self, value: Value) -> Value:
        _check_sum(self, super().check(value), "")
        return value


class Distributions(Matrix):
    """A list of rows of probabilities, each of which sums to 1, up to their rounding."""

    def check(self, value: Value) -> Value:
        for number, row in enumerate(super().check(value), 1):
            _check_sum(self, row, f"row {number} of ")
        return value


def _check_sum(symbol: Symbol, values: Value, row: str) -> None:
    total = float(sum(values))
    if abs(total - 1) > SUM_TOLERANCE:
        raise UserError(f"{row}{symbol.name} ({symbol.meaning}) must sum to 1, and it sums to {total:.6g}.")


class Box(Vector):
    """The corners x1, y1, x2, y2 of a box, of which the first is top left."""

    def check(self, value: Value) -> Value:
        if len(super().check(value)) != 4:
            raise UserError(f"{self.name} has {len(value)} values, and a box has 4.")
        x1, y1, x2, y2 = value
        if x1 >= x2 or y1 >= y2:
            raise UserError(f"{self.name} must be x1, y1, x2, y2 with x1 < x2 and y1 < y2.")
        return value


class Shape(Array):
    """The dimensions of an array."""

    kind, answer_kind, in_words, depth, example = "shape", "shape", "a shape", 1, "32x32x3"

    def _is_element(self, value: Value) -> bool:
        return super()._is_element(value) and value == int(value)

    def read(self, text: str) -> Value:
        return KINDS["shape"].read(text, Part(self.name, "shape", self.meaning, None)).value


class Text(Symbol):
    """A text, also one that looks like a number."""

    kind, answer_kind, in_words = "text", "text", "a text"

    def exact(self, value: Value) -> Value:
        return value

    def _is_element(self, value: Value) -> bool:
        return isinstance(value, str)

    def read(self, text: str) -> Value:
        return text.strip()


class Word(Text):
    """One of several texts: `Word(words=("gd", "adam"), meaning="the optimizer")`."""

    kind, answer_kind = "word", "word"

    def check(self, value: Value) -> Value:
        if super().check(value) not in self.words:
            raise unknown_name(self.meaning, value, self.words)
        return value

    def describe_domain(self) -> str:
        return f"{', '.join(self.words[:-1])} or {self.words[-1]}"


class Texts(Text):
    """A list of texts."""

    kind, answer_kind, in_words, depth = "texts", "texts", "a list of texts", 1

    def check(self, value: Value) -> Value:
        if not isinstance(value, list) or not value:
            raise UserError(f"{self.name} ({self.meaning}) is a list: write it as [first text, second text].")
        for text in value:
            super().check(text)
        return value

    def read(self, text: str) -> Value:
        return split_texts(text)


def split_texts(text: str) -> list[str]:
    """Split a list of texts.

    Quotes keep a text together: ["yes, please", "no"]. Without quotes, line breaks, semicolons and commas separate;
    without brackets, a text with commas is one if a piece of it has several words, as a sentence has, and words without
    any comma are separate.
    """
    stripped = text.strip()
    inside = stripped[1:-1] if stripped.startswith("[") and stripped.endswith("]") else stripped
    if re.match(r"\s*[\"']", inside):
        quoted = re.findall(r"\s*(?:\"([^\"]*)\"|'([^']*)'|([^,;\n]+))\s*(?:[,;\n]|$)", inside)
        return [next((piece.strip() for piece in pieces if piece), "") for pieces in quoted]
    for separator in ("\n", ";", ","):
        if separator in inside:
            pieces = [piece.strip() for piece in inside.strip().split(separator)]
            is_sentence = separator == "," and inside is stripped and any(" " in piece for piece in pieces)
            return [inside] if is_sentence else pieces
    return [inside.strip()]


@dataclass(frozen=True)
class Expression(Text):
    """An expression in variables.

    Attributes:
        form: The forms that an answer must have; see `answers.forms`.
    """

    kind, answer_kind, in_words = "expression", "expression", "an expression such as x^2 + 3y^2"

    _: KW_ONLY
    form: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for problem in filter(None, map(form_problem, self.form)):
            raise ValueError(problem)

    def read(self, text: str) -> Value:
        build_graph(text)
        return text.strip()


class Layers(Text):
    """A list of layers; see `quizzes.layers`."""

    kind, answer_kind, in_words = "layers", "layers", "a list of layers such as conv5x5-6, pool2, fc10"

    def read(self, text: str) -> Value:
        read_layers(text)
        return text.strip()


class Labels(Symbol):
    """A sequence of labels, such as A, C, B; an output."""

    kind, answer_kind, in_words = "sequence", "sequence", "a sequence"


class Table(Symbol):
    """A list of rows, each a dict; an output."""

    kind, answer_kind, in_words = "table", "table", "a table"


def read_values(owner: str, symbols: Mapping[str, Symbol], words: Iterable[str]) -> dict[str, Value]:
    """Return the values by name, from words such as `n=3` that a user typed.

    Args:
        owner: The name of the formula or procedure, for messages.
        symbols: The symbols that may have a value, by name.
        words: The words.

    Raises:
        UserError: If a word isn't NAME=VALUE, its name isn't a symbol or is repeated, or its value can't be read.
    """
    values: dict[str, Value] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise UserError(f"Write {word[:40]!r} as NAME=VALUE, such as {next(iter(symbols))}=3.")
        if name not in symbols:
            raise unknown_name(f"symbol of {owner}", name, symbols)
        if name in values:
            raise UserError(f"{name} is given twice. Give it once.")
        try:
            values[name] = symbols[name].read(text)
        except FormatError as error:
            raise UserError(f"{name}: {error.sentence}.") from None
    return values


def split_assignments(text: str, names: Iterable[str]) -> list[str]:
    """Return the words of a line such as `n=3 X=[[1, 2], [3, 4]]`: each begins with one of the names.

    A piece before the first name is a word too, so that `read_values` reports it.
    """
    start = re.compile(rf"(?<!\S)(?={'|'.join(re.escape(name) + '=' for name in names)})")
    return [word.strip() for word in start.split(text) if word.strip()]


def _evaluate_list(trees: Trees) -> list[Value]:
    return [_evaluate_list(tree) if isinstance(tree, list) else evaluate(tree, {}) for tree in trees]
