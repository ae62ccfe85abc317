"""Answers that are an expression, compared by value and not by form."""

from contextlib import suppress
from functools import cache, lru_cache
from random import Random
from typing import Any

from quizzes.answers.kind import Kind, Reading
from quizzes.question import Part
from quizzes.reading import parse, read, write
from quizzes.tree import NoValue, Tree, exact, program, run

POINTS, AGREEMENT = 12, 1e-20


@cache
def _thirty_digits() -> Any:
    from mpmath import MPContext

    context = MPContext()
    context.dps = 30
    context.trap_complex = True  # a root of a negative number is an error here too, and no complex number
    return context


class Expression(Kind):
    """Two expressions are equal when they agree at a dozen points, some of them whole, to 20 of 30 digits.

    Simplification is no verdict: SymPy cannot show every equal pair equal, and random points decide in milliseconds.
    """

    def ask(self, part: Part) -> str:
        return f"an expression in {', '.join(part.variables)}"

    def read(self, text: str, part: Part) -> Reading:
        tree = read(text, part.variables)
        return Reading(tree, write(tree))

    def score(self, value: Tree, truth: str, part: Part) -> float:
        return float(equal(value, truth, part.variables))

    def alike(self, a: str, b: str, part: Part) -> bool:
        return equal(parse(a, tuple(part.variables)), b, part.variables)

    def write(self, value: Any, part: Part) -> str:
        return value if isinstance(value, str) else write(value)


def equal(given: Tree, truth: str, variables: dict[str, list[float]]) -> bool:
    """Whether an expression has the value of another wherever that has one, at points sampled in the intervals."""
    compute = program(given, _thirty_digits())
    points = _curve(truth, tuple((name, *ends) for name, ends in variables.items()))
    try:
        return bool(points) and all(
            abs(run(compute, values) - wanted) <= AGREEMENT * max(1, abs(wanted)) for values, wanted in points
        )
    except NoValue:
        return False


@lru_cache(maxsize=1024)
def _curve(truth: str, variables: tuple[tuple[str, float, float], ...]) -> list[tuple[dict[str, Any], Any]]:
    """Points, and the value that an expression of our own has there; where it has none there is no point."""
    compute = program(parse(truth, tuple(name for name, _, _ in variables)), _thirty_digits())
    points: list[tuple[dict[str, Any], Any]] = []
    for values in _samples(variables):
        with suppress(NoValue):
            points.append((values, run(compute, values)))
        if len(points) == POINTS:
            break
    return points


@lru_cache(maxsize=64)
def _samples(variables: tuple[tuple[str, float, float], ...]) -> list[dict[str, Any]]:
    """Where expressions in these variables are compared: more points than are needed, as some may have no value."""
    lib, rng = _thirty_digits(), Random(0)
    found = []
    for k in range(4 * POINTS):
        sampled = {name: _sample(rng, low, high, whole=k % 4 == 0) for name, low, high in variables}
        found.append({name: lib.mpf(v.numerator) / v.denominator for name, v in sampled.items()})
    return found


def _sample(rng: Random, low: float, high: float, whole: bool) -> Any:
    if whole and int(high) > int(low):
        return exact(rng.randint(int(low), int(high)))
    return exact(round(rng.uniform(low, high), 6))
