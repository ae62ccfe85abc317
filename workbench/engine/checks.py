"""Checks of options.

A check takes the name and the value of an option, and returns the value; it raises a `UserError` if the option can't
have it. The functions that begin with `read` convert a text to a value.
"""

import math
import re
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from workbench.errors import UserError, unknown_name

Check = Callable[[str, Any], Any]
SEEDS = re.compile(r"(\d{1,18})(?:\.\.(\d{1,18}))?")
INTERVAL = re.compile(r"(\d{1,9}) ?epochs?")
MOST_SEEDS = 1000


def text(name: str, value: Any) -> str:
    """Return the value if it is a text. Whether it is a valid name is checked later."""
    if not isinstance(value, str):
        raise UserError(f"{name} must be a name, not {value!r}.")
    return value


def flag(name: str, value: Any) -> bool:
    """Return the value if it is true or false."""
    if not isinstance(value, bool):
        raise UserError(f"{name} must be true or false, not {value!r}.")
    return value


@dataclass(frozen=True)
class OneOf:
    """A check that accepts some names only.

    Attributes:
        names: The names.
    """

    names: Collection[str]

    def __call__(self, name: str, value: Any) -> str:
        if text(name, value) not in self.names:
            raise unknown_name(name, value, list(self.names))
        return str(value)


def integer(least: int) -> Check:
    """Return a check that accepts integers from `least` on."""

    def check(name: str, value: Any) -> int:
        # Seeds and counts are stored in 64-bit integers.
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            raise UserError(f"{name} must be an integer of at least {least}, not {value!r}.")
        return value

    return check


def number(
    above: float | None = None, least: float = -math.inf, below: float = math.inf, most: float = math.inf
) -> Check:
    """Return a check that accepts finite numbers between bounds.

    Args:
        above: Exclusive lower bound.
        least: Inclusive lower bound.
        below: Exclusive upper bound.
        most: Inclusive upper bound.
    """
    low = f"above {above:g}" if above is not None else f"of {least:g} or more" if least > -math.inf else ""
    high = f"below {below:g}" if below < math.inf else f"{most:g} at most" if most < math.inf else ""
    bounds = " and ".join(filter(None, (low, high)))

    def check(name: str, value: Any) -> float:
        real = not isinstance(value, bool) and isinstance(value, (int, float)) and abs(value) <= sys.float_info.max
        if not (real and (above is None or value > above) and least <= value <= most and value < below):
            raise UserError(f"{name} must be a number {bounds}, not {value!r}.")
        return float(value)

    return check


def batch_size(name: str, value: Any) -> int | str:
    """Return the value if it is a number of samples, or `full`: the whole training set."""
    return "full" if value == "full" else integer(1)(name, value)


def read_batch_size(text: str) -> int | str:
    """Return the batch size that a text on a command line stands for.

    Raises:
        UserError: If it is not an integer or `full`.
    """
    try:
        return int(text)
    except ValueError:
        if text != "full":
            raise UserError(f"batch_size must be an integer of at least 1, or full, not {text[:60]!r}.") from None
        return text


def interval(name: str, value: Any) -> int | str:
    """Return the value if it is a number of steps, or of epochs, such as `3 epochs`."""
    if isinstance(value, str):
        match = INTERVAL.fullmatch(value)
        if match and int(match[1]):
            return f"{int(match[1])} epoch{'s' * (int(match[1]) > 1)}"
        raise UserError(f"{name} must be a number of steps, such as 200, or of epochs, such as '1 epoch'.")
    steps: int = integer(1)(name, value)
    return steps


def read_interval(text: str) -> int | str:
    """Return the interval that a text on a command line stands for: a number of steps, or the text itself."""
    try:
        return int(text.removesuffix("steps").removesuffix("step"))
    except ValueError:
        return text


def read_seeds(text: str) -> list[int]:
    """Return the seeds that a text stands for: `0..4` is 0, 1, 2, 3, 4, and `0,3,7` is 0, 3, 7.

    Raises:
        UserError: If it has another form, or a seed twice.
    """
    seeds: list[int] = []
    for part in text.split(","):
        match = SEEDS.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < first + MOST_SEEDS:
            raise UserError(f"Seeds are written 0..4 or 0,3,7, {MOST_SEEDS} at most, not {text[:60]!r}.")
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        raise UserError(f"A seed occurs twice in {text[:60]!r}: both runs would be the same. Give each seed once.")
    return seeds


def strengths(limits: dict[str, float]) -> Check:
    """Return a check that accepts a dict from some of these names to numbers above 0, up to the limit of each name."""

    def check(name: str, value: Any) -> dict[str, float]:
        if not isinstance(value, dict):
            raise UserError(f"{name} must be names with their strengths, not {value!r}.")
        return {
            OneOf(limits)(name, word): number(above=0, most=limits[word])(f"{name} {word}", much)
            for word, much in value.items()
        }

    return check


def read_strengths(defaults: dict[str, float]) -> Callable[[str], dict[str, float]]:
    """Return a function that converts texts such as `shift,rotate=15`; a name without a number gets its default.

    The function raises a `UserError` if a name is unknown, or its strength isn't a number.
    """

    def read(text: str) -> dict[str, float]:
        values = {}
        for word, separator, much in (part.strip().partition("=") for part in text.split(",")):
            if word not in defaults:
                raise unknown_name("augmentation", word, list(defaults))
            try:
                values[word] = float(much) if separator else defaults[word]
            except ValueError:
                example = f"{word}={defaults[word]:g}"
                raise UserError(f"{word} takes a number, such as {example}, not {much[:60]!r}.") from None
        return values

    return read


def named_values(name: str, value: Any) -> dict[str, Any]:
    """Return the value if it is a dict from names to values, such as a JSON object."""
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value):
        raise UserError(f"{name} must be values by name, not {value!r}.")
    return value


def read_named_values(texts: list[str]) -> dict[str, Any]:
    """Return the values of texts such as `activation=tanh` and `hidden_sizes=[64,32]`, by name.

    A value that is not JSON is a text.

    Raises:
        UserError: If a text has another form.
    """
    import json

    values = {}
    for pair in texts:
        word, separator, value = pair.partition("=")
        if not (word and separator):
            raise UserError(f"An option of the network is written name=value, not {pair[:60]!r}.")
        try:
            values[word] = json.loads(value)
        except (ValueError, RecursionError):
            values[word] = value
    return values
