"""Masks as run lengths, COCO's format without compression: `{"size": [height, width], "counts": [3, 2, 7]}`.

The counts are the lengths of runs of 0 and 1 in turn, column by column from the top left; the first is of 0.
"""

from typing import Any

import numpy as np


def encode(mask: np.ndarray) -> dict[str, Any]:
    """Return the code of a mask (height, width), bool."""
    pixels = mask.T.reshape(-1)
    changes = np.flatnonzero(np.diff(pixels)) + 1
    starts = [0, *changes.tolist()] if not len(pixels) or not pixels[0] else [0, 0, *changes.tolist()]
    return {"size": list(mask.shape), "counts": np.diff([*starts, len(pixels)]).tolist()}


def decode(code: dict[str, Any]) -> np.ndarray:
    """Return the mask (height, width), bool, of a code."""
    height, width = code["size"]
    runs = np.arange(len(code["counts"])) % 2 == 1
    mask: np.ndarray = np.repeat(runs, code["counts"]).reshape(width, height).T
    return mask
