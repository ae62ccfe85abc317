"""Answers that are one number: whole, a fraction, or a rounded decimal."""

from fractions import Fraction
from typing import Any

from quizzes.answers.kind import Kind, Reading
from quizzes.expressions.parser import FormatError, read, write
from quizzes.expressions.tree import Num, Op, Tree, evaluate
from quizzes.question import Part


def format_decimal(value: Any, decimals: int) -> str:
    """A number rounded to so many decimals; never a negative zero."""
    # A fraction is rounded exactly first; Python 3.11 can't format one.
    text = f"{float(round(value, decimals) if isinstance(value, Fraction) else value):.{decimals}f}"
    return text.lstrip("-") if not text.strip("-0.") else text


def format_number(value: Any, digits: int = 6) -> str:
    """A number for showing: whole numbers whole, others to so many significant digits."""
    if value == int(value):
        return str(int(value))
    return f"{float(value):.{digits}g}"


def rounds_to(value: Any, truth: Any, decimals: int | None) -> bool:
    """Whether a number is the truth, or rounds to it: the closed rounding interval counts, whichever way ties go."""
    if decimals is None:
        return value == truth
    half = Fraction(1, 2 * 10**decimals)
    slack = 1e-12 * max(1.0, abs(float(truth)))
    return abs(float(value) - float(truth)) <= float(half) + slack


def indistinguishable(a: Any, b: Any, decimals: int | None) -> bool:
    """Whether two numbers, each rounded, could be taken for each other."""
    return a == b if decimals is None else abs(float(a) - float(b)) <= 1.0001 * 10.0**-decimals


def typed_decimals(tree: Tree) -> int | None:
    """How many decimals a plain number was typed with; None for anything but a plain number."""
    if isinstance(tree, Op) and tree.op == "neg":
        return typed_decimals(tree.args[0])
    if isinstance(tree, Num) and "e" not in tree.text.lower():
        return len(tree.text.partition(".")[2])
    return None


def read_number(text: str) -> tuple[Any, Tree]:
    """A number that a person typed, also as arithmetic such as `100/700` or `e^-1`."""
    tree = read(text)
    return evaluate(tree, {}), tree


def reading_text(value: Any, tree: Tree) -> str:
    """The reading in one line: what was typed, and what it comes to where that isn't the same."""
    typed = write(tree)
    return typed if typed_decimals(tree) is not None else f"{typed} = {format_number(value)}"


class Integer(Kind):
    expected_format = "a whole number"

    def read(self, text: str, part: Part) -> Reading:
        value, tree = read_number(text)
        if value != int(value):
            raise FormatError(f"a whole number is wanted, and this is {format_number(value)}", text, 0)
        return Reading(int(value), reading_text(value, tree))

    def to_json(self, value: Any) -> int:
        return int(value)


class FractionKind(Kind):
    expected_format = "a fraction such as a/b"

    def read(self, text: str, part: Part) -> Reading:
        value, tree = read_number(text)
        if not isinstance(value, int | Fraction):
            raise FormatError("an exact fraction is wanted, such as a/b", text, 0)
        return Reading(Fraction(value), write(tree))

    def score(self, value: Any, truth: Any, part: Part) -> float:
        return float(value == Fraction(truth))

    def near_miss_hint(self, reading: Reading, truth: Any, part: Part) -> str:
        near = abs(reading.value - Fraction(truth)) < Fraction(1, 100) and reading.value.denominator % 10 == 0
        return "That is rounded: give the exact fraction." if near else ""

    def write(self, value: Any, part: Part) -> str:
        return str(Fraction(value))

    def to_json(self, value: Any) -> str:
        return str(Fraction(value))


class Decimal(Kind):
    expected_format = "a number"

    def format_hint(self, part: Part) -> str:
        return f"a number to {part.decimals} decimals"

    def read(self, text: str, part: Part) -> Reading:
        value, tree = read_number(text)
        return Reading((value, typed_decimals(tree)), reading_text(value, tree))

    def score(self, value: Any, truth: Any, part: Part) -> float:
        return float(rounds_to(value[0], truth, part.decimals))

    def near_miss_hint(self, reading: Reading, truth: Any, part: Part) -> str:
        value, typed = reading.value
        if typed and typed < (part.decimals or 0) and rounds_to(value, truth, typed):
            return f"Right as far as it goes, but rounded too early: give {part.decimals} decimals."
        return ""

    def indistinguishable(self, a: Any, b: Any, part: Part) -> bool:
        return indistinguishable(a, b, part.decimals)

    def write(self, value: Any, part: Part) -> str:
        return format_decimal(value, part.decimals or 0)

    def to_json(self, value: Any) -> float:
        return float(value)
