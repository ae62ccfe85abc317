"""4,000 pictures of one shape each, of 64x64 pixels in colour, made by code and always the same.

The shape lies anywhere, turned by up to 30 degrees, on a textured background among strokes; its colour, texture and
size are drawn independently of its kind, and every kind covers the same area: a linear model on the pixels hardly beats
a guess, while a small convolutional network sees them. Drawn once, then kept in the cache folder. Licence: as this
program, MIT.
"""

from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from workbench.data.cache import kept

if TYPE_CHECKING:
    from workbench.data.scenes import Options

SET = dict(
    title="which shape is in a picture, of 64x64 pixels",
    row="one shape of any colour, texture and size, among strokes on a textured background",
    samples=4000,
    shape=(3, 64, 64),
    classes=("circle", "square", "triangle", "star", "ring", "cross", "crescent", "bar"),
    target="shape",
    source="made by code: workbench.data.scenes, sizes 0.3 to 0.5 of the side, up to 2 strokes",
    licence="MIT",
    synthetic=True,
)
VERSION = 1  # another one for other pictures: what is kept under the old name is then left alone


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (4000, 3, 64, 64), uint8; their classes (4000,), 500 of each."""
    from workbench.data.scenes import Options

    options = Options(sizes=(0.3, 0.5), turn=30, contrast=0.3, clutter=(0, 2))
    pictures, classes = kept(f"shapes-v{VERSION}", lambda: drawn(options, 4000))
    for array in (pictures, classes):
        array.flags.writeable = False  # everybody is given the same ones
    return pictures, classes


def drawn(options: "Options", count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """So many pictures of one object each, and what it is.

    Args:
        options: How they are made; of each kind there are exactly as many as its share, by `imbalance`.
        count: Pictures.
        seed: Other seeds give other pictures.

    Returns:
        Pictures (count, 3, side, side), uint8; the places of their kinds among those of the options, (count,), int64,
        in any order.
    """
    from workbench.data.scenes import draw, scene

    alone = [replace(options, kinds=(kind,), objects=(1, 1)) for kind in options.kinds]
    classes = [place for place, quota in enumerate(options.quotas(count)) for _ in range(quota)]
    Random(seed).shuffle(classes)
    pictures = np.empty((count, 3, options.side, options.side), np.uint8)
    for k, place in enumerate(classes):
        pictures[k] = draw(scene(alone[place], seed * 2**32 + k)).picture.transpose(2, 0, 1)
    return pictures, np.array(classes, np.int64)
