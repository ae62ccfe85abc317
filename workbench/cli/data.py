"""`workbench data`: the datasets, and the user's own tables and images."""

from shlex import quote
from textwrap import fill
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.output import Json, console, print_json, print_rows
from workbench.untrusted import printable

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    from workbench.data import DataSet
    from workbench.data.scaling import Scaler

SAMPLES, MAX_FEATURES = 5, 40  # printed
WIDTH = 79  # cells
SMALL_IMAGE, LARGE_IMAGE = 10, 17  # rows of cells for images up to 32 pixels high, and for larger ones

WORD_MODALITIES = ("sentences", "tags", "words", "passages", "captions")

app = typer.Typer(add_completion=False, rich_markup_mode=None, help="List and show datasets, built-in and your own.")


@app.command("list", epilog="Example: workbench data list --json")
def list_data(as_json: Json = False) -> None:
    """List the datasets. Most are included; some are downloaded at first use."""
    from workbench import data

    datasets = [data.info(name) for name in data.names()]
    if as_json:
        print_json([describe(dataset) for dataset in datasets])
        return
    from rich.table import Table

    from workbench.render.shape import format_shape

    table = Table("data", "samples", "shape", "classes", "title", box=None, header_style="bold")
    for dataset in datasets:
        synthetic = " (synthetic)" if dataset.synthetic else ""
        shape = format_shape(dataset.shape) or dataset.modality
        download = "" if data.here(dataset) else " (not downloaded)"
        table.add_row(
            dataset.name, f"{dataset.samples:,}", shape, _classes(dataset), dataset.title + synthetic + download
        )
    console().print(table)
    print("\nYour own table: workbench data show csv:PATH, or csv:PATH:COLUMN")
    print("Your own images, one folder per class: workbench data show folder:PATH")
    print("Your own images with boxes: workbench data show coco:IMAGES:ANNOTATIONS")
    print("Your own images with masks: workbench data show masks:IMAGES:MASKS")
    print("Your own text: workbench data show text:PATH, or words:PATH for its words")
    print("Your own text as byte pairs: workbench data show text-bpe:PATH[:TOKENIZER]")
    print("Your own sentences with labels, as CSV: workbench data show sentences:PATH")
    print("Your own sentences with tags, as CoNLL: workbench data show conll:PATH")
    print("Your own pairs of texts: workbench data show pairs:PATH")
    print("Your own time series: workbench data show series:PATH, or series:PATH:COLUMN")


@app.command(epilog="Example: workbench data show iris --seed 1")
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Dataset, or your own data: csv:PATH, csv:PATH:COLUMN, folder:PATH, coco:IMAGES:ANNOTATIONS, "
            "masks:IMAGES:MASKS, text:PATH, text-bpe:PATH, words:PATH, sentences:PATH, conll:PATH, "
            "pairs:PATH or series:PATH.",
        ),
    ],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split.")] = 0,
    scaling: Annotated[str, typer.Option(help="Scaling fitted to the training set: z-score or min-max.")] = "z-score",
    as_json: Json = False,
) -> None:
    """Show the samples, splits and features of a dataset."""
    from workbench import data
    from workbench.data.scaling import SCALERS
    from workbench.errors import unknown_name

    if scaling not in SCALERS:
        raise unknown_name("scaling", scaling, list(SCALERS))
    dataset, splits = data.info(name), data.load(name, seed)
    if special := _special(dataset.modality):
        describe_data, print_data = special
        details = {**describe(dataset), "seed": seed, **describe_data(dataset, splits)}
        if as_json:
            print_json(details)
        else:
            _print_heading(dataset)
            print_data(details)
            _print_next(dataset)
        return
    if dataset.modality == "pairs":
        from workbench.cli.pair_data import describe_pairs, print_pairs

        details = {**describe(dataset), "seed": seed, **describe_pairs(dataset, splits)}
        if as_json:
            print_json(details)
        else:
            _print_heading(dataset)
            print_pairs(details)
            _print_next(dataset)
        return
    if dataset.modality in WORD_MODALITIES:
        from workbench.cli.sentence_data import describe_sentences, print_sentences

        details = {**describe(dataset), "seed": seed, **describe_sentences(dataset, splits)}
        if as_json:
            print_json(details)
        else:
            _print_heading(dataset)
            print_sentences(details)
            _print_next(dataset)
        return
    details = {
        **describe(dataset),
        "seed": seed,
        "scaling": scaling,
        "splits": {split: _count(dataset, columns) for split, columns in splits.items()},
        "ranges": ranges(dataset, splits["train"][0], SCALERS[scaling]),
        "first_samples": [
            {"input": inputs.tolist(), "target": _plain_target(dataset, *target)}
            for (inputs, *target), _ in zip(zip(*splits["train"], strict=True), range(SAMPLES), strict=False)
        ],
    }
    if as_json:
        print_json(details)
    else:
        _print(dataset, details)


