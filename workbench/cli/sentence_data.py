"""Sentences as `workbench data show` prints them: splits, classes, the most frequent words, and the first samples."""

from textwrap import fill
from typing import TYPE_CHECKING, Any

from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np

    from workbench.data import DataSet

WIDTH, SAMPLES, FREQUENT = 79, 5, 40


def describe_sentences(dataset: "DataSet", splits: "dict[str, tuple[np.ndarray, ...]]") -> dict[str, Any]:
    """Return the splits with their classes, the most frequent words of the training set, and its first sentences."""
    import numpy as np

    from workbench import data
    from workbench.data import words

    vocabulary = data.word_vocabulary(dataset.name)
    is_captions = dataset.modality == "captions"
    column = 1 if is_captions else 0
    train = splits["train"][column]
    counts = np.bincount(train.ravel(), minlength=len(vocabulary)).tolist()
    order = sorted(range(2, len(vocabulary)), key=lambda token: (-counts[token], token))
    first = []
    for row in zip(*(values[:SAMPLES] for values in splits["train"]), strict=True):
        texts = row[column] if row[column].ndim == 2 else row[column][None]
        sentences = [words.decode(text.tolist(), vocabulary) for text in texts if text.any()]
        sample: dict[str, Any] = {"sentences": sentences}
        if dataset.modality == "sentences":
            sample["class"] = dataset.classes[row[1]]
        elif dataset.modality == "tags":
            sample["tags"] = [dataset.classes[tag] for tag in row[1].tolist() if tag >= 0]
        first.append(sample)
    return {
        "splits": {split: _count(dataset, columns, column) for split, columns in splits.items()},
        "words": [
            {"word": vocabulary[token], "token": token, "count": counts[token]} for token in order if counts[token]
        ],
        "first_samples": first,
    }


def _count(dataset: "DataSet", columns: "tuple[np.ndarray, ...]", column: int) -> dict[str, Any]:
    tokens = columns[column]
    row: dict[str, Any] = {
        "samples": len(tokens),
        "words": int((tokens > 0).sum()),
        "unknown": int((tokens == 1).sum()),
    }
    if dataset.classes:
        targets = columns[-1].ravel().tolist()
        row["classes"] = {name: targets.count(k) for k, name in enumerate(dataset.classes)}
    return row


def print_sentences(details: dict[str, Any]) -> None:
    """Print what `describe_sentences` returned."""
    from rich.table import Table

    from workbench.cli.output import console

    splits = details["splits"]
    table = Table(f"seed {details['seed']}", *splits, box=None, header_style="bold")
    noun = "passages" if details["modality"] == "passages" else "sentences"
    for row, label in (("samples", noun), ("words", "words"), ("unknown", "  unknown")):
        table.add_row(label, *(f"{split[row]:,}" for split in splits.values()))
    for name in details["classes"]:
        table.add_row(f"  {name}", *(f"{split['classes'][name]:,}" for split in splits.values()))
    console().print(table, end="\n\n")
    names = " ".join(printable(row["word"]) for row in details["words"][:FREQUENT])
    heading = f"{len(details['words'])} words of the training set, the most frequent first: "
    print(fill(heading + names, WIDTH, initial_indent=" ", subsequent_indent="   "))
    print("\n The training set begins:")
    for sample in details["first_samples"]:
        for sentence in sample["sentences"]:
            words = sentence
            if "tags" in sample:
                words = [
                    f"{word}/{tag}" if tag != "O" else word for word, tag in zip(sentence, sample["tags"], strict=True)
                ]
            text = printable(" ".join(words)) + (f" -> {sample['class']}" if "class" in sample else "")
            print(fill(text, WIDTH, initial_indent="   ", subsequent_indent="     "))
