"""One picture file: what it says of itself, and its pixels. Pillow reads it; nothing in it is executed.

Turned as its EXIF says, what is transparent laid on white, 16 bits brought to 8. Of a film or of many pages the first.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")  # none that calls another program
LEAST_SIDE, MOST_PIXELS = 8, 50_000_000
GRAY_LEVEL = 128  # around an image that is not square
ORIENTATION = 0x0112  # the EXIF tag
GREY, DEEP = {"1", "L", "I;16", "I;16B", "I;16L"}, {"I;16", "I;16B", "I;16L"}
READABLE = {*GREY, "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"}


def header(file: Path) -> tuple[int, bool]:
    """The shorter side of a picture in pixels, and whether it is grey; the pixels aren't read.

    Raises:
        UserError: It is no picture, too small or too large, or of a mode that can't be used.
    """
    with _opened(file) as image:
        return min(image.size), image.mode in GREY


def square(file: Path, side: int, channels: int) -> "np.ndarray":
    """The middle of a picture, its shorter side resized: (channels, side, side), uint8.

    Args:
        channels: 1 for grey, or 3.

    Raises:
        UserError: As `header`; or the file is damaged.
    """
    import numpy as np
    from PIL import Image, ImageOps

    with _opened(file) as image:
        fitted = ImageOps.fit(_upright(image, channels), (side, side), Image.Resampling.BILINEAR)
        return np.asarray(fitted, np.uint8).reshape(side, side, channels).transpose(2, 0, 1)


def letterbox(file: Path, size: int, channels: int, frame: int = 0) -> "tuple[np.ndarray, tuple[float, float]]":
    """Return a whole image, resized until its longer side fits, at the top left of a gray square.

    Args:
        file: The image file.
        size: Height and width of the square, in pixels.
        channels: 1 for gray, or 3.
        frame: Which image of an animation.

    Returns:
        The square (channels, size, size), uint8, and the factors by which x and y became larger.

    Raises:
        UserError: As `square`.
    """
    import numpy as np
    from PIL import Image

    with _opened(file, frame) as image:
        upright = _upright(image, channels)
        width, height = (max(1, round(side * size / max(upright.size))) for side in upright.size)
        scale = width / upright.size[0], height / upright.size[1]
        resized = upright.resize((width, height), Image.Resampling.BILINEAR)
        pixels = np.full((channels, size, size), GRAY_LEVEL, np.uint8)
        pixels[:, :height, :width] = np.asarray(resized, np.uint8).reshape(height, width, channels).transpose(2, 0, 1)
        return pixels, scale


def thumbnail(file: Path, size: int, frame: int = 0) -> "np.ndarray":
    """Return a whole image in color, (height, width, 3), uint8, whose longer side has at most `size` pixels.

    Raises:
        UserError: As `square`.
    """
    import numpy as np
    from PIL import Image

    with _opened(file, frame) as image:
        upright = _upright(image, 3)
        upright.thumbnail((size, size), Image.Resampling.BILINEAR)
        return np.asarray(upright, np.uint8)


def whole(file: Path, channels: int) -> "np.ndarray":
    """Return a whole image in its own size, (height, width, channels), uint8.

    Raises:
        UserError: As `square`.
    """
    import numpy as np

    with _opened(file) as image:
        pixels = np.asarray(_upright(image, channels), np.uint8)
        return pixels.reshape(*pixels.shape[:2], channels)


def resized(file: Path, size: int) -> "np.ndarray":
    """Return a whole image in color, (height, width, 3), uint8, whose longer side has `size` pixels.

    Raises:
        UserError: As `square`.
    """
    import numpy as np
    from PIL import Image

    with _opened(file) as image:
        upright = _upright(image, 3)
        width, height = (max(1, round(side * size / max(upright.size))) for side in upright.size)
        return np.asarray(upright.resize((width, height), Image.Resampling.BILINEAR), np.uint8)


def count_frames(file: Path) -> int:
    """Return the number of images of an animation; 1 for any other image file.

    Raises:
        UserError: As `header`.
    """
    with _opened(file) as image:
        return int(getattr(image, "n_frames", 1))


def upright_size(file: Path) -> tuple[int, int]:
    """Return the width and the height of an image, turned as its EXIF data say; the pixels aren't read.

    Raises:
        UserError: As `header`.
    """
    with _opened(file) as image:
        width, height = image.size
        is_turned = image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8)
        return (height, width) if is_turned else (width, height)


def _upright(image: "Image", channels: int) -> "Image":
    """Return an image as it is seen, in color or in gray, with 8 bits per channel."""
    import numpy as np
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image)
    if upright.mode in DEEP:
        upright = Image.fromarray((np.asarray(upright).astype(np.uint16) // 257).astype(np.uint8))
    if upright.has_transparency_data:
        upright = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
    return upright.convert("RGB" if channels == 3 else "L")


def named(file: Path) -> str:
    """A file's path as it can be printed, whatever its bytes are."""
    return printable(str(file))


@contextmanager
def _opened(file: Path, frame: int = 0) -> "Iterator[Image]":
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of bombs and of odd tags: what matters is checked here
            with Image.open(file, formats=FORMATS) as image:
                _check(file, image.size, image.mode)
                if frame:
                    image.seek(frame)
                yield image
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise UserError(f"{named(file)} has far too many pixels: make it smaller, or move it away.") from None
    except UnidentifiedImageError:
        kinds = ", ".join(FORMATS)
        raise UserError(f"{named(file)} is no picture of a known kind ({kinds}): move it away.") from None
    except Exception as error:  # a damaged file can make a decoder raise nearly anything
        raise UserError(f"{named(file)} can't be read ({_said(error)}): replace it, or move it away.") from error


def _check(file: Path, size: tuple[int, int], mode: str) -> None:
    width, height = size
    if min(size) < LEAST_SIDE:
        raise UserError(f"{named(file)} is {width}x{height} pixels: a picture needs {LEAST_SIDE} a side or more.")
    if width * height > MOST_PIXELS:
        most = f"{MOST_PIXELS / 1e6:.0f} million"
        raise UserError(f"{named(file)} is {width}x{height} pixels, and at most {most} fit: make it smaller.")
    if mode not in READABLE:
        raise UserError(f"{named(file)} does not hold colors (mode {mode}). Save it with 8 bits per channel.")


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())[:100].rstrip(".") or type(error).__name__
