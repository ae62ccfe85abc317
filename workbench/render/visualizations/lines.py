"""Numbers on a line, and a line in two units at once."""

from collections import Counter
from typing import Any

from quizzes.question import value_text
from workbench.render.scale import Scale, written
from workbench.render.visualizations.grid import Grid, spread

SIGNS = "●○◆◇"


def draw_number_line(data: dict[str, Any], width: int, height: int) -> str:
    """Named values over one axis, a row for each name, equal ones one upon the other.

    A name that begins with ± is a threshold: it stands at its value on both sides of 0.
    """
    values, edges = _read(data)
    scale = Scale.around([*(v for known in values.values() for v in known), *edges])
    left = max(map(len, values)) + 1
    wide = width - left

    def column(value: float) -> int:
        return round(scale.place(value) * (wide - 1))

    grid = Grid(width, height)
    room, y = (height - 2) // len(values), -1
    for (name, known), sign in zip(values.items(), SIGNS, strict=False):
        places = Counter(map(column, known))
        y += min(room, max(places.values()) + (1 if room > 2 else 0))
        grid.put(0, y, name)
        for x, count in places.items():
            for level in range(min(count, room)):
                grid.put(left + x, y - level, sign)
    for edge in edges:
        for row in range(y + 1):
            if grid.is_free(left + column(edge), row, 1):
                grid.put(left + column(edge), row, "┊")
    ticks = scale.ticks(max(2, wide // 5))
    labels = [(column(edge), value_text(edge)) for edge in edges] + [(column(tick), written(tick)) for tick in ticks]
    grid.put(left, y + 1, "─" * wide)
    for x, _ in labels:
        grid.put(left + x, y + 1, "┴")
    grid.put(left, y + 2, spread(labels, wide))
    return grid.text().strip("\n")


def tell_number_line(data: dict[str, Any]) -> str:
    """The values of several names in their common order; those of one name stand in the prompt."""
    values, _ = _read(data)
    if len(values) < 2:
        return ""
    order = sorted((value, name) for name, known in values.items() for value in known)
    return f"In order: {', '.join(f'{name} {value_text(value)}' for value, name in order)}."


def _read(data: dict[str, Any]) -> tuple[dict[str, list[float]], list[float]]:
    """Values by name, and the thresholds."""
    values = {name: known for name, known in data.items() if not name.startswith("±")}
    return values, [edge for name, size in data.items() if name.startswith("±") for edge in (-size, size)]


def draw_rescaling(data: dict[str, Any], width: int, height: int) -> str:
    """From `x_min` and `x_max` to `a` and `b`: what `x` becomes, or what became `u`."""
    low, high, a, b = (data[name] for name in ("x_min", "x_max", "a", "b"))
    at = (data["x"] - low) / (high - low) if "x" in data else (data["u"] - a) / (b - a)
    return _two_scales(
        ("x", {0: value_text(low), 1: value_text(high)}, data.get("x")),
        ("u", {0: value_text(a), 1: value_text(b)}, data.get("u")),
        at,
        width,
    )


def draw_deviations(data: dict[str, Any], width: int, height: int) -> str:
    """A value `x` or its score `z`, on a line in the feature's unit and in standard deviations."""
    at = (data["x"] - data["mu"]) / data["sigma"] if "x" in data else data["z"]
    return _two_scales(
        ("x", {0: f"mu {value_text(data['mu'])}"}, data.get("x")),
        ("z", {z: str(z) for z in (0, -3, 3, -1, 1, -2, 2)}, data.get("z")),
        at,
        width,
    )


Axis = tuple[str, dict[int, str], float | None]  # its name, the labels by place, the value where it is known


def _two_scales(above: Axis, below: Axis, at: float, width: int) -> str:
    """Two axes over one another, and the place that is known in one of them and asked in the other."""
    scale = Scale.around([*above[1], *below[1], at])
    wide = width - 2
    column = round(scale.place(at) * (wide - 1))
    rows = []
    for name, labels, value in (above, below):
        marked = (column, "?" if value is None else value_text(value))
        known = [(round(scale.place(place) * (wide - 1)), text) for place, text in labels.items()]
        axis = Grid(wide, 1)
        axis.put(0, 0, "─" * wide)
        for x, _ in known:
            axis.put(x, 0, "┴" if name == above[0] else "┬")
        axis.put(column, 0, "┼")
        rows.append([f"{name} {spread([marked, *known], wide)}".rstrip(), f"  {axis.text()}"])
    between = f"{' ' * (column + 2)}┊"
    return "\n".join([*rows[0], between, *reversed(rows[1])])
