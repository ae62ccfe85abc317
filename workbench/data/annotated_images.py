"""Image files with boxes as the columns of a detection dataset."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from workbench.data.picture_file import letterbox, upright_size

if TYPE_CHECKING:
    import numpy as np

Corners = tuple[float, float, float, float]


class LabeledBox(NamedTuple):
    """An object in an image.

    Attributes:
        box: Corners x1, y1, x2, y2 in pixels of the file.
        label: Index of its class.
        area: In pixels of the file.
        is_crowd: Whether it is not learned, and detections of it are not counted.
    """

    box: Corners
    label: int
    area: float
    is_crowd: bool


def to_columns(files: Sequence[Path], objects: Sequence[Sequence[LabeledBox]], size: int) -> "tuple[np.ndarray, ...]":
    """Return images, resized until the longer side fits, at the top left of gray squares, and their objects.

    Args:
        files: The image files.
        objects: The objects of each; what of a box is outside its image is cut off.
        size: Height and width of the squares.

    Returns:
        Images (N, 3, size, size), uint8; boxes (N, M, 4), float32: x1, y1, x2, y2 in pixels of the square; areas of the
        objects in pixels of the file (N, M), float32; whether an object is a crowd (N, M); the factors by which x and y
        became larger (N, 2), float32; labels (N, M), int64, -1 after the last object of an image.

    Raises:
        UserError: If an image is damaged.
    """
    import numpy as np

    count, most = len(files), max(map(len, objects))
    images, scales = np.empty((count, 3, size, size), np.uint8), np.ones((count, 2), np.float32)
    boxes, areas = np.zeros((count, most, 4), np.float32), np.zeros((count, most), np.float32)
    crowds, labels = np.zeros((count, most), bool), np.full((count, most), -1, np.int64)
    for k, (file, of_image) in enumerate(zip(files, objects, strict=True)):
        images[k], (x, y) = letterbox(file, size, 3)
        scales[k] = x, y
        width, height = upright_size(file) if of_image else (0, 0)
        for n, one in enumerate(of_image):
            boxes[k, n] = np.array(clip(one.box, width, height)) * (x, y, x, y)
            areas[k, n], crowds[k, n], labels[k, n] = one.area, one.is_crowd, one.label
    return images, np.minimum(boxes, size), areas, crowds, scales, labels


def clip(box: Corners, width: int, height: int) -> Corners:
    """Return the part of a box that is within its image."""
    x1, y1, x2, y2 = box
    return max(0.0, x1), max(0.0, y1), min(float(width), x2), min(float(height), y2)
