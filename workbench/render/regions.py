"""Decision regions: which class a network says where in the plane, and how sure it is, with the samples on it."""

from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import UPPER, Pixel, Rows, two_in_one
from workbench.render.scale import Scale

HUES: tuple[Pixel, ...] = (
    (70, 130, 200), (220, 150, 40), (60, 160, 90), (190, 80, 130), (130, 110, 200), (60, 170, 170),
    (170, 140, 90), (200, 90, 70), (120, 160, 50), (140, 140, 140),
)  # fmt: skip
LETTERS = "ABCDEFGHIJ"  # the classes' samples: nobody must tell colours apart
Cell = tuple[str, Style]


def regions(picture: dict[str, Any], width: int, height: int, colour: bool) -> Rows:
    """The plane as a task's `regions` gives it: the darker, the less sure; without colour a small letter a class."""
    told = picture["predicted"]
    tall = min(2 * (height - 2), len(told) // 2 * 2)
    wide = min(width, 2 * tall)
    places = [
        [(y * len(told) // tall, x * len(told[0]) // wide) for x in range(wide)]
        for y in reversed(range(tall))  # the least y stands at the bottom
    ]
    cells = _coloured(picture, places) if colour else _lettered(picture, places)
    across, up = Scale(*picture["x"]), Scale(*picture["y"])
    for x, y, target in picture["samples"]:
        column, row = _cell(across.place(x), wide), _cell(1 - up.place(y), len(cells))
        style = Style(color="white", bgcolor=cells[row][column][1].bgcolor, bold=True) if colour else Style(bold=True)
        cells[row][column] = (LETTERS[target % len(LETTERS)], style)
    legend = "   ".join(f"{LETTERS[k % len(LETTERS)]} {name}" for k, name in enumerate(picture["classes"]))
    axes = "right: {}, up: {}".format(*picture["features"])
    rows = [[Segment(character, style) for character, style in row] for row in cells]
    return [*rows, [Segment(legend[:width])], [Segment(axes[:width], QUIET)]]


def _coloured(picture: dict[str, Any], places: list[list[tuple[int, int]]]) -> list[list[Cell]]:
    told, sure = picture["predicted"], picture["probability"]
    pixels = [[_shade(HUES[told[y][x] % len(HUES)], sure[y][x]) for y, x in row] for row in places]
    pairs = zip(pixels[::2], pixels[1::2], strict=True)
    return [[(UPPER, two_in_one(*pair)) for pair in zip(*rows, strict=True)] for rows in pairs]


def _lettered(picture: dict[str, Any], places: list[list[tuple[int, int]]]) -> list[list[Cell]]:
    told = picture["predicted"]
    return [[(LETTERS[told[y][x] % len(LETTERS)].lower(), PLAIN) for y, x in row] for row in places[::2]]


def _cell(share: float, cells: int) -> int:
    """Which of the cells a place between 0 and 1 falls into."""
    return min(max(int(share * cells), 0), cells - 1)


def _shade(hue: Pixel, sure: float) -> Pixel:
    red, green, blue = (round(part * (0.35 + 0.65 * max(0.0, min(1.0, 2 * sure - 1)))) for part in hue)
    return red, green, blue
