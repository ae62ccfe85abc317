"""From a scene to its picture, and to what is where in it."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, cos, floor, sin

import numpy as np

from workbench.data.scenes.boxes import box
from workbench.data.scenes.kinds import CLUTTER, KINDS, Kind
from workbench.data.scenes.scene import Object, Scene
from workbench.data.scenes.textures import within

Crop = tuple[slice, slice]


@dataclass(frozen=True)
class Drawn:
    """A picture and what is true of it.

    Attributes:
        picture: (H, W, 3), uint8.
        instances: (H, W), uint8: which object is seen there, 1 for the scene's first; 0 where none is.
        labels: The kind of each object.
    """

    picture: np.ndarray
    instances: np.ndarray
    labels: tuple[str, ...]

    @property
    def masks(self) -> np.ndarray:
        """Where each object is seen: (objects, H, W), bool; what another one hides is left out."""
        return self.instances == np.arange(1, len(self.labels) + 1, dtype=np.uint8)[:, None, None]

    @property
    def boxes(self) -> np.ndarray:
        """The box of what is seen of each object: (objects, 4), int64, as `box` gives it."""
        return np.array([box(mask) for mask in self.masks]).reshape(-1, 4)


def draw(scene: Scene, background: np.ndarray | None = None) -> Drawn:
    """Paint a scene from back to front; edges are smooth over one pixel.

    Args:
        scene: What is in the picture.
        background: Colors (3, side, side), from 0 to 1, in place of the scene's own background.
    """
    side = scene.side
    rows, columns = _grid(side)
    cos_, sin_ = np.float32(cos(scene.angle)), np.float32(sin(scene.angle))
    picture = np.empty((3, side, side), np.float32)  # channels first: numpy is faster along long rows
    if background is None:
        background = scene.background.colour(columns * cos_ + rows * sin_, rows * cos_ - columns * sin_)
    picture[:] = background
    for stroke in scene.clutter:
        _paint(picture, stroke)
    instances = np.zeros((side, side), np.uint8)
    for number, one in enumerate(scene.objects, start=1):
        crop, cover = _paint(picture, one)
        instances[crop][cover >= 0.5] = number
    picture *= 255
    picture += 0.5
    pixels = picture.astype(np.uint8)
    return Drawn(pixels.transpose(1, 2, 0), instances, tuple(one.kind for one in scene.objects))


def alone(one: Object, side: int) -> np.ndarray:
    """Where an object would be seen if nothing hid it: (side, side), bool."""
    mask = np.zeros((side, side), bool)
    crop, (u, v) = _frame(one, KINDS[one.kind], side)
    mask[crop] = KINDS[one.kind].distance(u, v, one.size) <= 0
    return mask


def whole(one: Object) -> tuple[float, float, float, float]:
    """The box that a whole object fills, hidden or not, within the picture or not: left, top, right, bottom."""
    left, top, right, bottom = KINDS[one.kind].extent(one.size, one.angle)
    return left + one.x, top + one.y, right + one.x, bottom + one.y


def _paint(picture: np.ndarray, one: Object) -> tuple[Crop, np.ndarray]:
    """Paint what a shape covers; where that is, and how much of each pixel there is covered."""
    kind = KINDS[one.kind] if one.kind else CLUTTER
    crop, (u, v) = _frame(one, kind, picture.shape[1])
    cover = within(0.5 - kind.distance(u, v, one.size), 0, 1)
    seen = picture[:, crop[0], crop[1]]
    change = one.texture.colour(u, v) - seen
    change *= cover
    seen += change
    return crop, cover


def _frame(one: Object, kind: Kind, side: int) -> tuple[Crop, tuple[np.ndarray, np.ndarray]]:
    """The part of a picture that a shape can reach, and the places of its pixels in the shape's own frame."""
    left, top, right, bottom = kind.extent(one.size, one.angle)
    first_row, first_column = (min(max(floor(edge) - 1, 0), side) for edge in (one.y + top, one.x + left))
    end_row, end_column = (min(max(ceil(edge) + 1, 0), side) for edge in (one.y + bottom, one.x + right))
    crop = slice(first_row, end_row), slice(first_column, end_column)
    rows, columns = _grid(side)
    across, down = columns[:, crop[1]] - np.float32(one.x), rows[crop[0]] - np.float32(one.y)
    cos_, sin_ = np.float32(cos(one.angle)), np.float32(sin(one.angle))
    return crop, (across * cos_ + down * sin_, down * cos_ - across * sin_)


@lru_cache(maxsize=8)
def _grid(side: int) -> tuple[np.ndarray, np.ndarray]:
    """The centres of the pixels: of the rows (side, 1) and of the columns (1, side)."""
    centres = np.arange(side, dtype=np.float32) + np.float32(0.5)
    return centres[:, None], centres[None]
