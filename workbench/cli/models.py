"""`workbench models`: the networks that can be trained, and what they are made of."""

from typing import Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="A network: see 'workbench models list'.", autocompletion=completion.networks),
]
SORTS = ("name", "year", "params", "macs", "idea")
Preset = Annotated[str, typer.Option(help="paper: as published. mini: the same with smaller numbers.")]


@app.callback()
def networks() -> None:
    """The networks that can be trained: list, tree, show, diagram."""


@app.command("list", epilog="Example: workbench models list --sort params")
def list_models(
    sort: Annotated[
        str,
        typer.Option(
            metavar="|".join(SORTS),
            help="From the smallest, the oldest or A. For macs all networks are counted: minutes, the first time.",
            autocompletion=lambda incomplete: [name for name in SORTS if name.startswith(incomplete)],
        ),
    ] = "name",
    as_json: Json = False,
) -> None:
    """All networks, with what they cost, where they come from and what they are trained for."""
    import models
    from workbench.errors import unknown_name

    if sort not in SORTS:
        raise unknown_name("column to sort by", sort, list(SORTS))
    known = [models.info(name) for name in models.names()]
    columns = ("name", "family", "year", "paper", "topic", "task", "idea", "params")
    rows = [{column: getattr(model, column) for column in columns} | {"presets": [*model.presets]} for model in known]
    if sort == "macs":
        for row, macs in zip(rows, counted([row["name"] for row in rows]), strict=True):
            row["macs"] = macs
    rows.sort(key=lambda row: (row[sort] is None, row[sort] or 0, row["year"], row["name"]))
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    counts = ("params", "macs") if sort == "macs" else ("params",)
    for column in ("name", "year", *counts, "task", "paper"):  # the rest stands in the JSON
        justify: Any = "right" if column in counts else "left"
        table.add_column(column, no_wrap=column != "paper", justify=justify)
    for row in rows:
        costs = ("" if row[column] is None else f"{row[column]:,}" for column in counts)
        table.add_row(row["name"], str(row["year"]), *costs, row["task"], row["paper"])
    console().print(table)


def counted(names: list[str]) -> list[int]:
    """The multiply-accumulates of networks as published, two counted at a time."""
    from concurrent.futures import ThreadPoolExecutor

    from workbench.render.layers import outline

    with ThreadPoolExecutor(2) as pool:
        return [found.network.total_macs for found in pool.map(outline, names)]


@app.command(epilog="Example: workbench models tree")
def tree(as_json: Json = False) -> None:
    """The family tree by year: which family builds on which, and what was new in each."""
    from workbench.render.family_tree import LEGEND, members, render_tree

    if as_json:
        print_json([member.to_json() for member in members().values()])
        return
    for _, drawn in render_tree(min(console().width, 100)):
        print("\n".join(drawn))
    print(f"\n{LEGEND}")


@app.command(epilog="Example: workbench models show resnet50")
def show(name: Name, preset: Preset = "paper", as_json: Json = False) -> None:
    """A network's layers: shapes, parameters, multiply-accumulates (MACs) for one sample."""
    from workbench.render.layers import outline

    shown = outline(name, preset).table()
    if as_json:
        print_json(shown)
        return
    from rich.table import Table

    from workbench.render.diagram import shape

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
    from workbench.render.diagram import draw, plain
    from workbench.render.layers import outline

    if as_json:
        print_json(plain(outline(name, preset)))
    else:
        print("\n".join(draw(outline(name, preset))))
