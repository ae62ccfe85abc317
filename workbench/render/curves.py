"""What a run's events say, gathered as the lines of its charts; and several runs' lines in one chart."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from workbench.render.chart import LineChart, Series


class Reader(Protocol):
    """Reads a run's events, as many as are new; none where there is no more."""

    def read(self) -> list[dict[str, Any]]: ...


@dataclass(frozen=True)
class Points:
    """A metric on a part of the data: at which steps, and what it was."""

    steps: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)


class Curves:
    """The points of a run so far: the training loss as it went, and the evaluations of the other parts."""

    def __init__(self) -> None:
        self.start: dict[str, Any] = {}
        self._points: dict[str, dict[str, Points]] = {}  # metric -> part of the data -> points

    @classmethod
    def of(cls, tail: Reader) -> "Curves":
        """The curves of all that a reader of events has to tell so far."""
        curves = cls()
        while events := tail.read():
            for event in events:
                curves.note(event)
        return curves

    def note(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        if event["event"] == "start":
            self.start = event
            self._forget_after(event["step"])
        elif event["event"] == "metric" or (event["event"] == "eval" and event["split"] != "train"):
            for name, value in event["metrics"].items():
                points = self._points.setdefault(name, {}).setdefault(event["split"], Points())
                points.steps.append(event["step"])
                points.values.append(value)

    def _forget_after(self, step: int) -> None:
        """A run that is taken up again makes the steps after its checkpoint a second time."""
        for splits in self._points.values():
            for points in splits.values():
                kept = bisect_right(points.steps, step)
                del points.steps[kept:], points.values[kept:]

    def metrics(self) -> list[str]:
        """The metrics that have points; a learning rate that stays the same is none."""
        return [name for name in self._points if name != "lr" or len(set(self.points("lr", "train").values)) > 1]

    def points(self, metric: str, split: str) -> Points:
        """Step and value of a metric on a part of the data."""
        return self._points.get(metric, {}).get(split, Points())

    def splits(self, metric: str) -> list[str]:
        """The parts of the data that a metric was measured on."""
        return list(self._points.get(metric, {}))

    def chart(self, metric: str, height: int = 12) -> LineChart:
        """A metric's chart, with its floor as a line to compare with."""
        floor = self.start.get("floor") or {}
        series = [
            line(split, self.points(metric, split), dotted=split == "validation") for split in self.splits(metric)
        ]
        guides = {"floor": floor["value"]} if floor.get("metric") == metric else {}
        return LineChart(series, title=metric, height=height, guides=guides)

    def charts(self) -> Iterator[LineChart]:
        """A chart for every metric."""
        return (self.chart(metric) for metric in self.metrics())


def compared(runs: dict[str, Curves], height: int = 12) -> Iterator[LineChart]:
    """A chart for every metric, with a line for every run: of the test part, or of training where only that has it."""
    for metric in dict.fromkeys(metric for curves in runs.values() for metric in curves.metrics()):
        tested = any(curves.points(metric, "test").steps for curves in runs.values())
        split = "test" if tested else "train"
        series = [line(name, curves.points(metric, split)) for name, curves in runs.items()]
        yield LineChart(series, title=f"{split} {metric}", height=height)


def line(name: str, points: Points, dotted: bool = False) -> Series:
    """Points as a line of a chart."""
    return Series(name, points.steps, points.values, dotted=dotted)
