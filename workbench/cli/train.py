"""`workbench train`: order a run, or one for each of several seeds, and watch it or leave it to itself.

Its options are the fields of `RunSpec`, with their help and their groups: what can be ordered is said there once.
"""

import inspect
import signal
import sys
from contextlib import suppress
from dataclasses import MISSING, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand

from workbench.cli import completion
from workbench.cli.reply import Json, say_json
from workbench.engine.checks import OneOf, read_seeds
from workbench.engine.methods import WORDS
from workbench.engine.spec import RunSpec
from workbench.errors import UserError

if TYPE_CHECKING:
    from workbench.engine import Run

PATIENCE = 30.0  # seconds for a run to finish its step when nobody listens any more

app = typer.Typer(add_completion=False, rich_markup_mode=None)


class Grouped(TyperCommand):
    """A command whose help shows its options under their headings."""

    def format_options(self, ctx, formatter):
        """Write a section for every heading, those without one last."""
        groups: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if (row := param.get_help_record(ctx)) is not None:
                groups.setdefault(getattr(param, "rich_help_panel", None) or "Options", []).append(row)
        for heading in sorted(groups, key=lambda heading: heading == "Options"):
            with formatter.section(heading):
                formatter.write_dl(groups[heading])


def train(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A network: see 'workbench models list'.", autocompletion=completion.networks
        ),
    ],
    seeds: Annotated[
        str | None,
        typer.Option(help="Several runs, one after the other: 0..4, or 0,3,7.", rich_help_panel="Machine"),
    ] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the run's id and leave it running.")] = False,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Train a network and watch it learn. Ctrl-C writes a checkpoint and stops; a second one stops at once."""
    from workbench.engine import accepted, start

    spec = ordered(name, options)
    if seeds is not None:
        if detach or spec.seed:
            raise UserError("Give --seeds alone: without --detach and --seed.")
        raise typer.Exit(many(spec, read_seeds(seeds), as_json))
    with StopOnSignal() as asked:
        run = asked.run = start(spec)
        watched(run, accepted(run), detach, as_json, asked)


def ordered(name: str, options: dict[str, Any]) -> RunSpec:
    """The spec that the command line's words order; what wasn't said is left to it."""
    given = {}
    for field in fields(RunSpec):
        value = options.get(field.name)
        if value is None or value == [] or value is False:
            continue
        read = field.metadata["read"]
        given[field.name] = read(value) if read else value
    return RunSpec(model=name, **given)


def watched(run: "Run", events: Any, detach: bool, as_json: bool, asked: "StopOnSignal") -> None:
    """Show a run that was just set to work, up to its end; leaves with the exit code that says how it ended."""
    from workbench.cli.live import show

    if detach:
        next(events)  # so that a bad order is refused here, and not found in a list later
        say_json({"run": run.id}) if as_json else print(run.id)
        return
    end = show(events, as_json)
    run.join(PATIENCE)
    if asked.to_stop:
        if end["status"] == "stopped":
            print(f"Its checkpoint is {run.folder / 'last.safetensors'}.", file=sys.stderr)
        raise typer.Exit(130)
    raise typer.Exit(0 if end["status"] == "done" else 1)


def many(spec: RunSpec, seeds: list[int], as_json: bool) -> int:
    """Make one run for each seed, and say what they reach together; the exit code."""
    from workbench.cli.live import show, show_spread
    from workbench.engine import accepted, start
    from workbench.engine.compare import spread

    ends = []
    with StopOnSignal() as asked:
        for seed in seeds:
            if asked.to_stop:
                break
            run = asked.run = start(replace(spec, seed=seed))
            ends.append(show(accepted(run), as_json))
            run.join(PATIENCE)
    show_spread(spread(ends), as_json)
    if asked.to_stop:
        return 130
    return 0 if all(end["status"] == "done" for end in ends) else 1


def _offered() -> list[inspect.Parameter]:
    """The fields of a spec as options of a command."""
    types = get_type_hints(RunSpec)
    options = []
    for field in fields(RunSpec):
        about = field.metadata
        if field.name == "model":
            continue
        kind: Any = types[field.name]
        if about["read"]:
            kind = list[str] if field.name == "options" else str
        if bool in (kind, *getattr(kind, "__args__", ())):
            kind, words = bool, ["--" + field.name.replace("_", "-")]  # no --no-...: what isn't asked for isn't done
        else:
            words = ["--" + WORDS[field.name]] if field.name in WORDS else []
        default = None if field.default is MISSING else field.default
        # A default of the spec is shown where it is one value for all.
        said = typer.Option(
            *words,
            help=about["help"],
            rich_help_panel=about["group"],
            show_default=bool(default),
            autocompletion=_completed(field.name, about["check"]),
        )
        kind = kind if default is not None else kind | None
        offer: Any = Annotated[kind, said]
        options.append(inspect.Parameter(field.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=offer))
    return options


def _completed(name: str, check: Any) -> Any:
    """What the shell completes a field's value by; None where it can't."""
    if isinstance(check, OneOf):
        return lambda incomplete: [known for known in check.known if known.startswith(incomplete)]
    return {"task": completion.tasks, "preset": completion.presets, "origin": completion.runs}.get(name)


def _with_options(command: Any) -> Any:
    """A command that takes the fields of a spec besides its own words."""
    own = [parameter for parameter in inspect.signature(command).parameters.values() if parameter.name != "options"]
    command.__signature__ = inspect.Signature(
        [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in (own[0], *_offered(), *own[1:])]
    )
    return command


app.command(cls=Grouped, epilog="Example: workbench train lenet5-modern --epochs 5")(_with_options(train))


class StopOnSignal:
    """Turns Ctrl-C, a closed terminal and a request to end into the run's own end, so that its events go on to `end`.

    Attributes:
        run: The run to stop, once there is one.
        to_stop: Whether somebody asked.
    """

    def __init__(self) -> None:
        self.run: Run | None = None
        self.to_stop = False

    def __enter__(self) -> "StopOnSignal":
        names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
        self._before = {name: signal.signal(getattr(signal, name), self._asked) for name in names}
        return self

    def __exit__(self, kind: type | None, *_: object) -> None:
        if kind is not None and self.run is not None:
            self._stop()  # nobody listens any more, such as after `| head`: the command line leaves no process behind
            self.run.join(PATIENCE)
        for name, handler in self._before.items():
            signal.signal(getattr(signal, name), handler)

    def _asked(self, *_: object) -> None:
        if self.run is None:
            raise KeyboardInterrupt
        if self.to_stop:
            self.run.kill()
        self.to_stop = True
        self._stop()

    def _stop(self) -> None:
        assert self.run is not None
        with suppress(UserError):  # where it has just ended by itself
            self.run.stop()
