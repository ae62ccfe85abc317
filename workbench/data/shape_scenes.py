"""12,000 images of one to three shapes each, of 64x64 pixels in color, with a box and a class per shape, made by code.

Colors, textures and backgrounds are as in `shapes`. A smaller shape may hide a corner of a larger one, and a box
encloses what is visible. Every image is a scene with a seed of its own, so that no scene is in two splits. Drawn once,
then stored in the cache folder. License: as this program, MIT.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data.cache import kept

if TYPE_CHECKING:
    from workbench.data.scenes import Options, Scene

SET = dict(
    title="where the shapes are in an image, and which ones",
    row="one to three shapes of any color and texture, among strokes on a textured background",
    samples=12_000,
    shape=(3, 64, 64),
    modality="detection",
    classes=("circle", "square", "triangle", "star"),
    target="the box and the class of every shape",
    source="made by code: workbench.data.scenes, sizes 0.25 to 0.45 of the image, up to 2 strokes",
    licence="MIT",
    synthetic=True,
)
SAMPLES: Any = SET["samples"]
KINDS: Any = SET["classes"]
SIZE = 64  # of the image
VERSION = 2  # for other images, another one: what is cached under the old name stays
FIRST_SEED = 10**6  # of the scenes; far from those of other datasets


def options() -> "Options":
    """Return how the scenes are made."""
    from workbench.data.scenes import Options

    return Options(side=SIZE, kinds=KINDS, sizes=(0.25, 0.45), turn=30, contrast=0.3, objects=(1, 3), clutter=(0, 2))


@lru_cache(1)
def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images (12000, 3, 64, 64), uint8; boxes (12000, 3, 4), float32; labels (12000, 3), int64, -1 for none."""
    images, boxes, labels = kept(f"shape-scenes-v{VERSION}", lambda: draw_scenes(options(), SAMPLES, FIRST_SEED))
    for array in (images, boxes, labels):
        array.flags.writeable = False  # all callers get the same arrays
    return images, boxes, labels


def draw_scenes(options: "Options", count: int, first_seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images of scenes with the boxes and the labels of their objects, from back to front.

    Args:
        options: How the scenes are made.
        count: Number of scenes.
        first_seed: Seed of the first scene; each has the next seed.

    Returns:
        Images (count, 3, side, side), uint8; boxes (count, M, 4), float32: x1, y1, x2, y2 in pixels, zeros after an
        image's last object; labels (count, M), int64: indices of `options.kinds`, -1 after the last object.
    """
    from workbench.data.scenes import scene

    scenes = [scene(options, first_seed + k) for k in range(count)]
    return draw_all(scenes, options.kinds, most=options.objects[1])


def draw_all(scenes: Sequence["Scene"], kinds: Sequence[str], most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the images of scenes of one size with the boxes and the labels of their objects, as `draw_scenes` does.

    Args:
        scenes: The scenes.
        kinds: The classes.
        most: Largest number of objects of a scene.
    """
    from workbench.data.scenes import draw

    count, size = len(scenes), scenes[0].side
    images = np.empty((count, 3, size, size), np.uint8)
    boxes, labels = np.zeros((count, most, 4), np.float32), np.full((count, most), -1, np.int64)
    for k, scene in enumerate(scenes):
        drawing = draw(scene)
        images[k] = drawing.picture.transpose(2, 0, 1)
        visible = drawing.boxes[:, 2] > drawing.boxes[:, 0]  # another object may hide one completely
        number = int(visible.sum())
        boxes[k, :number] = drawing.boxes[visible]
        labels[k, :number] = [kinds.index(kind) for kind in np.array(drawing.labels)[visible]]
    return images, boxes, labels
