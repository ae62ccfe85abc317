"""Numbers on a line, and a line with two scales."""

from collections import Counter
from typing import Any

from quizzes.question import value_text
from workbench.render.scale import Scale, format_tick
from workbench.render.visualizations.grid import Grid, place_labels

SIGNS = "●○◆◇"


def draw_number_line(data: dict[str, Any], width: int, height: int) -> str:
    """Draw named values above one axis, a row for each name, with equal values stacked.

    A name that begins with ± is a threshold, drawn at its value and at minus its value.
    """
    values, thresholds = _split(data)
    scale = Scale.fit([*(v for row in values.values() for v in row), *thresholds])
    left = max(map(len, values)) + 1
    axis_width = width - left

    def column(value: float) -> int:
        return round(scale.position(value) * (axis_width - 1))

    grid = Grid(width, height)
    room, y = (height - 2) // len(values), -1
    for (name, row), sign in zip(values.items(), SIGNS, strict=False):
        counts = Counter(map(column, row))
        y += min(room, max(counts.values()) + (1 if room > 2 else 0))
        grid.put(0, y, name)
        for x, count in counts.items():
            for level in range(min(count, room)):
                grid.put(left + x, y - level, sign)
    for threshold in thresholds:
        for level in range(y + 1):
            if grid.is_free(left + column(threshold), level, 1):
                grid.put(left + column(threshold), level, "┊")
    ticks = scale.ticks(max(2, axis_width // 5))
    labels = [(column(threshold), value_text(threshold)) for threshold in thresholds]
    labels += [(column(tick), format_tick(tick)) for tick in ticks]
    grid.put(left, y + 1, "─" * axis_width)
    for x, _ in labels:
        grid.put(left + x, y + 1, "┴")
    grid.put(left, y + 2, place_labels(labels, axis_width))
    return grid.text().strip("\n")


def describe_number_line(data: dict[str, Any]) -> str:
    """List the values of all names in ascending order; empty for a single name, whose values the prompt lists."""
    values, _ = _split(data)
    if len(values) < 2:
        return ""
    order = sorted((value, name) for name, row in values.items() for value in row)
    return f"In order: {', '.join(f'{name} {value_text(value)}' for value, name in order)}."


def _split(data: dict[str, Any]) -> tuple[dict[str, list[float]], list[float]]:
    """Return the values by name, and the thresholds."""
    values = {name: row for name, row in data.items() if not name.startswith("±")}
    return values, [threshold for name, size in data.items() if name.startswith("±") for threshold in (-size, size)]


def draw_rescaling(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the range from `x_min` to `x_max` above the range from `a` to `b`, with the value `x` or `u`."""
    low, high, a, b = (data[name] for name in ("x_min", "x_max", "a", "b"))
    at = (data["x"] - low) / (high - low) if "x" in data else (data["u"] - a) / (b - a)
    return _two_scales(
        ("x", {0: value_text(low), 1: value_text(high)}, data.get("x")),
        ("u", {0: value_text(a), 1: value_text(b)}, data.get("u")),
        at,
        width,
    )


def draw_deviations(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a value `x` or its score `z` on a line with two scales: the feature's unit and standard deviations."""
    at = (data["x"] - data["mu"]) / data["sigma"] if "x" in data else data["z"]
    return _two_scales(
        ("x", {0: f"mu {value_text(data['mu'])}"}, data.get("x")),
        ("z", {z: str(z) for z in (0, -3, 3, -1, 1, -2, 2)}, data.get("z")),
        at,
        width,
    )


Axis = tuple[str, dict[int, str], float | None]  # name, labels by position, the marked value or None if unknown


def _two_scales(above: Axis, below: Axis, at: float, width: int) -> str:
    """Draw two axes, one above the other, and the position `at`, whose value is unknown on one of them."""
    scale = Scale.fit([*above[1], *below[1], at])
    axis_width = width - 2
    column = round(scale.position(at) * (axis_width - 1))
    rows = []
    for name, labels, value in (above, below):
        value_label = (column, "?" if value is None else value_text(value))
        tick_labels = [(round(scale.position(tick) * (axis_width - 1)), text) for tick, text in labels.items()]
        axis = Grid(axis_width, 1)
        axis.put(0, 0, "─" * axis_width)
        for x, _ in tick_labels:
            axis.put(x, 0, "┴" if name == above[0] else "┬")
        axis.put(column, 0, "┼")
        rows.append([f"{name} {place_labels([value_label, *tick_labels], axis_width)}".rstrip(), f"  {axis.text()}"])
    between = f"{' ' * (column + 2)}┊"
    return "\n".join([*rows[0], between, *reversed(rows[1])])
