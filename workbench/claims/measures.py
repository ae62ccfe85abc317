"""Measures of a training run: one number per seed."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING, Any

from workbench.claims.arms import code_hash

if TYPE_CHECKING:
    from workbench.engine.events import RunState
    from workbench.engine.training.state import SeedState


@dataclass(frozen=True)
class Final:
    """A metric at the end of the run: on `train`, the mean over the last updates; else on the whole split.

    Attributes:
        split: `train`, `train_eval` (the training set, evaluated), `validation` or `test`.
        metric: The metric.
        scale: The factor of the metric, such as 100 for an accuracy in points.
    """

    split: str
    metric: str
    scale: float = 1.0

    @property
    def title(self) -> str:
        """The description of the measure."""
        return f"{self.split} {self.metric}" + (f" times {self.scale:g}" if self.scale != 1 else "")

    def record(self) -> dict[str, Any]:
        """Return the measure as plain data."""
        return {"split": self.split, "metric": self.metric, "scale": self.scale}

    def of(self, run: "RunState", state: "SeedState") -> float | None:
        """Return the measure of a run that has ended; None if it diverged before it was measured."""
        value = run.latest.get(self.split, {}).get(self.metric)
        return None if value is None or (run.end and run.end["status"] == "diverged") else self.scale * value


@dataclass(frozen=True)
class StepsTo:
    """The number of steps until the training loss, averaged since the last report, is at most a target.

    Attributes:
        loss: The target.
        most: The value of a run that doesn't reach the target; at least its number of steps.
        is_log: Whether the decimal logarithm is taken, so that differences are factors.
        scale: What it is multiplied by, such as -1 where learning rates are tuned for speed: larger is better there.
    """

    loss: float
    most: int
    is_log: bool = False
    scale: float = 1.0

    @property
    def title(self) -> str:
        """The description of the measure."""
        times = f" times {self.scale:g}" if self.scale != 1 else ""
        return f"{'log10 of the ' if self.is_log else ''}steps to a training loss of {self.loss:g}{times}"

    def record(self) -> dict[str, Any]:
        """Return the measure as plain data."""
        return {"loss": self.loss, "most": self.most, "is_log": self.is_log, "scale": self.scale}

    def of(self, run: "RunState", state: "SeedState") -> float | None:
        """Return the measure of a run that has ended."""
        points = run.points("loss", "train")
        reached = (
            step
            for step, loss in zip(points.steps, points.values, strict=True)
            if loss is not None and loss <= self.loss
        )
        steps = next(reached, self.most)
        return self.scale * (log10(steps) if self.is_log else steps)


@dataclass(frozen=True)
class After:
    """The value of a function of the trained network, its data and its optimizer.

    Attributes:
        function: A function that takes the `SeedState` at the end of the run, and returns a number.
        title: The description of the measure.
    """

    function: "Callable[[SeedState], float]"
    title: str

    def record(self) -> dict[str, Any]:
        """Return the measure as plain data."""
        return {"function": self.function.__name__, "code": code_hash(self.function)}

    def of(self, run: "RunState", state: "SeedState") -> float | None:
        """Return the measure of a run that has ended; None if it diverged."""
        return None if run.end and run.end["status"] == "diverged" else self.function(state)


Measure = Final | StepsTo | After
