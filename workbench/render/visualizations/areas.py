"""Boxes in an image, to scale, with the intersection of two of them."""

from typing import Any

from quizzes.question import value_text
from workbench.render.visualizations.grid import DASHED, DOUBLE, HEAVY, LIGHT, ROUND, Grid


def draw_boxes(data: dict[str, Any], width: int, height: int) -> str:
    """Draw boxes `A` and `B`, or `boxes` with their `labels`, each [x1, y1, x2, y2]; in a `frame`, if there is one."""
    boxes = _boxes_by_name(data)
    canvas, cells = _to_cells(boxes, width, height, data.get("frame"))
    if len(boxes) == 2:
        (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = cells.values()
        canvas.fill(max(ax1, bx1), max(ay1, by1), min(ax2, bx2), min(ay2, by2), "░")
    for (x1, y1, x2, y2), lines in zip(cells.values(), [LIGHT, HEAVY, DOUBLE, DASHED, ROUND], strict=False):
        canvas.draw_box(x1, y1, x2, y2, lines)
    for name, (x1, y1, _, _) in cells.items():
        canvas.put(x1 + 1, y1, name)
    return canvas.text()


def draw_suppression(data: dict[str, Any], width: int, height: int) -> str:
    """Draw `boxes` with their `labels`: the `current` one, and those in `keep` and `suppressed`, in different lines."""
    boxes = _boxes_by_name(data)
    keep, suppressed, current = data["keep"], data["suppressed"], data["current"]
    waiting = [name for name in boxes if name not in [*keep, *suppressed]]
    groups = [("suppressed", DASHED, suppressed), ("waiting", LIGHT, waiting), ("kept", HEAVY, keep)]
    canvas, cells = _to_cells(boxes, width, height - 1, data.get("frame"))
    for _, lines, names in groups:
        for name in names:
            canvas.draw_box(*cells[name], lines)
    occupied: set[tuple[int, int]] = set()
    for name, (x1, y1, x2, _) in cells.items():
        text = f"▸{name}" if name == current else name
        free = (x for x in range(x1 + 1, x2) if not occupied & {(x + k, y1) for k in range(-1, len(text) + 1)})
        x = next(free, x1 + 1)
        canvas.put(x, y1, text)
        occupied |= {(x + k, y1) for k in range(len(text))}
    legend = "   ".join(f"{lines[0] * 2} {group} {', '.join(names)}" for group, lines, names in groups if names)
    return f"{legend[:width]}\n{canvas.text()}"


def draw_anchors(data: dict[str, Any], width: int, height: int) -> str:
    """Draw `anchors`, each (width, height), around one center, with letters; and `boxes` of that form, with numbers."""
    groups = {"anchors": (data["anchors"], LIGHT), "boxes": (data.get("boxes") or [], DASHED)}
    shapes = [shape for group, _ in groups.values() for shape in group]
    extent = [max(shape[k] for shape in shapes) for k in (0, 1)]
    scale = frame_scale([0, 0, *extent], width, height - 1)
    canvas = Grid(*(round(size) + 1 for size in (extent[0] * scale, extent[1] * scale / 2)))
    signs = []
    for group, lines in reversed(groups.values()):
        for number, (w, h) in enumerate(group, 1):
            across, down = round(w * scale), round(h * scale / 2)
            x, y = (len(canvas.rows[0]) - 1 - across) // 2, (len(canvas.rows) - 1 - down) // 2
            canvas.draw_box(x, y, x + across, y + down, lines)
            signs.append((x + 1, y, chr(64 + number) if lines == LIGHT else str(number)))
    for x, y, sign in signs:  # after all lines, so that none hides a sign
        free = (at for at in range(x, len(canvas.rows[y])) if canvas.rows[y][at] in f"{LIGHT[0]}{DASHED[0]} ")
        canvas.put(next(free, x), y, sign)
    legend = "   ".join(f"{lines[0] * 2} {name}" for name, (group, lines) in groups.items() if group)
    return f"{legend[:width]}\n{canvas.text()}"


def draw_roi_grid(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the cells of the map `X`, with their values if there is room, and on them the region `roi`, not rounded.

    The region is in pixels, and a cell is `s` pixels.
    """
    rows, columns = len(data["X"]), len(data["X"][0])
    across = max(1, min(6, (width - 4) // columns))
    down = max(1, min(2, (height - 2) // rows))
    canvas = Grid(width, rows * down + 2)
    for column in range(columns):
        canvas.put(3 + column * across + across // 2, 0, str(column))
    for row in range(rows):
        canvas.put(0, 1 + row * down + down // 2, str(row))
    for y in range(rows + 1):
        for x in range(columns + 1):
            canvas.put(3 + x * across, 1 + y * down, "·")
    x1, y1, x2, y2 = (value / data["s"] for value in data["roi"])
    cells = [round(x1 * across), round(y1 * down), round(x2 * across), round(y2 * down)]
    canvas.draw_box(3 + cells[0], 1 + cells[1], 3 + cells[2], 1 + cells[3], HEAVY)
    for row, values in enumerate(data["X"]):
        for column, value in enumerate(values):
            if down > 1 and len(value_text(value)) < across:
                canvas.put(3 + column * across + across // 2, 1 + row * down + down // 2, value_text(value))
    return canvas.text()


def frame_scale(frame: list[float], width: int, height: int) -> float:
    """Return the columns per pixel at which a frame [x1, y1, x2, y2] fits; a row has twice the pixels of a column."""
    return min((width - 1) / (frame[2] - frame[0]), 2 * (height - 1) / (frame[3] - frame[1]))


def _to_cells(
    boxes: dict[str, list[float]], width: int, height: int, frame: list[float] | None
) -> tuple[Grid, dict[str, tuple[int, int, int, int]]]:
    """Return an empty grid, and the corners of each box in it: x1, y1, x2, y2 in cells.

    Args:
        boxes: The boxes by name.
        width: Columns.
        height: Rows.
        frame: What the grid shows; None for the smallest box around all boxes.
    """
    lows = [min(box[k] for box in boxes.values()) for k in (0, 1)]
    left, top, right, bottom = frame or [*lows, *(max(box[k] for box in boxes.values()) for k in (2, 3))]
    scale = frame_scale([left, top, right, bottom], width, height)
    canvas = Grid(width, round((bottom - top) * scale / 2) + 1)
    cells = {
        name: (round((b[0] - left) * scale), round((b[1] - top) * scale / 2),
               round((b[2] - left) * scale), round((b[3] - top) * scale / 2))
        for name, b in boxes.items()
    }  # fmt: skip
    return canvas, cells


def _boxes_by_name(data: dict[str, Any]) -> dict[str, list[float]]:
    if "boxes" in data:
        return dict(zip(data["labels"], data["boxes"], strict=True))
    return {"A": data["A"], "B": data["B"]}
