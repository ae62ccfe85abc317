"""`workbench runs list`: all runs, or those that fit."""

import sys
from typing import Annotated

import typer

from workbench.cli import completion
from workbench.cli.output import PIPE_COLUMNS, Json, plural, print_json
from workbench.errors import UserError

NEWEST = 30  # runs that are listed as text by default


def list_runs(
    status: Annotated[
        str | None,
        typer.Option(help="Status of the runs: running, done, stopped, ...", autocompletion=completion.run_statuses),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Network of the runs.", autocompletion=completion.networks)] = None,
    task: Annotated[str | None, typer.Option(help="Task of the runs.")] = None,
    tag: Annotated[str | None, typer.Option(help="Tag of the runs: see 'workbench runs tag'.")] = None,
    search: Annotated[
        str, typer.Option(metavar="TEXT", help="Words in the name, network, task, note, tags or reason of the runs.")
    ] = "",
    sort: Annotated[
        str,
        typer.Option(
            metavar="made|name|metric|duration",
            help="Order. Default: made, the newest run first. metric: the best first. duration: the longest first.",
            autocompletion=completion.run_orders,
        ),
    ] = "made",
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help=f"Maximum number of runs. Default: {NEWEST}.")
    ] = None,
    all_runs: Annotated[bool, typer.Option("--all", help="List all runs.")] = False,
    as_json: Json = False,
) -> None:
    """List runs, the newest first.

    With --json, all of them are listed unless --limit is given, and in the order of time the oldest is first.
    """
    from workbench.engine.index import RunIndex
    from workbench.engine.run_query import Query

    if limit is not None and all_runs:
        raise UserError("Give --limit or --all, not both.")
    query = Query(status, model, task, tag, search, sort)
    if not (as_json or all_runs):
        limit = limit or NEWEST
    rows, count = RunIndex().page(query, limit)
    if as_json:
        print_json(rows[::-1] if sort == "made" else rows)
    elif rows:
        _print_table(rows, count)
    else:
        print("No run fits." if query.is_filtered else "No runs yet. Next: workbench train lenet5-modern")


def _print_table(rows: list[dict[str, object]], count: int) -> None:
    from datetime import datetime
    from shutil import get_terminal_size

    from workbench.render.run_list import lines

    width = get_terminal_size().columns if sys.stdout.isatty() else PIPE_COLUMNS
    for line in lines(rows, width, datetime.now().astimezone()):
        print(line)
    if more := count - len(rows):
        print(f"\n{more:,} more of {plural(count, 'run')}: --all lists them, --search TEXT finds some.")
