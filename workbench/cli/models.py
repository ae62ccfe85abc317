"""`workbench models`: the networks that can be trained, and what they are made of."""

from typing import Annotated

import typer

from workbench.cli.reply import Json, console, say_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="A network: see 'workbench models list'.")]
Preset = Annotated[str, typer.Option(help="paper: as published. mini: the same with smaller numbers.")]


@app.callback()
def networks() -> None:
    """The networks that can be trained: list, show, diagram."""


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

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("name", "year", "task", "presets", "paper"):  # the rest stands in the JSON
        table.add_column(column, no_wrap=column in ("name", "year", "task"))
    for row in rows:
        presets = ", ".join(row["presets"])
        table.add_row(row["name"], str(row["year"]), row["task"], presets, row["paper"])
    console().print(table)


@app.command(epilog="Example: workbench models show resnet50")
def show(name: Name, preset: Preset = "paper", as_json: Json = False) -> None:
    """A network's layers: shapes, parameters, multiply-accumulates (MACs) for one sample."""
    from workbench.show.layers import outline

    shown = outline(name, preset).table()
    if as_json:
        say_json(shown)
        return
    from rich.table import Table

    from workbench.show.diagram import shape

    table = Table(box=None, header_style="bold", show_footer=True, pad_edge=False)
    for column in ("layer", "type"):
        table.add_column(column, overflow="fold")
    for column, total in (("output", ""), ("parameters", f"{shown['params']:,}"), ("MACs", f"{shown['macs']:,}")):
        table.add_column(column, total, justify="right")
    for layer in shown["layers"]:
        counts = (f"{layer[column]:,}" if layer[column] else "" for column in ("params", "macs"))
        table.add_row(layer["name"], layer["type"], shape(layer["output_shape"]), *counts)
    print(f"{name}, preset {preset}: {shape(shown['input_shape'])} -> {shape(shown['output_shape'])}\n")
    console().print(table)
    print(f"\n{shown['flops']:,} FLOPs: two for each MAC, a multiplication with its addition.")
    print("Norms, activations, pooling and sums aren't counted.")
    print(f"Next: workbench models diagram {name}")


@app.command(epilog="Example: workbench models diagram resnet18 --preset mini")
def diagram(name: Name, preset: Preset = "paper", as_json: Json = False) -> None:
    """A network drawn in text: its blocks in order, repeated ones once, and what goes round them."""
    from workbench.show.diagram import draw, plain
    from workbench.show.layers import outline

    if as_json:
        say_json(plain(outline(name, preset)))
    else:
        print("\n".join(draw(outline(name, preset))))
