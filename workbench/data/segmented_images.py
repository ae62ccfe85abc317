"""Image files with the class of every pixel as the columns of a dataset for segmentation."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.data.picture_file import letterbox, named
from workbench.errors import UserError

if TYPE_CHECKING:
    import numpy as np

VOID = 255


def to_columns(files: Sequence[Path], masks: Iterable["np.ndarray"], size: int) -> "tuple[np.ndarray, ...]":
    """Return images, resized until the longer side fits, at the top left of gray squares, and the classes of pixels.

    Args:
        files: The image files.
        masks: The class of every pixel of each (height, width), uint8.
        size: Height and width of the squares.

    Returns:
        Images (N, 3, size, size), and classes (N, size, size), both uint8; 255, void, outside the image. A pixel of a
        square has the class of the nearest pixel of the mask.

    Raises:
        UserError: If an image is damaged.
    """
    import numpy as np
    from PIL import Image

    images = np.empty((len(files), 3, size, size), np.uint8)
    segments = np.full((len(files), size, size), VOID, np.uint8)
    for k, (file, mask) in enumerate(zip(files, masks, strict=True)):
        images[k], (x, y) = letterbox(file, size, 3)
        height, width = round(mask.shape[0] * y), round(mask.shape[1] * x)
        resized = Image.fromarray(mask).resize((width, height), Image.Resampling.NEAREST)
        segments[k, :height, :width] = np.asarray(resized)
    return images, segments


def read_mask(file: Path) -> "np.ndarray":
    """Return the classes in a mask file (height, width), uint8: the gray levels, or the indices of a palette.

    Raises:
        UserError: If it is damaged, or holds colors.
    """
    import numpy as np
    from PIL import Image

    try:
        with Image.open(file, formats=("PNG",)) as image:
            if image.mode not in ("L", "P", "1"):
                raise UserError(
                    f"{named(file)} holds colors or 16 bits (mode {image.mode}). Save the number of each pixel's "
                    "class, from 0 to 255, in one channel."
                )
            return np.array(image, np.uint8)
    except UserError:
        raise
    except Exception as error:  # a damaged file can make a decoder raise nearly anything
        raise UserError(f"{named(file)} is not a PNG file that can be read. Replace it.") from error
