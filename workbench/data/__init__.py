"""The data sets, a file each, and the user's own tables and pictures; all in memory, dealt by a seed into three.

A set is one file here, and declares itself in a literal, so that a list of all sets runs none of them:

    SET = dict(
        title="species of iris from their flowers",
        row="one flower, measured in four places",     # what a row is
        samples=150,
        features=("sepal length (cm)", ...),           # or shape=(1, 8, 8), for pictures
        classes=("setosa", ...),                       # left out where the target is a number
        target="species",
        source="...", licence="...")

    def load():                                        # the inputs and the targets, one sample a row

Pictures are (channels, height, width), float32 from 0 to 1, or uint8 from 0 to 255, which takes a quarter of the room.
A dataset with `modality="detection"` has any number of objects per image: `load` returns the images, boxes (N, M, 4),
x1, y1, x2, y2 in pixels, and labels (N, M), which are -1 after the last object of an image. Before the labels, there
may be what the files say of objects and images, as `annotated_images.to_columns` returns it. With
`modality="segmentation"`, the targets are the classes of pixels (N, height, width), uint8, 255 for void ones.
Where a set is published in parts, `load` gives them by their names, and the seed deals only what is missing.

Of a text, `load` gives the text itself, and the set declares `modality="text"`, `shape=()` and the size of its
vocabulary, `sizes=dict(vocabulary=96)`.

With `modality="byte-pairs"`, a text also has a function `tokenizer`, which returns its `byte_pairs.BytePairs`.

Of prompts with the texts that complete them, `load` gives a list of (prompt, completion), and the set declares
`modality="completions"`; its `tokenizer` may be that of the text that a network has learned before.

Of pairs of texts, `load` gives a list of (source, target), and the set declares `modality="pairs"`, `shape=()` and the
sizes that `pairs.sizes` computes.

Of a time series (`modality="series"`, `shape=()`), `load` gives the values in the order of time, in which they are
split, and the set declares how many values a network reads and predicts, `sizes=dict(window=48, horizon=12)`.

Sequences that test a memory (`modality="memory"`) are made by code in any number of steps: `load` takes it.


Of sentences, `load` returns tokens (N, length), see `workbench.data.words`, and `vocabulary` the word of each token.
With `modality="sentences"` each has a class (N,), with `modality="tags"` each word has one (N, length), -1 after the
last word, and with `modality="words"` there are the tokens alone. With `modality="passages"` a sample is several
sentences that follow one another (N, sentences, length), of which the last ones may be empty.
"""

import hashlib
import json
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.data import (
    byte_pairs,
    byte_pairs_file,
    coco_folder,
    completions,
    folder,
    mask_folder,
    pairs,
    pairs_file,
    sentence_file,
    series_file,
    table,
    tag_file,
    text,
    text_file,
    time_order,
    word_file,
    words,
)
from workbench.data.dataset import DataSet, declared
from workbench.errors import UserError, lookup
from workbench.paths import cache_dir

if TYPE_CHECKING:
    import numpy as np

__all__ = ["OWN", "SPLITS", "DataSet", "deal", "fingerprint", "held_out", "here", "info", "load", "names", "split"]
__all__ += ["byte_pairs_of", "tokenizer", "vocabularies", "vocabulary", "word_groups", "word_pairs", "word_vocabulary"]

SPLITS = ("train", "validation", "test")
# The user's own: how their names begin.
OWN = {
    kind.PREFIX: kind
    for kind in (
        *(
            table,
            folder,
            coco_folder,
            mask_folder,
            text_file,
            byte_pairs_file,
            sentence_file,
            tag_file,
            word_file,
            pairs_file,
        ),
        series_file,
    )
}


def names() -> list[str]:
    """Every data set's name: the files here that declare one. The user's own have none, but a path."""
    return sorted(_sets())


@cache
def _sets() -> dict[str, DataSet]:
    sets = (declared(file) for file in Path(__file__).parent.glob("*.py"))
    return {known.name: known for known in sets if known}


def info(name: str) -> DataSet:
    """What is known of a data set without loading it.

    Args:
        name: One of `names()`, or `csv:PATH`, `csv:PATH:TARGET`, `folder:PATH`, `coco:IMAGES:ANNOTATIONS`,
            `masks:IMAGES:MASKS`, `text:PATH`, `text-bpe:PATH`, `text-bpe:PATH:TOKENIZER`, `sentences:PATH`,
            `conll:PATH`, `words:PATH`, `pairs:PATH` or `series:PATH`: a table, images, a text, sentences, pairs of
            texts or a time series of the user's, which are inspected.

    Raises:
        UserError: There is no data set of that name, or the user's own can't be learnt from.
    """
    if own := _own(name):
        return own.info(name)
    if name not in _sets() and name.endswith((".csv", ".txt")):
        kind, prefix = ("table", "csv:") if name.endswith(".csv") else ("text", "text:")
        raise UserError(f"Unknown dataset {name[:60]!r}. For a {kind} of your own, write {prefix}{name[:60]}.")
    return lookup("dataset", name, _sets())


def _own(name: str) -> Any:
    """The module that reads a user's own; None where the name is no such."""
    return next((kind for prefix, kind in OWN.items() if name.startswith(prefix)), None)


