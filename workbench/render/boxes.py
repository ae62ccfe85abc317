"""Images with the boxes of a detector: solid lines for predictions, dotted ones for the objects that it missed.

Below each image, its predictions are listed by number and the missed objects by letter:

    1 ✓ circle 0.93    a prediction of the correct class, whose IoU with an object is at least 0.5
    2 ✗ star 0.41      any other prediction
    3 bar 0.87         a prediction for an image whose objects are not known
    a missed bar       an object that no prediction detects
"""

from collections.abc import Callable
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.frame import cells_per_pixel, draw_rectangle, join_cells, set_character, split_cells
from workbench.render.halfblock import GAP, Rows, render_image, to_pixels

CORRECT, INCORRECT = Style(color="#40ff40", bold=True), Style(color="#ff5050", bold=True)
UNKNOWN = MISSED = Style(color="#ffd000", bold=True)
STYLES = {True: ("✓ ", CORRECT), False: ("✗ ", INCORRECT), None: ("", UNKNOWN)}
LETTERS = "abcdefghijklmnopqrstuvwxyz"
MIN_LEGEND = 18  # cells


def draw_boxes(images: list[dict[str, Any]], width: int, height: int, color: bool) -> Rows:
    """Render as many images with their boxes as fit, side by side, each with its legend below.

    Args:
        images: Visualizations of the kind `boxes`: `pixels`, `classes`, and lists of boxes in pixels: `predicted`, each
            with its label, its score and whether it is correct (None if that is not known), and its `number` if that is
            not its place in the list, and `missed`, each with its
            label.
        width: Number of cells per row.
        height: Number of rows.
        color: Whether colors can be shown.
    """
    legends: list[Rows] = [[[Segment(text, style)] for text, style in _legend(image)] for image in images]
    return layout_blocks(
        images, legends, lambda number, divisor: _draw_image(images[number], divisor, color), width, height
    )


def layout_blocks(
    images: list[dict[str, Any]], legends: list[Rows], render: Callable[[int, int], Rows], width: int, height: int
) -> Rows:
    """Render as many images as fit, side by side, each with its legend below.

    Args:
        images: Visualizations with `pixels`.
        legends: The lines below each of them.
        render: Number of an image and a divisor of its size -> its rows.
        width: Number of cells per row.
        height: Number of rows.
    """
    legend_height = min(max(map(len, legends)), max(1, height // 2))
    longest, widest = (
        max(map(len, rows)) for rows in ([one["pixels"] for one in images], [one["pixels"][0] for one in images])
    )
    divisor = max(1, -(-longest // max(1, 2 * (height - legend_height))), -(-widest // width))
    blocks = [[*render(number, divisor), *_fit(legend, legend_height)] for number, legend in enumerate(legends)]
    block_width = len(GAP) + max(Segment.get_line_length(row) for block in blocks for row in block)
    per_row = max(1, (width + len(GAP)) // block_width)
    count = per_row * max(1, height // len(blocks[0]))
    rows: Rows = []
    for first in range(0, min(count, len(blocks)), per_row):
        for lines in zip(*blocks[first : first + per_row], strict=True):
            row = [segment for line in lines for segment in Segment.adjust_line_length(line, block_width)]
            rows.append(Segment.adjust_line_length(row, width))
    return rows


def _fit(legend: Rows, height: int) -> Rows:
    """Return a legend with as many lines as there is room for."""
    if len(legend) > height:
        legend = [*legend[: height - 1], [Segment(f"and {len(legend) - height + 1} more")]]
    empty: Rows = [[Segment("")]] * (height - len(legend))
    return [*legend, *empty]


def _draw_image(image: dict[str, Any], divisor: int, color: bool) -> Rows:
    """Return the rows of an image with its boxes."""
    cells = split_cells(render_image(to_pixels(image["pixels"]), 1, divisor, color))
    scale = cells_per_pixel(len(image["pixels"][0]), 1, divisor, color)
    predictions = [
        (str(one.get("number", number)), STYLES[one["correct"]][1], "─│", one["box"])
        for number, one in enumerate(image["predicted"], start=1)
    ]
    missed = [(letter, MISSED, "┄┆", one["box"]) for letter, one in zip(LETTERS, image["missed"], strict=False)]
    corners = []
    for sign, style, lines, (x1, y1, x2, y2) in [*missed, *reversed(predictions)]:  # the best one on top
        corners.append((draw_rectangle(cells, (y1, x1), (y2, x2), scale, style, lines), sign, style))
    for (y, x), sign, style in corners:  # after all lines, so that none hides a sign
        for offset, character in enumerate(sign):
            if 0 <= y < len(cells) and 0 <= x + offset < len(cells[y]):
                set_character(cells[y], x + offset, character, style)
    return join_cells(cells)


def _legend(image: dict[str, Any]) -> list[tuple[str, Style]]:
    classes = image["classes"]
    lines = []
    for number, one in enumerate(image["predicted"], start=1):
        sign, style = STYLES[one["correct"]]
        lines.append((f"{one.get('number', number)} {sign}{classes[one['label']]} {one['score']:.2f}", style))
    lines += [
        (f"{letter} missed {classes[one['label']]}", MISSED)
        for letter, one in zip(LETTERS, image["missed"], strict=False)
    ]
    return [(text.ljust(MIN_LEGEND), style) for text, style in lines or [("nothing detected", MISSED)]]
