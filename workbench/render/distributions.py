"""Drawings of the weights and gradients of a network as histograms, and of the dead units of its ReLUs."""

from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import Rows
from workbench.render.paragraph import BOLD, render_text, shorten_start
from workbench.render.scale import format_tick
from workbench.render.shape import format_shape

BLOCKS = " ▁▂▃▄▅▆▇█"  # eighths of a cell, from the bottom
MAX_ROWS = 4  # of a histogram
BAR = Style(color="cyan")
DEAD = Style(color="red", bold=True)
DEAD_BAR = 20  # cells
MAX_INDICES = 8  # dead units of a layer that are listed


def draw_weights(result: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the histogram of each weight."""
    about = (
        "Weights: one histogram per parameter, from its smallest value to its largest, with the mean, the standard "
        "deviation and the share of zeros."
    )
    return [*render_text(about, width, PLAIN), *_draw_histograms(result["parameters"], width, height)]


def draw_gradients(result: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the histogram of each gradient."""
    about = (
        f"Gradient of the loss ({_format(result['loss'])}) of {result['samples']} training samples: one histogram "
        "per parameter, from its smallest value to its largest, with the norm of the gradient and of the weights."
    )
    rows = [*render_text(about, width, PLAIN), *_draw_histograms(result["parameters"], width, height)]
    if result["unused"]:
        rows += [[], *render_text(f"Without a gradient: {', '.join(result['unused'])}.", width)]
    return rows


def _draw_histograms(parameters: list[dict[str, Any]], width: int, height: int) -> Rows:
    """Render parameters below each other, with higher histograms if that leaves all of them visible."""
    bar_rows = min(MAX_ROWS, max(1, (height - 4) // max(1, len(parameters)) - 2))
    ends = [(_format(one["low"]), _format(one["high"])) for one in parameters]
    indent, right = (max((len(end[k]) for end in ends), default=0) + 2 for k in (0, 1))
    rows: Rows = []
    for one, (low, high) in zip(parameters, ends, strict=True):
        name, about = one["parameter"], f"{one['type']} {format_shape(one['shape'])}  {_format_numbers(one)}"
        if len(name) + 2 + len(about) <= width:
            rows += [[], [Segment(name, BOLD), Segment(f"  {about}", QUIET)]]
        else:
            rows += [[], *render_text(name, width, BOLD), *render_text(about, width)]
        bars = draw_histogram(one["counts"], bar_rows, width - indent - right)
        for row in bars[:-1]:
            rows.append([Segment(" " * indent), *row])
        rows.append([Segment(f"{low:>{indent - 1}} ", QUIET), *bars[-1], Segment(f" {high}", QUIET)])
    return rows


def _format(number: float) -> str:
    """Return a number with three significant digits."""
    return format_tick(float(f"{number:.3g}"))


def _format_numbers(one: dict[str, Any]) -> str:
    """Return the statistics of a parameter."""
    texts = [f"{name} {_format(one[name])}" for name in ("mean", "sd") if one[name] is not None]
    texts.append(f"zeros {one['zeros']:.0%}")
    if "weight_norm" in one:
        texts.append(f"norm {_format(one['norm'])} (weights {_format(one['weight_norm'])})")
    if one["not_finite"]:
        texts.append(f"not finite: {one['not_finite']}")
    return "  ".join(texts)


def draw_histogram(counts: list[int], bar_rows: int, width: int) -> Rows:
    """Render the bars of a histogram, each one cell wide, or two if there is room.

    Args:
        counts: The number of values in each bin. If there is no room for them, neighbors are added.
        bar_rows: Rows of the bars.
        width: Largest number of cells per row.
    """
    while len(counts) > max(1, width):
        counts = [sum(counts[k : k + 2]) for k in range(0, len(counts), 2)]
    cells = 2 if 2 * len(counts) <= width else 1
    largest = max(counts) or 1
    # A bin with few values differs from an empty one.
    levels = [max(round(8 * bar_rows * count / largest), 1) if count else 0 for count in counts]
    return [
        [Segment("".join(cells * BLOCKS[min(max(level - 8 * row, 0), 8)] for level in levels), BAR)]
        for row in reversed(range(bar_rows))
    ]


def draw_dead_units(result: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render the number and the share of dead units of each ReLU."""
    layers = result["layers"]
    dead, units = (sum(counts) for counts in zip(*((len(one["dead"]), one["units"]) for one in layers), strict=True))
    about = (
        f"{dead} of {units} units are dead: their output after the ReLU is 0 for all {result['samples']} samples of "
        "the validation set. A unit is a neuron, or a channel of feature maps with all its positions."
    )
    indent = min(max(5, *(len(one["layer"]) for one in layers)), max(8, width - DEAD_BAR - 34)) + 1
    heads = f"{'layer':<{indent}}{'units':>6}{'dead':>6}{'share':>7}  {'':{DEAD_BAR}} {'zeros':>6}"
    rows: Rows = [*render_text(about, width, PLAIN), [], [Segment(heads[:width], QUIET)]]
    for one in layers:
        count = len(one["dead"])
        share = count / one["units"]
        filled = round(share * DEAD_BAR) or int(count > 0)
        name = shorten_start(one["layer"], indent - 1)
        numbers = f"{name:<{indent}}{one['units']:>6}{count:>6}{share:>7.0%}  "
        row = [
            Segment(numbers, PLAIN),
            Segment("█" * filled, DEAD),
            Segment("░" * (DEAD_BAR - filled), QUIET),
            Segment(f" {one['zeros']:>6.0%}", QUIET),
        ]
        rows.append(list(Segment.adjust_line_length(row, width)))
        if count:
            indices = ", ".join(map(str, one["dead"][:MAX_INDICES]))
            more = f" and {count - MAX_INDICES} more" if count > MAX_INDICES else ""
            rows += render_text(f"dead: {indices}{more}", width)
    return [*rows, [], *render_text("zeros: the share of all outputs of the layer that is 0.", width)]
