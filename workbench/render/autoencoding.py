"""Drawings of autoencoders: images next to their reconstructions, and the space of the codes."""

from collections.abc import Sequence
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.decision_regions import HUES, LETTERS, POINT
from workbench.render.halfblock import (
    GAP,
    SMALL_WIDTH,
    Pixel,
    Rows,
    render_gallery,
    render_halfblocks,
    render_image,
    render_shades,
    shrink,
)
from workbench.render.scale import Scale, format_tick

SEPARATOR: Pixel = (60, 60, 110)
LEAST_PIXELS, MIN_POINTS = 8, 4  # of an image that is shrunk; of a plane, along an axis
Image = list[list[Pixel]]


def to_level_pixels(image: Sequence[Sequence[Any]]) -> Image:
    """Convert rows of levels, or of red, green and blue, from 0 to 1, to pixels; their range is not stretched."""
    return [
        [_pixel(value) if isinstance(value, (list, tuple)) else _pixel((value, value, value)) for value in row]
        for row in image
    ]


def _pixel(channels: Sequence[float]) -> Pixel:
    red, green, blue = (round(255 * min(max(channel, 0.0), 1.0)) for channel in channels)
    return red, green, blue


def draw_reconstructions(samples: list[dict[str, Any]], width: int, height: int, color: bool) -> Rows:
    """Render each sample's input, what the network read, and the reconstruction: in a column, or a row if it is low."""
    names = list(samples[0]["images"])
    images = [[to_level_pixels(image) for image in sample["images"].values()] for sample in samples]
    room = max(2, height - 1)
    is_column = len(names) * (len(images[0][0]) + 1) <= 2 * (room - 1)
    join = _stack if is_column else _line_up
    tiles = [(join(each), _caption(sample), PLAIN) for each, sample in zip(images, samples, strict=True)]
    caption = f"with {'class and ' if 'target' in samples[0] else ''}mean squared error"
    legend = f"{(' over ' if is_column else ' | ').join(names)}, {caption}"
    return [*render_gallery(tiles, width, room, color), [Segment(legend[:width], QUIET)]]


def _caption(sample: dict[str, Any]) -> str:
    error = f"{sample['error']:.4f}"
    return f"{sample['target'][:8]} {error}" if "target" in sample else error


def _stack(images: list[Image]) -> Image:
    """Return images in a column, with a line between them."""
    rows: Image = []
    for image in images:
        rows += [*([[SEPARATOR] * len(image[0])] if rows else []), *image]
    return rows


def _line_up(images: list[Image]) -> Image:
    """Return images in a row, with a line between them."""
    rows = [list(row) for row in images[0]]
    for image in images[1:]:
        rows = [[*row, SEPARATOR, *more] for row, more in zip(rows, image, strict=True)]
    return rows


