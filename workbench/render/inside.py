"""What is inside a trained network, drawn: its filters, feature maps, surest mistakes, and receptive field.

Every drawing takes what `engine.inside` gives, and returns rows of styled texts as wide as is allowed and as many as it
takes. Numbers and signs stand beside every picture: nothing is told by colour alone.
"""

from collections.abc import Callable
from textwrap import wrap
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.framed import framed
from workbench.render.halfblock import Rows, drawn, stretched, wall
from workbench.render.predictions import RIGHT, WRONG
from workbench.render.scale import written

BOLD = Style(bold=True)


def draw(found: dict[str, Any], width: int, height: int, colour: bool = True) -> Rows:
    """One kind of picture.

    Args:
        found: As the worker gave it.
        width: Cells; no row is wider.
        height: Rows that are in sight at once: so large are the pictures drawn, where they can be.
        colour: Whether there is colour; without it they are drawn in shades of characters.
    """
    about = f"{found['run']}, {found['checkpoint']} checkpoint, step {found['step']}"
    return [*said(about, width), *DRAWINGS[found["picture"]](found, width, height, colour)]


def said(text: str, width: int, style: Style = QUIET) -> Rows:
    """A text in as many rows as it takes."""
    return [[Segment(line, style)] for line in wrap(text, width)]


def filters(found: dict[str, Any], width: int, height: int, colour: bool) -> Rows:
    """Each filter from its least weight to its greatest, with its number."""
    count, channels, *sides = found["shape"]
    kind = "filters" if found["type"] == "Conv2d" else "neurons"
    colours = " of three colours" if channels == 3 else ""
    about = (
        f"{found['layer']}: {count} {kind} {across(sides)}{colours}, each from its least weight (dark) to its greatest"
    )
    shown = [(stretched(one), f"{k}: {span(one)}", PLAIN) for k, one in enumerate(found["filters"])]
    return [*said(about, width, PLAIN), [], *wall(shown, width, height - 3, colour)]


def span(picture: list) -> str:
    """The least number of a picture and the greatest."""
    flat = [number for row in picture for pixel in row for number in (pixel if isinstance(pixel, list) else [pixel])]
    return f"{short(min(flat))}, {short(max(flat))}"


def short(number: float) -> str:
    """A number to two digits, without the zero before the point."""
    return f"{number:.2g}".replace("0.", ".", 1) if 0.01 <= abs(number) < 1 else f"{number:.1g}"


