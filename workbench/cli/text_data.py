"""A text as `workbench data show` prints it: its splits, its characters and how it begins."""

from textwrap import fill, wrap
from typing import TYPE_CHECKING, Any

from workbench.untrusted import printable_lines

if TYPE_CHECKING:
    import numpy as np

    from workbench.data import DataSet

WIDTH = 79  # cells
EXCERPT = 300  # characters
MERGES, LISTED = 10, 40  # merges and tokens that are listed
VISIBLE = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})
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


def describe_byte_pairs(dataset: "DataSet", splits: "dict[str, tuple[np.ndarray, ...]]") -> dict[str, Any]:
    """Return the splits of a text, its byte pairs, the most frequent first, and the start of its training set."""
    import numpy as np

    from workbench import data
    from workbench.data.byte_pairs import TIE_RULE

    tokenizer = data.byte_pairs_of(dataset.name)
    characters, train = tokenizer.characters(), splits["train"][0]
    counts = np.bincount(train, minlength=tokenizer.size)
    by_count = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())].tolist()
    return {
        "splits": {
            name: {"samples": int(characters[tokens].sum()), "tokens": len(tokens)}
            for name, (tokens,) in splits.items()
        },
        "vocabulary": tokenizer.size,
        "tie_rule": TIE_RULE,
        "tokens": [{"token": k, "text": tokenizer.label(k), "count": int(counts[k])} for k in by_count],
        "merges": [list(pair) for pair in tokenizer.merges[:MERGES]],
        "excerpt": tokenizer.decode(train[:EXCERPT].tolist()),
    }


def print_byte_pairs(details: dict[str, Any]) -> None:
    """Print what `describe_byte_pairs` returned."""
    from rich.table import Table

    from workbench.cli.output import console

    table = Table(f"seed {details['seed']}", *details["splits"], box=None, header_style="bold")
    for row, label in (("samples", "characters"), ("tokens", "tokens")):
        table.add_row(label, *(f"{split[row]:,}" for split in details["splits"].values()))
    console().print(table, end="\n\n")
    long = [row["text"] for row in details["tokens"] if len(row["text"]) > 1][:LISTED]
    heading = f"{details['vocabulary']:,} tokens. The most frequent of two or more characters: "
    names = " ".join(printable_lines(text.translate(VISIBLE)) for text in long)
    print(fill(heading + names, WIDTH, initial_indent=" ", subsequent_indent="   ", break_long_words=False))
    merges = ", ".join(f"{left}+{right}" for left, right in details["merges"])
    print(fill(f"First merges: {merges}", WIDTH, initial_indent=" ", subsequent_indent="   "))
    print(fill(f"Ties: {details['tie_rule']}.", WIDTH, initial_indent=" ", subsequent_indent="   "))
    _print_excerpt(details)


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
    _print_excerpt(details)


def _print_excerpt(details: dict[str, Any]) -> None:
    print("\n The training set begins:")
    for line in printable_lines(details["excerpt"]).split("\n"):
        for part in wrap(line, WIDTH - 3, drop_whitespace=False) or [""]:
            print(f"   {part}".rstrip())


def _name(character: str) -> str:
    return NAMES.get(character) or (character if character.isprintable() else f"U+{ord(character):04X}")
