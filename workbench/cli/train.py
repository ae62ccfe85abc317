"""`workbench train`: start a run, or one for each of several seeds, and follow it or leave it running.

The options are those of a spec, with their help and their groups, so that a new one is offered at once.
"""

import inspect
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from workbench.cli import completion
from workbench.cli.output import Json, print_json
from workbench.engine.checks import OneOf, read_seeds
from workbench.engine.methods import WORDS
from workbench.engine.spec import RunSpec
from workbench.engine.spec.options import OPTIONS
from workbench.errors import UserError

if TYPE_CHECKING:
    from workbench.engine import Run
    from workbench.engine.events import Event
    from workbench.engine.executor import Executor, Trial

JOIN_TIMEOUT = 30.0  # seconds for a run to finish its step after the command line stopped listening

SWEEP = "Sweep"  # heading of the options of `workbench sweep` alone

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class GroupedHelpCommand(TyperCommand):
    """A command whose help shows its options under headings."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write a section for every heading: first a sweep's own; options without a heading come last."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if (row := param.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(row)
        for heading in sorted(groups, key=lambda heading: (heading == "Options", heading != SWEEP)):
            with formatter.section(heading):
                formatter.write_dl(groups[heading])


def train(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Network: see 'workbench models list'.", autocompletion=completion.networks
        ),
    ],
    seeds: Annotated[
        str | None,
        typer.Option(
            help="Seeds of several runs, as many at once as there are processors: 0..4 or 0,3,7.",
            rich_help_panel="Machine",
        ),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the run's id and leave it running.")] = False,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Train a network and show its progress.

    Ctrl-C writes a checkpoint and stops; a second Ctrl-C stops at once.

    Exit code 0: done. 1: the run diverged or crashed.
    """
    from workbench.engine import accepted, start

    spec = spec_from_options(name, options)
    if seeds is not None:
        if detach or spec.seed:
            raise UserError("Give --seeds without --detach and --seed.")
        raise typer.Exit(train_seeds(spec, read_seeds(seeds), as_json))
    with StopOnSignal() as signals:
        run = signals.run = start(spec)
        follow_or_detach(run, accepted(run), detach, as_json, signals)


def spec_from_options(name: str, options: dict[str, Any]) -> RunSpec:
    """Return the spec for a network and the options that were given; the others keep their defaults."""
    return RunSpec.create(name, **explicit_options(options))


def explicit_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return the values of the options that differ from their defaults."""
    values = {}
    for option, about in OPTIONS.items():
        value = options.get(option)
        if value is None or value == [] or value is False or value == about.default:
            continue
        values[option] = about.read(value) if about.read else value
    return values


def follow_or_detach(
    run: "Run", events: "Iterator[Event]", detach: bool, as_json: bool, signals: "StopOnSignal"
) -> None:
    """Show a run that just started until it ends, or print its id and leave it running.

    Raises:
        typer.Exit: When the run has ended, with the exit code that says how.
    """
    from workbench.cli.run_progress import show_events

    if detach:
        next(events)  # so that a spec that the worker rejects is an error here
        print_json({"run": run.id}) if as_json else print(run.id)
        return
    end = show_events(events, as_json)
    run.join(JOIN_TIMEOUT)
    if signals.is_stopping:
        if end["status"] == "stopped":
            print(f"Checkpoint: {run.folder / 'last.safetensors'}", file=sys.stderr)
        raise typer.Exit(130)
    raise typer.Exit(0 if end["status"] == "done" else 1)


def train_seeds(spec: RunSpec, seeds: list[int], as_json: bool) -> int:
    """Train a run for each seed, print the mean of their metrics, and return the exit code."""
    from workbench.cli.parallel_progress import parallel_progress
    from workbench.cli.run_progress import print_spread
    from workbench.engine.compare import spread
    from workbench.engine.executor import Executor

    specs = [replace(spec, seed=seed) for seed in seeds]
    with StopOnSignal() as signals, Executor() as executor:
        signals.run = executor
        with parallel_progress(len(specs), as_json) as show:
            trials = list(executor.map(specs, on_event=show))
    trials.sort(key=lambda trial: seeds.index(trial.spec.seed))
    if sys.stdout.isatty() and not as_json:
        _print_curves(trials)
    ends = [trial.end for trial in trials if trial.end is not None]
    print_spread(spread(ends), as_json, first=not trials)
    if signals.is_stopping:
        return 130
    return 0 if all(end["status"] == "done" for end in ends) else 1


def _print_curves(trials: "list[Trial]") -> None:
    """Print the curves of all runs, each metric in one chart."""
    from workbench.cli.output import console
    from workbench.render.curves import compare_runs

    curves = {trial.run.id: trial.run.state() for trial in trials if trial.run}
    if curves:
        console().print(*compare_runs(curves), sep="")


def _spec_options() -> list[inspect.Parameter]:
    """Return the options of a spec as options of a command."""
    options = []
    for name, about in OPTIONS.items():
        if name == "model":
            continue
        kind: Any = list[str] if name == "options" else str if about.read else about.kind
        words = [f"--{WORDS[name]}"] if name in WORDS else []
        if kind is bool:  # all are off by default, so no --no-... is needed
            words = ["--" + name.replace("_", "-")]
        default = None if about.default == {} else about.default
        option = typer.Option(
            *words,
            help=about.help,
            rich_help_panel=about.group,
            show_default=bool(default),  # None: the default depends on other options, and the help says how
            autocompletion=_completion(name, about.check),
        )
        kind = kind if default is not None else kind | None
        annotation: Any = Annotated[kind, option]
        parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
        options.append(parameter)
    return options


def _completion(name: str, check: object) -> Callable[..., list[str]] | None:
    """Return the function that completes an option's value in the shell; None if there is none."""
    if isinstance(check, OneOf):
        return lambda incomplete: [option for option in check.names if option.startswith(incomplete)]
    functions: dict[str, Callable[..., list[str]]] = {
        "task": completion.tasks,
        "preset": completion.presets,
        "origin": completion.runs,
    }
    return functions.get(name)


def with_spec_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that takes the fields of a spec in addition to its own parameters.

    Typer reads options from a function's signature alone, and has no other public way to add them. A signature that
    `inspect` should report instead of the real one goes into `__signature__` (PEP 362).
    """
    parameters = [p for p in inspect.signature(command).parameters.values() if p.name != "options"]
    command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (parameters[0], *_spec_options(), *parameters[1:])]
    )
    return command


app.command(cls=GroupedHelpCommand, epilog="Example: workbench train lenet5-modern --epochs 5")(
    with_spec_options(train)
)


class StopOnSignal:
    """Context in which Ctrl-C, a closed terminal and a request to end stop the run, so that its events reach `end`.

    Attributes:
        run: The run or the runs to stop; None until they have started.
        is_stopping: Whether a signal came.
    """

    def __init__(self) -> None:
        self.run: Run | Executor | None = None
        self.is_stopping = False

    def __enter__(self) -> "StopOnSignal":
        names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        self._handlers = {name: signal.signal(getattr(signal, name), self._on_signal) for name in names}
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and self.run is not None:
            # The output failed, for example by `| head`: the command line leaves no process behind.
            self._stop()
            self.run.join(JOIN_TIMEOUT)
        for name, handler in self._handlers.items():
            signal.signal(getattr(signal, name), handler)

    def _on_signal(self, *_: object) -> None:
        if self.run is None:
            raise KeyboardInterrupt
        if self.is_stopping:
            self.run.kill()
        self.is_stopping = True
        self._stop()

    def _stop(self) -> None:
        assert self.run is not None
        with suppress(UserError):  # it has just ended
            self.run.stop()
