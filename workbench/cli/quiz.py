"""`workbench quiz`: questions at the prompt, line by line, so that it also works with a screen reader."""

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
            help="Topic, drill or card. Default: everything.",
            autocompletion=completion.questions,
        ),
    ] = "",
    count: Annotated[int, typer.Option("-n", "--count", min=1, max=500, help="Number of questions.")] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the selection of questions. Default: a new selection each time.")
    ] = None,
) -> None:
    """Answer questions at the prompt; results are saved.

    At the prompt, type an answer, or ? for the next hint, . for the solution, q to quit.
    """
    from random import Random

    from workbench.cli.prompt_session import ask_all
    from workbench.store import Store
    from workbench.study import schedule, session

    items = session.items_of(name or None)
    rng = Random(seed)
    with Store() as store:
        queue = session.choose(store, items, count, schedule.now(), rng)
        ask_all(session.Session(store, queue, rng))
