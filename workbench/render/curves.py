"""The metrics of a run over its steps, as charts; and those of several runs in one chart."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from workbench.render.chart import LineChart, Series


class Points(Protocol):
    """The values of a metric on a split, and the steps at which they were measured."""

    @property
    def steps(self) -> list[int]: ...

    @property
    def values(self) -> list[float | None]: ...


class Curves(Protocol):
    """The part of `engine.events.RunState` that charts need."""

    @property
    def start(self) -> Any: ...

    def metrics(self) -> list[str]: ...

    def points(self, metric: str, split: str) -> Points: ...

    def splits(self, metric: str) -> Sequence[str]: ...


def charted_metrics(run: Curves) -> list[str]:
    """Return the metrics that have a chart: not a learning rate that stays constant, nor the terms of the loss."""
    terms = (run.start or {}).get("terms", [])
    names = [
        name
        for name in run.metrics()
        if name not in terms and _splits(run, name) and (name != "lr" or len(set(run.points("lr", "train").values)) > 1)
    ]
    return sorted(names, key=lambda name: name == "lr")  # last: the others say how well the network learns


def charts(run: Curves, height: int = 12) -> Iterator[LineChart]:
    """Yield a chart for each metric of a run."""
    return (chart(run, metric, height) for metric in charted_metrics(run))


def chart(run: Curves, metric: str, height: int = 12) -> LineChart:
    """Return the chart of a metric, with the baseline as a guide; that of the loss has a line for each term."""
    start = run.start or {}
    baseline = start.get("baseline") or {}
    series = [
        to_series(split, run.points(metric, split), dotted=split == "validation") for split in _splits(run, metric)
    ]
    if metric == "loss":
        series += [to_series(term, run.points(term, "train")) for term in start.get("terms", [])]
    guides = {"baseline": baseline["value"]} if baseline.get("metric") == metric else {}
    return LineChart(series, title=metric, height=height, guides=guides)


def compare_runs(runs: Mapping[str, Curves], height: int = 12) -> Iterator[LineChart]:
    """Yield a chart for each metric with a line for each run: on validation, or on training without it."""
    for metric in dict.fromkeys(metric for curves in runs.values() for metric in charted_metrics(curves)):
        is_validated = any(curves.points(metric, "validation").steps for curves in runs.values())
        split = "validation" if is_validated else "train"
        series = [to_series(name, curves.points(metric, split)) for name, curves in runs.items()]
        yield LineChart(series, title=f"{split} {metric}", height=height)


def to_series(name: str, points: Points, dotted: bool = False) -> Series:
    """Return points as a line of a chart."""
    return Series(name, points.steps, points.values, dotted=dotted)


def _splits(run: Curves, metric: str) -> list[str]:
    return [split for split in run.splits(metric) if split != "train_eval"]
