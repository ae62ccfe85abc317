"""A text as `workbench data show` prints it: its splits, its characters and how it begins."""

from textwrap import fill, wrap
from typing import TYPE_CHECKING, Any

from workbench.untrusted import printable_lines

if TYPE_CHECKING:
    import numpy as np

    from workbench.data import DataSet

WIDTH = 79  # cells
EXCERPT = 300  # characters
NAMES = {" ": "space", "\n": "line break", "\t": "tab"}


def describe_text(dataset: "DataSet", splits: "dict[str, tuple[np.ndarray, ...]]") -> dict[str, Any]:
    """Return the splits of a text, its characters, the most frequent first, and the start of its training set."""
    import numpy as np

    from workbench import data
    from workbench.data import text

    characters = data.vocabulary(dataset.name)
    train = splits["train"][0]
    counts = np.bincount(train, minlength=len(characters)).tolist()
    by_count = sorted(range(1, len(characters)), key=lambda token: (-counts[token], token))
    return {
        "splits": {
            name: {"samples": len(tokens), "unknown": int((tokens == 0).sum())} for name, (tokens,) in splits.items()
        },
        "characters": [{"character": characters[k], "token": k, "count": counts[k]} for k in by_count if counts[k]],
        "excerpt": text.decode(train[:EXCERPT].tolist(), characters),
    }


def print_text(details: dict[str, Any]) -> None:
    """Print what `describe_text` returned."""
    from rich.table import Table

    from workbench.cli.output import console

    table = Table(f"seed {details['seed']}", *details["splits"], box=None, header_style="bold")
    for row, label in (("samples", "characters"), ("unknown", "  unknown")):
        table.add_row(label, *(f"{split[row]:,}" for split in details["splits"].values()))
    console().print(table, end="\n\n")
    names = " ".join(_name(row["character"]) for row in details["characters"])
    heading = f"{len(details['characters'])} characters of the training set, the most frequent first: "
    print(fill(heading + names, WIDTH, initial_indent=" ", subsequent_indent="   ", break_long_words=False))
    print("\n The training set begins:")
    for line in printable_lines(details["excerpt"]).split("\n"):
        for part in wrap(line, WIDTH - 3, drop_whitespace=False) or [""]:
            print(f"   {part}".rstrip())


def _name(character: str) -> str:
    return NAMES.get(character) or (character if character.isprintable() else f"U+{ord(character):04X}")
