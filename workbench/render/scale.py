"""Where a number lies on an axis, and which round numbers are written beside it."""

import math
from dataclasses import dataclass

NARROW = 1e-12  # of a number: below that, differences are the arithmetic's own
TINY = 1e-280


@dataclass(frozen=True)
class Scale:
    """Numbers from `low` to `high` onto 0 to 1, in proportion to themselves or to their logarithms.

    Attributes:
        low: The number at 0; above 0 on a log axis.
        high: The number at 1; above `low`.
        log: Whether it is a log axis.
    """

    low: float
    high: float
    log: bool = False

    @classmethod
    def around(cls, numbers: list[float], log: bool = False) -> "Scale":
        """The scale that just holds the numbers; what is finite counts, and above 0 on a log axis."""
        shown = [number for number in numbers if is_shown(number, log)]
        low, high = (min(shown), max(shown)) if shown else (1.0, 1.0)
        if high - low <= NARROW * max(abs(low), abs(high), TINY):  # what is one number, or nearly, lies in the middle
            low, high = (low / 2, high * 2) if log else (low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1))
        return cls(low, high, log)

    def place(self, number: float) -> float:
        """Where the number lies: 0 at `low`, 1 at `high`."""
        if self.log:
            return (math.log(number) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        # Halved, so that the distance between two huge numbers doesn't overflow.
        return (number / 2 - self.low / 2) / (self.high / 2 - self.low / 2)

    def ticks(self, most: int) -> list[float]:
        """Round numbers within the scale, at most `most`: steps of 1, 2 or 5, or decades on a log axis."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last > first:
                stride = math.ceil((last - first + 1) / most)
                return [10.0**power for power in range(first, last + 1, stride)]
        step = nice_step((self.high / 2 - self.low / 2) / max(1, most) * 2)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        if last - first + 1 > most:
            step = nice_step(step * 1.5)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)][:most]


def is_shown(number: float | None, log: bool = False) -> bool:
    """Whether a number has a place on an axis at all."""
    return number is not None and math.isfinite(number) and (number > 0 or not log)


def nice_step(least: float) -> float:
    """The smallest of 1, 2 and 5 times a power of ten that is no smaller."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= least * (1 - 1e-9))


def written(number: float) -> str:
    """A number in few characters: 0.05, 12, 1.5k, 2e-07."""
    if number and not 1e-4 <= abs(number) < 1e6:
        return f"{number:.3g}".replace("e+0", "e").replace("e-0", "e-")
    if abs(number) >= 1e4:
        return f"{number / 1000:.4g}k"
    return f"{number:.4g}"
