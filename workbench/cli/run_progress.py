"""The progress of a run: on a terminal a bar and then its curves, in a pipe plain lines, with --json its events."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from workbench.cli.output import console, plural, print_json
from workbench.engine.events.kinds import End, Event, LoadedWeights, Metrics, Start
from workbench.engine.overview import counted
from workbench.render.metrics import format_metrics

MAX_NAMES = 3  # of weights that are listed


def show_events(events: Iterable[Event], as_json: bool, first: bool = True) -> End:
    """Print a run's events as they come.

    Args:
        events: The events; at least the last one, `end`.
        as_json: Whether to print them as JSON.
        first: Whether they are the first in the stream of JSON.

    Returns:
        The last event, which says how the run ended.
    """
    if as_json:
        event: Event | None = None
        for event in events:
            print_json(event, first)
            sys.stdout.flush()
            first = False
        assert event is not None and event["event"] == "end"
        return event
    from workbench.engine.events import RunState
    from workbench.render.curves import charts

    state = RunState()
    for event in (show_bar if sys.stdout.isatty() else print_lines)(events):
        state.apply(event)
    assert state.end is not None  # every stream of events ends with it
    if sys.stdout.isatty():
        console().print(*charts(state), sep="")
    print(format_end(state.end, state.start), flush=True)
    return state.end


def print_lines(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events, and print a line at the start and at every evaluation of the validation set."""
    train: Metrics = {}
    monitor = ""
    for event in events:
        if event["event"] == "start":
            print(format_start(event), flush=True)
            monitor = event.get("monitor", "")
            if weights := event.get("initial_weights"):
                print(format_initial_weights(weights), flush=True)
        elif event["event"] == "metric":
            train = event["metrics"]
        elif event["event"] == "eval" and event["split"] == "validation":
            step, epoch = event["step"], event["epoch"]
            validation = {name: event["metrics"].get(name) for name in ("loss", monitor) if name in event["metrics"]}
            metrics = f"train {format_metrics(train)}  validation {format_metrics(validation)}"
            print(f"epoch {epoch:g}  step {step}  {metrics}", flush=True)
        yield event


def show_bar(events: Iterable[Event]) -> Iterator[Event]:
    """Yield the events, and show a bar with the metrics and the time left until the run ends."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[metrics]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(), transient=True, expand=True) as progress:
        task = progress.add_task("starting", total=None, metrics="")
        for event in events:
            if event["event"] == "start":
                progress.console.print(format_start(event))
                if weights := event.get("initial_weights"):
                    progress.console.print(format_initial_weights(weights))
                progress.reset(task, total=event["steps"], description=event["run"], metrics="")
            elif event["event"] == "metric":
                progress.update(task, completed=event["step"], metrics=format_metrics(event["metrics"]))
            yield event


def print_spread(spread: dict[str, Any], as_json: bool, first: bool = False) -> None:
    """Print the mean and standard deviation of runs that differ in their seed.

    Args:
        spread: As `engine.compare.spread` returns it.
        as_json: Whether to print it as JSON.
        first: Whether it is the first line of the stream of JSON, because no run started.
    """
    if as_json:
        print_json(spread, first)
        return
    metrics = "  ".join(
        f"{name} {of['mean']:.4f} ± {of['sd']:.4f}" if of["sd"] is not None else f"{name} {of['mean']:.4f}"
        for name, of in spread["metrics"].items()
    )
    print(f"{spread['done']} of {plural(len(spread['seeds']), 'seed')} done", end="")
    print(f": test {metrics} (mean ± standard deviation over seeds)." if metrics else ".")


def format_start(start: Start) -> str:
    """Return a line that says what is trained."""
    resumed = f", resumed at step {start['step']}" if start.get("resumed") else ""
    reason = f". {start['reason']}" if "reason" in start else ""
    return (
        f"{start['run']}: {start['model']} ({start['preset']}, {counted(start)}) on {start['task']}, "
        f"seed {start['seed']}, {start['steps']} steps on {start['device']}{resumed}{reason}"
    )


def format_initial_weights(weights: LoadedWeights) -> str:
    """Return a line that says which weights a run began with, and which were missing or left over."""
    part = f"the part {weights['part']} of " if "part" in weights else ""
    text = f"Initial weights from {part}{weights['source']}: {plural(weights['loaded'], 'tensor')}"
    for names, meaning in (
        (weights["missing"], "fresh, since missing there"),
        (weights["left_over"], "not taken over"),
    ):
        if names:
            text += f"; {meaning}: {', '.join(names[:MAX_NAMES])}"
            text += f" and {len(names) - MAX_NAMES} more" if len(names) > MAX_NAMES else ""
    return f"{text}. {weights['reason']}" if "reason" in weights else f"{text}."


def format_end(end: End, start: Start | None) -> str:
    """Return a line that says how the run ended, with its metrics next to the baseline."""
    speed = f"{end['steps_per_second']:.0f} steps/s"
    text = f"{end['status'].capitalize()} after {end['steps']} steps in {end['seconds']:.1f} s ({speed})"
    if end["status"] == "stopped" and end.get("validation"):
        text += f": validation {format_metrics(end['validation'])}"
    elif end["metrics"] and end["status"] in ("done", "stopped"):
        text += f": test {format_metrics(end['metrics'])}"
        if start and (baseline := start.get("baseline")):
            text += f"; baseline ({baseline['method']}): {format_metrics({baseline['metric']: baseline['value']})}"
    return f"{text}. {end['reason']}" if "reason" in end else f"{text}."
