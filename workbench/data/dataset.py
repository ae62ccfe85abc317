"""What is known of a data set without loading it: its declaration, read from the source and never run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from workbench.literals import literal

# Modality -> what is learned from such samples, whatever the classes.
KINDS = {
    "detection": "detection",
    "segmentation": "segmentation",
    "text": "language modeling",
    "byte-pairs": "language modeling",
    "completions": "completion",
    "pairs": "translation",
    "series": "forecasting",
    "memory": "memory",
    "tags": "tagging",
    "words": "word vectors",
    "captions": "captioning",
    "passages": "masked language modeling",
}


@dataclass(frozen=True)
class DataSet:
    """One data set.

    Attributes:
        name: What it is called by.
        title: What is learnt from what, in a few words.
        row: What a row, a sample, is.
        samples: How many there are.
        shape: Of one sample's input: `(features,)`, or `(channels, height, width)`.
        target: What is to be told.
        source: Whose it is.
        licence: Under what terms.
        features: The columns' names; pictures have none.
        classes: The classes' names, in the order of their numbers; none where the target is a number.
        synthetic: Whether it was made by code, and not measured.
        sizes: Sizes that a network for it needs to know, such as `vocabulary`.
        files: What has to be fetched before it can be loaded: each file's name, and its MD5 checksum as published.
    """

    name: str
    title: str
    row: str
    samples: int
    shape: tuple[int, ...]
    target: str
    source: str
    licence: str
    features: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    synthetic: bool = False
    sizes: Mapping[str, int] = field(default_factory=dict)
    files: tuple[tuple[str, str], ...] = ()
    declared_modality: str = ""

    @property
    def modality(self) -> str:
        """What a sample is: `table` for a row of one, `images`, or whatever the declaration says."""
        return self.declared_modality or ("images" if len(self.shape) == 3 else "table")

    @property
    def kind(self) -> str:
        """What is learned: `classification`, `regression`, or what `KINDS` says."""
        if self.modality in KINDS:
            return KINDS[self.modality]
        return "classification" if self.classes else "regression"


def declared(file: Path) -> DataSet | None:
    """The data set that a file declares in `SET = dict(...)`; None where it declares none."""
    words = literal(file, "SET")
    if words is None:
        return None
    words["declared_modality"] = words.pop("modality", "")
    return DataSet(**{"name": file.stem.replace("_", "-"), "shape": (len(words.get("features", ())),), **words})
