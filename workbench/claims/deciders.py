"""Deciders: rules that derive a verdict from the values of every seed.

Each compares values that were measured with the same seeds: seed s has the same split, order and, where names and
shapes agree, the same initial weights in every arm. All minimum effects are fixed in the declaration of the claim.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Literal, Protocol

from workbench.claims import statistics

Outcome = Literal["holds", "does_not_hold", "inconclusive", "identical"]
Values = Mapping[str, Sequence[float]]  # arm -> the value of each seed, in the same order


@dataclass(frozen=True)
class Decision:
    """A verdict with its effect.

    Attributes:
        outcome: The verdict.
        effect: The effect; its mean over seeds.
        interval: Its 95% interval.
        p: The one-sided p-value against the minimum effect; None if the decider has none.
        per_seed: The effect of each seed; empty if it has none of its own.
    """

    outcome: Outcome
    effect: float
    interval: tuple[float, float]
    p: float | None = None
    per_seed: tuple[float, ...] = ()


class Decider(Protocol):
    """A rule that derives a verdict from the values of every seed."""

    @property
    def min_effect(self) -> float:
        """The smallest effect that counts."""
        ...

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        ...

    def decide(self, values: Values) -> Decision:
        """Return the decision from the values of 2 seeds or more."""
        ...


@dataclass(frozen=True)
class Paired:
    """The first arm minus the second, seed by seed, against a minimum effect above 0."""

    min_effect: float
    unit: str = ""

    def __post_init__(self) -> None:
        if not self.min_effect > 0:
            raise ValueError("The minimum effect must be above 0.")

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        return f"first arm minus second arm, by a paired t-interval against {_amount(self.min_effect, self.unit)}"

    def decide(self, values: Values) -> Decision:
        """Return the decision from the values of 2 seeds or more."""
        first, second = values.values()
        return _decide([a - b for a, b in zip(first, second, strict=True)], self.min_effect)


@dataclass(frozen=True)
class NonInferior:
    """The first arm minus the second, against minus a margin: the first may be worse by less than the margin."""

    margin: float
    unit: str = ""

    @property
    def min_effect(self) -> float:
        """The smallest effect that counts."""
        return -self.margin

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        return f"first arm at most {_amount(self.margin, self.unit)} below the second, by a paired t-interval"

    def decide(self, values: Values) -> Decision:
        """Return the decision from the values of 2 seeds or more."""
        first, second = values.values()
        return _decide([a - b for a, b in zip(first, second, strict=True)], -self.margin, may_be_identical=False)


@dataclass(frozen=True)
class Interaction:
    """The effect of the first pair of arms minus that of the second pair, against a minimum effect."""

    min_effect: float
    unit: str = ""

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        return (
            "(first minus second arm) minus (third minus fourth arm), by a paired t-interval against "
            f"{_amount(self.min_effect, self.unit)}"
        )

    def decide(self, values: Values) -> Decision:
        """Return the decision from the values of 2 seeds or more."""
        rows = zip(*values.values(), strict=True)
        return _decide([(a - b) - (c - d) for a, b, c, d in rows], self.min_effect)


@dataclass(frozen=True)
class SolveRate:
    """The share of seeds that reach a threshold, in the first arm minus in the second, against a minimum effect."""

    threshold: float
    min_effect: float

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        return (
            f"share of seeds that reach {self.threshold:g}, first arm minus second arm, by Newcombe's interval against "
            f"{self.min_effect:g}"
        )

    def decide(self, values: Values) -> Decision:
        """Return the decision from the values of 2 seeds or more."""
        first, second = ([value >= self.threshold for value in arm] for arm in values.values())
        interval = statistics.difference_of_rates((sum(first), len(first)), (sum(second), len(second)))
        effect = (sum(first) - sum(second)) / len(first)
        differences = tuple(float(a - b) for a, b in zip(first, second, strict=True))
        return Decision(_outcome(interval, self.min_effect), effect, interval, None, differences)


@dataclass(frozen=True)
class Slope:
    """The slope of the logarithm of a measure, one of each seed, between two bounds."""

    low: float
    high: float

    @property
    def min_effect(self) -> float:
        """The smallest slope that counts."""
        return self.low

    @property
    def rule(self) -> str:
        """The rule in a sentence."""
        return f"log-log slope between {self.low:g} and {self.high:g}, by the t-interval over seeds"

    def decide(self, values: Values) -> Decision:
        """Return the decision from the slopes of 2 seeds or more."""
        (slopes,) = values.values()
        low, high = statistics.t_interval(slopes)
        outcome: Outcome = "inconclusive"
        if self.low <= low and high <= self.high:
            outcome = "holds"
        elif high < self.low or low > self.high:
            outcome = "does_not_hold"
        return Decision(outcome, mean(slopes), (low, high), None, tuple(slopes))


def _decide(differences: Sequence[float], minimum: float, may_be_identical: bool = True) -> Decision:
    interval = statistics.t_interval(differences)
    outcome = _outcome(interval, minimum)
    if may_be_identical and not any(differences):
        outcome = "identical"
    return Decision(outcome, mean(differences), interval, statistics.t_test(differences, minimum), tuple(differences))


def _outcome(interval: tuple[float, float], minimum: float) -> Outcome:
    low, high = interval
    return "holds" if low >= minimum else "does_not_hold" if high < minimum else "inconclusive"


def _amount(value: float, unit: str) -> str:
    return f"{value:g} {unit}".strip()
