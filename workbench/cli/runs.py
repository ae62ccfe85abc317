"""`workbench runs`: the runs that were made, and those that are being made."""

import sys
from typing import Annotated

import typer

from workbench.cli.reply import Json, console, say_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id: see 'workbench runs list'.")]
STOPPING = 60.0  # seconds in which a run is expected to finish its step and write a checkpoint


@app.callback()
def runs() -> None:
    """The runs that were made: list, watch, stop."""


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

    table = Table("run", "status", "preset", "task", "step", "last said", box=None, header_style="bold")
    for row in rows:
        said = row.get("reason") or named(row["metrics"])
        table.add_row(*(str(row.get(name, "")) for name in ("run", "status", "preset", "task", "step")), said)
    console().print(table)


@app.command(epilog="Example: workbench runs watch lenet5-modern-0001")
def watch(run_id: RunId, as_json: Json = False) -> None:
    """Watch a run from its beginning; Ctrl-C leaves it running."""
    from workbench.cli.live import show
    from workbench.engine.runs import get

    raise typer.Exit(0 if show(get(run_id).follow(), as_json) == "done" else 1)


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
