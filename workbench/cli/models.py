"""`workbench models`: the networks that can be trained, and their layers."""

from typing import Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, print_json

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)

Name = Annotated[
    str,
    typer.Argument(metavar="NAME", help="Network: see 'workbench models list'.", autocompletion=completion.networks),
]
JSON_FIELDS = ("name", "family", "year", "paper", "topic", "task", "contribution", "params")
SORT_KEYS = ("name", "year", "params", "macs", "contribution")
Preset = Annotated[
    str, typer.Option(help="Size of the network: paper (as published) or mini (small enough to train in a minute).")
]


@app.callback()
def networks() -> None:
    """List the networks that can be trained, and show their layers."""


@app.command("list", epilog="Example: workbench models list --sort params")
def list_models(
    sort: Annotated[
        str,
        typer.Option(
            metavar="|".join(SORT_KEYS),
            help="Column to sort by. With macs, the first call builds every network, which takes minutes.",
            autocompletion=lambda incomplete: [name for name in SORT_KEYS if name.startswith(incomplete)],
        ),
    ] = "name",
    as_json: Json = False,
) -> None:
    """List all networks with their size, paper and task."""
    import models
    from workbench.errors import unknown_name

    if sort not in SORT_KEYS:
        raise unknown_name("column to sort by", sort, list(SORT_KEYS))
    infos = [models.info(name) for name in models.names()]
    rows = [{field: getattr(info, field) for field in JSON_FIELDS} | {"presets": [*info.presets]} for info in infos]
    if sort == "macs":
        for row, macs in zip(rows, count_macs([row["name"] for row in rows]), strict=True):
            row["macs"] = macs
    rows.sort(key=lambda row: (row[sort] is None, row[sort] or 0, row["year"], row["name"]))
    if as_json:
        print_json(rows)
        return
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    counts = ("params", "macs") if sort == "macs" else ("params",)
    for column in ("name", "year", *counts, "task", "paper"):  # fewer than in the JSON, so that they fit in a line
        justify: Any = "right" if column in counts else "left"
        table.add_column(column, no_wrap=column != "paper", justify=justify)
    for row in rows:
        costs = ("" if row[column] is None else f"{row[column]:,}" for column in counts)
        table.add_row(row["name"], str(row["year"]), *costs, row["task"], row["paper"])
    console().print(table)


def count_macs(names: list[str]) -> list[int]:
    """Return the MACs per sample of networks as published, two networks at a time in threads."""
    from concurrent.futures import ThreadPoolExecutor

    from workbench.render.layers import summarize

    with ThreadPoolExecutor(2) as pool:
        return [summary.network.total_macs for summary in pool.map(summarize, names)]


@app.command(epilog="Example: workbench models tree")
def tree(as_json: Json = False) -> None:
    """Show which family of networks builds on which."""
    from workbench.render.family_tree import LEGEND, members, render_tree

    if as_json:
        print_json([member.to_json() for member in members().values()])
        return
    for _, member_lines in render_tree(min(console().width, 100)):
        print("\n".join(member_lines))
    print(f"\n{LEGEND}")


@app.command(epilog="Example: workbench models show resnet50")
def show(name: Name, preset: Preset = "paper", as_json: Json = False) -> None:
    """Show the layers of a network.

    Each has its output shape, parameters, and multiply-accumulate operations (MACs) for one sample.
    """
    from workbench.render.layers import summarize

    summary = summarize(name, preset).table()
    if as_json:
        print_json(summary)
        return
    from rich.table import Table

    from workbench.render.shape import format_shape

    table = Table(box=None, header_style="bold", show_footer=True, pad_edge=False)
    for column in ("layer", "type"):
        table.add_column(column, overflow="fold")
    for column, total in (("output", ""), ("parameters", f"{summary['params']:,}"), ("MACs", f"{summary['macs']:,}")):
        table.add_column(column, total, justify="right")
    for layer in summary["layers"]:
        counts = (f"{layer[column]:,}" if layer[column] else "" for column in ("params", "macs"))
        table.add_row(layer["name"], layer["type"], format_shape(layer["output_shape"]), *counts)
    input_shape, output_shape = format_shape(summary["input_shape"]), format_shape(summary["output_shape"])
    print(f"{name}, preset {preset}: {input_shape} -> {output_shape}\n")
    console().print(table)
    print(f"\n{summary['flops']:,} FLOPs: two per MAC, a multiplication and an addition.")
    print("Not counted: the operations of norms, activations, pooling and additions.")
    print(f"Next: workbench models diagram {name}")


@app.command(epilog="Example: workbench models diagram resnet18 --preset mini")
def diagram(name: Name, preset: Preset = "paper", as_json: Json = False) -> None:
    """Draw a network as a text diagram.

    The blocks are in order, with their branches. Equal blocks in a row are drawn once.
    """
    from workbench.render.diagram import render_diagram, to_dict
    from workbench.render.layers import summarize

    summary = summarize(name, preset)
    if as_json:
        print_json(to_dict(summary))
    else:
        print("\n".join(render_diagram(summary)))