def draw_codes(codes: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render codes in a plane, each with a sign of its class, and a point if there is one."""
    lines = max(1, height - 2)
    columns = max(1, min(width, 4 * lines))
    cells = [[(" ", PLAIN)] * columns for _ in range(lines)]
    x_scale, y_scale = Scale(*codes["x"]), Scale(*codes["y"])
    signs = [name if len(name) == 1 else LETTERS[k % len(LETTERS)] for k, name in enumerate(codes["classes"])]
    styles = [Style(color="#{:02x}{:02x}{:02x}".format(*hue)) if color else PLAIN for hue in HUES]

    def put(x: float, y: float, sign: str, style: Style) -> None:
        column = min(max(int(x_scale.position(x) * columns), 0), columns - 1)
        row = min(max(int((1 - y_scale.position(y)) * lines), 0), lines - 1)
        cells[row][column] = (sign, style)

    for x, y, target in codes["samples"]:
        put(x, y, signs[target], styles[target % len(styles)])
    if codes.get("point"):
        x, y = codes["point"]
        put(x, y, POINT, Style(color="white", bgcolor="black", bold=True))
    is_named = all(sign == name for sign, name in zip(signs, codes["classes"], strict=True))
    pairs = zip(signs, codes["classes"], strict=True)
    legend = "each sign is a class" if is_named else "   ".join(f"{sign} {name}" for sign, name in pairs)
    axes = "right: {}, up: {}".format(*codes["features"])
    rows: Rows = [[Segment(sign, style) for sign, style in row] for row in cells]
    return [*rows, [Segment(legend[:width])], [Segment(axes[:width], QUIET)]]


def draw_decoded_plane(plane: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the images of points of the plane of the codes, as many as there is room for."""
    images = [to_level_pixels(image) for image in plane["images"]]
    columns, lines = plane["columns"], 2 * max(1, height - 1)
    rows = len(images) // columns
    divisor = 1
    while True:
        high, wide = len(images[0]) // divisor, len(images[0][0]) // divisor
        across, down = min(columns, width // max(1, wide)), min(rows, lines // max(1, high))
        if min(across, down) >= MIN_POINTS or min(high, wide) < 2 * LEAST_PIXELS:
            break
        divisor += 1
    if not color and across * wide <= SMALL_WIDTH:  # in shades, a pixel of a small image is two characters
        across = min(across, width // (2 * wide))
    pixels: Image = []
    for row in _spread(rows, max(1, down)):
        line = [shrink(images[row * columns + column], divisor) for column in _spread(columns, max(1, across))]
        pixels += [[pixel for image in line for pixel in image[y]] for y in range(high)]
    drawing = render_halfblocks(pixels) if color else [[Segment(text)] for text in render_shades(pixels)]
    ends = [format_tick(value) for axis in ("x", "y") for value in plane[axis]]
    axes = "right: z1 {} to {}, up: z2 {} to {}".format(*ends)
    return [*drawing, [Segment(axes[:width], QUIET)]]


def _spread(count: int, selected: int) -> list[int]:
    """Return indices that are evenly spread over `count` places; both ends are among them."""
    if selected == 1:
        return [count // 2]
    return [round(k * (count - 1) / (selected - 1)) for k in range(selected)]


def draw_interpolation(path: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the images of codes on the line between those of two samples."""
    start, end = path["ends"]
    images, last = [to_level_pixels(image) for image in path["images"]], len(path["images"]) - 1
    captions = [start, *(f"{k / last:.2f}" for k in range(1, last)), end]
    cells = max(Segment.get_line_length(render_image(images[0], 1, 1, color)[0]), *map(len, captions)) + len(GAP)
    fitting = min(len(images), max(2, (width + len(GAP)) // cells))  # both ends are always shown
    tiles = [(images[k], captions[k], PLAIN) for k in _spread(len(images), fitting)]
    caption = f"from the code of a {start} to the code of a {end}"
    return [*render_gallery(tiles, width, max(2, height - 1), color), [Segment(caption[:width], QUIET)]]


def draw_images(gallery: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render images next to each other."""
    tiles = [(to_level_pixels(image), "", PLAIN) for image in gallery["images"]]
    drawing = render_gallery(tiles, width, max(2, height - 1), color)
    return [*drawing, [Segment(gallery["caption"][:width], QUIET)]]


def draw_decoded(answer: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the image of a code, its numbers, and the codes of samples if they are part of the answer."""
    values = "  ".join(f"{name} {format_tick(value)}" for name, value in answer["features"].items())
    rows: Rows = [[Segment(values[:width], QUIET)]]
    room = height - 1
    if "regions" in answer and room >= 12:
        rows += draw_codes({**answer["regions"], "point": answer["point"]}, width, room // 2, color)
        room -= room // 2
    pixels = to_level_pixels(answer["decoded"])
    factor = max(1, min(2 * room // len(pixels), width // len(pixels[0])))
    divisor = max(-(-len(pixels) // max(1, 2 * room)), -(-len(pixels[0]) // width))
    return [*rows, *render_image(pixels, factor, divisor, color)]
