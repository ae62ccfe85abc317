"""`workbench runs`: finished runs and those that are being trained."""

import sys
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, plural, print_json, print_rows, progress_note
from workbench.cli.run_files import RunId, delete, note, rename, tag
from workbench.cli.run_list import list_runs
from workbench.cli.run_pack import pack, unpack
from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    from rich.table import Column

    from workbench.render.halfblock import Rows

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="List, show, watch, stop, resume, compare, export and manage runs.",
)

STOP_TIMEOUT = 60.0  # seconds for a run to finish its step and write a checkpoint
PREDICTIONS_HEIGHT = 16  # rows for each visualization of predictions
INSPECT_HEIGHT = 24  # rows that are visible at once in `runs inspect`


app.command("list", epilog="Example: workbench runs list --json")(list_runs)


@app.command(epilog="Example: workbench runs show lenet5-modern-0001")
def show(run_id: RunId, as_json: Json = False) -> None:
    """Show the spec, metrics, curves and predictions of a run."""
    from workbench.cli.run_progress import format_initial_weights
    from workbench.engine.overview import overview
    from workbench.engine.runs import get
    from workbench.render.curves import charts
    from workbench.render.metrics import format_metrics

    run = get(run_id)
    details = overview(run)
    if as_json:
        print_json(details)
        return
    print(f"{details['run']}: {details['status']} at step {details['step']} of {details['steps'] or 'none yet'}")
    fields = {name: value for name, value in details["spec"].items() if value not in (None, {}, False, 0.0)}
    spec = "  ".join(f"{name}={value}" for name, value in {**fields, "seed": details["spec"]["seed"]}.items())
    print(fill(printable(spec), width=78, initial_indent="  ", subsequent_indent="  "))
    for split, metrics in details["metrics"].items():
        print(f"  {split} {format_metrics(metrics)}")
    if "reason" in details:
        print(f"  {details['reason']}")
    if weights := details["initial_weights"]:
        print(f"  {format_initial_weights(weights)}")
    if details["continued_by"]:
        print(f"  Its weights are the initial weights of {', '.join(details['continued_by'])}.")
    console().print(*charts(run.state()), sep="")
    print_predictions(details["visualizations"])


@app.command(epilog="Example: workbench runs watch lenet5-modern-0001")
def watch(run_id: RunId, as_json: Json = False) -> None:
    """Follow a run from its beginning to its end. Ctrl-C leaves it running."""
    from workbench.cli.run_progress import show_events
    from workbench.engine.runs import get
    from workbench.engine.watcher import follow

    raise typer.Exit(0 if show_events(follow(get(run_id)), as_json)["status"] == "done" else 1)


@app.command(epilog="Example: workbench runs stop lenet5-modern-0001")
def stop(run_id: RunId, as_json: Json = False) -> None:
    """Stop a run after it has written a checkpoint."""
    from workbench.engine.runs import get

    run = get(run_id)
    run.stop()
    status = run.wait(STOP_TIMEOUT)
    if as_json:
        print_json({"run": run.id, "status": status})
    elif status == "running":
        print(f"{run.id} is still finishing its step; it stops after that.", file=sys.stderr)
    else:
        print(f"{run.id} is {status}.")
    raise typer.Exit(1 if status in ("running", "crashed", "diverged") else 0)


@app.command(epilog="Example: workbench runs resume lenet5-modern-0001 --epochs 5")
def resume(
    run_id: RunId,
    epochs: Annotated[int | None, typer.Option(help="Number of additional epochs.")] = None,
    steps: Annotated[int | None, typer.Option(help="Number of additional steps.")] = None,
    detach: Annotated[bool, typer.Option("--detach", help="Print the run's id and leave it running.")] = False,
    as_json: Json = False,
) -> None:
    """Resume a run from its last checkpoint.

    It continues in the same folder, as if it had never stopped. A schedule that spans the whole run, such as cosine,
    spans the longer run from then on.
    """
    from workbench.cli.train import StopOnSignal, follow_or_detach
    from workbench.engine import accepted
    from workbench.engine import resume as resume_run
    from workbench.engine.runs import get

    with StopOnSignal() as signals:
        run = get(run_id)
        since = resume_run(run, epochs, steps)
        signals.run = run
        follow_or_detach(run, accepted(run, since), detach, as_json, signals)


@app.command(epilog="Example: workbench runs compare mlp-0001 mlp-0002")
def compare(
    run_ids: Annotated[list[str], typer.Argument(metavar="RUN RUN...", help="Ids of two or more runs.")],
    as_json: Json = False,
) -> None:
    """Compare the specs, metrics and curves of runs.

    The metrics are those of the test set if a run is done, else its latest ones on the validation set.
    """
    from workbench.engine.compare import compared
    from workbench.engine.runs import get

    if len(set(run_ids)) < 2:
        raise UserError("Name two or more different runs to compare.")
    runs = [get(run_id) for run_id in dict.fromkeys(run_ids)]
    comparison = compared(runs)
    if as_json:
        print_json(comparison)
        return
    from rich.table import Column, Table

    from workbench.render.curves import compare_runs
    from workbench.render.metrics import format_metric

    metrics = list(dict.fromkeys(name for row in comparison["runs"] for name in row["metrics"]))
    headings = ("status", "step", *comparison["differing"], "split", *metrics)
    table = Table(_run_column(), *(Column(heading, overflow="fold") for heading in headings), box=None)
    for index, row in enumerate(comparison["runs"]):
        spec = [printable(str(values[index])) for values in comparison["differing"].values()]
        numbers = [format_metric(name, row["metrics"].get(name)) for name in metrics]
        table.add_row(row["run"], row["status"], str(row["step"]), *spec, row["split"], *numbers)
    console().print(table)
    for group in comparison["over_seeds"]:
        options = "".join(f", {name}={value}" for name, value in group["options"].items())
        print(printable(f"{len(group['runs'])} seeds ({', '.join(map(str, group['seeds']))}){options}:"))
        for name, spread in group["metrics"].items():
            print(f"  {name} {format_metric(name, spread['mean'])} ± {format_metric(name, spread['sd'])}")
    console().print(*compare_runs({printable(run.id): run.state() for run in runs}), sep="")


