"""The data files that come with scikit-learn, read without importing it: its own functions import pandas and SciPy."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np


def read(name: str, header: int = 0, delimiter: str | None = ",") -> np.ndarray:
    """Return the numbers of a file in `sklearn/datasets/data` (rows, columns), float64.

    Args:
        name: The file, `.csv` or `.csv.gz`.
        header: Lines to skip.
        delimiter: What stands between two numbers; None for blanks.
    """
    sklearn = find_spec("sklearn")
    assert sklearn and sklearn.submodule_search_locations  # a dependency of this package
    path = Path(sklearn.submodule_search_locations[0], "datasets", "data", name)
    return np.loadtxt(path, delimiter=delimiter, skiprows=header, ndmin=2)


def split_target(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the columns but the last (rows, features), and the last one as classes (rows,), int64."""
    return rows[:, :-1], rows[:, -1].astype(np.int64)
