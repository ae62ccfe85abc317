"""Units of a network in columns, with their weights on the edges between them."""

from itertools import pairwise
from typing import Any

from quizzes.question import value_text
from workbench.render.canvas import PLAIN, Canvas
from workbench.render.visualizations.grid import Grid

# Where on its edge a weight may stand, the best places first; edges that climb cross one another in the middle.
LEVEL, CLIMBING = (0.5, 0.4, 0.6, 0.3, 0.7), (0.3, 0.25, 0.35, 0.2, 0.4, 0.75, 0.7, 0.8)
WIDEST = 16  # cells between two columns
Units = list[list[str]]
Weights = list[list[list[float | None]]]  # for each gap a row for each unit after it; None draws the edge alone


def draw_neuron(data: dict[str, Any], width: int, height: int) -> str:
    """Inputs `x` with the weights `w` into one sum with the bias `b`; the sum `z` where it is given."""
    inputs = [f"x{k} {value_text(v)}" for k, v in enumerate(data["x"], 1)]
    return network([inputs, ["(sum)"], [f"z {_known(data.get('z'))}"]], [[data["w"]], [[None]]], width, height,
                   {(1, 0): f"b {_known(data.get('b'))}"})  # fmt: skip


def draw_two_neurons(data: dict[str, Any], width: int, height: int) -> str:
    """One unit after the other."""
    units = [[f"x {value_text(data['x'])}"], ["(h)"], ["(y)"], ["L"]]
    under = {(k, 0): f"{name} {value_text(data[name])}" for k, name in ((1, "b1"), (2, "b2"), (3, "t"))}
    return network(units, [[[data["w1"]]], [[data["w2"]]], [[None]]], width, min(height, 5), under)


def draw_network(data: dict[str, Any], width: int, height: int) -> str:
    """Inputs `x`, weights `W1` to units h and `W2` (or `w2`) to units z, with the biases `b1` and `b2` if there are."""
    second = data["W2"] if "W2" in data else [data["w2"]]
    names = [f"z{k}" for k in range(1, len(second) + 1)] if len(second) > 1 else ["z"]
    units = [[f"x{k} {value_text(v)}" for k, v in enumerate(data["x"], 1)],
             [f"(h{k})" for k in range(1, len(data["W1"]) + 1)], [f"({name})" for name in names]]  # fmt: skip
    biases = [data.get("b1") or [], data["b2"] if isinstance(data.get("b2"), list) else [data.get("b2")]]
    under = {
        (column, k): f"b {value_text(b)}"
        for column, row in enumerate(biases, 1)
        for k, b in enumerate(row)
        if b is not None
    }
    return network(units, [data["W1"], second], width, height, under)


def draw_layers(data: dict[str, Any], width: int, height: int) -> str:
    """Layers of so many units each, with every edge; what isn't given is `?`."""
    columns = [_circles(count) for count in data.values()]
    weights: Weights = [[[None] * len(before) for _ in after] for before, after in pairwise(columns)]
    drawn = network(columns, weights, width, height - 1, {}).splitlines()
    places = _columns(columns, width)
    row = Grid(width, 1)
    for x, count in zip(places, data.values(), strict=True):
        text = _known(count)
        row.put(min(max(0, x - len(text) // 2), width - len(text)), 0, text)
    return "\n".join([*drawn, row.text()])


def _circles(count: int | None) -> list[str]:
    return ["○"] * count if count is not None and count < 3 else ["○", "⋮", "○"]


def _columns(units: Units, width: int) -> list[int]:
    """The first cell of every column."""
    wide = [max(map(len, column)) for column in units]
    gap = min(WIDEST, (width - sum(wide)) // (len(units) - 1))
    return [sum(wide[:k]) + gap * k for k in range(len(units))]


def network(units: Units, weights: Weights, width: int, height: int, under: dict[tuple[int, int], str]) -> str:
    """Columns of units joined by edges.

    Args:
        units: The units' texts, column by column.
        weights: What stands on the edges, for each gap a row for each unit after it.
        width: Cells in a row.
        height: Rows.
        under: What stands under a unit, by its column and place in it.
    """
    grid, canvas, starts = Grid(width, height), Canvas(width, height), _columns(units, width)
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
            note = under.get((column, k), "")
            centre = starts[column] + len(name) // 2
            grid.put(min(max(0, centre - len(note) // 2), width - len(note)), rows[column][k] + 1, note)
    for start, end, text in edges:
        _label(grid, start, end, text)
    for y in range(height):
        painted = "".join(segment.text for segment in canvas.row(y))
        for x, character in enumerate(painted):
            if grid.is_free(x, y, 1):
                grid.put(x, y, character)
    return grid.text()


def _label(grid: Grid, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
    """Write a weight on its edge: with a blank on both sides where there is room for it."""
    (x1, y1), (x2, y2) = start, end
    for room in (1, 0):
        for share in LEVEL if y1 == y2 else CLIMBING:
            x, y = round((x1 + x2 - len(text) + 1) / 2 + (share - 0.5) * (x2 - x1)), round(y1 + share * (y2 - y1))
            if grid.is_free(x - room, y, len(text) + 2 * room):
                grid.put(x, y, text)
                return


def _known(value: float | None) -> str:
    return "?" if value is None else value_text(value)