def _special(modality: str) -> "tuple[Callable[..., dict[str, Any]], Callable[[dict[str, Any]], None]] | None":
    """Return what describes and what prints a dataset; None if it is a table or consists of images."""
    from workbench.cli import sequence_data, text_data

    return {
        "text": (text_data.describe_text, text_data.print_text),
        "byte-pairs": (text_data.describe_byte_pairs, text_data.print_byte_pairs),
        "series": (sequence_data.describe_series, sequence_data.print_series),
        "memory": (sequence_data.describe_sequences, sequence_data.print_sequences),
    }.get(modality)


def describe(dataset: "DataSet") -> dict[str, Any]:
    """Return the declaration of a dataset as plain data, without loading it."""
    from workbench.data import here

    words = ("title", "row", "kind", "samples", "target", "source")
    lists = ("shape", "features", "classes")
    return {
        "data": dataset.name,
        "modality": dataset.modality,
        **{word: getattr(dataset, word) for word in words},
        "license": dataset.licence,
        "synthetic": dataset.synthetic,
        **{word: list(getattr(dataset, word)) for word in lists},
        "sizes": dict(dataset.sizes),
        "available": here(dataset),
    }


def ranges(dataset: "DataSet", train: "np.ndarray", scaler: "Callable[..., Scaler]") -> list[dict[str, Any]]:
    """Return the range of every feature in the training set, before and after scaling; of images, of all pixels.

    Args:
        dataset: The dataset.
        train: The inputs of the training set, shape (N, features) or (N, channels, height, width).
        scaler: Fits the scaling to the training set.
    """
    import numpy as np

    from workbench.data.scaling import z_score

    axis = 0 if dataset.features else None
    low, high, statistics, scaled = train.min(axis), train.max(axis), z_score(train, axis), scaler(train, axis)
    std = np.where(low < high, statistics.spread, 0)
    words = ("min", "max", "mean", "std", "scaled_min", "scaled_max")
    numbers = np.broadcast_arrays(low, high, statistics.shift, std, scaled(low), scaled(high))
    return [
        {"feature": name, **dict(zip(words, map(float, values), strict=True))}
        for name, *values in zip(dataset.features or ("pixels",), *map(np.ravel, numbers), strict=True)
    ]


def _count(dataset: "DataSet", columns: "tuple[np.ndarray, ...]") -> dict[str, Any]:
    """Return the number of samples of a split, and how many of them, of their objects or pixels, each class has."""
    import numpy as np

    if not dataset.classes:
        return {"samples": len(columns[0])}
    targets = columns[-1].ravel()
    counts = np.bincount(targets[targets >= 0], minlength=len(dataset.classes)).tolist()
    return {"samples": len(columns[0]), "classes": dict(zip(dataset.classes, counts, strict=False))}


def _plain_target(dataset: "DataSet", *target: Any) -> Any:
    """Return a target as plain data: a class, a number, the objects of an image, or the share of each class."""
    if dataset.kind == "detection":
        boxes, *_, labels = target
        return [
            {"class": dataset.classes[label], "box": box.tolist()}
            for box, label in zip(boxes, labels, strict=True)
            if label >= 0
        ]
    if dataset.kind == "segmentation":
        return {
            name: float((target[0] == k).mean()) for k, name in enumerate(dataset.classes) if (target[0] == k).any()
        }
    return dataset.classes[target[0]] if dataset.classes else float(target[0])


