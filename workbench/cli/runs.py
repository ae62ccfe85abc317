"""`workbench runs`: the runs that were made, and those that are being made."""

import sys
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.reply import Json, console, print_rows, say_json
from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    from workbench.render.halfblock import Rows

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="A run's id: see 'workbench runs list'.", autocompletion=completion.runs)
]
STOPPING = 60.0  # seconds in which a run is expected to finish its step and write a checkpoint
PICTURE = 16  # rows of each of a run's pictures
IN_SIGHT = 24  # rows that pictures of what is inside are drawn for


@app.callback()
def runs() -> None:
    """The runs that were made: list, show, watch, stop, resume, compare, export, pictures."""


@app.command("list", epilog="Example: workbench runs list --json")
def list_runs(as_json: Json = False) -> None:
    """All runs, the oldest first."""
    from workbench.engine.runs import every

    rows = [run.summary() for run in every()]
    if as_json:
        say_json(rows)
        return
    if not rows:
        print("There are no runs yet: make one with 'workbench train lenet5-modern'.")
        return
    from rich.table import Table

    from workbench.cli.live import named

    table = Table(named_column(), "status", "preset", "task", "step", "last said", box=None, header_style="bold")
    for row in rows:
        said = row.get("reason") or named(row["metrics"])
        table.add_row(*(str(row.get(name, "")) for name in ("run", "status", "preset", "task", "step")), said)
    console().print(table)


@app.command(epilog="Example: workbench runs show lenet5-modern-0001")
def show(run_id: RunId, as_json: Json = False) -> None:
    """A run's spec, how far it is, its curves, and what its network says of some test samples."""
    from workbench.cli.live import named
    from workbench.engine.overview import overview
    from workbench.engine.runs import get

    found = overview(get(run_id))
    if as_json:
        say_json(found)
        return
    print(f"{found['run']}: {found['status']} at step {found['step']} of {found['steps'] or 'none yet'}")
    said = {name: value for name, value in found["spec"].items() if value not in (None, {}, False, 0.0)}
    words = "  ".join(f"{name}={value}" for name, value in {**said, "seed": found["spec"]["seed"]}.items())
    print(fill(printable(words), width=78, initial_indent="  ", subsequent_indent="  "))
    for split, metrics in found["metrics"].items():
        print(f"  {named(metrics, split)}")
    if "reason" in found:
        print(f"  {found['reason']}")
    console().print(*curves_of(run_id).charts(), sep="")
    print_pictures(found["pictures"])


@app.command(epilog="Example: workbench runs watch lenet5-modern-0001")
def watch(run_id: RunId, as_json: Json = False) -> None:
    """Watch a run from its beginning; Ctrl-C leaves it running."""
    from workbench.cli.live import show
    from workbench.engine.runs import get

    raise typer.Exit(0 if show(get(run_id).follow(), as_json)["status"] == "done" else 1)


@app.command(epilog="Example: workbench runs stop lenet5-modern-0001")
def stop(run_id: RunId, as_json: Json = False) -> None:
    """Have a run write a checkpoint and end."""
    from workbench.engine.runs import get

    run = get(run_id)
    run.stop()
    status = run.wait(STOPPING)
    if as_json:
        say_json({"run": run.id, "status": status})
    elif status == "running":
        print(f"{run.id} was asked to stop and is still at its step.", file=sys.stderr)
    else:
        print(f"{run.id} is {status}.")
    raise typer.Exit(1 if status in ("running", "crashed", "diverged") else 0)


@app.command(epilog="Example: workbench runs resume lenet5-modern-0001 --epochs 5")
def resume(
    run_id: RunId,
    epochs: Annotated[int | None, typer.Option(help="So many epochs more than were ordered.")] = None,
    steps: Annotated[int | None, typer.Option(help="So many steps more than were ordered.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the run's id and leave it running.")] = False,
    as_json: Json = False,
) -> None:
    """Go on from a run's last checkpoint, as if it had never ended; in the same folder.

    A schedule that spans the run, such as cosine, spans the longer one from then on.
    """
    from workbench.cli.train import StopOnSignal, watched
    from workbench.engine import accepted
    from workbench.engine import resume as take_up
    from workbench.engine.runs import get

    with StopOnSignal() as asked:
        run = get(run_id)
        since = take_up(run, epochs, steps)
        asked.run = run
        watched(run, accepted(run, since), detach, as_json, asked)


