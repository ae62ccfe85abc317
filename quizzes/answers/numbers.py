"""Answers that are one number: an integer, a fraction, or a rounded decimal."""

import math
from fractions import Fraction

from quizzes.answers.kind import Kind, Reading
from quizzes.answers.notation import number_notation
from quizzes.expressions.parser import FormatError, read, write
from quizzes.expressions.tree import Num, Op, Tree, Value, evaluate
from quizzes.question import Answer, Part


def format_decimal(value: Value, decimals: int) -> str:
    """Format a number with a number of decimal places, or with fewer if it has no more; never as a negative zero."""
    # A fraction is rounded exactly first; Python 3.11 can't format one.
    text = f"{float(round(value, decimals) if isinstance(value, Fraction) else value):.{decimals}f}"
    if decimals > 0 and (Fraction(text) == value or float(text) == value):
        text = text.rstrip("0").rstrip(".")
    return text.lstrip("-") if not text.strip("-0.") else text


def format_number(value: Value, digits: int = 6) -> str:
    """Format a number: an integer as such, any other to a number of significant digits."""
    if value == int(value):
        return str(int(value))
    return f"{float(value):.{digits}g}"


def rounds_to(value: Value, expected: Value, decimals: int | None) -> bool:
    """Return whether a number is the expected one to a number of decimal places; with None, exactly.

    Both ends of the rounding interval count, whichever way ties are rounded.
    """
    if decimals is None:  # a float comes from arithmetic with roots or powers, which round
        return bool(value == expected) or (isinstance(value, float) and math.isclose(value, expected, rel_tol=1e-12))
    half = float(Fraction(1, 2) / Fraction(10) ** decimals)
    tolerance = 1e-12 * max(min(1.0, 1e6 * half), abs(float(expected)))
    return abs(float(value) - float(expected)) <= half + tolerance


def rounding_text(part: Part) -> str:
    """Return the number of decimal places or significant digits of a part, in words."""
    return f"{part.digits} significant digits" if part.digits else f"{part.decimals} decimal places"


def is_rounded_too_early(value: Value, expected: Value, decimals: int) -> bool:
    """Return whether a number is the expected one to fewer decimal places, but to two significant digits at least."""
    return any(
        rounds_to(value, expected, places) and math.isclose(float(value), round(float(value), places), rel_tol=1e-12)
        for places in range(max(1, decimals_of(expected, 2)), decimals)
    )


def scale_feedback(value: Value, expected: Value, part: Part) -> str:
    """Return a remark on a number that has the correct digits, but is 100 or 1000 times too large or too small."""
    if part.decimals is None or not expected:
        return ""
    for factor in (100, 1000):
        scaled = Fraction(10) ** -part.decimals
        for size, word in ((factor, "small"), (Fraction(1, factor), "large")):
            tolerance = max(0.5 * float(scaled) * max(1.0, float(size)), 5e-4 * abs(float(expected)))
            if abs(float(value) * float(size) - float(expected)) <= tolerance:
                return f"Correct digits, but {factor} times too {word}: check the unit."
    return ""


def decimals_of(value: Value, digits: int) -> int:
    """Return the decimal places to which a number has a number of significant digits; negative before the point."""
    return digits - 1 - (math.floor(math.log10(abs(value))) if value else 0)


def are_indistinguishable(a: Value, b: Value, decimals: int | None) -> bool:
    """Return whether two numbers may be equal after rounding."""
    return bool(a == b) if decimals is None else abs(float(a) - float(b)) <= 1.0001 * 10.0**-decimals


def typed_decimals(tree: Tree) -> int | None:
    """Return the number of decimal places of a number as it was typed; None if it is any other expression."""
    if isinstance(tree, Op) and tree.op == "neg":
        return typed_decimals(tree.args[0])
    if isinstance(tree, Num) and "e" not in tree.text.lower():
        return len(tree.text.partition(".")[2])
    return None


def read_number(text: str) -> tuple[Value, Tree]:
    """Read a number that a user typed, also as arithmetic such as `e^-1`; return its value and its tree."""
    tree = read(text)
    return evaluate(tree, {}), tree


def reading_text(value: Value, tree: Tree) -> str:
    """Show how a number was read, in one line, with its value if it was typed as arithmetic."""
    text = write(tree)
    return text if typed_decimals(tree) is not None else f"{text} = {format_number(value)}"


class Integer(Kind):
    expected_format = "an integer"

    def read(self, text: str, part: Part) -> Reading:
        value, tree = read_number(number_notation(text, part, is_integer=True))
        if value != int(value):
            raise FormatError(f"enter an integer, not {format_number(value)}", text, 0)
        return Reading(int(value), reading_text(value, tree))

    def to_json(self, value: Value) -> Answer:
        return int(value)


class FractionKind(Kind):
    expected_format = "a fraction such as a/b"

    def read(self, text: str, part: Part) -> Reading:
        value, tree = read_number(number_notation(text, part))
        if not isinstance(value, int | Fraction):
            raise FormatError("enter an exact fraction, such as a/b", text, 0)
        return Reading(Fraction(value), write(tree))

    def score(self, value: Value, expected: Answer, part: Part) -> float:
        return float(value == Fraction(expected))

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        value: Fraction = reading.value
        is_rounded = abs(value - Fraction(expected)) < Fraction(1, 100) and value.denominator % 10 == 0
        return "This is rounded. Enter the exact fraction." if is_rounded else ""

    def format_answer(self, value: Answer, part: Part) -> str:
        return str(Fraction(value))

    def to_json(self, value: Value) -> Answer:
        return str(Fraction(value))


class Decimal(Kind):
    expected_format = "a number"

    def format_hint(self, part: Part) -> str:
        return f"a number to {rounding_text(part)}"

    def read(self, text: str, part: Part) -> Reading:
        value, tree = read_number(number_notation(text, part))
        return Reading((value, typed_decimals(tree)), reading_text(value, tree))

    def score(self, value: tuple[Value, int | None], expected: Answer, part: Part) -> float:
        return float(rounds_to(value[0], expected, _places(expected, part)))

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        value, _ = reading.value
        places = _places(expected, part) or 0
        if is_rounded_too_early(value, expected, places):
            return f"Correct value, too few digits: give {rounding_text(part)}."
        return scale_feedback(value, expected, part)

    def are_indistinguishable(self, a: Answer, b: Answer, part: Part) -> bool:
        return are_indistinguishable(a, b, _places(max(a, b, key=abs), part))

    def rounding_error(self, value: tuple[Value, int | None], part: Part) -> float:
        number, decimals = value
        if decimals is None:  # typed as arithmetic: exact
            return 0.0
        return 0.5 * 10.0 ** -max(decimals, _places(number, part) or 0)

    def equation_value(self, value: Value, part: Part) -> Value:
        return value[0]

    def format_answer(self, value: Answer, part: Part) -> str:
        if part.digits and value and not 1e-4 < abs(value) < 10.0**part.digits:
            mantissa, _, exponent = f"{float(value):.{part.digits - 1}e}".partition("e")
            return f"{mantissa}e{int(exponent)}"
        return format_decimal(value, _places(value, part) or 0)

    def to_json(self, value: Value) -> Answer:
        return float(value)


def _places(value: Value, part: Part) -> int | None:
    """Return the decimal places that a value of a part is rounded to."""
    return decimals_of(value, part.digits) if part.digits else part.decimals
