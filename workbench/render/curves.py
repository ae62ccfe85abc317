"""The metrics of a run over its steps, as charts; and those of several runs in one chart."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from workbench.render.chart import LineChart, Series


class EventReader(Protocol):
    """A reader of a run's events."""

    def read(self) -> list[dict[str, Any]]:
        """Return the events since the last call; an empty list if there are none."""
        ...


@dataclass(frozen=True)
class Points:
    """The values of a metric on a split, and the steps at which they were measured."""

    steps: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)


class Curves:
    """The metrics of a run so far: on the training set at every report, on other splits at every evaluation."""

    def __init__(self) -> None:
        self.start: dict[str, Any] = {}
        self._points: dict[str, dict[str, Points]] = {}  # metric -> split -> points

    @classmethod
    def from_reader(cls, reader: EventReader) -> "Curves":
        """Return the curves of all events that there are now."""
        curves = cls()
        while events := reader.read():
            for event in events:
                curves.add(event)
        return curves

    def add(self, event: dict[str, Any]) -> None:
        """Add the metrics of an event."""
        if event["event"] == "start":
            self.start = event
            self._drop_after(event["step"])
        elif event["event"] == "metric" or (event["event"] == "eval" and event["split"] != "train"):
            for name, value in event["metrics"].items():
                points = self._points.setdefault(name, {}).setdefault(event["split"], Points())
                points.steps.append(event["step"])
                points.values.append(value)

    def _drop_after(self, step: int) -> None:
        """Drop later points: a resumed run repeats the steps after its checkpoint."""
        for splits in self._points.values():
            for points in splits.values():
                end = bisect_right(points.steps, step)
                del points.steps[end:], points.values[end:]

    def metrics(self) -> list[str]:
        """Return the metrics that have a chart: not a learning rate that stays constant, nor the terms of the loss."""
        terms = self.start.get("terms", [])
        return [
            name
            for name in self._points
            if name not in terms and (name != "lr" or len(set(self.points("lr", "train").values)) > 1)
        ]

    def points(self, metric: str, split: str) -> Points:
        """Return the points of a metric on a split; no points if it was not measured there."""
        return self._points.get(metric, {}).get(split, Points())

    def splits(self, metric: str) -> list[str]:
        """Return the splits on which a metric was measured."""
        return list(self._points.get(metric, {}))

    def chart(self, metric: str, height: int = 12) -> LineChart:
        """Return the chart of a metric, with the baseline as a guide; that of the loss has a line for each term."""
        baseline = self.start.get("baseline") or {}
        series = [
            to_series(split, self.points(metric, split), dotted=split == "validation") for split in self.splits(metric)
        ]
        if metric == "loss":
            series += [to_series(term, self.points(term, "train")) for term in self.start.get("terms", [])]
        guides = {"baseline": baseline["value"]} if baseline.get("metric") == metric else {}
        return LineChart(series, title=metric, height=height, guides=guides)

    def charts(self) -> Iterator[LineChart]:
        """Yield a chart for each metric."""
        return (self.chart(metric) for metric in self.metrics())


def compare_runs(runs: dict[str, Curves], height: int = 12) -> Iterator[LineChart]:
    """Yield a chart for each metric with a line for each run: on validation, or on training without it."""
    for metric in dict.fromkeys(metric for curves in runs.values() for metric in curves.metrics()):
        is_validated = any(curves.points(metric, "validation").steps for curves in runs.values())
        split = "validation" if is_validated else "train"
        series = [to_series(name, curves.points(metric, split)) for name, curves in runs.items()]
        yield LineChart(series, title=f"{split} {metric}", height=height)


def to_series(name: str, points: Points, dotted: bool = False) -> Series:
    """Return points as a line of a chart."""
    return Series(name, points.steps, points.values, dotted=dotted)
