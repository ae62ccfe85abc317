"""6,000 images of crowds of shapes, of 64x64 pixels in color, with a box and a class per shape, made by code.

Each of two to four shapes has a companion with a probability of 0.7: a shape of the same kind and nearly the same size,
moved along a diagonal by 15 to 35% of its size. Their boxes, also those of what is visible, overlap a lot, and
non-maximum suppression is likely to take them for one object. Shapes, colors and backgrounds are as in `shape-scenes`.
Drawn once, then stored in the cache folder. License: as this program, MIT.
"""

from dataclasses import replace
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data import shape_scenes
from workbench.data.cache import kept

if TYPE_CHECKING:
    from workbench.data.scenes import Options, Scene

SET = dict(
    title="where the shapes are in a crowd, and which ones",
    row="two to eight shapes of any color and texture, most of them in overlapping pairs of one kind",
    samples=6000,
    shape=(3, 64, 64),
    modality="detection",
    classes=("circle", "square", "triangle", "star"),
    target="the box and the class of every shape",
    source="made by code: workbench.data.scenes, sizes 0.25 to 0.45 of the image, up to 2 strokes",
    licence="MIT",
    synthetic=True,
)
SAMPLES: Any = SET["samples"]
COMPANION, SHIFT = 0.7, (0.15, 0.35)  # probability of a companion, and its distance in x and y, relative to its size
VERSION = 1  # for other images, another one: what is cached under the old name stays
FIRST_SEED = 3 * 10**6  # of the scenes; far from those of other datasets


def options() -> "Options":
    """Return how the scenes are made, before the companions are added."""
    return replace(shape_scenes.options(), objects=(2, 4))


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images (6000, 3, 64, 64), uint8; boxes (6000, 8, 4), float32; labels (6000, 8), int64, -1 for none."""
    images, boxes, labels = kept(f"crowded-shapes-v{VERSION}", lambda: draw_crowds(SAMPLES, FIRST_SEED))
    for array in (images, boxes, labels):
        array.flags.writeable = False  # all callers get the same arrays
    return images, boxes, labels


def draw_crowds(count: int, first_seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images of crowds with the boxes and the labels of their objects, as `shape_scenes.draw_scenes` does."""
    scenes = [crowd(first_seed + k) for k in range(count)]
    return shape_scenes.draw_all(scenes, shape_scenes.KINDS, most=2 * options().objects[1])


def crowd(seed: int) -> "Scene":
    """Return the crowd of a seed."""
    from workbench.data.scenes import scene
    from workbench.data.scenes.scene import painted

    rng, plain = Random(seed), scene(options(), seed)
    objects = list(plain.objects)
    for one in plain.objects:
        if rng.random() < COMPANION:
            size = one.size * rng.uniform(0.9, 1.1)
            x, y = (place + rng.choice((-1, 1)) * rng.uniform(*SHIFT) * size for place in (one.x, one.y))
            color, texture = painted(rng, (*plain.background.colours, *one.texture.colours), options())
            objects.append(replace(one, colour=color, texture=texture, size=size, x=x, y=y))
    return replace(plain, objects=tuple(sorted(objects, key=lambda one: -one.size)))
