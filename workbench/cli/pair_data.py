"""Pairs of texts as `workbench data show` prints them: their splits, their lengths and the first pairs."""

from typing import TYPE_CHECKING, Any

from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

    from workbench.data import DataSet

PAIRS = 5  # printed
MAX_TEXT = 34  # cells of a text
CHARACTERS = 60  # of a vocabulary that are printed


def describe_pairs(dataset: "DataSet", splits: "dict[str, tuple[np.ndarray, ...]]") -> dict[str, Any]:
    """Return the splits of pairs, the lengths of their texts, their characters, and the first pairs for training."""
    from models.layers.tokens import PAD, UNKNOWN
    from workbench import data
    from workbench.data import pairs

    characters = data.vocabularies(dataset.name)
    return {
        "splits": {
            name: {
                "samples": len(source),
                "source_length": float((source != PAD).sum(axis=1).mean()) - 1,  # without the token that ends it
                "target_length": float((target != PAD).sum(axis=1).mean()) - 1,
                "unknown": int((source == UNKNOWN).sum() + (target == UNKNOWN).sum()),
            }
            for name, (source, target) in splits.items()
        },
        "source_characters": characters.source,
        "target_characters": characters.target,
        "first_samples": [
            {
                "input": pairs.decode(source.tolist(), characters.source),
                "target": pairs.decode(target.tolist(), characters.target),
            }
            for source, target in zip(*(column[:PAIRS] for column in splits["train"]), strict=True)
        ],
    }


def print_pairs(details: dict[str, Any]) -> None:
    """Print what `describe_pairs` returned."""
    from rich.table import Table

    from workbench.cli.output import console

    table = Table(f"seed {details['seed']}", *details["splits"], box=None, header_style="bold")
    table.add_row("pairs", *(f"{split['samples']:,}" for split in details["splits"].values()))
    for row, label in (("source_length", "mean source length"), ("target_length", "mean target length")):
        table.add_row(f"  {label}", *(f"{split[row]:.1f}" for split in details["splits"].values()))
    table.add_row("  unknown characters", *(f"{split['unknown']:,}" for split in details["splits"].values()))
    console().print(table, end="\n\n")
    for column in ("source", "target"):
        characters = printable(details[f"{column}_characters"])
        more = "..." if len(characters) > CHARACTERS else ""
        print(f" {len(characters)} characters of the {column}: {characters[:CHARACTERS]}{more}")
    print("\n The training set begins:")
    for pair in details["first_samples"]:
        print(f"   {_cut(pair['input']):<{MAX_TEXT}}  {_cut(pair['target'])}".rstrip())


def _cut(text: str) -> str:
    text = printable(text)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."
