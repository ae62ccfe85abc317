"""`workbench data`: the data sets, and tables and pictures of the user's own."""

from shlex import quote
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.reply import Json, console, print_rows, say_json
from workbench.render.shape import format_shape
from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

    from workbench.data import DataSet

ROWS, MOST = 5, 40  # samples, and features, that are shown
WIDTH = 79  # cells
PICTURE, LARGE = 10, 17  # rows of cells, of pictures up to 32 pixels high and of larger ones

app = typer.Typer(add_completion=False, rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def data_sets() -> None:
    """The data sets, and your own tables and pictures: list, show."""


@app.command("list", epilog="Example: workbench data list --json")
def list_data(as_json: Json = False) -> None:
    """All data sets: most come along, some are fetched when they are first used."""
    from workbench import data

    known = [data.info(name) for name in data.names()]
    if as_json:
        say_json([about(one) for one in known])
        return
    from rich.table import Table

    table = Table("data", "samples", "shape", "classes", "what is told", box=None, header_style="bold")
    for one in known:
        made = " (synthetic)" if one.synthetic else ""
        shape = format_shape(one.shape)
        fetched = "" if data.here(one) else " (to be fetched)"
        table.add_row(
            one.name, str(one.samples), shape, str(len(one.classes) or "a number"), one.title + made + fetched
        )
    console().print(table)
    print("\nA table of your own: workbench data show csv:PATH, or csv:PATH:COLUMN")
    print("Pictures of your own, a folder for each class: workbench data show folder:PATH")


@app.command(epilog="Example: workbench data show iris --seed 1")
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A data set; csv:PATH, csv:PATH:COLUMN or folder:PATH: yours.")
    ],
    seed: Annotated[int, typer.Option(min=0, help="Decides which sample falls into which part.")] = 0,
    scaling: Annotated[str, typer.Option(help="z-score or min-max, fitted to the training part.")] = "z-score",
    as_json: Json = False,
) -> None:
    """One data set: what a row is, its parts for a seed, its features before and after scaling, its first samples."""
    from workbench import data
    from workbench.data.scaling import SCALERS
    from workbench.errors import unknown_name

    if scaling not in SCALERS:
        raise unknown_name("scaling", scaling, list(SCALERS))
    known, parts = data.info(name), data.load(name, seed)
    found = {
        **about(known),
        "seed": seed,
        "scaling": scaling,
        "parts": {part: _counted(known, columns) for part, columns in parts.items()},
        "ranges": ranges(known, parts["train"][0], SCALERS[scaling]),
        "first": [
            {"input": inputs.tolist(), "target": known.classes[target] if known.classes else float(target)}
            for inputs, target, _ in zip(*parts["train"], range(ROWS), strict=False)
        ],
    }
    if as_json:
        say_json(found)
    else:
        _print(known, found)


def about(known: "DataSet") -> dict[str, Any]:
    """What is known of a data set without loading it, as JSON."""
    from workbench.data import here

    words = ("title", "row", "kind", "samples", "target", "source", "licence", "synthetic")
    lists = ("shape", "features", "classes")
    return {
        "data": known.name,
        **{word: getattr(known, word) for word in words},
        **{word: list(getattr(known, word)) for word in lists},
        "here": here(known),
    }


def ranges(known: "DataSet", train: "np.ndarray", scaler: Any) -> list[dict[str, Any]]:
    """Every feature's range in the training part, before and after scaling; the pixels of pictures all alike."""
    import numpy as np

    from workbench.data.scaling import z_score

    axis = 0 if known.features else None
    low, high, usual, scaled = train.min(axis), train.max(axis), z_score(train, axis), scaler(train, axis)
    deviation = np.where(low < high, usual.spread, 0)
    words = ("min", "max", "mean", "deviation", "scaled_min", "scaled_max")
    numbers = np.broadcast_arrays(low, high, usual.shift, deviation, scaled(low), scaled(high))
    return [
        {"feature": name, **dict(zip(words, map(float, values), strict=True))}
        for name, *values in zip(known.features or ("pixels",), *map(np.ravel, numbers), strict=True)
    ]


def _counted(known: "DataSet", columns: "tuple[np.ndarray, ...]") -> dict[str, Any]:
    """How many samples a part has, and how many of each class."""
    targets = columns[1].tolist()
    return {"samples": len(targets)} | (
        {"classes": {name: targets.count(k) for k, name in enumerate(known.classes)}} if known.classes else {}
    )


def _print(known: "DataSet", found: dict[str, Any]) -> None:
    from rich.table import Table
    from rich.text import Text

    out = console()
    out.print(Text.assemble((printable(known.name), "bold"), f": {known.title}"))
    told = f"{len(known.classes)} classes" if known.classes else "a number"
    for word, text in {
        "a row": known.row + ("; synthetic" if known.synthetic else ""),
        "source": f"{printable(known.source)}; licence: {known.licence}",
        "target": f"{known.target}: {told}",
    }.items():
        print(fill(text, WIDTH, initial_indent=f"  {word:<8}", subsequent_indent=" " * 10))
    print()

    parts = Table(f"seed {found['seed']}", *found["parts"], box=None, header_style="bold")
    parts.add_row("samples", *(str(part["samples"]) for part in found["parts"].values()))
    for name in known.classes:
        parts.add_row(f"  {name}", *(str(part["classes"][name]) for part in found["parts"].values()))
    out.print(parts, end="\n\n")

    table = Table("training part", "min", "max", "mean", "deviation", found["scaling"], box=None, header_style="bold")
    for row in found["ranges"][:MOST]:
        numbers = (f"{row[word]:.4g}" for word in ("min", "max", "mean", "deviation"))
        table.add_row(row["feature"], *numbers, f"{row['scaled_min']:.2f} to {row['scaled_max']:.2f}")
    out.print(table)
    if len(known.features) > MOST:
        print(f" and {len(known.features) - MOST} more")
    print()
    if known.features:
        for row in found["first"]:
            more = ", ..." if len(row["input"]) > MOST else ""
            read = ", ".join(f"{number:g}" for number in row["input"][:MOST])
            print(fill(f"{read}{more} -> {_target(row['target'])}", WIDTH, initial_indent=" ", subsequent_indent="   "))
    else:
        print_samples(found["first"])
    print(f"\nNext: workbench train NETWORK --task {printable(quote(known.name))}")


def _target(target: Any) -> str:
    return target if isinstance(target, str) else f"{target:g}"


def print_samples(samples: list[dict[str, Any]]) -> None:
    """Pictures (channels, height, width) side by side, over what they show."""
    from rich.style import Style

    from workbench.render.halfblock import render_gallery, to_pixels

    shown = [(to_pixels(_picture(sample["input"])), str(sample["target"]), Style()) for sample in samples]
    height = PICTURE if len(shown[0][0]) <= 32 else LARGE
    print_rows(lambda width, colour: render_gallery(shown, width, height, colour))


def _picture(channels: list[Any]) -> list[Any]:
    """Rows of grey levels; or of red, green and blue from 0 to 1, of bytes."""
    if len(channels) == 1:
        return channels[0]
    return [
        [[part / 255 for part in pixel] for pixel in zip(*rows, strict=True)] for rows in zip(*channels, strict=True)
    ]
