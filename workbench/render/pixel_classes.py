"""Images with the classes of their pixels: a color and a letter per class, and a line where the class changes.

Next to an image is the prediction, and next to that the truth, if it is known. Letters in the cells name the classes,
in lower case where the prediction is incorrect; background is a dot, or an `x` where it is incorrect. Void pixels are
blank. Without color, every cell is a letter.
"""

from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.decision_regions import HUES
from workbench.render.halfblock import GAP, UPPER_HALF, Pixel, Rows, halfblock_style, render_image, to_pixels

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWYZ"  # no X, which marks errors
DOT, ERROR = "·", "x"
BACKGROUND, VOID = "background", 255
BLANK: Pixel = (0, 0, 0)
MIN_CELLS = 16  # of a map
Map = list[list[int]]


def draw_pixel_classes(images: list[dict[str, Any]], width: int, height: int, color: bool) -> Rows:
    """Render as many images as fit, each in a row with its predicted and its true classes, and a legend below all.

    Args:
        images: Visualizations of the kind `pixel-classes`: `classes`, `pixels`, and maps of classes, `predicted` and
            perhaps `target`.
        width: Number of cells per row.
        height: Number of rows.
        color: Whether colors can be shown.
    """
    panels = 3 if "target" in images[0] else 2
    legend = _legend(images, width, color)
    room = max(2, height - 1 - len(legend))
    divisor = 1
    while divisor < len(images[0]["pixels"][0]) // MIN_CELLS and not _fits(images[0], divisor, panels, width, room):
        divisor += 1
    block_width = panels * (-(-len(images[0]["pixels"][0]) // divisor) + len(GAP))
    per_row = max(1, (width + len(GAP)) // block_width)
    heads = ["image", "prediction", *(["truth"] if panels == 3 else [])]
    cell_width = block_width // panels
    count = min(per_row, len(images))
    rows: Rows = [[Segment("".join(head.ljust(cell_width) for head in heads)[:width], QUIET)] * count]
    for first in range(0, len(images), per_row):
        blocks = [_block(one, divisor, cell_width, color) for one in images[first : first + per_row]]
        if first and len(rows) + len(blocks[0]) > room + 1:
            break
        for lines in zip(*blocks, strict=False):
            rows.append([segment for line in lines for segment in line])
    return [*(Segment.adjust_line_length(row, width) for row in rows[: room + 1]), *legend]


def _fits(image: dict[str, Any], divisor: int, panels: int, width: int, room: int) -> bool:
    cells = -(-len(image["pixels"][0]) // divisor) + len(GAP)
    return panels * cells - len(GAP) <= width and -(-len(image["pixels"]) // divisor) // 2 <= room


def _block(image: dict[str, Any], divisor: int, cell_width: int, color: bool) -> Rows:
    """Return the rows of an image and of its maps, each padded to a width."""
    pixels = to_pixels(image["pixels"])
    height, width = len(pixels) // divisor // 2 * 2 * divisor, len(pixels[0]) // divisor * divisor
    pixels = [row[:width] for row in pixels[:height]]
    panels = [render_image(pixels, 1, divisor, color)]
    maps = [
        [row[:width:divisor] for row in image[name][:height:divisor]]
        for name in ("predicted", "target")
        if name in image
    ]
    truth = maps[1] if len(maps) > 1 else None
    letters = class_letters(image["classes"])
    for k, each in enumerate(maps):
        panels.append(_render_map(each, truth if k == 0 else None, letters, color))
    return [
        [segment for row in rows for segment in Segment.adjust_line_length(row, cell_width)]
        for rows in zip(*panels, strict=False)
    ]


def _render_map(classes: Map, truth: Map | None, letters: list[str], color: bool) -> Rows:
    """Return a map of classes as rows of cells, each of two pixels, one above the other."""
    rows: Rows = []
    for y in range(0, len(classes) - 1, 2):
        row = []
        for x, pair in enumerate(zip(classes[y], classes[y + 1], strict=True)):
            is_wrong = truth is not None and any(truth[y + k][x] not in (pair[k], VOID) for k in (0, 1))
            row.append(_cell(pair, is_wrong, letters, color, is_marked=(x + y) % 4 == 0))
        rows.append(row)
    return rows


def _cell(pair: tuple[int, int], is_wrong: bool, letters: list[str], color: bool, is_marked: bool) -> Segment:
    above, below = pair
    sign = _letter(above, letters)
    if is_wrong:
        sign = ERROR if sign == DOT else sign.lower()
    if not color:
        return Segment(sign)
    if is_wrong or (above == below and is_marked):
        red, green, blue = hue(above, letters)
        return Segment(sign, Style(color="white", bold=True, bgcolor=f"#{red // 2:02x}{green // 2:02x}{blue // 2:02x}"))
    return Segment(UPPER_HALF, halfblock_style(hue(above, letters), hue(below, letters)))


def hue(label: int, letters: list[str]) -> Pixel:
    """Return the color of a class; background and void pixels are dark."""
    if label == VOID or label >= len(letters):
        return BLANK
    return (45, 45, 45) if letters[label] == DOT else HUES[label % len(HUES)]


def class_letters(classes: list[str]) -> list[str]:
    """Return the sign of each class: a letter, in turn, or a dot for the background."""
    return [DOT if name == BACKGROUND else LETTERS[k % len(LETTERS)] for k, name in enumerate(classes)]


def _letter(label: int, letters: list[str]) -> str:
    return letters[label] if label < len(letters) else " "


def _legend(images: list[dict[str, Any]], width: int, color: bool) -> Rows:
    """Return the letters and the names of the classes that occur."""
    classes = images[0]["classes"]
    letters = class_letters(classes)
    occurring = {
        label for one in images for name in ("predicted", "target") if name in one for row in one[name] for label in row
    }
    rows: Rows = [[]]
    for label, name in enumerate(classes):
        if label not in occurring:
            continue
        style = Style(color="#{:02x}{:02x}{:02x}".format(*HUES[label % len(HUES)])) if color else PLAIN
        entry = Segment(f"{letters[label]} {name}   ", QUIET if letters[label] == DOT else style)
        if Segment.get_line_length([*rows[-1], entry]) > width and rows[-1]:
            rows.append([])
        rows[-1].append(entry)
    if any("target" in one for one in images):
        rows[-1].append(Segment("lower case, x: incorrect", QUIET))
    return [Segment.adjust_line_length(row, width) for row in rows]