def fingerprint(name: str) -> str:
    """Return a text that differs once the data do: of the user's own files, or of the code that makes the dataset.

    Raises:
        UserError: As `info`.
    """
    if own := _own(name):
        state = json.dumps(own.state(name)).encode()
    else:
        state = info(name).name.encode() + _code()
    return hashlib.sha256(state).hexdigest()[:16]


@cache
def _code() -> bytes:
    """Return the sources of all datasets: one may use what stands in another file."""
    folder = Path(__file__).parent
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*.py")))


def here(known: DataSet) -> bool:
    """Whether a data set can be loaded without being fetched."""
    return all((cache_dir() / known.name / file).is_file() for file, _ in known.files)


def load(name: str, seed: int = 0) -> "dict[str, tuple[np.ndarray, ...]]":
    """A data set in three parts; the seed alone decides which sample falls where, but for parts that are published.

    Returns:
        Part (`train`, `validation`, `test`) -> arrays with one sample a row: the inputs, then the targets; of a text,
        its tokens alone; of pairs of texts, the tokens of both; of a time series, its values in the order of time,
        whatever the seed.

    Raises:
        UserError: There is no data set of that name, it can't be loaded or fetched, or no sample of some class falls
            among those that train.
    """
    known, given = info(name), _given(name)
    if known.modality == "completions":
        return completions.split(given, byte_pairs_of(name), held_out(len(given)), seed)
    if known.modality == "byte-pairs":
        return byte_pairs.split(given, byte_pairs_of(name), seed)
    if isinstance(given, str):
        return text.split(given, vocabulary(name), seed)
    if known.modality == "pairs":
        return pairs.split(given, held_out(len(given)), seed)
    if known.modality == "series":
        return time_order.split(given)
    parts = deal(given if isinstance(given, dict) else {"train": given}, seed)
    if known.modality in words.MODALITIES:
        parts = words.hide_rare(parts)
    if known.kind in ("tagging", "detection", "segmentation"):  # a tag may be rare, and so may objects of a class
        return parts
    missing = set(range(len(known.classes))) - set(parts["train"][-1].flat) if known.classes else set()
    if missing:
        raise UserError(
            f"With seed {seed} no row of class {known.classes[min(missing)]!r} is left to train on: take another seed."
        )
    return parts


def _given(name: str) -> Any:
    own = _own(name)
    return own.load(name) if own else _module(name).load()


def _module(name: str) -> Any:
    return import_module(f"workbench.data.{name.replace('-', '_')}")


def vocabulary(name: str) -> str:
    """Return the character of each token of a text; no seed changes them.

    Raises:
        UserError: As `info`.
    """
    return text.vocabulary(_given(name), info(name).sizes["vocabulary"])


def tokenizer(name: str) -> text.Tokenizer:
    """Return what turns a text into tokens; no seed changes it.

    Raises:
        UserError: As `info`.
    """
    return text.Characters(vocabulary(name)) if info(name).modality == "text" else byte_pairs_of(name)


def byte_pairs_of(name: str) -> byte_pairs.BytePairs:
    """Return the tokenizer of a text of byte pairs.

    Raises:
        UserError: As `info`.
    """
    own = _own(name)
    result: byte_pairs.BytePairs = own.tokenizer(name) if own else _module(name).tokenizer()
    return result


def vocabularies(name: str) -> pairs.Vocabularies:
    """Return the characters of the sources and of the targets of pairs of texts.

    Raises:
        UserError: As `info`.
    """
    return pairs.vocabularies(_given(name))


def word_vocabulary(name: str) -> tuple[str, ...]:
    """Return the word of each token of sentences; no seed changes them.

    Raises:
        UserError: As `info`.
    """
    own = _own(info(name).name)
    vocabulary: tuple[str, ...] = own.vocabulary(name) if own else _module(name).vocabulary()
    return vocabulary


def word_groups(name: str) -> dict[str, str]:
    """Return the category of each word of a corpus, as far as it is known."""
    groups: dict[str, str] = {} if _own(name) else _module(name).word_groups()
    return groups


def word_pairs(name: str) -> dict[str, list[tuple[str, str]]]:
    """Return the pairs of words of each relation in a corpus, as far as they are known."""
    relations: dict[str, list[tuple[str, str]]] = {} if _own(name) else _module(name).word_pairs()
    return relations


def deal(given: "dict[str, tuple[np.ndarray, ...]]", seed: int) -> "dict[str, tuple[np.ndarray, ...]]":
    """Three parts of what is given in parts: those that are missing are taken from the part that trains."""
    sizes = {part: 0 if part in given else size for part, size in held_out(len(given["train"][0])).items()}
    return {**split(given["train"], sizes, seed), **{part: given[part] for part in sizes if part in given}}


def held_out(samples: int) -> dict[str, int]:
    """How many of so many samples are held out: a tenth to choose by, a fifth to test by, both rounded up."""
    return dict(validation=-(-samples // 10), test=-(-samples // 5))


def split(arrays: "tuple[np.ndarray, ...]", sizes: dict[str, int], seed: int) -> "dict[str, tuple[np.ndarray, ...]]":
    """Deal the rows of equally long arrays, shuffled by the seed, into parts of the given sizes; the rest trains."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(arrays[0]))
    out = sizes["validation"] + sizes["test"]
    rows = dict(
        train=order[out:],
        validation=order[: sizes["validation"]],
        test=order[sizes["validation"] : out],
    )
    return {part: tuple(array[rows[part]] for array in arrays) for part in SPLITS}
