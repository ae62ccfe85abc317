"""The state of a run, computed from its events. All lists, charts, tables and exports use it."""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import NamedTuple

from workbench.engine.events.kinds import Checkpoint, End, Evaluation, Event, Metrics, Report, Start


@dataclass(frozen=True)
class Points:
    """The values of a metric on a split, and the steps at which they were measured."""

    steps: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)


class Row(NamedTuple):
    """The metrics that were measured at one step.

    Attributes:
        split: The split; `train_eval` if the training set was evaluated rather than trained on.
        seconds: Seconds of training until then.
        time: The same as seconds since 1970.
    """

    step: int
    epoch: float
    seconds: float
    time: float
    split: str
    metrics: Metrics


class RunState:
    """The state of a run, updated event by event.

    A resumed run reports the steps after its checkpoint again; they replace those before.

    Args:
        created: When the run was created, in seconds since 1970; used if its events don't say when it started.

    Attributes:
        start: The start events, merged, because that of a resumed run has no initial weights; None before the first.
        end: The end event; None before it, and after the run is resumed.
        step: The step of the last event.
        seconds: Seconds of training until then.
        rows: All metrics, in order.
        latest: Split -> the latest metrics.
        checkpoints: Name -> the event of the newest checkpoint of that name.
    """

    def __init__(self, created: float = 0.0) -> None:
        self.start: Start | None = None
        self.end: End | None = None
        self.step = 0
        self.seconds = 0.0
        self.rows: list[Row] = []
        self.latest: dict[str, Metrics] = {}
        self.checkpoints: dict[str, Checkpoint] = {}
        self._created = created
        self._started = created  # when training would have started if it had never stopped
        self._points: dict[str, dict[str, Points]] = {}  # metric -> split -> points

    def apply(self, event: Event) -> None:
        """Update the state with the next event."""
        self.step, self.seconds = event["step"], event.get("seconds", self.seconds)
        match event["event"]:
            case "start":
                self._begin(event)
            case "metric" | "eval":
                self._add(event)
            case "checkpoint":
                self.checkpoints[event["checkpoint"]] = event
            case "end":
                self.end = event

    @property
    def monitored(self) -> tuple[str, float | None] | None:
        """The metric that decides which checkpoint is best, and its latest value on the validation set."""
        name = self.start.get("monitor") if self.start else None
        return (name, self.latest.get("validation", {}).get(name)) if name else None

    def points(self, metric: str, split: str) -> Points:
        """Return the points of a metric on a split; no points if it was not measured there."""
        return self._points.get(metric, {}).get(split, Points())

    def metrics(self) -> list[str]:
        """Return the metrics that were measured so far."""
        return list(self._points)

    def splits(self, metric: str) -> list[str]:
        """Return the splits on which a metric was measured."""
        return list(self._points.get(metric, {}))

    def _begin(self, event: Start) -> None:
        self.start = event if self.start is None else {**self.start, **event}
        self.end = None
        self._started = event.get("time", self._created) - event["seconds"]
        while self.rows and self.rows[-1].step > event["step"]:
            self.rows.pop()
        for splits in self._points.values():
            for points in splits.values():
                count = bisect_right(points.steps, event["step"])
                del points.steps[count:], points.values[count:]

    def _add(self, event: Report | Evaluation) -> None:
        split = "train_eval" if (event["event"], event["split"]) == ("eval", "train") else event["split"]
        seconds, metrics = event["seconds"], event["metrics"]
        self.rows.append(Row(event["step"], event.get("epoch", 0.0), seconds, self._started + seconds, split, metrics))
        self.latest[split] = metrics
        for name, value in metrics.items():
            points = self._points.setdefault(name, {}).setdefault(split, Points())
            points.steps.append(event["step"])
            points.values.append(value)
