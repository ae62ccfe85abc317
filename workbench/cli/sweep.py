"""`workbench sweep`: train configurations that differ in some options, and rank them on the validation set."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, plural, print_json
from workbench.cli.train import SWEEP, GroupedHelpCommand, StopOnSignal, explicit_options, with_spec_options
from workbench.engine.checks import read_seeds
from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    from workbench.engine.sweep import Sweep

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def sweep(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Network: see 'workbench models list'.", autocompletion=completion.networks
        ),
    ],
    grid: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPTION=VALUE,...",
            help="Values of an option of train, or of an argument of the network. Can be repeated.",
            rich_help_panel=SWEEP,
        ),
    ] = None,
    random: Annotated[
        int | None,
        typer.Option(
            metavar="N", help="Number of configurations to draw at random, instead of all.", rich_help_panel=SWEEP
        ),
    ] = None,
    range: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OPTION=LOW..HIGH[:log]",
            help="Range of an option to draw from, uniformly or on a logarithmic scale. Can be repeated.",
            rich_help_panel=SWEEP,
        ),
    ] = None,
    random_seed: Annotated[int, typer.Option(help="Seed of the random draws.", rich_help_panel=SWEEP)] = 0,
    halving: Annotated[
        int | None,
        typer.Option(
            metavar="ETA",
            help="Successive halving: train all for a short time, and the best 1/ETA for ETA times as long, until "
            "they are trained for the full length.",
            rich_help_panel=SWEEP,
        ),
    ] = None,
    seeds: Annotated[
        str | None,
        typer.Option(help="Seeds that each configuration is trained with: 0..4 or 0,3,7.", rich_help_panel=SWEEP),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Train all, even what was trained before.", rich_help_panel=SWEEP),
    ] = False,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Train configurations that differ in some options, and rank them by their metric on the validation set.

    Runs that were trained before with the same data, options and versions are reused. Interrupted ones continue.

    Exit code 0: done. 1: all configurations failed.
    """
    from workbench.cli.parallel_progress import parallel_progress
    from workbench.engine.executor import Executor

    plan = _plan(name, explicit_options(options), grid or [], random, range or [], random_seed, halving, seeds)
    total = sum(count for count, _ in plan.rounds) * len(plan.seeds)
    with StopOnSignal() as signals, Executor() as executor:
        signals.run = executor
        with parallel_progress(total, as_json, plan.label) as show:
            for index, _ in enumerate(plan.rounds):
                if not signals.is_stopping:
                    plan.train_round(index, executor, not again, show)
        is_stopped = signals.is_stopping
    if as_json:
        print_json(plan.to_dict(), first=not any(one.trials for one in plan.configurations))
    else:
        print_result(plan, is_stopped)
    raise typer.Exit(130 if is_stopped else 0 if plan.best else 1)


def _plan(
    name: str,
    fixed: dict[str, Any],
    grid: list[str],
    random: int | None,
    ranges: list[str],
    random_seed: int,
    halving: int | None,
    seeds: str | None,
) -> "Sweep":
    """Return the sweep that was asked for.

    Raises:
        UserError: If it can't be run.
    """
    import models
    from workbench.engine import sweep

    models.info(name)
    if seeds is not None and "seed" in fixed:
        raise UserError("Give --seeds without --seed.")
    if not grid and not ranges:
        raise UserError("Give the values of an option, such as --grid lr=0.001,0.01.")
    if ranges and random is None:
        raise UserError("A --range is drawn from at random: give --random N, the number of configurations.")
    lists = sweep.read_lists(name, grid)
    numbers = sweep.read_ranges(name, ranges, lists)
    varied = sweep.grid(lists) if random is None else sweep.draw(random, lists, numbers, random_seed)
    used = read_seeds(seeds) if seeds is not None else [fixed.get("seed", 0)]
    return sweep.Sweep(name, fixed, varied, used, halving)


def print_result(plan: "Sweep", is_stopped: bool) -> None:
    """Print the configurations, the best first, and the command that trains the best one."""
    from rich.table import Column, Table

    from workbench.render.metrics import format_metric

    def cell(name: str, spread: dict[str, Any] | None) -> str:
        if spread is None:
            return ""
        deviation = "" if spread["sd"] is None else f" ± {format_metric(name, spread['sd'])}"
        return f"{format_metric(name, spread['mean'])}{deviation}"

    result = plan.to_dict()
    rows = [row for row in result["configurations"] if row["statuses"]]
    names = list(rows[0]["options"]) if rows else []
    headings = (*names, *([] if plan.unit in names else [plan.unit]), f"validation {plan.metric}", "done")
    table = Table(*(Column(heading, overflow="fold") for heading in headings), box=None, header_style="bold")
    for row in rows:
        values = row["options"] | {plan.unit: row[plan.unit]}
        done = f"{row['statuses'].count('done')} of {len(plan.seeds)}"
        validation = cell(plan.metric, row["validation"])
        table.add_row(*(printable(str(value)) for value in values.values()), validation, done)
    console().print(table)
    best = result["best"]
    if is_stopped:
        print("Stopped. The same command continues.")
    elif best is None:
        print("All configurations failed.")
    else:
        over = f" over {plural(len(plan.seeds), 'seed')}" if len(plan.seeds) > 1 else ""
        test = "  ".join(f"{name} {cell(name, spread)}" for name, spread in best["test"].items())
        label = " ".join(f"{name}={value}" for name, value in best["options"].items())
        print(f"Best on the validation set: {label}, {plan.metric} {cell(plan.metric, best['validation'])}{over}")
        print(f"On the test set, which had no part in the choice: {test}")
        print(f"Next: {best['command']}")


app.command(
    cls=GroupedHelpCommand,
    epilog="Example: workbench sweep mlp --grid lr=0.001,0.01 --grid batch_size=16,32 --epochs 5",
)(with_spec_options(sweep))
