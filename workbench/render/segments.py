"""Images with segments: a color and a sign for each, and a list of them below.

With color, a segment is tinted, and its sign is at its center. Without, every cell has the sign of the segment to which
most of its pixels belong, so that the map can be read without color:

    1 circle 0.93      a thing: numbers
    a sky              stuff: letters
"""

from collections import Counter
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.boxes import MIN_LEGEND, layout_blocks
from workbench.render.frame import cells_per_pixel, join_cells, set_character, split_cells
from workbench.render.halfblock import Pixel, Rows, render_image, to_pixels

HUES: list[Pixel] = [
    *((255, 90, 90), (100, 230, 100), (115, 155, 255), (255, 230, 75), (240, 120, 240), (90, 230, 230)),
    *((255, 160, 60), (180, 120, 255), (160, 200, 60), (255, 150, 180)),
]
TINT = 0.55  # share of a segment's hue in a pixel
NUMBERS, LETTERS = "123456789", "abcdefghijklmnopqrstuvwxyz"
BLACK = (0.0, 0.0, 0.0)
MORE = "#"  # sign of segments for which there is none
VOID = "·"  # of pixels that belong to no segment


def draw_segments(images: list[dict[str, Any]], width: int, height: int, color: bool) -> Rows:
    """Render as many images with their segments as fit, side by side, each with its legend below.

    Args:
        images: Visualizations of the kind `segments`: a `caption`, `pixels` (black if there are none), the `ids` of
            their segments in rows, 0 for none, and `segments`, each with its `id`, its `class`, whether it is a
            `thing`, its `score` if it has one, and its `sign` if that is not given by its place in the list.
        width: Number of cells per row.
        height: Number of rows.
        color: Whether colors can be shown.
    """
    images = [{"pixels": [[BLACK] * len(row) for row in image["ids"]], **image} for image in images]
    legends = [[Segment(image["caption"].ljust(MIN_LEGEND)), *_legend(image)] for image in images]

    def render(number: int, divisor: int) -> Rows:
        return _draw_image(images[number], divisor, color)

    return layout_blocks(images, [[[line] for line in legend] for legend in legends], render, width, height)


def _draw_image(image: dict[str, Any], divisor: int, color: bool) -> Rows:
    signs, ids = _signs(image), image["ids"]
    if not color:
        return _draw_signs(ids, signs, divisor)
    pixels = to_pixels(image["pixels"])
    tinted = [
        [_tint(pixel, signs[number][1]) if number in signs else pixel for pixel, number in zip(*rows, strict=True)]
        for rows in zip(pixels, ids, strict=True)
    ]
    cells = split_cells(render_image(tinted, 1, divisor, color))
    down, across = cells_per_pixel(len(pixels[0]), 1, divisor, color)
    for number, (sign, hue) in signs.items():
        if place := _center(ids, number):
            y, x = int(place[0] * down), int(place[1] * across)
            if y < len(cells) and x < len(cells[y]):
                style = Style(color="black", bgcolor="#{:02x}{:02x}{:02x}".format(*hue), bold=True)
                for offset, character in enumerate(sign[: len(cells[y]) - x]):
                    set_character(cells[y], x + offset, character, style)
    return join_cells(cells)


def _draw_signs(ids: list[list[int]], signs: dict[int, tuple[str, Pixel]], divisor: int) -> Rows:
    """Return a map of signs: a cell is `divisor` pixels wide and twice as high."""
    rows: Rows = []
    for y in range(0, len(ids) - 2 * divisor + 1, 2 * divisor):
        line = ""
        for x in range(0, len(ids[0]) - divisor + 1, divisor):
            cell = Counter(number for row in ids[y : y + 2 * divisor] for number in row[x : x + divisor])
            number = cell.most_common(1)[0][0]
            line += signs[number][0][-1] if number in signs else VOID
        rows.append([Segment(line)])
    return rows


def _tint(pixel: Pixel, hue: Pixel) -> Pixel:
    red, green, blue = (round((1 - TINT) * own + TINT * other) for own, other in zip(pixel, hue, strict=True))
    return red, green, blue


def _center(ids: list[list[int]], number: int) -> tuple[int, int] | None:
    """Return the pixel (y, x) of a segment with the most of its own pixels around it in its row and column."""
    best, place = 0, None
    for y, row in enumerate(ids):
        start = None
        for x in range(len(row) + 1):
            is_here = x < len(row) and row[x] == number
            if is_here and start is None:
                start = x
            elif not is_here and start is not None:
                middle = (start + x) // 2
                above, below = y, y
                while above > 0 and ids[above - 1][middle] == number:
                    above -= 1
                while below + 1 < len(ids) and ids[below + 1][middle] == number:
                    below += 1
                size = min(x - start, 2 * min(y - above, below - y) + 1)
                if size > best:
                    best, place = size, (y, middle)
                start = None
    return place


def _signs(image: dict[str, Any]) -> dict[int, tuple[str, Pixel]]:
    """Return the sign and the hue of each segment, by its id."""
    numbers, letters = iter(NUMBERS), iter(LETTERS)
    return {
        row["id"]: (row.get("sign") or next(numbers if row["thing"] else letters, MORE), HUES[k % len(HUES)])
        for k, row in enumerate(image["segments"])
    }


def _legend(image: dict[str, Any]) -> list[Segment]:
    signs, lines = _signs(image), []
    for row in image["segments"]:
        sign, hue = signs[row["id"]]
        score = f" {row['score']:.2f}" if "score" in row else ""
        style = Style(color="#{:02x}{:02x}{:02x}".format(*hue), bold=True)
        lines.append(Segment(f"{sign} {row['class']}{score}".ljust(MIN_LEGEND), style))
    return lines or [Segment("no segments".ljust(MIN_LEGEND))]
