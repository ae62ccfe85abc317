"""Masks as the lengths of their runs, in COCO's format without compression.

The pixels are read column by column; `counts` begins with the number of zeros before the first one, and then has the
lengths of runs of ones and zeros in turn.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np


def encode(mask: np.ndarray) -> dict[str, Any]:
    """Return the `size` (height and width) and the `counts` of a mask (height, width), bool."""
    pixels = np.concatenate([[False], mask.flatten(order="F"), [False]])
    changes = np.flatnonzero(pixels[1:] != pixels[:-1])  # where runs of ones begin and end
    counts = np.diff(np.concatenate([[0], changes, [mask.size]])).tolist()
    return {"size": [*mask.shape], "counts": counts if counts[-1] or len(counts) == 1 else counts[:-1]}


def decode(lengths: Mapping[str, Any]) -> np.ndarray:
    """Return the mask (height, width), bool, with this `size` and these `counts`."""
    counts = np.array(lengths["counts"])
    pixels = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return pixels.reshape(lengths["size"], order="F")
