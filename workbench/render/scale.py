"""Axes of charts: the position of a number on an axis, and the round numbers that label it."""

import math
from dataclasses import dataclass

RELATIVE_ROUNDING_ERROR = 1e-12  # smaller relative differences come from floating-point arithmetic
TINY = 1e-280


@dataclass(frozen=True)
class Scale:
    """A linear or logarithmic map from the numbers `low` to `high` to 0 to 1.

    Attributes:
        low: The number at 0; positive on a log axis.
        high: The number at 1; greater than `low`.
        log: Whether the axis is logarithmic.
    """

    low: float
    high: float
    log: bool = False

    @classmethod
    def fit(cls, numbers: list[float], log: bool = False) -> "Scale":
        """Return the tightest scale around the finite numbers; around the positive ones on a log axis."""
        finite = [number for number in numbers if is_drawable(number, log)]
        low, high = (min(finite), max(finite)) if finite else (1.0, 1.0)
        if high - low <= RELATIVE_ROUNDING_ERROR * max(abs(low), abs(high), TINY):  # center a single number
            low, high = (low / 2, high * 2) if log else (low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1))
        return cls(low, high, log)

    def position(self, number: float) -> float:
        """Return the position of a number: 0 at `low`, 1 at `high`."""
        if self.log:
            return (math.log(number) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        # Halved, so that the distance between two huge numbers doesn't overflow.
        return (number / 2 - self.low / 2) / (self.high / 2 - self.low / 2)

    def number(self, position: float) -> float:
        """Return the number at a position from 0 to 1."""
        if self.log:
            return float(self.low * (self.high / self.low) ** position)
        return self.low + (self.high - self.low) * position

    def ticks(self, max_count: int) -> list[float]:
        """Return at most `max_count` round numbers on the axis: steps of 1, 2 or 5, or powers of ten on a log axis."""
        if self.log:
            first, last = math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9)
            if last > first:
                stride = math.ceil((last - first + 1) / max_count)
                return [10.0**power for power in range(first, last + 1, stride)]
        step = nice_step((self.high / 2 - self.low / 2) / max(1, max_count) * 2)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        if last - first + 1 > max_count:
            step = nice_step(step * 1.5)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [number * step for number in range(first, last + 1)][:max_count]


def is_drawable(number: float | None, log: bool = False) -> bool:
    """Return whether a number has a position on an axis: it is finite, and positive on a log axis."""
    return number is not None and math.isfinite(number) and (number > 0 or not log)


def nice_step(minimum: float) -> float:
    """Return the smallest step of 1, 2 or 5 times a power of ten that is at least `minimum`."""
    power = 10.0 ** math.floor(math.log10(minimum))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= minimum * (1 - 1e-9))


def format_tick(number: float) -> str:
    """Return a number in few characters: 0.05, 12, 1.5k, 2e-7."""
    if number and not 1e-4 <= abs(number) < 1e6:
        return f"{number:.3g}".replace("e+0", "e").replace("e-0", "e-")
    if abs(number) >= 1e4:
        return f"{number / 1000:.4g}k"
    return f"{number:.4g}"
