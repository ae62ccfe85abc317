"""The data sets that come along, a file each, and the user's own tables; all in memory, dealt by a seed into three.

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
"""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from workbench import BadInput
from workbench.data import table
from workbench.data.dataset import DataSet, declared
from workbench.naming import unknown

if TYPE_CHECKING:
    import numpy as np

__all__ = ["SPLITS", "DataSet", "held_out", "info", "load", "names", "split"]

SPLITS = ("train", "validation", "test")


def names() -> list[str]:
    """Every data set's name: the files here that declare one. The user's own tables have none, but a path."""
    return sorted(_sets())


@cache
def _sets() -> dict[str, DataSet]:
    sets = (declared(file) for file in Path(__file__).parent.glob("*.py"))
    return {known.name: known for known in sets if known}


def info(name: str) -> DataSet:
    """What is known of a data set without loading it.

    Args:
        name: One of `names()`, or `csv:PATH`, or `csv:PATH:TARGET`: a table of the user's, which is read and checked.

    Raises:
        BadInput: There is no data set of that name, or the table can't be learnt from.
    """
    if name.startswith(table.PREFIX):
        return table.info(name)
    if name not in _sets():
        if name.endswith(".csv"):
            raise BadInput(f"There is no data set {name[:60]!r}: a table of your own is called csv:{name[:60]}.")
        raise unknown("data set", name, names())
    return _sets()[name]


def load(name: str, seed: int = 0) -> "dict[str, tuple[np.ndarray, ...]]":
    """A data set in three parts; the seed alone decides which sample falls where.

    Returns:
        Part (`train`, `validation`, `test`) -> arrays with one sample a row: the inputs, then the targets.

    Raises:
        BadInput: There is no data set of that name, it can't be loaded, or no sample of some class falls among those
            that train.
    """
    known = info(name)
    own = name.startswith(table.PREFIX)
    arrays = table.load(name) if own else import_module(f"workbench.data.{name.replace('-', '_')}").load()
    parts = split(arrays, held_out(len(arrays[0])), seed)
    missing = set(range(len(known.classes))) - set(parts["train"][1].tolist()) if known.classes else set()
    if missing:
        raise BadInput(
            f"With seed {seed} no row of class {known.classes[min(missing)]!r} is left to train on: take another seed."
        )
    return parts


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
