"""The scalers of a dataset's training set, kept in memory: a question to a network must not load the data each time."""

from functools import lru_cache

from workbench import data
from workbench.data.scaling import Scaler, z_score


def training_scaler(name: str, seed: int, column: int = 0, axis: int | None = 0) -> Scaler:
    """Return the z-score scaler of a column of the training set.

    Args:
        name: The dataset.
        seed: The seed of its splits.
        column: 0 for the inputs, 1 for the targets.
        axis: 0 scales each feature by itself; None all alike, as for pixels.
    """
    return _training_facts(name, seed, column, axis, data.fingerprint(name))[0]


def stores_bytes(name: str, seed: int) -> bool:
    """Return whether images are bytes from 0 to 255; otherwise they are floats from 0 to 1."""
    return _training_facts(name, seed, 0, None, data.fingerprint(name))[1]


@lru_cache(maxsize=16)
def _training_facts(name: str, seed: int, column: int, axis: int | None, fingerprint: str) -> tuple[Scaler, bool]:
    values = data.load(name, seed)["train"][column]
    return z_score(values, axis), values.dtype.name == "uint8"
