"""Values at the edge of a formula's domain, as limits: 0 ln 0 is 0, and the KL divergence from a probability of 0 is
infinite."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from math import inf, isclose
from typing import Any, Protocol

from quizzes.expressions.tree import Tree, UndefinedValue, Value, Values, evaluate
from quizzes.symbols import Symbol

DISTANCES = (60, 120, 240)  # decimal places of the values in place of 0
DIGITS, NEGLIGIBLE = 500, 1e-50
# Factors of the first, second, ... value that is moved: a limit must not depend on the direction.
DIRECTIONS = ((1, 3, 7), (5, 1, 2))


class Equation(Protocol):
    """Parts of an equation that its limits need."""

    @property
    def name(self) -> str: ...

    @property
    def index(self) -> tuple[str, ...]: ...

    @property
    def tree(self) -> Tree: ...

    def index_values(self, index: str, values: Values) -> Iterable[int]:
        """Return the values of an index."""


def limit(inputs: Mapping[str, Symbol], equations: Sequence[Equation], eq: Equation, values: Values) -> Value | None:
    """Return the limit of what an equation defines as inputs at the edge of their domain approach it.

    Zeros of inputs are approached from inside of the domain, and ones too if that is where it ends.

    Args:
        inputs: The symbols of the inputs.
        equations: The equations of the formula.
        eq: One of them, which has no value at the inputs.
        values: The inputs, and what earlier equations define.

    Returns:
        The limit, which may be infinite; None if there is none, or if it depends on the direction.
    """
    limits: list[Value | None] = []
    for direction in _directions(inputs):
        try:
            sequence = [_evaluate_near(inputs, equations, eq, values, direction, places) for places in DISTANCES]
        except (UndefinedValue, TypeError, ValueError, ZeroDivisionError):
            return None
        limits.append(_limit_of(*sequence))
    return limits[0] if all(_is_same(limits[0], other) for other in limits) else None


def _is_same(a: Value | None, b: Value | None) -> bool:
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_is_same, a, b))
    return a is not None and b is not None and isclose(a, b, rel_tol=1e-12)


def _directions(inputs: Mapping[str, Symbol]) -> Iterator[tuple[int, ...]]:
    has_both_directions = any(symbol.low is None for symbol in inputs.values())
    for direction in DIRECTIONS:
        yield direction
        if has_both_directions:
            yield tuple(-factor for factor in direction)


def _evaluate_near(
    inputs: Mapping[str, Symbol],
    equations: Sequence[Equation],
    eq: Equation,
    values: Values,
    direction: tuple[int, ...],
    places: int,
) -> Any:
    """Return the value of the equation where values at the edge are moved by about 10^-places."""
    import mpmath

    context = mpmath.mp.clone()
    context.dps = DIGITS
    distance = context.mpf(10) ** -places
    numbers = count()

    def moved(value: Value, low: float | None, high: float | None) -> Any:
        if isinstance(value, list):
            return [moved(item, low, high) for item in value]
        if isinstance(value, str):
            return value
        number = (
            context.mpf(value.numerator) / value.denominator if not isinstance(value, float) else context.mpf(value)
        )
        if number == 0 or number == high:
            factor = direction[next(numbers) % len(direction)]
            factor = -abs(factor) if number == high else abs(factor) if low == 0 else factor
            return number + factor * distance
        return number

    near = {}
    for name, value in values.items():
        if name in inputs:
            near[name] = moved(value, inputs[name].low, inputs[name].high)
    for earlier in equations:
        if earlier.name == eq.name:
            return _elements(eq, near, context, eq.index)
        if earlier.name in values:
            near[earlier.name] = _elements(earlier, near, context, earlier.index)
    raise UndefinedValue("the equation is not one of the formula's")


def _elements(eq: Equation, values: dict[str, Any], context: Any, index: tuple[str, ...]) -> Any:
    """Return what an equation defines, a number or a nested list over its indices, in the context's numbers."""
    if not index:
        return evaluate(eq.tree, values, context)
    first, *others = index
    return [_elements(eq, {**values, first: k}, context, tuple(others)) for k in eq.index_values(first, values)]


def _limit_of(first: Any, second: Any, third: Any) -> Value | None:
    """Return the limit of a sequence from three of its values, element by element; None if it has none."""
    if isinstance(third, list):
        limits = [_limit_of(*values) for values in zip(first, second, third, strict=True)]
        return None if any(value is None for value in limits) else limits
    if abs(third - second) <= 1e-12 * max(1, abs(third)):
        return float(third) if abs(third) > NEGLIGIBLE else 0.0
    grows = abs(third) > abs(second) > abs(first) and (third > 0) == (second > 0)
    if grows and abs(third - second) > 1.5 * abs(second - first):  # the logarithm of the distance, or faster
        return inf if third > 0 else -inf
    return None
