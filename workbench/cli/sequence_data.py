"""Sequences that are made by code, and time series, as `workbench data show` prints them."""

from textwrap import fill
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from workbench.data import DataSet

WIDTH, SAMPLES, HEIGHT = 79, 3, 12


def describe_series(dataset: "DataSet", splits: "dict[str, tuple[np.ndarray, ...]]") -> dict[str, Any]:
    """Return the splits of a time series with their ranges, and its values."""
    words = ("min", "max", "mean", "std")
    return {
        "splits": {
            name: {"samples": len(values), **{word: float(getattr(values, word)()) for word in words}}
            for name, (values,) in splits.items()
        },
        "values": [value for (values,) in splits.values() for value in values.tolist()],
    }


def print_series(details: dict[str, Any]) -> None:
    """Print what `describe_series` returned, with a chart."""
    from rich.table import Table

    from workbench.cli.output import console
    from workbench.render.chart import LineChart, Series

    words = ("samples", "min", "max", "mean", "std")
    table = Table("in the order of time", *details["splits"], box=None, header_style="bold")
    for word in words:
        table.add_row(word, *(f"{split[word]:,.5g}" for split in details["splits"].values()))
    console().print(table, end="\n\n")
    lines, start = [], 0
    for name, split in details["splits"].items():
        steps = range(start, start + split["samples"])
        lines.append(Series(name, steps, details["values"][start : steps.stop]))
        start = steps.stop
    console().print(LineChart(lines, height=HEIGHT), end="")


def describe_sequences(dataset: "DataSet", splits: "dict[str, tuple[np.ndarray, ...]]") -> dict[str, Any]:
    """Return the sizes of the splits, and the first sequences with their targets."""
    inputs, targets = splits["train"]
    pairs = zip(inputs[:SAMPLES].tolist(), targets[:SAMPLES].tolist(), strict=True)
    return {
        "splits": {name: {"samples": len(columns[0])} for name, columns in splits.items()},
        "first_samples": [{"input": sequence, "target": target} for sequence, target in pairs],
    }


def print_sequences(details: dict[str, Any]) -> None:
    """Print what `describe_sequences` returned."""
    print(" ".join(f" {name} {split['samples']:,}" for name, split in details["splits"].items()), end="\n\n")
    for sample in details["first_samples"]:
        steps = " ".join(map(_step, sample["input"]))
        print(fill(f"{steps} -> {_step(sample['target'])}", WIDTH, initial_indent=" ", subsequent_indent="   "))


def _step(value: Any) -> str:
    """Return a number, or numbers, as text."""
    return ",".join(map(_step, value)) if isinstance(value, list) else f"{value:.3g}"
