"""What a run's events say, gathered as the lines of its charts."""

from collections.abc import Iterator
from typing import Any

from workbench.show.chart import LineChart, Series


class Curves:
    """The points of a run so far: the training loss as it went, and the evaluations of the other parts."""

    def __init__(self) -> None:
        self.start: dict[str, Any] = {}
        self._points: dict[str, dict[str, list[tuple[int, float | None]]]] = {}  # metric -> part of the data -> points

    def note(self, event: dict[str, Any]) -> None:
        """Take in one event."""
        if event["event"] == "start":
            self.start = event
        elif event["event"] == "metric" or (event["event"] == "eval" and event["split"] != "train"):
            for name, value in event["metrics"].items():
                self._points.setdefault(name, {}).setdefault(event["split"], []).append((event["step"], value))

    def metrics(self) -> list[str]:
        """The metrics that have points."""
        return list(self._points)

    def chart(self, metric: str, height: int = 12) -> LineChart:
        """A metric's chart, with its floor as a line to compare with."""
        floor = self.start.get("floor") or {}
        series = [
            Series(split, [x for x, _ in points], [y for _, y in points], dotted=split == "validation")
            for split, points in self._points.get(metric, {}).items()
        ]
        guides = {"floor": floor["value"]} if floor.get("metric") == metric else {}
        return LineChart(series, title=metric, height=height, guides=guides)

    def charts(self) -> Iterator[LineChart]:
        """A chart for every metric."""
        return (self.chart(metric) for metric in self._points)
