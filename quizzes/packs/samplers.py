"""Samplers of the inputs of a pack's drill, from a list of values or a range."""

import re
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

from quizzes.expressions.tree import exact
from quizzes.question import to_json
from quizzes.symbols import Symbol, Text
from quizzes.text_checks import text_problem
from workbench.errors import UserError

RANGE = re.compile(
    r"\s*(-?\d{1,15}(?:\.\d{1,15})?)\s*\.\.\s*(-?\d{1,15}(?:\.\d{1,15})?)(?:\s+step\s+(\d{1,15}(?:\.\d{1,15})?))?\s*",
    re.ASCII,
)
NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,15}|/0*[1-9]\d{0,14})?", re.ASCII)  # as a text: an exact number
MAX_MAGNITUDE, MIN_MAGNITUDE = 10**15, 1e-15
MAX_ELEMENTS = 64  # of a vector or matrix
MAX_VALUES = 200

Sampler = Callable[[Random], Any]


def make_sampler(values: object, symbol: Symbol) -> Sampler:
    """Return a function that draws a value of a symbol.

    Args:
        values: The values as the pack declares them, such as `[28, 63, 224]`, `"3..9"` or `"0.1..0.9 step 0.1"`.
        symbol: The symbol.

    Raises:
        UserError: If the values can't be read, are none at all, or are outside the symbol's domain.
    """
    if isinstance(values, list):
        return _sampler_of_list(values, symbol)
    if not isinstance(values, str):
        raise UserError(f'{symbol.name} must be a list of values, such as [3, 5, 7], or a range, such as "3..9".')
    if symbol.kind not in ("int", "real"):
        raise UserError(
            f"{symbol.name} is of kind {symbol.kind}, which has no ranges. "
            f"List its values: {symbol.name} = [value, value]."
        )
    return _sampler_of_range(values, symbol)


def _sampler_of_list(values: list[Any], symbol: Symbol) -> Sampler:
    if not 1 <= len(values) <= MAX_VALUES:
        raise UserError(f"{symbol.name} has {len(values)} values. List 1 to {MAX_VALUES}.")
    for value in values:
        if _count_elements(value) > MAX_ELEMENTS or not _is_usable(value, symbol):
            raise UserError(
                f"A value of {symbol.name} can't be used. Write numbers with at most 15 digits, "
                f"and vectors and matrices with at most {MAX_ELEMENTS} elements."
            )
        symbol.check(symbol.exact(value))
    return lambda rng: rng.choice(values)


def _count_elements(value: object) -> int:
    return sum(map(_count_elements, value)) if isinstance(value, list) else 1


def _is_usable(value: object, symbol: Symbol) -> bool:
    if isinstance(value, list):
        return all(_is_usable(element, symbol) for element in value)
    if isinstance(value, str):
        return not text_problem(value) if isinstance(symbol, Text) else bool(NUMBER.fullmatch(value))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return value == 0 or MIN_MAGNITUDE <= abs(value) <= MAX_MAGNITUDE


def _sampler_of_range(text: str, symbol: Symbol) -> Sampler:
    match = RANGE.fullmatch(text)
    if not match:
        raise UserError(f'{text[:60]!r} is not a range. Write it as "3..9" or "0.1..0.9 step 0.1".')
    low, high = Fraction(match[1]), Fraction(match[2])
    if not match[3] and "." in match[1] + match[2]:
        raise UserError(f'A range of decimals needs a step. Add one: "{text.strip()[:60]} step 0.1".')
    step = Fraction(match[3] or 1)
    if step == 0 or high < low:
        raise UserError(f"The range {text[:60]!r} is empty. Write the smaller number first, and a step above 0.")
    count = (high - low) // step + 1
    for value in (low, low + step * (count - 1), *([low + step] if count > 1 else [])):
        symbol.check(exact(value))
    return lambda rng: to_json(low + step * rng.randrange(count))
