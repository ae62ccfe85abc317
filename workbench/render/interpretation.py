"""Drawings of what a trained network computes: filters, feature maps, errors, receptive fields, weights and others.

Each function takes a result of `engine.interpret` and returns rows of segments: no row is wider than allowed, and there
are as many rows as the drawing needs. Numbers and signs accompany every image, so that color is never the only sign.
"""

from collections.abc import Callable
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.distributions import draw_dead_units, draw_gradients, draw_weights
from workbench.render.frame import render_with_frame
from workbench.render.halfblock import Pixel, Rows, render_all_tiles, render_image, to_stretched_pixels
from workbench.render.paragraph import BOLD, render_text
from workbench.render.predictions import CORRECT, INCORRECT
from workbench.render.scale import format_tick
from workbench.render.shape import format_shape
from workbench.untrusted import printable

SAMPLE_HEIGHT = 24  # pixels: a taller sample is drawn smaller


def draw(result: dict[str, Any], width: int, height: int, color: bool = True) -> Rows:
    """Render a result of the worker.

    Args:
        result: A result of `engine.interpret`.
        width: Number of cells per row.
        height: Number of rows that are visible at once; images are made to fit into them if possible.
        color: Whether colors can be shown; if not, images are shades of characters.
    """
    about = f"{result['run']}, {result['checkpoint']} checkpoint, step {result['step']}"
    about += f". {result['reason']}" if "reason" in result else ""
    return [*render_text(about, width), *DRAWINGS[result["kind"]](result, width, height, color)]


