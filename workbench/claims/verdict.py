"""Verdicts: the decisions on claims from the values of all seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import Any

from workbench.claims.claim import Claim, Empirical, Exact, Scaling
from workbench.claims.deciders import Decision, Outcome
from workbench.claims.results import Results


@dataclass(frozen=True)
class Verdict:
    """The verdict on a claim.

    Attributes:
        claim: The id of the claim.
        verdict: The verdict.
        expected: The verdict that was expected.
        reason: The reason, if the interval alone doesn't show it.
        effect: The effect; None without one.
        interval: Its 95% interval; None with fewer than 2 seeds.
        min_effect: The smallest effect that counts.
        p: The one-sided p-value of the effect against it.
        per_seed: The effect of each seed.
        seeds: The seeds.
        arms: Arm -> the value of each seed; None where a run diverged.
        control: The effect, the interval and the values under the control; None without one.
        tuned: Arm -> the options that were chosen on the validation set.
        evidence: The comparisons of an exact or structural claim.
        steps: Updates of all runs.
        seconds: Seconds of CPU time of all trials.
        backends: The backends that trained several seeds at once.
    """

    claim: str
    verdict: Outcome
    expected: Outcome
    reason: str = ""
    effect: float | None = None
    interval: tuple[float, float] | None = None
    min_effect: float | None = None
    p: float | None = None
    per_seed: Sequence[float] = ()
    seeds: Sequence[int] = ()
    arms: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    control: Mapping[str, Any] | None = None
    tuned: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    evidence: Sequence[Mapping[str, Any]] = ()
    steps: int = 0
    seconds: float = 0.0
    backends: Sequence[str] = ()

    def to_record(self) -> dict[str, Any]:
        """Return the verdict as plain data."""
        return asdict(self)


def decide(claim: Claim, results: Results, seeds: Sequence[int]) -> Verdict:
    """Return the verdict on a claim, from results that are complete for these seeds."""
    cost: dict[str, Any] = dict(steps=results.steps, seconds=results.seconds, backends=results.backends)
    match claim:
        case Exact():
            return _decide_exact(claim, results, seeds, cost)
        case Scaling():
            slopes = [results.values("slope", "main", seed)["slope"] or 0.0 for seed in seeds]
            if len(slopes) < 2:
                return _without_interval(claim, {"slope": slopes}, seeds, cost)
            decision = claim.decider.decide({"slope": slopes})
            return _verdict(claim, decision, {"slope": slopes}, seeds, cost)
        case Empirical():
            return _decide_empirical(claim, results, seeds, cost)
    raise TypeError(f"{claim.id} is not a claim that can be decided")


def _decide_exact(claim: Exact, results: Results, seeds: Sequence[int], cost: dict[str, Any]) -> Verdict:
    rows = [row for seed in seeds for row in results.evidence(seed)]
    disagreeing = [row for row in rows if not row["agrees"]]
    reason = f"{disagreeing[0]['what']}: {disagreeing[0]['detail']}." if disagreeing else ""
    outcome: Outcome = "does_not_hold" if disagreeing else "holds"
    evidence = {
        row["what"]: row for row in [*rows, *disagreeing]
    }  # one for each comparison, one that fails if any does
    return Verdict(claim.id, outcome, claim.expected, reason, seeds=seeds, evidence=list(evidence.values()), **cost)


def _decide_empirical(claim: Empirical, results: Results, seeds: Sequence[int], cost: dict[str, Any]) -> Verdict:
    values = _values(claim, results, "main", seeds)
    cost |= {"tuned": results.tuned}
    if len(seeds) < 2:
        return _without_interval(claim, values, seeds, cost)
    if diverged := [name for name, numbers in values.items() if None in numbers]:
        reason = f"A run of {' and of '.join(diverged)} diverged, so that a seed has no effect."
        return Verdict(claim.id, "inconclusive", claim.expected, reason, seeds=seeds, arms=values, **cost)
    decision = claim.decider.decide(_complete(values))
    if claim.control is None:
        return _verdict(claim, decision, values, seeds, cost)
    control_values = _values(claim, results, "control", seeds)
    if any(None in numbers for numbers in control_values.values()):
        control: dict[str, Any] = {"arms": control_values, "shrinks": False}
    else:
        other = claim.decider.decide(_complete(control_values))
        shrinks = mean(other.per_seed or [other.effect]) < decision.effect and other.interval[1] < decision.effect
        control = dict(arms=control_values, effect=other.effect, interval=other.interval, shrinks=shrinks)
    verdict = _verdict(claim, decision, values, seeds, cost | {"control": control})
    if decision.outcome == "holds" and not control["shrinks"]:
        reason = "The effect is there under the control, too, where its cause is gone."
        record = {**vars(verdict), "verdict": "inconclusive", "reason": reason}
        return Verdict(**record)
    return verdict


def _values(claim: Empirical, results: Results, phase: str, seeds: Sequence[int]) -> dict[str, list[float | None]]:
    values: dict[str, list[float | None]] = {}
    for arm in claim.arms:
        numbers = [results.values(arm, phase, seed)["value"] for seed in seeds]
        values[arm] = [claim.if_diverged if number is None else number for number in numbers]
    return values


def _complete(values: Mapping[str, Sequence[float | None]]) -> dict[str, list[float]]:
    return {name: [number for number in numbers if number is not None] for name, numbers in values.items()}


def _verdict(
    claim: Empirical | Scaling,
    decision: Decision,
    values: Mapping[str, Sequence[float | None]],
    seeds: Sequence[int],
    cost: dict[str, Any],
) -> Verdict:
    reason = ""
    if decision.outcome == "inconclusive":
        reason = f"The interval contains the bound; {2 * len(seeds)} seeds may decide it."
    if decision.outcome == "identical":
        reason = "All seeds have the same value in both arms."
    return Verdict(
        claim.id,
        decision.outcome,
        claim.expected,
        reason,
        decision.effect,
        decision.interval,
        claim.decider.min_effect,
        decision.p,
        decision.per_seed,
        seeds,
        values,
        **cost,
    )


def _without_interval(
    claim: Claim, values: Mapping[str, Sequence[float | None]], seeds: Sequence[int], cost: dict[str, Any]
) -> Verdict:
    reason = "One seed has no interval: give 2 or more."
    return Verdict(claim.id, "inconclusive", claim.expected, reason, seeds=seeds, arms=values, **cost)
