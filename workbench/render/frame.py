"""An image with a rectangle drawn over it in line characters, which are visible with and without color."""

import math
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from workbench.render.halfblock import SMALL_WIDTH, Pixel, Rows, render_image

FRAME = Style(color="#ffd000", bold=True)
CORNERS = {(True, True): "┌", (True, False): "┐", (False, True): "└", (False, False): "┘"}  # at the top, at the left


def render_with_frame(
    pixels: list[list[Pixel]], first: Sequence[int], end: Sequence[int], width: int, height: int, color: bool
) -> Rows:
    """Render an image as large as fits, with a rectangle; edges of the rectangle outside the image are not drawn.

    Args:
        pixels: Rows of pixels.
        first: Row and column of the first pixel in the rectangle.
        end: Row and column after its last pixel.
        width: Number of cells per row.
        height: Number of rows.
        color: Whether colors can be shown.
    """
    image_height, image_width = len(pixels), len(pixels[0])
    divisor = max(-(-image_height // (2 * height)), -(-image_width // width), 1)
    factor = max(1, min(2 * height // image_height, width // image_width))
    rows = [_split_cells(row) for row in render_image(pixels, factor, divisor, color)]
    if color:
        rows_per_pixel, cells_per_pixel = factor / 2 / divisor, factor / divisor
    elif -(-image_width // divisor) <= SMALL_WIDTH:
        rows_per_pixel, cells_per_pixel = 1.0, 2.0
    else:
        rows_per_pixel, cells_per_pixel = 0.5 / divisor, 1 / divisor
    top, left = int(first[0] * rows_per_pixel), int(first[1] * cells_per_pixel)
    bottom, right = math.ceil(end[0] * rows_per_pixel) - 1, math.ceil(end[1] * cells_per_pixel) - 1
    for y, row in enumerate(rows):
        for x in range(len(row)):
            if character := _edge(y, x, (top, bottom), (left, right)):
                behind = row[x][1]
                row[x] = character, Style(bgcolor=behind.bgcolor) + FRAME if behind else None
    return [[Segment(character, style) for character, style in row] for row in rows]


def _split_cells(row: list[Segment]) -> list[tuple[str, Style | None]]:
    return [(character, segment.style) for segment in row for character in segment.text]


def _edge(y: int, x: int, ys: tuple[int, int], xs: tuple[int, int]) -> str:
    """Return the character of the rectangle in a cell; empty if its edge does not pass through."""
    if not (ys[0] <= y <= ys[1] and xs[0] <= x <= xs[1]):
        return ""
    if y in ys and x in xs:
        return CORNERS[y == ys[0], x == xs[0]]
    return "─" if y in ys else "│" if x in xs else ""