def draw_filters(result: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render each filter with its index, its smallest and its largest weight."""
    count, channels, *size = result["shape"]
    kind = "filters" if result["type"] == "Conv2d" else "neurons"
    channels_text = " with 3 input channels, shown as colors" if channels == 3 else ""
    about = (
        f"{result['layer']}: {count} {kind} {format_shape(size)}{channels_text}. Each is scaled from its smallest "
        "weight (dark) to its largest (bright)."
    )
    tiles = [
        (to_stretched_pixels(weights), f"{k}: {_format_range(weights)}", PLAIN)
        for k, weights in enumerate(result["filters"])
    ]
    return [*render_text(about, width, PLAIN), [], *render_all_tiles(tiles, width, height - 3, color)]


def _format_range(image: list[list[Any]]) -> str:
    """Return the smallest and the largest number of an image."""
    flat = [number for row in image for pixel in row for number in (pixel if isinstance(pixel, list) else [pixel])]
    return f"{_format_short(min(flat))}, {_format_short(max(flat))}"


def _format_short(number: float) -> str:
    """Return a number with at most two significant digits, without the zero before the decimal point."""
    return f"{number:.2g}".replace("0.", ".", 1) if 0.01 <= abs(number) < 1 else f"{number:.1g}"


def draw_feature_maps(result: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the sample, then the strongest feature maps of each layer."""
    rows = draw_sample(result, width, color)
    has_several_layers = len(result["layers"]) > 1
    for layer in result["layers"]:
        maps, channels = layer["maps"], layer["shape"][0]
        selection = "all channels" if len(maps) == channels else f"the strongest {len(maps)} of {channels} channels"
        heading = f"{layer['layer']}  {format_shape(layer['shape'])}  {layer['type']}: {selection}"
        rows += [[], *render_text(heading, width, BOLD)]
        tiles = [
            (to_stretched_pixels(one["pixels"]), f"{one['channel']}: {format_tick(one['strength'])}", PLAIN)
            for one in maps
        ]
        rows += render_all_tiles(tiles, width, max(6, height // 3 if has_several_layers else height - 4), color)
    return [*rows, [], *render_text("Below each map: its channel, and the mean of its absolute values.", width)]


def draw_sample(result: dict[str, Any], width: int, color: bool) -> Rows:
    """Render the sample with its caption."""
    pixels = to_stretched_pixels(result["pixels"])
    divisor = -(-len(pixels) // SAMPLE_HEIGHT)
    text, style = format_sample(result)
    return [*render_image(pixels, 1, divisor, color), *render_text(text, width, style)]


def format_sample(result: dict[str, Any]) -> tuple[str, Style]:
    """Return the number of the sample, and its prediction if the task describes one, and the style to show them in."""
    number = f"sample {result['sample']}"
    if "predicted" not in result:
        return number, PLAIN
    text, style = format_prediction(result, result["classes"])
    return f"{number}: {text}", style


def format_prediction(sample: dict[str, Any], classes: list[str]) -> tuple[str, Style]:
    """Return the class of a sample with the predicted class and its probability, and the style to show them in."""
    target, predicted = classes[sample["target"]], classes[sample["predicted"]]
    probability = f"{sample['probability']:.0%}"
    if target == predicted:
        return f"{target} ✓ {probability}", CORRECT
    return f"{target} ✗ {predicted} {probability}", INCORRECT


def draw_errors(result: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the misclassified samples, the most confident first, each with its number and the prediction."""
    if not result["errors"]:
        return render_text(f"All {result['tested']} test samples are classified correctly.", width, CORRECT)
    verb = "is" if result["wrong"] == 1 else "are"
    about = f"{result['wrong']} of {result['tested']} test samples {verb} misclassified. The most confident first:"
    captions = [(sample, *format_prediction(sample, result["classes"])) for sample in result["errors"]]
    legend = "the sample's number, its class ✗ the predicted class, and the predicted probability"
    if "pixels" in result["errors"][0]:
        tiles = [
            (to_stretched_pixels(sample["pixels"]), f"{sample['sample']}: {text}", style)
            for sample, text, style in captions
        ]
        drawing, legend = render_all_tiles(tiles, width, height - 5, color), f"Below each: {legend}."
    else:
        rows = [(f"{sample['sample']}: {text}", style, _input_text(sample)) for sample, text, style in captions]
        inputs = "its words" if "words" in result["errors"][0] else "its features, standardized"
        drawing, legend = render_table_rows(rows, width), f"Each row: {legend}; then {inputs}."
    return [*render_text(about, width, PLAIN), [], *drawing, [], *render_text(legend, width)]


def _input_text(sample: dict[str, Any]) -> str:
    """Return the features of a row of a table, or the words of a sentence."""
    if "words" in sample:
        return printable(" ".join(sample["words"]))
    return "".join(f"{value:8.2f}" for value in sample["values"])


def render_table_rows(rows: list[tuple[str, Style, str]], width: int) -> Rows:
    """Render rows of a table or sentences, each with its caption first; what doesn't fit is left out."""
    indent = max(len(caption) for caption, _, _ in rows) + 1
    return [
        list(
            Segment.adjust_line_length(
                [
                    Segment(caption.ljust(indent), style),
                    Segment(features, QUIET),
                ],
                width,
            )
        )
        for caption, style, features in rows
    ]


def draw_receptive_field(result: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the sample and the gradient, both with the border of the theoretical receptive field."""
    unit, size, effective = result["unit"], result["theoretical"]["size"], result["effective"]
    image_height, image_width = len(result["pixels"]), len(result["pixels"][0])
    first, end = [], []
    for begin, length, whole in zip(result["theoretical"]["first"], size, (image_height, image_width), strict=True):
        first.append(0 if begin is None else begin)
        end.append(whole if begin is None else begin + length)
    title = f"{result['layer']} {format_shape(result['shape'])}, the unit at row {unit[0]}, column {unit[1]}"
    left, style = format_sample(result)
    right = f"mean |gradient| over {effective['samples']} samples"
    between = "    "
    room = (width - len(between)) // 2, max(8, height - 8)
    images = [to_stretched_pixels(result["pixels"]), to_heatmap(effective["gradients"])]
    blocks = [render_with_frame(pixels, first, end, *room, color) for pixels in images]
    cells = Segment.get_line_length(blocks[0][0])
    rows = [*render_text(title, width, PLAIN), []]
    for left_row, right_row in zip(*blocks, strict=True):
        rows.append([*left_row, Segment(between), *right_row])
    if len(left) <= cells and cells + len(between) + len(right) <= width:
        rows.append([Segment(left.ljust(cells), style), Segment(between), Segment(right, QUIET)])
    else:
        rows += [*render_text(f"left: {left}", width, style), *render_text(f"right: {right}", width)]
    return [
        *rows,
        [],
        *render_text(describe_theoretical(size, first, end, image_height, image_width), width, PLAIN),
        *render_text(describe_effective(effective, size), width),
    ]


def describe_theoretical(size: list[int | None], first: list[int], end: list[int], height: int, width: int) -> str:
    """Return a sentence on the theoretical receptive field of the unit in an image of `height` x `width` pixels."""
    if None in size:
        return (
            f"Theoretical receptive field: the whole {height}x{width} image, because a layer before this unit averages "
            "over all positions."
        )
    beyond = ""
    if min(first) < 0 or end[0] > height or end[1] > width:
        beyond = f". It extends beyond the {height}x{width} image, where it covers padding"
    where = f"rows {first[0]} to {end[0] - 1}, columns {first[1]} to {end[1] - 1}"
    return f"Theoretical receptive field: {format_shape(size)} pixels (the border), {where}{beyond}."


def describe_effective(effective: dict[str, Any], size: list[int | None]) -> str:
    """Return a sentence on the effective receptive field of the unit."""
    if not effective["pixels"]:
        return "Effective receptive field: none, because the gradient is 0 for every pixel of these samples."
    area = f", {effective['pixels'] / (size[0] * size[1]):.0%} of the border's area" if size[0] and size[1] else ""
    return (
        f"Effective receptive field: {effective['pixels']} pixels, those whose gradient is at least 4.55% of the "
        f"largest. That is the area of a {effective['side']:.1f}x{effective['side']:.1f} square{area}."
    )


def to_heatmap(values: list[list[float]]) -> list[list[Pixel]]:
    """Return numbers from 0 to the largest as colors of increasing brightness: black, red, yellow, white."""
    largest = max(map(max, values)) or 1.0

    def to_color(share: float) -> Pixel:
        red, green, blue = (round(255 * min(max(3 * share - offset, 0.0), 1.0)) for offset in range(3))
        return red, green, blue

    return [[to_color(value / largest) for value in row] for row in values]


DRAWINGS: dict[str, Callable[[dict[str, Any], int, int, bool], Rows]] = {
    "filters": draw_filters,
    "maps": draw_feature_maps,
    "errors": draw_errors,
    "field": draw_receptive_field,
    "weights": draw_weights,
    "gradients": draw_gradients,
    "dead": draw_dead_units,
}