def _classes(dataset: "DataSet") -> str:
    """Return what a target is: how many classes or characters there are, or a number."""
    if dataset.modality == "text":
        return f"{dataset.sizes['vocabulary']} characters"
    if dataset.modality in ("words", "passages", "captions"):
        return f"{dataset.sizes['vocabulary']} words"
    if dataset.modality == "pairs":
        return "a text"
    if dataset.modality == "series":
        return f"{dataset.sizes['horizon']} values"
    if dataset.modality == "memory" and "vocabulary" in dataset.sizes:
        return "tokens"
    return str(len(dataset.classes) or "a number")


def _print_heading(dataset: "DataSet") -> None:
    from rich.text import Text

    console().print(Text.assemble((printable(dataset.name), "bold"), f": {dataset.title}"))
    target = f"{len(dataset.classes)} classes" if dataset.classes else _classes(dataset)
    for word, text in {
        "sample": dataset.row + ("; synthetic" if dataset.synthetic else ""),
        "source": f"{printable(dataset.source)}; license: {dataset.licence}",
        "target": f"{dataset.target}: {target}",
    }.items():
        print(fill(text, WIDTH, initial_indent=f"  {word:<8}", subsequent_indent=" " * 10))
    print()


def _print_next(dataset: "DataSet") -> None:
    from workbench import tasks

    is_own = dataset.name.startswith(tasks.OWN)
    for task in [dataset.name] if is_own else [name for name in tasks.names() if tasks.info(name).data == dataset.name]:
        print(f"\nNext: workbench train NETWORK --task {printable(quote(task))}")


def _print(dataset: "DataSet", details: dict[str, Any]) -> None:
    from rich.table import Table

    out = console()
    _print_heading(dataset)
    splits = Table(f"seed {details['seed']}", *details["splits"], box=None, header_style="bold")
    splits.add_row("samples", *(f"{split['samples']:,}" for split in details["splits"].values()))
    for name in dataset.classes:
        splits.add_row(f"  {name}", *(f"{split['classes'][name]:,}" for split in details["splits"].values()))
    out.print(splits, end="\n\n")

    table = Table("training set", "min", "max", "mean", "std", details["scaling"], box=None, header_style="bold")
    for row in details["ranges"][:MAX_FEATURES]:
        numbers = (f"{row[word]:.4g}" for word in ("min", "max", "mean", "std"))
        table.add_row(row["feature"], *numbers, f"{row['scaled_min']:.2f} to {row['scaled_max']:.2f}")
    out.print(table)
    if len(dataset.features) > MAX_FEATURES:
        print(f" and {len(dataset.features) - MAX_FEATURES} more")
    print()
    if dataset.features:
        for row in details["first_samples"]:
            more = ", ..." if len(row["input"]) > MAX_FEATURES else ""
            values = ", ".join(f"{number:g}" for number in row["input"][:MAX_FEATURES])
            text = f"{values}{more} -> {_target(row['target'])}"
            print(fill(text, WIDTH, initial_indent=" ", subsequent_indent="   "))
    else:
        print_images(details["first_samples"])
    _print_next(dataset)


def _target(target: Any) -> str:
    if isinstance(target, list):
        return ", ".join(item["class"] for item in target)
    return target if isinstance(target, str) else f"{target:g}"


def print_images(samples: list[dict[str, Any]]) -> None:
    """Print images (channels, height, width) side by side, each with its target below."""
    from rich.style import Style

    from workbench.render.halfblock import render_gallery, to_pixels

    images = [(to_pixels(_channels_last(sample["input"])), _target(sample["target"]), Style()) for sample in samples]
    height = SMALL_IMAGE if len(images[0][0]) <= 32 else LARGE_IMAGE
    print_rows(lambda width, color: render_gallery(images, width, height, color))


def _channels_last(channels: list[Any]) -> list[Any]:
    """Return rows of gray levels, or of (red, green, blue) from 0 to 1 if the image has three channels of bytes."""
    if len(channels) == 1:
        return list(channels[0])
    return [
        [[level / 255 for level in pixel] for pixel in zip(*rows, strict=True)] for rows in zip(*channels, strict=True)
    ]
