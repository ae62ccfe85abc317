"""The visible object at each pixel of the images of `shape-scenes`. Drawn once, then stored in the cache folder."""

from functools import lru_cache

import numpy as np

from workbench.data.cache import kept
from workbench.data.shape_scenes import FIRST_SEED, SAMPLES, SIZE, VERSION, options


@lru_cache(1)
def load() -> np.ndarray:
    """Return the numbers of the objects (12000, 64, 64), uint8: k + 1 for the object at index k, 0 for none."""
    (instances,) = kept(f"shape-instances-v{VERSION}", lambda: (draw_instances(SAMPLES),))
    instances.flags.writeable = False  # all callers get the same array
    return instances


def draw_instances(count: int) -> np.ndarray:
    """Return the numbers of the visible objects in the first scenes (count, 64, 64), as their boxes are listed."""
    from workbench.data.scenes import draw, scene

    instances = np.empty((count, SIZE, SIZE), np.uint8)
    for k in range(count):
        drawing = draw(scene(options(), FIRST_SEED + k))
        visible = drawing.boxes[:, 2] > drawing.boxes[:, 0]  # another object may hide one completely
        numbers = np.concatenate([[0], visible.cumsum() * visible]).astype(np.uint8)
        instances[k] = numbers[drawing.instances]
    return instances
