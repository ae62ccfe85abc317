"""6,000 images of one to three shapes each, of 64x64 pixels in color, with the class of every pixel, made by code.

The images are the first ones of `shape-scenes`. A pixel has the class of the object that is visible there; all others,
those of strokes too, are background. License: as this program, MIT.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from workbench.data import shape_instances, shape_scenes

SET = dict(
    title="which shape each pixel of an image belongs to",
    row="one to three shapes of any color and texture, among strokes on a textured background",
    samples=6000,
    shape=(3, 64, 64),
    modality="segmentation",
    classes=("background", "circle", "square", "triangle", "star"),
    target="the class of every pixel",
    source="made by code: workbench.data.scenes, sizes 0.25 to 0.45 of the image, up to 2 strokes",
    licence="MIT",
    synthetic=True,
)
SAMPLES: Any = SET["samples"]


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray]:
    """Return images (6000, 3, 64, 64), and the class of every pixel (6000, 64, 64), both uint8."""
    images, _, labels = shape_scenes.load()
    segments = to_classes(shape_instances.load()[:SAMPLES], labels[:SAMPLES])
    segments.flags.writeable = False  # all callers get the same array
    return images[:SAMPLES], segments


def to_classes(instances: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the class of every pixel (N, height, width), uint8; 0 is the background.

    Args:
        instances: The number of the object at every pixel (N, height, width): k + 1 for the one at index k, 0 for none.
        labels: The class of each object (N, M), from 0.
    """
    background = np.zeros((len(labels), 1), np.uint8)
    classes = np.concatenate([background, (labels + 1).astype(np.uint8)], axis=1)
    return np.take_along_axis(classes, instances.reshape(len(instances), -1).astype(np.intp), axis=1).reshape(
        instances.shape
    )
