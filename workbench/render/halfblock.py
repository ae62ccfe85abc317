"""Images as text: two pixels per cell as colored half blocks, or without color, characters from light to dense.

A cell is the space of one character in the terminal, about twice as high as it is wide.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style

UPPER_HALF = "▀"
SHADES = " .:-=+*#%@"  # from light to dense
GAP = "  "  # between two images
SMALL_WIDTH = 16  # pixels; up to this width, a pixel is two characters, which together are about square

Pixel = tuple[int, int, int]  # red, green, blue, 0 to 255
Rows = list[list[Segment]]  # lines of text with styles
Tile = tuple[list[list[Pixel]], str, Style]  # an image, its caption, and the caption's style


def to_pixels(image: Sequence[Sequence[Any]]) -> list[list[Pixel]]:
    """Convert an image to pixels.

    Args:
        image: Rows of gray values, which are scaled from their minimum and maximum, or rows of (red, green, blue), each
            from 0 to 1.
    """
    if isinstance(image[0][0], (list, tuple)):
        return [[_to_rgb(pixel) for pixel in row] for row in image]
    return to_gray_pixels(image)


def to_stretched_pixels(image: Sequence[Sequence[Any]]) -> list[list[Pixel]]:
    """Convert an image, gray or RGB, to pixels, scaling its smallest value to 0 and its largest to 255."""
    if not isinstance(image[0][0], (list, tuple)):
        return to_gray_pixels(image)
    flat_rows = quantize([[channel for pixel in row for channel in pixel] for row in image], 255)
    return [[(row[k], row[k + 1], row[k + 2]) for k in range(0, len(row), 3)] for row in flat_rows]


def _to_rgb(channels: Sequence[float]) -> Pixel:
    red, green, blue = (round(255 * min(max(c, 0.0), 1.0)) if math.isfinite(c) else 0 for c in channels)
    return red, green, blue


def to_gray_pixels(image: Sequence[Sequence[float]]) -> list[list[Pixel]]:
    """Convert a gray image to pixels: its smallest value is black, its largest white."""
    return [[(level, level, level) for level in row] for row in quantize(image, 255)]


def quantize(image: Sequence[Sequence[float]], max_level: int) -> list[list[int]]:
    """Scale numbers to integers from 0 to `max_level`; NaN and infinity become 0."""
    finite = [value for row in image for value in row if math.isfinite(value)] or [0.0]
    low = min(finite)
    scale = max_level / ((max(finite) - low) or 1)
    return [[round((value - low) * scale) if math.isfinite(value) else 0 for value in row] for row in image]


def enlarge(pixels: list[list[Pixel]], factor: int) -> list[list[Pixel]]:
    """Enlarge an image by repeating every pixel `factor` times in both directions."""
    return [[pixel for pixel in row for _ in range(factor)] for row in pixels for _ in range(factor)]


def shrink(pixels: list[list[Pixel]], divisor: int) -> list[list[Pixel]]:
    """Shrink an image by averaging squares of `divisor` x `divisor` pixels.

    Incomplete squares at the right and the bottom are dropped.
    """
    height, width = len(pixels) // divisor * divisor, len(pixels[0]) // divisor * divisor
    offsets = range(divisor)
    return [
        [_mean([pixels[y + dy][x + dx] for dy in offsets for dx in offsets]) for x in range(0, width, divisor)]
        for y in range(0, height, divisor)
    ]


def _mean(pixels: list[Pixel]) -> Pixel:
    red, green, blue = (round(sum(values) / len(pixels)) for values in zip(*pixels, strict=True))
    return red, green, blue


def render_halfblocks(pixels: list[list[Pixel]]) -> Rows:
    """Render every two rows of pixels as one row of cells; neighboring cells of the same colors share a segment."""
    lower: list[Sequence[Pixel | None]] = [*pixels[1::2]]
    if len(pixels) % 2:
        lower.append([None] * len(pixels[0]))
    rows = []
    for above, below in zip(pixels[::2], lower, strict=True):
        row: list[Segment] = []
        length, current = 0, (above[0], below[0])
        for pair in zip(above, below, strict=True):
            if pair != current:
                row.append(Segment(UPPER_HALF * length, halfblock_style(*current)))
                length, current = 0, pair
            length += 1
        rows.append([*row, Segment(UPPER_HALF * length, halfblock_style(*current))])
    return rows


@lru_cache(4096)
def halfblock_style(above: Pixel, below: Pixel | None) -> Style:
    """Return the style in which `UPPER_HALF` shows two pixels; `below` is None if there is no pixel below."""
    return Style(
        color=Color.from_triplet(ColorTriplet(*above)),
        bgcolor=Color.from_triplet(ColorTriplet(*below)) if below else None,
    )


def render_shades(pixels: list[list[Pixel]]) -> list[str]:
    """Render an image as characters from light to dense.

    A small image has two characters per pixel, a larger one a character for two pixels, one above the other.
    """
    gray = [[0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in row] for row in pixels]
    characters_per_pixel = 2 if len(gray[0]) <= SMALL_WIDTH else 1
    if characters_per_pixel == 1:
        below = gray[1::2] if len(gray) > 1 else gray
        pairs = zip(gray[::2], below, strict=False)
        gray = [[(upper + lower) / 2 for upper, lower in zip(*pair, strict=True)] for pair in pairs]
    return ["".join(characters_per_pixel * SHADES[level] for level in row) for row in quantize(gray, len(SHADES) - 1)]


def render_gallery(tiles: list[Tile], width: int, height: int, color: bool = True) -> Rows:
    """Render as many images as fit, side by side with their captions below.

    Args:
        tiles: Images of the same size, with their captions.
        width: Number of cells per row.
        height: Number of rows, at least two.
        color: Whether colors can be shown; if not, images are shades of characters.
    """
    image_height, image_width = len(tiles[0][0]), len(tiles[0][0][0])
    max_pixels = 2 * max(1, height - 1)  # of the height, without the caption
    factor = max(1, min(max_pixels // image_height, width // (3 * image_width)))
    divisor = max(-(-image_height // max_pixels), -(-image_width // width))
    rows_per_tile = len(render_image(tiles[0][0], factor, divisor, color)) + 1
    max_tiles = _tiles_per_row(tiles, width, factor, divisor, color) * max(1, height // rows_per_tile)
    return _render_tiles(tiles[:max_tiles], width, factor, divisor, color)


def render_all_tiles(tiles: list[Tile], width: int, height: int, color: bool = True) -> Rows:
    """Render all images with their captions, as large as possible within `height` rows, or with more rows if needed.

    Args:
        tiles: Images of the same size, with their captions.
        width: Number of cells per row.
        height: Number of rows, at least two.
        color: Whether colors can be shown; if not, images are shades of characters.
    """
    image_height, image_width = len(tiles[0][0]), len(tiles[0][0][0])
    divisor = max(-(-image_height // (2 * max(1, height - 1))), -(-image_width // width))

    def count_rows(factor: int) -> int:
        per_row = _tiles_per_row(tiles, width, factor, divisor, color)
        return -(-len(tiles) // per_row) * (len(render_image(tiles[0][0], factor, divisor, color)) + 1)

    factors = range(2, max(2, width // image_width) + 1)
    usable_factors = [factor for factor in factors if divisor == 1 and count_rows(factor) <= height]
    return _render_tiles(tiles, width, max(usable_factors, default=1), divisor, color)


def _render_tiles(tiles: list[Tile], width: int, factor: int, divisor: int, color: bool) -> Rows:
    """Render images of the same size side by side with their captions below, in as many rows as they need."""
    per_row = _tiles_per_row(tiles, width, factor, divisor, color)
    tile_width = _tile_width(tiles, factor, divisor, color)
    rows: Rows = []
    for first in range(0, len(tiles), per_row):
        tiles_of_row = tiles[first : first + per_row]
        blocks = [render_image(pixels, factor, divisor, color) for pixels, _, _ in tiles_of_row]
        for lines in zip(*blocks, strict=True):
            rows.append([segment for line in lines for segment in Segment.adjust_line_length(line, tile_width)])
        rows.append([Segment(caption.ljust(tile_width), style) for _, caption, style in tiles_of_row])
    return [Segment.adjust_line_length(row, width) for row in rows]


def _tiles_per_row(tiles: list[Tile], width: int, factor: int, divisor: int, color: bool) -> int:
    return max(1, (width + len(GAP)) // _tile_width(tiles, factor, divisor, color))


def _tile_width(tiles: list[Tile], factor: int, divisor: int, color: bool) -> int:
    """Return the width of an image with its caption and the gap after it, in cells."""
    image = render_image(tiles[0][0], factor, divisor, color)
    return max(Segment.get_line_length(image[0]), *(len(caption) for _, caption, _ in tiles)) + len(GAP)


def render_image(pixels: list[list[Pixel]], factor: int, divisor: int, color: bool) -> Rows:
    """Render an image.

    Args:
        pixels: Rows of pixels.
        factor: Factor by which it is enlarged; only with color.
        divisor: Divisor by which it is shrunk first.
        color: Whether colors can be shown; if not, the image is shades of characters.
    """
    image = shrink(pixels, divisor) if divisor > 1 else pixels
    return render_halfblocks(enlarge(image, factor)) if color else [[Segment(line)] for line in render_shades(image)]
