"""A drawing of the time and the memory of a training step, layer by layer."""

from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import Rows
from workbench.render.paragraph import BOLD, render_text, shorten_start
from workbench.render.shape import format_shape

FORWARD, BACKWARD = Style(color="cyan"), Style(color="magenta")
MIN_BAR = 8  # cells
NUMBERS = 36  # cells of the columns of numbers


def draw_profile(result: dict[str, Any], width: int) -> Rows:
    """Render a profile: a row per layer in the order in which they start, with a bar of its time; then the totals.

    Args:
        result: What `engine.profile.profile` returned.
        width: Number of cells per row.
    """
    about = (
        f"A training step of {result['model']} ({result['preset']}) on {result['task']}, batch of "
        f"{result['batch_size']}, on {result['device']}: {format_seconds(result['seconds'])}. The mean of "
        f"{result['steps']} steps with the profiler, which takes time itself: {format_seconds(result['total'])}."
    )
    layers, rest = result["layers"], _rest(result)
    names = [row["layer"] for row in (*layers, *rest)]
    shapes = [format_shape(row["output_shape"][1:]) for row in layers]
    shape_width = max(6, *map(len, shapes)) + 1
    indent = min(max(map(len, names)), max(10, width - NUMBERS - shape_width - MIN_BAR)) + 1
    bar = max(MIN_BAR, min(40, width - indent - shape_width - NUMBERS))
    largest = max(row["forward"] + row["backward"] for row in (*layers, *rest)) or 1.0
    heads = f"{'layer':<{indent}}{'output':<{shape_width}}{'forward':>8}{'backward':>9}{'share':>6}"
    rows: Rows = [
        *render_text(about, width, PLAIN),
        [],
        _clip([Segment(f"{heads} {'':{bar}} {'saved':>9}", BOLD)], width),
    ]
    for row, shape in zip((*layers, *rest), [*shapes, *[""] * len(rest)], strict=True):
        seconds = row["forward"] + row["backward"]
        name = shorten_start(row["layer"], indent - 1)
        numbers = (
            f"{name:<{indent}}{shape:<{shape_width}}{format_seconds(row['forward']):>8}"
            f"{format_seconds(row['backward']):>9}{_share(seconds, result['total']):>6} "
        )
        saved = format_bytes(row["saved_bytes"]) if row["saved_bytes"] else ""
        bars = _draw_bar(row["forward"] / largest, row["backward"] / largest, bar)
        rows.append(_clip([Segment(numbers), *bars, Segment(f" {saved:>9}", QUIET)], width))
    legend = "Bars: █ forward, ▒ backward. saved: the memory that is saved for the backward pass."
    return [*rows, [], *render_text(legend, width), *_draw_totals(result, width), [], *_draw_operators(result, width)]


def _rest(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what takes time besides the layers, as rows like theirs."""
    rows = [{"layer": "(loss)", **result["loss"]}]
    for name in ("optimizer", "other"):
        rows.append({"layer": f"({name})", "forward": result[name], "backward": 0.0, "saved_bytes": 0})
    return rows


def _draw_bar(forward: float, backward: float, width: int) -> list[Segment]:
    """Render two shares of a bar side by side."""
    first = round(forward * width)
    second = round((forward + backward) * width) - first
    return [Segment("█" * first, FORWARD), Segment("▒" * second, BACKWARD), Segment(" " * (width - first - second))]


def _draw_totals(result: dict[str, Any], width: int) -> Rows:
    total = result["total"]
    times = ", ".join(
        f"{name} {format_seconds(result[name])} ({_share(result[name], total)})"
        for name in ("forward", "backward", "optimizer", "other")
    )
    memory = ", ".join(f"{name} {format_bytes(size)}" for name, size in result["memory"].items())
    return [
        *render_text(f"Time: {times}. other: data, Python, and all else.", width, PLAIN),
        *render_text(f"Memory: {memory}.", width, PLAIN),
    ]


def _draw_operators(result: dict[str, Any], width: int) -> Rows:
    """Render the operators that take the most time."""
    heads = f"{'operator':<36}{'time':>9}{'share':>7}{'calls':>7}"
    rows: Rows = [_clip([Segment(heads, BOLD)], width)]
    for operator in result["operators"]:
        numbers = f"{format_seconds(operator['time']):>9}{_share(operator['time'], result['total']):>7}"
        text = f"{shorten_start(operator['name'], 35):<36}{numbers}{operator['calls']:>7g}"
        rows.append(_clip([Segment(text)], width))
    return rows


def _clip(row: list[Segment], width: int) -> list[Segment]:
    return list(Segment.adjust_line_length(row, width, pad=False))


def _share(seconds: float, total: float) -> str:
    return f"{seconds / total:.0%}" if total else "0%"


def format_seconds(seconds: float) -> str:
    """Return a time in seconds, milliseconds or microseconds: `1.25 s`, `12.3 ms`, `45 µs`."""
    if seconds >= 1:
        return f"{seconds:.3g} s" if seconds < 100 else f"{seconds:.0f} s"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.3g} ms"
    return f"{seconds * 1e6:.0f} µs" if seconds else "0"


def format_bytes(size: int) -> str:
    """Return a size of memory: `512 B`, `9.4 KiB`, `8.2 MiB`."""
    number = float(size)
    for unit in ("B", "KiB", "MiB"):
        if number < 1024:
            return f"{number:.0f} {unit}" if number >= 10 or unit == "B" else f"{number:.1f} {unit}"
        number /= 1024
    return f"{number:.1f} GiB"
