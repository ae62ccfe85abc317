"""What a pack's drill draws: for each symbol some values to choose among, or a range."""

import math
import re
from collections.abc import Callable
from fractions import Fraction
from random import Random
from typing import Any

from quizzes.expressions.tree import exact
from quizzes.packs.page import flaw
from quizzes.question import to_json
from quizzes.symbol import Symbol
from workbench.errors import UserError

RANGE = re.compile(
    r"\s*(-?\d{1,15}(?:\.\d{1,15})?)\s*\.\.\s*(-?\d{1,15}(?:\.\d{1,15})?)(?:\s+step\s+(\d{1,15}(?:\.\d{1,15})?))?\s*",
    re.ASCII,
)
LARGEST = 10**15
SMALLEST = 1e-15
ELEMENTS = 64  # of a vector or matrix
CHOICES = 200

Draw = Callable[[Random], Any]


def reader(value: Any, symbol: Symbol) -> Draw:
    """What draws a symbol's values, from what the pack says: `[28, 63, 224]`, `"3..9"`, `"0.1..0.9 step 0.1"`.

    Raises:
        UserError: Where it can't be read, is empty, or leaves the symbol's domain.
    """
    if isinstance(value, list):
        return _among(value, symbol)
    if not isinstance(value, str):
        raise UserError(f'{symbol.name} is drawn from a list, such as [3, 5, 7], or a range, such as "3..9".')
    if symbol.kind not in ("int", "real"):
        raise UserError(f"{symbol.name} is a {symbol.kind}: list its values, as in {symbol.name} = [[1, 2], [3, 4]].")
    return _between(value, symbol)


def _among(values: list, symbol: Symbol) -> Draw:
    if not 1 <= len(values) <= CHOICES:
        raise UserError(f"{symbol.name} has {len(values)} values to choose among: list 1 to {CHOICES}.")
    for value in values:
        if _count(value) > ELEMENTS or not _usable(value):
            raise UserError(
                f"A value of {symbol.name} can't be used: numbers have up to 15 digits, "
                f"and vectors and matrices up to {ELEMENTS} elements."
            )
        symbol.check(symbol.exact(value))
    return lambda rng: rng.choice(values)


def _count(value: Any) -> int:
    return sum(map(_count, value)) if isinstance(value, list) else 1


def _usable(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_usable, value))
    if isinstance(value, str):
        return not flaw(value)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value) and (value == 0 or SMALLEST <= abs(value) <= LARGEST)


def _between(text: str, symbol: Symbol) -> Draw:
    match = RANGE.fullmatch(text)
    if not match:
        raise UserError(f'{text[:60]!r} is no range: write it as "3..9", or as "0.1..0.9 step 0.1".')
    low, high = Fraction(match[1]), Fraction(match[2])
    if not match[3] and "." in match[1] + match[2]:
        raise UserError(f"How fine is {text[:60]!r}? Add a step, such as: {text.strip()[:60]} step 0.1")
    step = Fraction(match[3] or 1)
    if step == 0 or high < low:
        raise UserError(f"The range {text[:60]!r} is empty: write the smaller number first, and a step above 0.")
    count = (high - low) // step + 1
    for value in (low, low + step * (count - 1), *([low + step] if count > 1 else [])):
        symbol.check(exact(value))
    return lambda rng: to_json(low + step * rng.randrange(count))
