"""Intervals and p-values of small samples."""

from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev

CONFIDENCE = 0.95
Z = 1.959963984540054  # the 97.5% quantile of the standard normal distribution


def t_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return the 95% interval of the mean by Student's t distribution; at least 2 values."""
    from scipy.special import stdtrit

    half = float(stdtrit(len(values) - 1, (1 + CONFIDENCE) / 2)) * stdev(values) / sqrt(len(values))
    return mean(values) - half, mean(values) + half


def t_test(values: Sequence[float], minimum: float) -> float:
    """Return the one-sided p-value of the hypothesis that the mean is at most a minimum; at least 2 values."""
    from scipy.special import stdtr

    spread = stdev(values)
    if spread == 0:
        return 0.0 if mean(values) > minimum else 1.0
    t = (mean(values) - minimum) / (spread / sqrt(len(values)))
    return float(1 - stdtr(len(values) - 1, t))


def difference_of_rates(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """Return the 95% interval of the difference of two rates, each given as (successes, trials).

    Newcombe 1998 (Statistics in Medicine 17, 873-890), method 10: from Wilson's score intervals of both rates. It
    ignores that trials are paired, and so is a little wide.
    """
    a, b = first[0] / first[1], second[0] / second[1]
    (a_low, a_high), (b_low, b_high) = _wilson(*first), _wilson(*second)
    low = a - b - sqrt((a - a_low) ** 2 + (b_high - b) ** 2)
    high = a - b + sqrt((a_high - a) ** 2 + (b - b_low) ** 2)
    return low, high


def _wilson(successes: int, count: int) -> tuple[float, float]:
    rate, square = successes / count, Z * Z
    middle = (rate + square / (2 * count)) / (1 + square / count)
    half = Z / (1 + square / count) * sqrt(rate * (1 - rate) / count + square / (4 * count * count))
    return middle - half, middle + half


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Return the slope of the least-squares line through the logarithms of points (x, y), all above 0."""
    from math import log

    xs, ys = [log(x) for x, _ in points], [log(y) for _, y in points]
    x_mean, y_mean = mean(xs), mean(ys)
    above = sum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    return above / sum((x - x_mean) ** 2 for x in xs)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order of the given ones (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = largest
    return adjusted
