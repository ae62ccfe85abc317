"""Short films of the first scenes of `shape-scenes`, whose objects move, with the object at each pixel.

Every object moves on at its own speed, in front of the same background, and may leave the picture or hide another one.
Drawn once, then stored in the cache folder.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from workbench.data import shape_scenes
from workbench.data.cache import kept
from workbench.data.shape_scenes import FIRST_SEED, SIZE

SAMPLES, FRAMES = 1500, 6
SPEED = 4.0  # largest speed of an object, in pixels per frame
VERSION = 1  # for other films, another one: what is cached under the old name stays


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray]:
    """Return films (1500, 6, 3, 64, 64), uint8, and the numbers of the objects (1500, 6, 64, 64), uint8, 0 for none."""
    arrays = kept(f"shape-films-v{VERSION}", lambda: draw_films(SAMPLES))
    for array in arrays:
        array.flags.writeable = False  # all callers get the same arrays
    films, instances = arrays
    return films, instances


def draw_films(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first films, as `load` does. An object has the same number in all frames."""
    from workbench.data.scenes import film, scene

    options = replace(shape_scenes.options(), speed=SPEED)
    films = np.empty((count, FRAMES, 3, SIZE, SIZE), np.uint8)
    instances = np.empty((count, FRAMES, SIZE, SIZE), np.uint8)
    for k in range(count):
        drawing = film(scene(options, FIRST_SEED + k), FRAMES)
        films[k] = drawing.pictures.transpose(0, 3, 1, 2)
        instances[k] = drawing.instances
    return films, instances
