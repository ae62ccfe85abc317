"""4,000 images of shapes on two or three regions of stuff, of 64x64 pixels in color, with a segment for every pixel.

The stuff has four classes. Sky and water are blue, grass and sand yellow to green, so that a class shows by color and
texture together: sky is plain, water striped, grass is grainy, and sand dotted. Regions have straight borders, where
the class of a band of about two pixels is not labeled (void). Shapes, the things, are as in `shape-scenes`, without
strokes. Drawn once, then stored in the cache folder. License: as this program, MIT.
"""

from dataclasses import replace
from functools import lru_cache
from math import pi
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data import shape_scenes
from workbench.data.cache import kept

if TYPE_CHECKING:
    from workbench.data.scenes import Options, Scene

SET = dict(
    title="which object or which stuff each pixel belongs to",
    row="one to three shapes on two or three regions of sky, grass, water or sand",
    samples=4000,
    shape=(3, 64, 64),
    modality="detection",
    classes=("circle", "square", "triangle", "star"),
    target="the segment of every pixel",
    source="made by code: workbench.data.scenes, sizes 0.25 to 0.45 of the image",
    licence="MIT",
    synthetic=True,
    sizes=dict(stuff=4),
)
SAMPLES: Any = SET["samples"]
STUFF = ("sky", "grass", "water", "sand")
# Class -> its texture, and the ranges of red, green and blue of its first color.
APPEARANCE = {
    "sky": ("plain", ((0.3, 0.6), (0.5, 0.8), (0.8, 1.0))),
    "grass": ("noise", ((0.3, 0.8), (0.6, 0.9), (0.1, 0.3))),
    "water": ("stripes", ((0.3, 0.6), (0.5, 0.8), (0.8, 1.0))),
    "sand": ("dots", ((0.3, 0.8), (0.6, 0.9), (0.1, 0.3))),
}
SHADE = (0.6, 0.85)  # of the second color, relative to the first
PERIOD = (6, 12)  # of a texture, in pixels
THINGS, VOID = 0, 255  # in the map of stuff, next to 1 + the index of a class
BORDER = 1.0  # half the width of the band between two regions that is not labeled, in pixels
FIRST_SEED = 4 * 10**6  # of the scenes; far from those of other datasets
VERSION = 1  # for other images, another one: what is cached under the old name stays


def options() -> "Options":
    """Return how the scenes are made, before the background is replaced."""
    return replace(shape_scenes.options(), clutter=(0, 0))


def load() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return images (4000, 3, 64, 64), uint8; boxes (4000, 3, 4), float32; labels (4000, 3), int64, -1 for none."""
    images, boxes, labels, _, _ = _load()
    return images, boxes, labels


def load_maps() -> tuple[np.ndarray, np.ndarray]:
    """Return two maps of every image, (4000, 64, 64), uint8.

    Instances: k + 1 where the object at index k is visible, 0 elsewhere. Stuff: 0 for things, k + 1 for the stuff with
    the index k, 255 for pixels that are not labeled.
    """
    *_, instances, stuff = _load()
    return instances, stuff


@lru_cache(1)
def _load() -> tuple[np.ndarray, ...]:
    arrays = kept(f"panoptic-scenes-v{VERSION}", lambda: draw_scenes(SAMPLES, FIRST_SEED))
    for array in arrays:
        array.flags.writeable = False  # all callers get the same arrays
    return tuple(arrays)


def draw_scenes(count: int, first_seed: int) -> tuple[np.ndarray, ...]:
    """Return the columns of `load` and of `load_maps` for scenes with the seeds from `first_seed` on."""
    from workbench.data.scenes import draw

    size, most = shape_scenes.SIZE, options().objects[1]
    images = np.empty((count, 3, size, size), np.uint8)
    boxes, labels = np.zeros((count, most, 4), np.float32), np.full((count, most), -1, np.int64)
    instances, stuff = np.zeros((count, size, size), np.uint8), np.empty((count, size, size), np.uint8)
    for k in range(count):
        scene, background, stuff[k] = scene_on_stuff(first_seed + k)
        drawing = draw(scene, background)
        images[k] = drawing.picture.transpose(2, 0, 1)
        visible = drawing.boxes[:, 2] > drawing.boxes[:, 0]  # another object may hide one completely
        number = int(visible.sum())
        boxes[k, :number] = drawing.boxes[visible]
        labels[k, :number] = [shape_scenes.KINDS.index(kind) for kind in np.array(drawing.labels)[visible]]
        numbers = np.concatenate([[0], visible.cumsum() * visible]).astype(np.uint8)
        instances[k] = numbers[drawing.instances]
        stuff[k][instances[k] > 0] = THINGS
    return images, boxes, labels, instances, stuff


def scene_on_stuff(seed: int) -> tuple["Scene", np.ndarray, np.ndarray]:
    """Return a scene, the colors of its background (3, size, size), and the map of stuff behind its objects."""
    from workbench.data.scenes import scene
    from workbench.data.scenes.scene import painted

    rng, plain, size = Random(seed), scene(options(), seed), shape_scenes.SIZE
    centers = place(rng, rng.randint(2, 3), size)
    grid = np.stack(np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5, indexing="ij"))
    squares = ((grid[:, None] - centers.T[:, :, None, None]) ** 2).sum(axis=0)  # of distances, (regions, size, size)
    nearest = squares.argmin(axis=0)
    # The distance of a pixel from the border between its own region and each other one.
    between = np.sqrt(((centers[:, None] - centers) ** 2).sum(axis=2))[nearest].transpose(2, 0, 1)
    distances = (squares - squares.min(axis=0)) / (2 * np.where(between > 0, between, np.inf))
    distances[between == 0] = np.inf
    background, colors = np.empty((3, size, size), np.float32), []
    stuff = np.empty((size, size), np.uint8)
    for region, name in enumerate(rng.sample(STUFF, len(centers))):
        values, pair = paint(rng, name, grid)
        is_here = nearest == region
        background[:, is_here] = np.broadcast_to(values, background.shape)[:, is_here]
        stuff[is_here] = 1 + STUFF.index(name)
        colors += pair
    stuff[distances.min(axis=0) < BORDER] = VOID
    objects = []
    for one in plain.objects:
        color, texture = painted(rng, colors, options())
        objects.append(replace(one, colour=color, texture=texture))
    return replace(plain, objects=tuple(objects)), background, stuff


def place(rng: Random, count: int, size: int) -> np.ndarray:
    """Return the centers of regions (count, 2) in an image, which are not close to each other."""
    while True:
        centers = np.array([[rng.uniform(0, size), rng.uniform(0, size)] for _ in range(count)])
        distances = np.sqrt(((centers[:, None] - centers) ** 2).sum(axis=2))
        if distances[~np.eye(count, dtype=bool)].min() > size / 4:
            return centers


def paint(rng: Random, name: str, grid: np.ndarray) -> tuple[np.ndarray, list[tuple[float, float, float]]]:
    """Return the colors (3, size, size) of a class of stuff at places (2, size, size), and those of its texture."""
    from workbench.data.scenes import Texture

    kind, ranges = APPEARANCE[name]
    red, green, blue = (rng.uniform(*limits) for limits in ranges)
    shade = rng.uniform(*SHADE)
    pair = [(red, green, blue), (shade * red, shade * green, shade * blue)]
    texture = Texture(kind, (pair[0], pair[1]), rng.uniform(*PERIOD))
    angle = rng.uniform(0, pi)
    rows, columns = grid.astype(np.float32)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return texture.colour(columns * cos + rows * sin, rows * cos - columns * sin), pair
