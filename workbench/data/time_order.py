"""Splits of a time series: the future is predicted from the past, so that no seed shuffles them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

VALIDATION, TEST = 0.1, 0.2  # shares of the values


def split(values: "np.ndarray") -> "dict[str, tuple[np.ndarray, ...]]":
    """Return the values (N,) of each split: the last fifth to test, the tenth before it to validate, the rest to train.

    Put one after another, they are the series again.
    """
    import numpy as np

    test, validation = round(TEST * len(values)), round(VALIDATION * len(values))
    parts = np.split(values, [len(values) - test - validation, len(values) - test])
    return {name: (part,) for name, part in zip(("train", "validation", "test"), parts, strict=True)}
