"""`workbench quiz`: questions in line mode, one line after another, so that it also reads well aloud."""

from typing import Annotated

import typer

from workbench.cli import completion

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench quiz convolution -n 5")
def quiz(
    name: Annotated[
        str,
        typer.Argument(
            metavar="[TOPIC|DRILL]",
            help="A topic, drill or card; everything if left out.",
            autocompletion=completion.questions,
        ),
    ] = "",
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=500, help="How many questions.")] = 10,
    seed: Annotated[int | None, typer.Option(help="Choose the same questions again.")] = None,
) -> None:
    """Ten questions in line mode, marked and kept as you go.

    At the prompt: an answer, or ? for a hint, . to be shown the solution, q to stop.
    """
    from random import Random

    from workbench.cli.line import run
    from workbench.store import Store
    from workbench.study import schedule, session

    items = session.items_of(name or None)
    rng = Random(seed)
    with Store() as store:
        chosen = session.choose(store, items, count, schedule.now(), rng)
        run(session.Session(store, chosen, rng))
