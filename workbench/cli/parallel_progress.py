"""The progress of several runs at once: on a terminal a bar for each, in a pipe plain lines, with --json the events."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.cli.output import console, print_json
from workbench.cli.run_progress import format_end, format_initial_weights, format_start
from workbench.engine.events.kinds import End, Evaluation, Event, Metrics, Start
from workbench.render.metrics import format_metrics

if TYPE_CHECKING:
    from rich.progress import TaskID

    from workbench.engine.executor import Trial

OnEvent = Callable[["Trial", Event], None]
Label = Callable[["Trial"], str]


@contextmanager
def parallel_progress(total: int, as_json: bool, label: Label = lambda trial: "") -> Iterator[OnEvent]:
    """Yield the function that shows an event of a run.

    Args:
        total: The number of runs.
        as_json: Whether to print the events as JSON.
        label: Returns what is special about a run.
    """
    if as_json:
        yield JsonStream().show
    elif sys.stdout.isatty():
        with Bars(total, label) as bars:
            yield bars.show
    else:
        yield Lines(label).show


class JsonStream:
    """The events of all runs, a line each; every line says which run it is of."""

    def __init__(self) -> None:
        self.is_empty = True

    def show(self, trial: "Trial", event: Event) -> None:
        print_json(event, self.is_empty)
        sys.stdout.flush()
        self.is_empty = False


class Lines:
    """A line for the start, each evaluation and the end of each run, with the run's id before it."""

    def __init__(self, label: Label) -> None:
        self.label = label
        self.starts: dict[str, Start] = {}
        self.train: dict[str, Metrics] = {}

    def show(self, trial: "Trial", event: Event) -> None:
        assert trial.run is not None
        id = trial.run.id
        name = f"{id} {self.label(trial)}".strip()
        match event["event"]:
            case "start":
                self.starts[id] = event
                print(f"{name}{format_start(event).removeprefix(id)}", flush=True)
                if weights := event.get("initial_weights"):
                    print(f"{name}: {format_initial_weights(weights)}", flush=True)
            case "metric":
                self.train[id] = event["metrics"]
            case "eval" if event["split"] == "validation":
                print(f"{name}: {self._format_evaluation(id, event)}", flush=True)
            case "end":
                print(f"{name}: {format_trial_end(trial, event, self.starts.get(id))}", flush=True)

    def _format_evaluation(self, id: str, event: Evaluation) -> str:
        start = self.starts.get(id)
        names = ("loss", start.get("monitor", "") if start else "")
        validation = {name: event["metrics"][name] for name in names if name in event["metrics"]}
        metrics = f"train {format_metrics(self.train.get(id, {}))}  validation {format_metrics(validation)}"
        return f"epoch {event.get('epoch', 0):g}  step {event['step']}  {metrics}"


class Bars:
    """A bar for each run that is trained at the moment, with the time left; a line above them for each that ended."""

    def __init__(self, total: int, label: Label):
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[metrics]}", markup=False),
            TimeRemainingColumn(),
        )
        self.progress = Progress(*columns, console=console(), transient=True, expand=True)
        self.label = label
        self.starts: dict[str, Start] = {}
        self.tasks: dict[str, TaskID] = {}
        self.all_runs = self.progress.add_task("all runs", total=total, metrics="")

    def __enter__(self) -> "Bars":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, trial: "Trial", event: Event) -> None:
        assert trial.run is not None
        id = trial.run.id
        if event["event"] == "start":
            self.starts[id] = event
            if id not in self.tasks:
                self.tasks[id] = self.progress.add_task(f"{id} {self.label(trial)}".strip(), metrics="")
            self.progress.update(self.tasks[id], total=event["steps"], completed=event["step"])
        elif event["event"] == "metric" and id in self.tasks:
            self.progress.update(self.tasks[id], completed=event["step"], metrics=format_metrics(event["metrics"]))
        elif event["event"] == "end":
            if id in self.tasks:
                self.progress.remove_task(self.tasks.pop(id))
            self.progress.advance(self.all_runs)
            start = self.starts.get(id)
            name = f"{id} {self.label(trial)}".strip()
            first = f"{name}{format_start(start).removeprefix(id)}" if start else name
            self.progress.console.print(f"{first}\n  {format_trial_end(trial, event, start)}")


def format_trial_end(trial: "Trial", end: End, start: Start | None) -> str:
    """Return a line that says how a run ended, or that it had ended before."""
    return f"{'Trained before. ' if trial.is_reused else ''}{format_end(end, start)}"
