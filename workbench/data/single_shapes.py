"""6,000 images of one shape each, of 64x64 pixels in color, with its box and its class, made by code.

Shapes, colors and backgrounds are as in `shape-scenes`. There is exactly one object, so that a network may classify and
localize it without searching. Drawn once, then stored in the cache folder. License: as this program, MIT.
"""

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data import shape_scenes
from workbench.data.cache import kept

if TYPE_CHECKING:
    from workbench.data.scenes import Options

SET = dict(
    title="where the only shape of an image is, and which one",
    row="one shape of any color and texture, among strokes on a textured background",
    samples=6000,
    shape=(3, 64, 64),
    modality="detection",
    classes=("circle", "square", "triangle", "star"),
    target="the box and the class of the shape",
    source="made by code: workbench.data.scenes, sizes 0.25 to 0.45 of the image, up to 2 strokes",
    licence="MIT",
    synthetic=True,
)
SAMPLES: Any = SET["samples"]
VERSION = 1  # for other images, another one: what is cached under the old name stays
FIRST_SEED = 2 * 10**6  # of the scenes; far from those of other datasets


def options() -> "Options":
    """Return how the scenes are made."""
    return replace(shape_scenes.options(), objects=(1, 1))


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images (6000, 3, 64, 64), uint8; boxes (6000, 1, 4), float32; labels (6000, 1), int64."""
    images, boxes, labels = kept(
        f"single-shapes-v{VERSION}", lambda: shape_scenes.draw_scenes(options(), SAMPLES, FIRST_SEED)
    )
    for array in (images, boxes, labels):
        array.flags.writeable = False  # all callers get the same arrays
    return images, boxes, labels
