"""The first 3,000 images of `shape-scenes`, for detectors that read the proposals of selective search.

Proposals take about 20 ms per image, so there are fewer images than in `shape-scenes`. Drawn once, then stored in the
cache folder, as the proposals are. License: as this program, MIT.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from workbench.data import shape_scenes
from workbench.data.cache import kept

SET = dict(
    title="where the shapes are in an image, and which ones, for detectors with proposals",
    row="one to three shapes of any color and texture, among strokes on a textured background",
    samples=3000,
    shape=(3, 64, 64),
    modality="detection",
    classes=("circle", "square", "triangle", "star"),
    target="the box and the class of every shape",
    source="made by code: the first images of shape-scenes",
    licence="MIT",
    synthetic=True,
)
SAMPLES: Any = SET["samples"]


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images (3000, 3, 64, 64), uint8; boxes (3000, 3, 4), float32; labels (3000, 3), int64, -1 for none."""
    images, boxes, labels = kept(
        f"region-scenes-v{shape_scenes.VERSION}",
        lambda: shape_scenes.draw_scenes(shape_scenes.options(), SAMPLES, shape_scenes.FIRST_SEED),
    )
    for array in (images, boxes, labels):
        array.flags.writeable = False  # all callers get the same arrays
    return images, boxes, labels
