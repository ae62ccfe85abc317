"""Windows on a feature map: a sliding kernel, a kernel on its first window, and pooling."""

from typing import Any

from quizzes.procedure import number_text
from quizzes.question import value_text
from workbench.render.visualizations.grid import DASHED, LIGHT, Grid, arrange_blocks
from workbench.render.visualizations.matrices import block

Window = tuple[int, int]  # its first row and first column


def draw_kernel_slide(data: dict[str, Any], width: int, height: int) -> str:
    """Draw a kernel of size `f` on an input of size `n`, with padding `p` and stride `s`; not to scale."""
    right, bottom = min(width, 30) - 1, min(height, 10) - 1
    canvas = Grid(right + 1, bottom + 1)
    padding = data.get("p", "p" if "o" in data else 0)  # unknown if the output size is given
    pad = int(padding != 0)
    if pad:
        canvas.draw_box(0, 0, right, bottom, DASHED)
        canvas.put(2, 0, f" padding {padding} ")
    canvas.draw_box(2 * pad, pad, right - 2 * pad, bottom - pad, LIGHT)
    canvas.put(14, pad, f" {_square(data, 'n')} ")
    canvas.fill(pad, pad, pad + 10, pad + 3, "▒")
    canvas.put(pad + 1, pad + 1, f" {_square(data, 'f')} ".center(9, "▒"))
    if data.get("d", 1) != 1:
        canvas.put(pad + 1, pad + 2, f" d = {data['d']} ".center(9, "▒"))
    canvas.put(pad + 12, pad + 2, f"→ {data.get('s', 's')}")
    canvas.put(pad + 3, pad + 4, f"↓ {data.get('s', 's')}")
    return canvas.text()


def _square(data: dict[str, Any], name: str) -> str:
    return f"{data.get(name, name)} x {data.get(name, name)}"


def draw_dilation(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the first two weights in a row of a kernel of size `f`, and the `d` - 1 skipped pixels between them."""
    f, d = data.get("f", "?"), data.get("d")
    gap = " ? " if d is None else "·" * (d - 1)
    span = [f"spanning {data['E']} pixels"] if "E" in data else []
    return "\n".join([f"■{gap}■ ...", f"{f} weights per row", *span])


def draw_windows(matrix: list[list[Any]], windows: list[Window], k: int, across: int | None = None) -> list[str]:
    """Draw a matrix with boxes around windows of `k` rows and `across` columns, `k` by default."""
    across = across or k
    cells = [[value_text(v) for v in row] for row in matrix]
    cell_width = max(len(text) for row in cells for text in row)
    edges = {edge for row, _ in windows for edge in (row, row + k)}

    def line(row: int) -> int:
        return row + sum(edge <= row for edge in edges)

    grid = Grid(len(cells[0]) * (cell_width + 1) + 1, line(len(cells)))
    for y, row in enumerate(cells):
        for x, text in enumerate(row):
            grid.put(x * (cell_width + 1) + 1, line(y), text.rjust(cell_width))
    grid.draw_frames(
        (x * (cell_width + 1), line(y) - 1, (x + across) * (cell_width + 1), line(y + k) - 1) for y, x in windows
    )
    return grid.text().splitlines()


def draw_convolution(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the input `X` with zero padding `p` and a box around its first window, next to the kernel `K`."""
    X, K, p = data["X"], data["K"], data["p"]
    ring = [[0] * (len(X[0]) + 2 * p)] * p
    padded = [*ring, *([*[0] * p, *row, *[0] * p] for row in X), *ring]
    return "\n".join(
        arrange_blocks([["X, padded" if p else "X", *draw_windows(padded, [(0, 0)], len(K))], block("K", K)], width)
    )


def draw_pooling(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the input `X` with boxes around its windows, or only the first if they overlap, next to the output.

    The output is the upstream gradient `G` if that is given, else a question mark per window.
    """
    X, k, s = data["X"], data["k"], data["s"]
    windows = [(y, x) for y in range(0, len(X) - k + 1, s) for x in range(0, len(X[0]) - k + 1, s)]
    boxes = windows if s >= k else windows[:1]
    columns = len({x for _, x in windows})
    unknown = [["?"] * columns] * (len(windows) // columns)
    after = block("G", data["G"]) if "G" in data else block("M, A", unknown)
    return "\n".join(arrange_blocks([["X", *draw_windows(X, boxes, k)], after], width))


def draw_sliding_window(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the padded input `X` with a window, the kernel `K` if there is one, and the `outputs` so far.

    The window has `height` rows and `width` columns, `d` apart, and begins at (`top`, `left`); None if there is none
    yet. The outputs will have the `shape`; values that are missing are dots. Of a map that is too large, the part
    around the window or the newest value is drawn.
    """
    rows, columns = (data["d"] * (data[extent] - 1) + 1 for extent in ("height", "width"))
    kernel = [block("K", _texts(data["K"]))] if "K" in data else []
    text = ""
    for limit in range(max(len(data["X"]), len(data["X"][0]), *data["shape"]), 0, -1):
        blocks = [_draw_input(data, rows, columns, limit), *kernel]
        blocks += [_draw_output(name, output, data["shape"], limit) for name, output in data["outputs"].items()]
        lines = arrange_blocks(blocks, width)
        text = "\n".join(line[:width] for line in lines[:height])
        if len(lines) <= height and max(map(len, lines)) <= width:
            break
    return text


def _draw_input(data: dict[str, Any], rows: int, columns: int, limit: int) -> list[str]:
    """Return the lines of the input with the window; at most `limit` rows and columns, but the whole window."""
    X, top, left, d = data["X"], data["top"], data["left"], data["d"]
    first_row, last_row = _part(len(X), top or 0, rows, limit)
    first_column, last_column = _part(len(X[0]), left or 0, columns, limit)
    cells = _texts([row[first_column:last_column] for row in X[first_row:last_row]])
    name = "X" if (last_row - first_row, last_column - first_column) == (len(X), len(X[0])) else "part of X"
    if top is None:
        return [name, *draw_windows(cells, [], rows, columns)]
    y, x = top - first_row, left - first_column
    for i in range(rows):
        for j in range(columns):
            if i % d or j % d:
                cells[y + i][x + j] = "·"  # dilation skips it
    return [name, *draw_windows(cells, [(y, x)], rows, columns)]


def _draw_output(name: str, output: list[list[Any]], shape: list[int], limit: int) -> list[str]:
    """Return the lines of an output, with dots for the values to come."""
    rows, columns = shape
    cells = [["·"] * columns for _ in range(rows)]
    for cell_row, texts in zip(cells, _texts(output), strict=False):
        cell_row[: len(texts)] = texts
    newest = (max(0, len(output) - 1), max(0, len(output[-1]) - 1) if output else 0)
    first_row, last_row = _part(rows, newest[0], 1, limit)
    first_column, last_column = _part(columns, newest[1], 1, limit)
    if (last_row - first_row, last_column - first_column) != (rows, columns):
        name = f"part of {name}"
    return block(name, [row[first_column:last_column] for row in cells[first_row:last_row]])


def _part(length: int, start: int, count: int, limit: int) -> tuple[int, int]:
    """Return the first index and the end of a part with at most `limit` indices, or `count` from `start` if more."""
    size = min(length, max(limit, count))
    first = min(max(0, start - (size - count) // 2), length - size)
    return first, first + size


def _texts(matrix: list[list[Any]]) -> list[list[str]]:
    return [[number_text(value) for value in row] for row in matrix]
