"""The best evaluation of a run: which it was, what it weighed, and for how long none has been better."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor


@dataclass
class Best:
    """The best evaluation so far, by the validation part.

    Attributes:
        rank: Its metric, and its negative loss for when metrics are equal; None before the first evaluation.
        step: After which it was made.
        waited: Evaluations since then.
        test: The metrics of the test part at that moment.
        weights: The network's state dict then, or None where it is to be found in the checkpoint.
        about: What its checkpoint says of it.
        saved: Whether its checkpoint is written.
    """

    rank: tuple[float, float] | None = None
    step: int = 0
    waited: int = 0
    test: dict[str, float] = field(default_factory=dict)
    weights: dict[str, Tensor] | None = None
    about: dict[str, Any] = field(default_factory=dict)
    saved: bool = True

    def beaten(self, rank: tuple[float, float], step: int) -> bool:
        """Take in an evaluation: whether it is better than all before."""
        if self.rank is None or rank > self.rank:
            self.rank, self.step, self.waited = rank, step, 0
            return True
        self.waited += 1
        return False

    def to_json(self) -> dict[str, Any]:
        """What a checkpoint keeps of it: all but the weights, which have their own."""
        return dict(rank=self.rank, step=self.step, waited=self.waited, test=self.test)

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> "Best":
        """What `to_json` gave."""
        rank = record["rank"]
        return cls(rank and (rank[0], rank[1]), record["step"], record["waited"], record["test"])
