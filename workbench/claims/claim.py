"""Claims: statements of the notes that can be tested, each with the rule that decides it.

exact        a computation agrees with another one, within a tolerance
structural   counts, shapes and ranges are as stated
scaling      the measured slope of a cost lies in a range
empirical    an effect between arms is larger than a minimum, over several seeds
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.claims.arms import Arm, RunArm, TrialArm, code_hash
from workbench.claims.deciders import Decider, Outcome
from workbench.claims.evidence import Evidence
from workbench.claims.measures import Measure
from workbench.errors import DeclarationError

SEEDS = 8
TUNING_SEEDS = (100, 101)  # no table reports them
EvidenceFunction = Callable[[int], Iterable[Evidence]]
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A statement that can be tested.

    Attributes:
        id: The id of the claim, which is that of its row in the table of statements.
        statement: The statement, phrased so that the test can contradict it.
        topic: The topic of the syllabus.
        expected: The expected verdict.
        source: The source of the statement or of its correction; empty if `note` has a derivation.
        note: The conditions under which the statement holds, or a correction of the notes.
        is_timed: Whether it measures time, so that nothing else may run at the same time.
        seeds: The number of seeds.
    """

    id: str
    statement: str
    topic: str
    expected: Outcome
    source: str = ""
    note: str = ""
    is_timed: bool = False
    seeds: int = SEEDS

    @property
    def kind(self) -> str:
        """The kind of claim."""
        raise NotImplementedError

    def declared(self) -> dict[str, Any]:
        """Return everything that its verdict depends on, as plain data."""
        raise NotImplementedError

    @property
    def hash(self) -> str:
        """Hash of the declaration: results with another hash are not of this claim."""
        parts = {"id": self.id, "kind": self.kind, "expected": self.expected, **self.declared()}
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True, kw_only=True)
class Exact(Claim):
    """A claim that is decided by a computation.

    Attributes:
        evidence: Yields comparisons for a seed; all must agree.
        is_structural: Whether it is about counts, shapes or ranges.
    """

    evidence: EvidenceFunction
    seeds: int = 5
    is_structural: bool = False

    @property
    def kind(self) -> str:
        """The kind of claim."""
        return "structural" if self.is_structural else "exact"

    def declared(self) -> dict[str, Any]:
        """Return everything that its verdict depends on, as plain data."""
        return {"function": self.evidence.__name__, "code": code_hash(self.evidence)}


@dataclass(frozen=True, kw_only=True)
class Scaling(Claim):
    """A claim that is decided by a slope.

    Attributes:
        points: Returns points (size, cost) for a seed, all above 0.
        decider: The bounds of the slope.
    """

    points: Callable[[int], Points]
    decider: Decider
    seeds: int = 5

    @property
    def kind(self) -> str:
        """The kind of claim."""
        return "scaling"

    def declared(self) -> dict[str, Any]:
        """Return everything that its verdict depends on, as plain data."""
        function = {"function": self.points.__name__, "code": code_hash(self.points)}
        return {**function, "decider": repr(self.decider)}


@dataclass(frozen=True, kw_only=True)
class Empirical(Claim):
    """A claim that is decided by the paired effect between arms.

    Attributes:
        arms: Name -> arm, in the order that the decider needs.
        measure: The measure of a training run; for a trial, the name of one of its values.
        decider: The rule, with its minimum effect.
        control: Options that remove the cause of the effect, so that it must shrink or change its sign.
        tune: Option -> values that are compared for every arm, on the validation set with seeds that aren't reported.
        tuned_by: The measure by which the values are compared; larger is better.
        if_diverged: The value of a run that diverged; None if such a seed has no value.
    """

    arms: Mapping[str, Arm]
    measure: Measure | str
    decider: Decider
    control: Mapping[str, Any] | None = None
    tune: Mapping[str, Sequence[Any]] | None = None
    tuned_by: Measure | str | None = None
    if_diverged: float | None = None

    def __post_init__(self) -> None:
        if (self.tune is None) != (self.tuned_by is None):
            raise DeclarationError(f"The claim {self.id} needs both tune and tuned_by, or neither.")
        measured = all(
            isinstance(arm, TrialArm if isinstance(self.measure, str) else RunArm) for arm in self.arms.values()
        )
        if not measured:
            raise DeclarationError(
                f"The claim {self.id}: the name of a value is for trials, a measure for training runs."
            )

    @property
    def kind(self) -> str:
        """The kind of claim."""
        return "empirical"

    def phase_arms(self, phase: Literal["main", "control"]) -> dict[str, Arm]:
        """Return the arms of a phase."""
        changes = self.control or {}
        return {name: arm.changed(changes) if phase == "control" else arm for name, arm in self.arms.items()}

    def declared(self) -> dict[str, Any]:
        """Return everything that its verdict depends on, as plain data."""
        return dict(
            arms={name: arm.record() for name, arm in self.arms.items()},
            measure=_record(self.measure),
            decider=repr(self.decider),
            control=self.control,
            tune=None if self.tune is None else {name: list(values) for name, values in self.tune.items()},
            tuned_by=_record(self.tuned_by),
            if_diverged=self.if_diverged,
        )


def _record(measure: Measure | str | None) -> Any:
    return measure if measure is None or isinstance(measure, str) else measure.record()
