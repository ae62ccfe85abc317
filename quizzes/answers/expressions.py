"""Answers that are an expression, compared by value and not by form."""

from functools import cache
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
        return float(equal(value, parse(truth, tuple(part.variables)), part.variables))

    def alike(self, a: str, b: str, part: Part) -> bool:
        symbols = tuple(part.variables)
        return equal(parse(a, symbols), parse(b, symbols), part.variables)

    def write(self, value: Any, part: Part) -> str:
        return value if isinstance(value, str) else write(value)


def equal(given: Tree, truth: Tree, variables: dict[str, list[float]]) -> bool:
    """Whether two expressions have the same value wherever the second has one, at points sampled in the intervals."""
    lib, rng, compared = _thirty_digits(), Random(0), 0
    wanted_at, given_at = program(truth, lib), program(given, lib)
    for k in range(4 * POINTS):
        if compared == POINTS:
            break
        point = {name: _sample(rng, low, high, whole=k % 4 == 0) for name, (low, high) in variables.items()}
        values = {name: lib.mpf(v.numerator) / v.denominator for name, v in point.items()}
        try:
            wanted = run(wanted_at, values)
        except NoValue:
            continue
        try:
            got = run(given_at, values)
        except NoValue:
            return False
        if not abs(got - wanted) <= AGREEMENT * max(1, abs(wanted)):
            return False
        compared += 1
    return compared > 0


def _sample(rng: Random, low: float, high: float, whole: bool) -> Any:
    if whole and int(high) > int(low):
        return exact(rng.randint(int(low), int(high)))
    return exact(round(rng.uniform(low, high), 6))
