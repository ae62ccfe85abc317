"""What a field of a spec may be: each check takes the field's name and value, and gives the value or refuses it."""

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
    """Any text; whether it names something is found out later."""
    if not isinstance(value, str):
        raise UserError(f"{name} must be a name, not {value!r}.")
    return value


def flag(name: str, value: Any) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise UserError(f"{name} must be true or false, not {value!r}.")
    return value


@dataclass(frozen=True)
class OneOf:
    """One of these names."""

    known: Collection[str]

    def __call__(self, name: str, value: Any) -> str:
        if text(name, value) not in self.known:
            raise unknown_name(name, value, list(self.known))
        return str(value)


def whole(least: int) -> Check:
    """A whole number, of at least so much."""

    def check(name: str, value: Any) -> int:
        # Seeds and counts go into 64-bit integers.
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
            raise UserError(f"{name} must be a whole number of {least} or more, not {value!r}.")
        return value

    return check


def number(
    above: float | None = None, least: float = -math.inf, below: float = math.inf, most: float = math.inf
) -> Check:
    """A finite number between bounds; `above` and `below` are left out, `least` and `most` belong to it."""
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
    """A number of samples, or `full`: the whole training part."""
    return "full" if value == "full" else whole(1)(name, value)


def read_batch_size(written: str) -> int | str:
    """A batch size as it is written on a command line."""
    try:
        return int(written)
    except ValueError:
        if written != "full":
            raise UserError(f"batch_size must be a whole number of 1 or more, or full, not {written[:60]!r}.") from None
        return written


def interval(name: str, value: Any) -> int | str:
    """A number of steps, or `3 epochs`."""
    if isinstance(value, str):
        match = INTERVAL.fullmatch(value)
        if match and int(match[1]):
            return f"{int(match[1])} epoch{'s' * (int(match[1]) > 1)}"
        raise UserError(f"{name} must be a number of steps, such as 200, or of epochs, such as '1 epoch'.")
    steps: int = whole(1)(name, value)
    return steps


def read_interval(text: str) -> int | str:
    """Return an interval as it is written on a command line."""
    try:
        return int(text.removesuffix("steps").removesuffix("step"))
    except ValueError:
        return text


def read_seeds(written: str) -> list[int]:
    """`0..4` is 0, 1, 2, 3, 4; `0,3,7` is those.

    Raises:
        UserError: It is neither.
    """
    seeds: list[int] = []
    for part in written.split(","):
        match = SEEDS.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if not first <= last < first + MOST_SEEDS:
            raise UserError(f"Seeds are written 0..4 or 0,3,7, {MOST_SEEDS} at most, not {written[:60]!r}.")
        seeds += range(first, last + 1)
    if len(set(seeds)) < len(seeds):
        raise UserError(f"A seed stands twice in {written[:60]!r}: it would give the same run again.")
    return seeds


def strengths(limits: dict[str, float]) -> Check:
    """Some of these names, each with a number above 0 and within its limit."""

    def check(name: str, value: Any) -> dict[str, float]:
        if not isinstance(value, dict):
            raise UserError(f"{name} must be names with their strengths, not {value!r}.")
        return {
            OneOf(limits)(name, word): number(above=0, most=limits[word])(f"{name} {word}", much)
            for word, much in value.items()
        }

    return check


def read_strengths(known: dict[str, float]) -> Callable[[str], dict[str, float]]:
    """Reads `shift,rotate=15`; a name without a number gets its own."""

    def read(written: str) -> dict[str, float]:
        values = {}
        for word, given, much in (part.strip().partition("=") for part in written.split(",")):
            if word not in known:
                raise unknown_name("augmentation", word, list(known))
            try:
                values[word] = float(much) if given else known[word]
            except ValueError:
                raise UserError(f"{word} takes a number, such as {word}={known[word]:g}, not {much[:60]!r}.") from None
        return values

    return read


def named_values(name: str, value: Any) -> dict[str, Any]:
    """Values by name, as JSON has them."""
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value):
        raise UserError(f"{name} must be values by name, not {value!r}.")
    return value


def read_named_values(written: list[str]) -> dict[str, Any]:
    """Reads `activation=tanh`, `hidden_sizes=[64,32]`: the value is JSON, or else a text."""
    import json

    values = {}
    for pair in written:
        word, given, value = pair.partition("=")
        if not (word and given):
            raise UserError(f"An option of the network is written name=value, not {pair[:60]!r}.")
        try:
            values[word] = json.loads(value)
        except (ValueError, RecursionError):
            values[word] = value
    return values