@app.command(epilog="Example: workbench runs compare mlp-0001 mlp-0002")
def compare(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Two runs or more.")],
    as_json: Json = False,
) -> None:
    """What several runs reached and where their specs differ, with a chart for every metric."""
    from workbench.engine.compare import compared
    from workbench.engine.runs import get

    if len(set(run_ids)) < 2:
        raise UserError("Name two different runs or more, to compare them.")
    found = compared([get(run_id) for run_id in dict.fromkeys(run_ids)])
    if as_json:
        say_json(found)
        return
    from rich.table import Column, Table

    from workbench.render.curves import compare_runs
    from workbench.render.metrics import format_metric

    metrics = list(dict.fromkeys(name for row in found["runs"] for name in row["metrics"]))
    headings = ("status", "step", *found["differing"], *(f"test {name}" for name in metrics))
    table = Table(named_column(), *(Column(heading, overflow="fold") for heading in headings), box=None)
    for place, row in enumerate(found["runs"]):
        spec = [printable(str(values[place])) for values in found["differing"].values()]
        reached = [format_metric(name, row["metrics"].get(name)) for name in metrics]
        table.add_row(row["run"], row["status"], str(row["step"]), *spec, *reached)
    console().print(table)
    console().print(*compare_runs({printable(run_id): curves_of(run_id) for run_id in run_ids}), sep="")


@app.command(epilog="Example: workbench runs export mlp-0001 --csv mlp.csv")
def export(
    run_id: RunId,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="A table, a row for each number.")] = None,
    tensorboard: Annotated[Path | None, typer.Option(metavar="DIR", help="Event files for TensorBoard.")] = None,
    as_json: Json = False,
) -> None:
    """Write a run's numbers for other programs."""
    from workbench.engine.export import to_csv, to_tensorboard
    from workbench.engine.runs import get

    if (csv is None) == (tensorboard is None):
        raise UserError("Say where to: --csv FILE or --tensorboard DIR.")
    run, place = get(run_id), csv or tensorboard
    assert place is not None
    count = (to_csv if csv else to_tensorboard)(run, place)
    if as_json:
        say_json({"run": run.id, "to": str(place), "numbers": count})
    else:
        print(printable(f"{count} numbers of {run.id} are in {place}."))


@app.command(epilog="Example: workbench runs pictures lenet5-modern-0001 maps --sample 7")
def pictures(
    run_id: RunId,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="filters|maps|errors|field",
            help="filters: the first layer's weights. maps: what layers make of a test sample. errors: the surest "
            "mistakes. field: what the unit in the middle of a layer sees.",
            autocompletion=completion.pictures,
        ),
    ],
    layer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A layer, for maps and the field.", autocompletion=completion.layers),
    ] = None,
    sample: Annotated[int | None, typer.Option(metavar="N", help="A test sample, for maps and the field.")] = None,
    as_json: Json = False,
) -> None:
    """What is inside a run's network, with the weights of its best checkpoint, or else its last."""
    from workbench.engine import Verifier, inside
    from workbench.engine.runs import get
    from workbench.render.interpretation import draw

    run = get(run_id)
    inside.check(run, kind, layer, sample)
    if sys.stderr.isatty():
        print("Asking PyTorch ...", file=sys.stderr)
    with Verifier() as worker:
        found = inside.pictures(worker, run, kind, layer, sample)
    if as_json:
        say_json(found)
    else:
        print_rows(lambda width, colour: draw(found, width, IN_SIGHT, colour))


def named_column() -> Any:
    """The column of the runs' ids, which must be read in full to be typed."""
    from rich.table import Column

    return Column("run", no_wrap=True)


def curves_of(run_id: str) -> Any:
    """The curves of a run, as far as it is."""
    from workbench.engine.runs import get
    from workbench.render.curves import Curves

    return Curves.from_reader(get(run_id).tail())


def print_pictures(pictures: list[dict[str, Any]]) -> None:
    """What the network says of test samples: each kind of picture in turn."""
    from workbench.render import predictions

    for kind in predictions.kinds(pictures):
        print()
        print_rows(partial(_drawn, pictures, kind))


def _drawn(pictures: list[dict[str, Any]], kind: str, width: int, colour: bool) -> "Rows":
    from workbench.render import predictions

    return predictions.draw(pictures, kind, width, PICTURE, colour)
