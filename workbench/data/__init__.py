"""The data sets that come along, a file each; all in memory, as arrays, cut by a seed into three parts."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.naming import unknown

if TYPE_CHECKING:
    import numpy as np

SPLITS = ("train", "validation", "test")


@cache
def names() -> list[str]:
    """Every data set's name: the files here that can load one."""
    here = Path(__file__).parent
    return sorted(
        file.stem.replace("_", "-") for file in here.glob("*.py") if "\ndef load(" in file.read_text(encoding="utf-8")
    )


def load(name: str, seed: int = 0) -> "dict[str, tuple[np.ndarray, ...]]":
    """A data set in three parts; the seed alone decides which sample falls where.

    Returns:
        Part (`train`, `validation`, `test`) -> arrays with one sample a row: the inputs, then the targets.

    Raises:
        BadInput: There is no data set of that name.
    """
    if name not in names():
        raise unknown("data set", name, names())
    arrays, sizes = import_module(f"workbench.data.{name.replace('-', '_')}").load()
    return split(arrays, sizes, seed)


def split(arrays: "tuple[np.ndarray, ...]", sizes: dict[str, int], seed: int) -> "dict[str, tuple[np.ndarray, ...]]":
    """Deal the rows of equally long arrays, shuffled by the seed, into parts of the given sizes; the rest trains."""
    import numpy as np

    order = np.random.default_rng(seed).permutation(len(arrays[0]))
    held_out = sizes["validation"] + sizes["test"]
    rows = dict(
        train=order[held_out:],
        validation=order[: sizes["validation"]],
        test=order[sizes["validation"] : held_out],
    )
    return {part: tuple(array[rows[part]] for array in arrays) for part in SPLITS}
