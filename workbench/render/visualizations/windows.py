"""Windows on a map: a filter that slides, a filter over its first patch, and pooling."""

from typing import Any

from quizzes.question import value_text
from workbench.render.visualizations.grid import DASHED, LIGHT, Grid, beside
from workbench.render.visualizations.matrices import block

Window = tuple[int, int]  # its first row and column


def draw_kernel_slide(data: dict[str, Any], width: int, height: int) -> str:
    """A filter of side `f` on a map of side `n`, with padding `p` and stride `s`: not to scale."""
    right, bottom = min(width, 30) - 1, min(height, 10) - 1
    canvas = Grid(right + 1, bottom + 1)
    padding = data.get("p", "p" if "o" in data else 0)  # sought where the output is given
    pad = int(padding != 0)
    if pad:
        canvas.box(0, 0, right, bottom, DASHED)
        canvas.put(2, 0, f" padding {padding} ")
    canvas.box(2 * pad, pad, right - 2 * pad, bottom - pad, LIGHT)
    canvas.put(14, pad, f" {_side(data, 'n')} ")
    canvas.fill(pad, pad, pad + 10, pad + 3, "▒")
    canvas.put(pad + 1, pad + 1, f" {_side(data, 'f')} ".center(9, "▒"))
    if data.get("d", 1) != 1:
        canvas.put(pad + 1, pad + 2, f" d = {data['d']} ".center(9, "▒"))
    canvas.put(pad + 12, pad + 2, f"→ {data.get('s', 's')}")
    canvas.put(pad + 3, pad + 4, f"↓ {data.get('s', 's')}")
    return canvas.text()


def _side(data: dict[str, Any], name: str) -> str:
    return f"{data.get(name, name)} x {data.get(name, name)}"


def draw_dilation(data: dict[str, Any], width: int, height: int) -> str:
    """The first two weights along a side of a filter of side `f`, and the `d` - 1 pixels skipped between them."""
    f, d = data.get("f", "?"), data.get("d")
    gap = " ? " if d is None else "·" * (d - 1)
    covered = [f"over {data['E']} pixels"] if "E" in data else []
    return "\n".join([f"■{gap}■ ...", f"{f} weights along a side", *covered])


def framed(matrix: list[list[Any]], windows: list[Window], k: int) -> list[str]:
    """A matrix with windows of side `k` outlined."""
    cells = [[value_text(v) for v in row] for row in matrix]
    wide = max(len(text) for row in cells for text in row)
    edges = {edge for row, _ in windows for edge in (row, row + k)}

    def line(row: int) -> int:
        return row + sum(edge <= row for edge in edges)

    grid = Grid(len(cells[0]) * (wide + 1) + 1, line(len(cells)))
    for y, row in enumerate(cells):
        for x, text in enumerate(row):
            grid.put(x * (wide + 1) + 1, line(y), text.rjust(wide))
    grid.frames((x * (wide + 1), line(y) - 1, (x + k) * (wide + 1), line(y + k) - 1) for y, x in windows)
    return grid.text().splitlines()


def draw_convolution(data: dict[str, Any], width: int, height: int) -> str:
    """The map `X` with its padding `p` of zeros, the first window of the filter `K` outlined, and the filter beside."""
    X, K, p = data["X"], data["K"], data["p"]
    ring = [[0] * (len(X[0]) + 2 * p)] * p
    padded = [*ring, *([*[0] * p, *row, *[0] * p] for row in X), *ring]
    return "\n".join(beside([["X, padded" if p else "X", *framed(padded, [(0, 0)], len(K))], block("K", K)], width))


def draw_pooling(data: dict[str, Any], width: int, height: int) -> str:
    """The map `X` with its windows outlined, or the first one where they overlap; beside it `G`, or what is asked."""
    X, k, s = data["X"], data["k"], data["s"]
    places = [(y, x) for y in range(0, len(X) - k + 1, s) for x in range(0, len(X[0]) - k + 1, s)]
    outlined = places if s >= k else places[:1]
    columns = len({x for _, x in places})
    asked = [["?"] * columns] * (len(places) // columns)
    after = block("G", data["G"]) if "G" in data else block("M, A", asked)
    return "\n".join(beside([["X", *framed(X, outlined, k)], after], width))
