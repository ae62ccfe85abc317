"""`workbench find-lr`: the loss of a network at rising learning rates, and a suggestion."""

import sys
from typing import Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, print_json, progress_bar
from workbench.cli.train import GroupedHelpCommand, spec_from_options, with_spec_options
from workbench.engine.lr_finder import UPDATES, check_updates

app = typer.Typer(add_completion=False, rich_markup_mode=None)


def find_lr(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Network: see 'workbench models list'.", autocompletion=completion.networks
        ),
    ],
    updates: Annotated[
        int, typer.Option(help="Number of updates from the lowest learning rate to the highest.")
    ] = UPDATES,
    as_json: Json = False,
    **options: Any,
) -> None:
    """Find a learning rate: train with one that rises from 1e-6 to 10, and show the loss.

    This is the learning rate range test (Smith, 2015). It takes the options of 'workbench train'; those for the
    learning rate and the length have no effect. The network is not saved.

    Exit code 0: there is a suggestion. 1: the loss doesn't fall at any learning rate.
    """
    from workbench.engine import Verifier
    from workbench.engine.lr_finder import find_lr as find
    from workbench.render.lr_chart import format_suggestion, lr_chart

    check_updates(updates)
    spec = spec_from_options(name, options)
    with Verifier() as worker, progress_bar("Raising the learning rate") as report_progress:
        result = find(worker, spec, updates, report_progress)
    if as_json:
        print_json(result)
    else:
        console().print(lr_chart(result))
        print(format_suggestion(result))
        if result["steepest"] is not None and sys.stdout.isatty():
            print(f"Next: workbench train {name} --lr {result['steepest']:g}")
    raise typer.Exit(0 if result["steepest"] is not None else 1)


app.command(cls=GroupedHelpCommand, epilog="Example: workbench find-lr resnet18 --optimizer sgd")(
    with_spec_options(find_lr)
)
