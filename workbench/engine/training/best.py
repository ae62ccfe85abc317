"""The best evaluation of a run, and the number of evaluations since then."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from workbench.tasks.base import Metrics


@dataclass
class Best:
    """The best evaluation on the validation set so far.

    Attributes:
        score: Its metric, larger is better, and its negative loss for when metrics are equal; None before the first.
        step: The step of that evaluation.
        evaluations_since: The number of evaluations since then.
        weights: The state dict of the network then; None if it is in the checkpoint.
        metadata: The metadata of its checkpoint.
        is_saved: Whether its checkpoint is written.
    """

    score: tuple[float, float] | None = None
    step: int = 0
    evaluations_since: int = 0
    weights: dict[str, Tensor] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    is_saved: bool = True

    def update_if_better(self, score: tuple[float, float], step: int) -> bool:
        """Record an evaluation, and return whether it is the best so far."""
        if self.score is None or score > self.score:
            self.score, self.step, self.evaluations_since = score, step, 0
            return True
        self.evaluations_since += 1
        return False

    def to_json(self) -> dict[str, Any]:
        """Return what a checkpoint stores of it: all but the weights, which have their own checkpoint."""
        return dict(rank=self.score, step=self.step, waited=self.evaluations_since)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Best":
        """Return what `to_json` stored."""
        score = record["rank"]
        return cls(score and (score[0], score[1]), record["step"], record["waited"])


def score(metrics: Metrics, monitor: str, maximize: bool) -> tuple[float, float]:
    """Return the score of an evaluation: the monitored metric so that larger is better, then the negative loss."""
    value = metrics.get(monitor, float("nan"))
    ordered = value if maximize else -value
    return (ordered if ordered == ordered else float("-inf"), -metrics["loss"])
