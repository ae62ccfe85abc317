"""`workbench models`: the networks that can be trained."""

import typer

from workbench.cli.reply import Json, console, say_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def networks() -> None:
    """The networks that can be trained."""


@app.command("list", epilog="Example: workbench models list --json")
def list_models(as_json: Json = False) -> None:
    """All networks, with where they come from and what they are trained for."""
    import models

    columns = ("name", "family", "year", "paper", "topic", "task", "presets")
    known = [models.info(name) for name in models.names()]
    rows = [{column: getattr(model, column) for column in columns} | {"presets": [*model.presets]} for model in known]
    if as_json:
        say_json(rows)
        return
    from rich.table import Table

    table = Table(*columns, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(", ".join(cell) if isinstance(cell, list) else str(cell) for cell in row.values()))
    console().print(table)
