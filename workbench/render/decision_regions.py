"""Decision regions: the predicted class and its probability at each point of a plane, and the samples."""

from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import UPPER_HALF, Pixel, Rows, halfblock_style
from workbench.render.scale import Scale

HUES: tuple[Pixel, ...] = (
    (70, 130, 200), (220, 150, 40), (60, 160, 90), (190, 80, 130), (130, 110, 200), (60, 170, 170),
    (170, 140, 90), (200, 90, 70), (120, 160, 50), (140, 140, 140),
)  # fmt: skip
POINT = "✚"  # marks the point that a question is about
LETTERS = "ABCDEFGHIJ"  # mark the samples of each class, so that color is never the only sign
Cell = tuple[str, Style]
Index = tuple[int, int]  # row and column of the grid of predictions


def draw_decision_regions(regions: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the result of `tasks.regions`: less probable is darker; without color, a lower-case letter per class."""
    predicted = regions["predicted"]
    pixel_rows = min(2 * (height - 2), len(predicted) // 2 * 2)
    columns = min(width, 2 * pixel_rows)
    indices = [
        [(y * len(predicted) // pixel_rows, x * len(predicted[0]) // columns) for x in range(columns)]
        for y in reversed(range(pixel_rows))  # the smallest y is at the bottom
    ]
    cells = _colored_cells(regions, indices) if color else _letter_cells(regions, indices)
    x_scale, y_scale = Scale(*regions["x"]), Scale(*regions["y"])
    for x, y, target in regions["samples"]:
        column, row = _cell_index(x_scale.position(x), columns), _cell_index(1 - y_scale.position(y), len(cells))
        style = Style(color="white", bgcolor=cells[row][column][1].bgcolor, bold=True) if color else Style(bold=True)
        cells[row][column] = (LETTERS[target % len(LETTERS)], style)
    if regions.get("point"):
        x, y = regions["point"]
        column, row = _cell_index(x_scale.position(x), columns), _cell_index(1 - y_scale.position(y), len(cells))
        cells[row][column] = (POINT, Style(color="white", bgcolor="black", bold=True))
    legend = "   ".join(f"{LETTERS[k % len(LETTERS)]} {name}" for k, name in enumerate(regions["classes"]))
    axes = "right: {}, up: {}".format(*regions["features"])
    rows = [[Segment(character, style) for character, style in row] for row in cells]
    return [*rows, [Segment(legend[:width])], [Segment(axes[:width], QUIET)]]


def _colored_cells(regions: dict[str, Any], indices: list[list[Index]]) -> list[list[Cell]]:
    predicted, probability = regions["predicted"], regions["probability"]
    pixels = [[_shade(HUES[predicted[y][x] % len(HUES)], probability[y][x]) for y, x in row] for row in indices]
    pairs = zip(pixels[::2], pixels[1::2], strict=True)
    return [[(UPPER_HALF, halfblock_style(*pair)) for pair in zip(*rows, strict=True)] for rows in pairs]


def _letter_cells(regions: dict[str, Any], indices: list[list[Index]]) -> list[list[Cell]]:
    predicted = regions["predicted"]
    return [[(LETTERS[predicted[y][x] % len(LETTERS)].lower(), PLAIN) for y, x in row] for row in indices[::2]]


def _cell_index(position: float, cells: int) -> int:
    """Return the index of the cell at a position between 0 and 1."""
    return min(max(int(position * cells), 0), cells - 1)


def _shade(hue: Pixel, probability: float) -> Pixel:
    brightness = 0.35 + 0.65 * max(0.0, min(1.0, 2 * probability - 1))
    red, green, blue = (round(channel * brightness) for channel in hue)
    return red, green, blue
