"""A run on the terminal: a bar while it lasts, then its curves; in a pipe plain lines, with --json the events."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any

from workbench.cli.reply import console, say_json
from workbench.engine.overview import counted
from workbench.render.metrics import format_metric, format_metrics


def show(events: Iterable[dict[str, Any]], as_json: bool) -> dict[str, Any]:
    """Show a run's events as they come.

    Returns:
        The last of them, which tells how it ended.
    """
    if as_json:
        for event in events:
            say_json(event)
            sys.stdout.flush()
        return event
    from workbench.render.curves import Curves

    curves = Curves()
    for event in (bar if sys.stdout.isatty() else lines)(events):
        curves.add(event)
    if sys.stdout.isatty():
        console().print(*curves.charts(), sep="")
    print(closing(event, curves.start), flush=True)
    return event


def lines(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Print a line when a run starts, and one at every evaluation of the test part."""
    said: dict[str, float | None] = {}
    for event in events:
        if event["event"] == "start":
            print(opening(event), flush=True)
        elif event["event"] == "metric":
            said = event["metrics"]
        elif event["event"] == "eval" and event["split"] == "test":
            step, epoch = event["step"], event["epoch"]
            test = event["metrics"]
            print(f"epoch {epoch:g}  step {step}  {named(said, 'train')}  {named(test, 'test')}", flush=True)
        yield event


def bar(events: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Draw a bar with the metrics and the time left, which goes when the run ends."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]}", markup=False),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console(), transient=True, expand=True) as progress:
        task = progress.add_task("starting", total=None, said="")
        for event in events:
            if event["event"] == "start":
                progress.console.print(opening(event))
                progress.reset(task, total=event["steps"], description=event["run"], said="")
            elif event["event"] == "metric":
                progress.update(task, completed=event["step"], said=named(event["metrics"]))
            yield event


def show_spread(spread: dict[str, Any], as_json: bool) -> None:
    """Show what runs that differ in their seed reached together."""
    if as_json:
        say_json(spread)
        return
    texts = []
    for name, of in spread["metrics"].items():
        sd = "" if of["sd"] is None else f" ± {format_metric(name, of['sd'])}"
        texts.append(f"{name} {format_metric(name, of['mean'])}{sd}")
    said = "  ".join(texts)
    print(f"{spread['done']} of {len(spread['seeds'])} seeds done: test {said or 'nothing'} (mean ± sd over seeds).")


def opening(start: dict[str, Any]) -> str:
    """What runs, in a line."""
    resumed = f", resumed at step {start['step']}" if start.get("resumed") else ""
    return (
        f"{start['run']}: {start['model']} ({start['preset']}, {counted(start)}) on {start['task']}, "
        f"seed {start['seed']}, {start['steps']} steps on {start['device']}{resumed}"
    )


def closing(end: dict[str, Any], start: dict[str, Any]) -> str:
    """How it ended, and what it reached beside the floor."""
    speed = f"{end['steps_per_second']:.0f} steps/s"
    text = f"{end['status'].capitalize()} after {end['steps']} steps in {end['seconds']:.1f} s ({speed})."
    if end["metrics"] and end["status"] in ("done", "stopped"):
        text += f" {named(end['metrics'], 'test')}"
        if floor := start.get("floor"):
            text += f"; the floor, {floor['method']}, reaches {format_metrics({floor['metric']: floor['value']})}"
        text += "."
    return f"{text} {end['reason']}" if "reason" in end else text


def named(metrics: dict[str, float | None], split: str = "") -> str:
    """Metrics in words: `test loss 0.0712  accuracy 0.9806`."""
    return f"{split} {format_metrics(metrics)}".strip()
