"""An image with a rectangle drawn over it in line characters, which are visible with and without color."""

import math
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style

from workbench.render.halfblock import SMALL_WIDTH, Pixel, Rows, render_image

FRAME = Style(color="#ffd000", bold=True)
Cell = tuple[str, Style | None]  # a character and its style
Cells = list[list[Cell]]
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
    rows = split_cells(render_image(pixels, factor, divisor, color))
    draw_rectangle(rows, first, end, cells_per_pixel(image_width, factor, divisor, color), FRAME)
    return join_cells(rows)


def split_cells(rows: Rows) -> Cells:
    """Return rows of single cells, each a character with its style."""
    return [[(character, segment.style) for segment in row for character in segment.text] for row in rows]


def join_cells(cells: Cells) -> Rows:
    """Return rows of cells as rows of segments."""
    return [[Segment(character, style) for character, style in row] for row in cells]


def cells_per_pixel(image_width: int, factor: int, divisor: int, color: bool) -> tuple[float, float]:
    """Return how many rows and how many cells of a row a pixel takes, as `render_image` renders it."""
    if color:
        return factor / 2 / divisor, factor / divisor
    if -(-image_width // divisor) <= SMALL_WIDTH:
        return 1.0, 2.0
    return 0.5 / divisor, 1 / divisor


def draw_rectangle(
    cells: Cells,
    first: Sequence[float],
    end: Sequence[float],
    scale: tuple[float, float],
    style: Style,
    lines: str = "─│",
) -> tuple[int, int]:
    """Draw a rectangle over an image, in place; edges outside the image are not drawn.

    Args:
        cells: The rendered image.
        first: Row and column of the first pixel in the rectangle.
        end: Row and column after its last pixel.
        scale: What `cells_per_pixel` returned.
        style: Style of the lines; the background stays.
        lines: Characters of the horizontal and the vertical edges.

    Returns:
        Row and cell of the corner at the top left.
    """
    top, left = int(first[0] * scale[0]), int(first[1] * scale[1])
    bottom, right = math.ceil(end[0] * scale[0]) - 1, math.ceil(end[1] * scale[1]) - 1
    for y, row in enumerate(cells):
        for x in range(len(row)):
            if character := _edge(y, x, (top, bottom), (left, right), lines):
                set_character(row, x, character, style)
    return top, left


def set_character(row: list[Cell], x: int, character: str, style: Style) -> None:
    """Replace the character of a cell; its background stays."""
    behind = row[x][1]
    row[x] = character, Style(bgcolor=behind.bgcolor) + style if behind else None


def _edge(y: int, x: int, ys: tuple[int, int], xs: tuple[int, int], lines: str) -> str:
    """Return the character of the rectangle in a cell; empty if its edge does not pass through."""
    if not (ys[0] <= y <= ys[1] and xs[0] <= x <= xs[1]):
        return ""
    if y in ys and x in xs:
        return CORNERS[y == ys[0], x == xs[0]]
    return lines[0] if y in ys else lines[1] if x in xs else ""