def maps(found: dict[str, Any], width: int, height: int, colour: bool) -> Rows:
    """The sample, then each layer with its strongest maps."""
    rows = sample(found, width, colour)
    few = len(found["layers"]) > 1
    for layer in found["layers"]:
        shown = layer["maps"]
        of = "all" if len(shown) == layer["shape"][0] else f"the strongest {len(shown)} of {layer['shape'][0]}"
        rows += [[], *said(f"{layer['layer']}  {across(layer['shape'])}  {layer['type']}: {of}", width, BOLD)]
        tiles = [(stretched(one["pixels"]), f"{one['channel']}: {written(one['strength'])}", PLAIN) for one in shown]
        rows += wall(tiles, width, max(6, height // 3 if few else height - 4), colour)
    return [*rows, [], *said("Below each map: its channel, and the mean of its absolute values.", width)]


def sample(found: dict[str, Any], width: int, colour: bool) -> Rows:
    """The sample that was looked at, and what it is taken for."""
    pixels = stretched(found["pixels"])
    part = -(-len(pixels) // 24)
    text, style = taken(found, found["classes"])
    return [*drawn(pixels, 1, part, colour), *said(f"sample {found['sample']}: {text}", width, style)]


def taken(one: dict[str, Any], names: list[str]) -> tuple[str, Style]:
    """The true class of a sample, and what it is taken for with which probability."""
    true, told = names[one["target"]], names[one["predicted"]]
    chance = f"{one['probability']:.0%}"
    return (f"{true} ✓ {chance}", RIGHT) if true == told else (f"{true} ✗ {told} {chance}", WRONG)


def errors(found: dict[str, Any], width: int, height: int, colour: bool) -> Rows:
    """The mistakes, the surest first, each with its number, its class, and what it is taken for."""
    if not found["errors"]:
        return said(f"None of the {found['tested']} test samples is taken for something else.", width, RIGHT)
    about = f"{found['wrong']} of {found['tested']} test samples are taken for something else; the surest first:"
    tiles = []
    for one in found["errors"]:
        text, style = taken(one, found["classes"])
        tiles.append((stretched(one["pixels"]), f"{one['sample']}: {text}", style))
    legend = "Below each: its number, its class ✗ what it is taken for, and how surely."
    return [*said(about, width, PLAIN), [], *wall(tiles, width, height - 5, colour), [], *said(legend, width)]


def field(found: dict[str, Any], width: int, height: int, colour: bool) -> Rows:
    """The sample and the gradient over it, both with the border of the theoretical field."""
    unit, size, seen = found["unit"], found["theoretical"]["size"], found["effective"]
    tall, wide = len(found["pixels"]), len(found["pixels"][0])
    first, ends = [], []
    for begin, length, side in zip(found["theoretical"]["first"], size, (tall, wide), strict=True):
        first.append(0 if begin is None else begin)
        ends.append(side if begin is None else begin + length)
    title = f"{found['layer']} {across(found['shape'])}, the unit at row {unit[0]}, column {unit[1]} of it"
    text, style = taken(found, found["classes"])
    left, right = f"sample {found['sample']}: {text}", f"mean |gradient| over {seen['samples']} samples"
    between = "    "
    room = (width - len(between)) // 2, max(8, height - 8)
    pictures = [stretched(found["pixels"]), heat(seen["gradients"])]
    blocks = [framed(pixels, first, ends, *room, colour) for pixels in pictures]
    cells = Segment.get_line_length(blocks[0][0])
    rows = [*said(title, width, PLAIN), []]
    for one, other in zip(*blocks, strict=True):
        rows.append([*one, Segment(between), *other])
    column = max(cells, len(left)) if max(cells, len(left)) + len(between) + len(right) <= width else 0
    if column <= cells and column:
        rows.append([Segment(left.ljust(cells), style), Segment(between), Segment(right, QUIET)])
    else:
        rows += [*said(f"left: {left}", width, style), *said(f"right: {right}", width)]
    return [
        *rows,
        [],
        *said(theoretical(size, first, ends, tall, wide), width, PLAIN),
        *said(looks_at(seen, size), width),
    ]


def theoretical(size: list[int | None], first: list[int], ends: list[int], tall: int, wide: int) -> str:
    """How far the unit could see."""
    if None in size:
        return f"It could see the whole picture of {tall}x{wide}: somewhere before it a mean is taken over all places."
    beyond = ""
    if min(first) < 0 or ends[0] > tall or ends[1] > wide:
        beyond = f", beyond the picture of {tall}x{wide}: there it sees padding"
    where = f"rows {first[0]} to {ends[0] - 1}, columns {first[1]} to {ends[1] - 1}"
    return f"It could see {across(size)} pixels (the border): {where}{beyond}."


def looks_at(seen: dict[str, Any], size: list[int | None]) -> str:
    """What counts for the unit."""
    if not seen["pixels"]:
        return "No sample's pixel changes it: all its channels are cut off."
    of = f", {seen['pixels'] / (size[0] * size[1]):.0%} of the border's area" if size[0] and size[1] else ""
    return (
        f"It looks at {seen['pixels']} pixels, those with 4.55% of the greatest gradient or more: as many as a square "
        f"of {seen['side']:.1f}x{seen['side']:.1f}{of}."
    )


def heat(gradients: list[list[float]]) -> list:
    """Numbers from 0 to the greatest as black, red, yellow and white, each brighter than the one before."""
    most = max(map(max, gradients)) or 1.0

    def hot(share: float) -> tuple[int, int, int]:
        red, green, blue = (round(255 * min(max(3 * share - below, 0.0), 1.0)) for below in range(3))
        return red, green, blue

    return [[hot(one / most) for one in row] for row in gradients]


def across(sides: list[int | None]) -> str:
    return "x".join(map(str, sides))


DRAWINGS: dict[str, Callable[[dict[str, Any], int, int, bool], Rows]] = {
    "filters": filters,
    "maps": maps,
    "errors": errors,
    "field": field,
}
