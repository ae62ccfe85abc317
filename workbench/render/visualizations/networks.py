"""Networks as columns of units, with the weights on the edges between them."""

from itertools import pairwise
from typing import Any

from quizzes.question import value_text
from workbench.render.canvas import PLAIN, Canvas
from workbench.render.visualizations.grid import Grid

# Positions of a weight on its edge, the best first; sloped edges cross each other in the middle.
HORIZONTAL, SLOPED = (0.5, 0.4, 0.6, 0.3, 0.7), (0.3, 0.25, 0.35, 0.2, 0.4, 0.75, 0.7, 0.8)
MAX_GAP = 16  # cells between two columns
Units = list[list[str]]
Weights = list[list[list[float | None]]]  # for each gap, a row for each unit after it; None is an edge without text


def draw_neuron(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a neuron with inputs `x`, weights `w`, bias `b` and pre-activation `z`, which may be unknown."""
    inputs = [f"x{k} {value_text(v)}" for k, v in enumerate(data["x"], 1)]
    units = [inputs, ["(sum)"], [f"z {_value_or_question_mark(data.get('z'))}"]]
    below = {(1, 0): f"b {_value_or_question_mark(data.get('b'))}"}
    return draw_units(units, [[data["w"]], [[None]]], width, height, below)


def draw_two_neurons(data: dict[str, Any], width: int, height: int) -> str:
    """Draw two neurons in sequence, and the loss."""
    units = [[f"x {value_text(data['x'])}"], ["(h)"], ["(y)"], ["L"]]
    below = {(k, 0): f"{name} {value_text(data[name])}" for k, name in ((1, "b1"), (2, "b2"), (3, "t"))}
    return draw_units(units, [[[data["w1"]]], [[data["w2"]]], [[None]]], width, min(height, 5), below)


def draw_network(data: dict[str, Any], width: int, height: int) -> str:
    """Draw inputs `x`, weights `W1` to units h and `W2` or `w2` to units z, with optional biases `b1` and `b2`."""
    second = data["W2"] if "W2" in data else [data["w2"]]
    names = [f"z{k}" for k in range(1, len(second) + 1)] if len(second) > 1 else ["z"]
    units = [[f"x{k} {value_text(v)}" for k, v in enumerate(data["x"], 1)],
             [f"(h{k})" for k in range(1, len(data["W1"]) + 1)], [f"({name})" for name in names]]  # fmt: skip
    biases = [data.get("b1") or [], data["b2"] if isinstance(data.get("b2"), list) else [data.get("b2")]]
    below = {
        (column, k): f"b {value_text(b)}"
        for column, row in enumerate(biases, 1)
        for k, b in enumerate(row)
        if b is not None
    }
    return draw_units(units, [data["W1"], second], width, height, below)


def draw_layers(data: dict[str, Any], width: int, height: int) -> str:
    """Draw fully connected layers by their numbers of units; an unknown number is `?`."""
    columns = [_circles(count) for count in data.values()]
    weights: Weights = [[[None] * len(before) for _ in after] for before, after in pairwise(columns)]
    lines = draw_units(columns, weights, width, height - 1, {}).splitlines()
    row = Grid(width, 1)
    for x, count in zip(_column_starts(columns, width), data.values(), strict=True):
        text = _value_or_question_mark(count)
        row.put(min(max(0, x - len(text) // 2), width - len(text)), 0, text)
    return "\n".join([*lines, row.text()])


def _circles(count: int | None) -> list[str]:
    return ["○"] * count if count is not None and count < 3 else ["○", "⋮", "○"]


def _column_starts(units: Units, width: int) -> list[int]:
    """Return the first cell of every column."""
    widths = [max(map(len, column)) for column in units]
    gap = min(MAX_GAP, (width - sum(widths)) // (len(units) - 1))
    return [sum(widths[:k]) + gap * k for k in range(len(units))]


def draw_units(units: Units, weights: Weights, width: int, height: int, below: dict[tuple[int, int], str]) -> str:
    """Draw columns of units connected by edges.

    Args:
        units: The texts of the units, column by column.
        weights: The weights on the edges: for each gap between columns, a row for each unit after it.
        width: Number of cells per row.
        height: Number of rows.
        below: The text below a unit, by its column and its index in the column.
    """
    grid, canvas, starts = Grid(width, height), Canvas(width, height), _column_starts(units, width)
    rows = [[round((2 * k + 1) * height / (2 * len(column)) - 0.5) for k in range(len(column))] for column in units]
    edges, dots = [], []
    for gap, matrix in enumerate(weights):
        for after, row in enumerate(matrix):
            for before, weight in enumerate(row):
                if "⋮" in (units[gap][before], units[gap + 1][after]):
                    continue
                x1, x2 = starts[gap] + len(units[gap][before]), starts[gap + 1] - 1
                y1, y2 = rows[gap][before], rows[gap + 1][after]
                dots += [(2 * x1, 4 * y1 + 1), (2 * x2 + 1, 4 * y2 + 1), None]
                if weight is not None:
                    edges.append(((x1, y1), (x2, y2), value_text(weight)))
    canvas.paint(dots, PLAIN, dotted=False)
    for column, names in enumerate(units):
        for k, name in enumerate(names):
            grid.put(starts[column], rows[column][k], name)
            note = below.get((column, k), "")
            center = starts[column] + len(name) // 2
            grid.put(min(max(0, center - len(note) // 2), width - len(note)), rows[column][k] + 1, note)
    for start, end, text in edges:
        _label(grid, start, end, text)
    for y in range(height):
        painted = "".join(segment.text for segment in canvas.row(y))
        for x, character in enumerate(painted):
            if grid.is_free(x, y, 1):
                grid.put(x, y, character)
    return grid.text()


def _label(grid: Grid, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
    """Write a weight on its edge, with a blank before and after it if there is room."""
    (x1, y1), (x2, y2) = start, end
    for room in (1, 0):
        for fraction in HORIZONTAL if y1 == y2 else SLOPED:
            x = round((x1 + x2 - len(text) + 1) / 2 + (fraction - 0.5) * (x2 - x1))
            y = round(y1 + fraction * (y2 - y1))
            if grid.is_free(x - room, y, len(text) + 2 * room):
                grid.put(x, y, text)
                return


def _value_or_question_mark(value: float | None) -> str:
    return "?" if value is None else value_text(value)