@app.command(epilog="Example: workbench runs export mlp-0001 --csv mlp.csv")
def export(
    run_id: RunId,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="CSV file of the metrics, one row per value.")
    ] = None,
    tensorboard: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of TensorBoard event files with the metrics.")
    ] = None,
    weights: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of the best weights, ending in .safetensors.")
    ] = None,
    program: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Program of torch.export, ending in .pt2.")
    ] = None,
    onnx: Annotated[Path | None, typer.Option(metavar="FILE", help="ONNX model, ending in .onnx.")] = None,
    as_json: Json = False,
) -> None:
    """Export the metrics or the network of a run for other programs.

    A file with a network is checked: what it holds is run on test samples and compared with the run's network.
    """
    from workbench.engine.runs import get

    networks = {"weights": weights, "program": program, "onnx": onnx}
    selection = [path for path in (csv, tensorboard, *networks.values()) if path is not None]
    if len(selection) != 1:
        raise UserError("Give one of --csv FILE, --tensorboard DIR, --weights FILE, --program FILE or --onnx FILE.")
    run, path = get(run_id), selection[0]
    if path not in (csv, tensorboard):
        from workbench.cli.export_network import export_network

        export_network(run, next(name for name, file in networks.items() if file), path, as_json)
        return
    from workbench.engine.export import to_csv, to_tensorboard

    count = (to_csv if csv else to_tensorboard)(run, path)
    if as_json:
        print_json({"run": run.id, "path": str(path), "values": count})
    else:
        print(printable(f"{plural(count, 'value')} of {run.id} written to {path}."))


@app.command(epilog="Example: workbench runs inspect lenet5-modern-0001 maps --sample 7")
def inspect(
    run_id: RunId,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="filters|maps|errors|field|weights|gradients|dead",
            help="filters: weights of the first layer. maps: feature maps of a test sample. errors: the most confident "
            "errors. field: receptive field of the unit in the middle of a layer. weights, gradients: histograms of "
            "the weights, and of the gradient of the loss. dead: units that are 0 for all samples, after each ReLU.",
            autocompletion=completion.visualizations,
        ),
    ],
    layer: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Layer of the maps or the field.", autocompletion=completion.layers),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(metavar="N", help="Index of the test sample of the maps or the field.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Inspect the network of a run.

    The weights are those of its best checkpoint, or of its last if there is no best one.
    """
    from workbench.engine import Verifier, interpret
    from workbench.engine.runs import get
    from workbench.render.interpretation import draw

    run = get(run_id)
    interpret.check(run, kind, layer, sample)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        visualization = interpret.visualize(worker, run, kind, layer, sample)
    if as_json:
        print_json(visualization)
    else:
        print_rows(lambda width, color: draw(visualization, width, INSPECT_HEIGHT, color))


app.command(epilog="Example: workbench runs delete mlp-0001 mlp-0002")(delete)
app.command(epilog="Example: workbench runs rename mlp-0001 mlp-baseline")(rename)
app.command(epilog="Example: workbench runs note mlp-0001 'twice the learning rate'")(note)
app.command(epilog="Example: workbench runs tag mlp-0001 baseline")(tag)
app.command(epilog="Example: workbench runs pack mlp-0001 mlp-0002 -o mlp.zip")(pack)
app.command(epilog="Example: workbench runs unpack mlp.zip")(unpack)


@app.command(epilog="Example: workbench runs profile resnet18-0001")
def profile(run_id: RunId, as_json: Json = False) -> None:
    """Measure the time and the memory of a training step, layer by layer.

    A few steps are trained with the run's network, data and batch size, and thrown away.
    """
    from workbench.engine import Verifier
    from workbench.engine.profile import profile as profile_run
    from workbench.engine.runs import get
    from workbench.render.profile import draw_profile

    run = get(run_id)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        result = profile_run(worker, run)
    if as_json:
        print_json(result)
    else:
        print_rows(lambda width, color: draw_profile(result, width))


def _run_column() -> "Column":
    """Return the column of run ids, which are never shortened since they are typed again."""
    from rich.table import Column

    return Column("run", no_wrap=True)


def print_predictions(visualizations: list[dict[str, Any]]) -> None:
    """Print a run's visualizations of its predictions for test samples, kind by kind."""
    from workbench.render import predictions

    for kind in predictions.kinds(visualizations):
        print()
        print_rows(partial(_render_predictions, visualizations, kind))


def _render_predictions(visualizations: list[dict[str, Any]], kind: str, width: int, color: bool) -> "Rows":
    from workbench.render import predictions

    return predictions.draw(visualizations, kind, width, PREDICTIONS_HEIGHT, color)
