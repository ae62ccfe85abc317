"""Boxes in an image, to scale, with the intersection of two of them."""

from typing import Any

from workbench.render.visualizations.grid import DASHED, DOUBLE, HEAVY, LIGHT, ROUND, Grid


def draw_boxes(data: dict[str, Any], width: int, height: int) -> str:
    """Draw boxes `A` and `B`, or `boxes` with their `labels`; each is [x1, y1, x2, y2]."""
    boxes = _boxes_by_name(data)
    left, top = (min(b[k] for b in boxes.values()) for k in (0, 1))
    extent_x, extent_y = (max(b[k + 2] for b in boxes.values()) - low for k, low in ((0, left), (1, top)))
    scale = min((width - 1) / extent_x, 2 * (height - 1) / extent_y)  # columns per pixel
    canvas = Grid(width, round(extent_y * scale / 2) + 1)
    cells = {
        name: [round((b[0] - left) * scale), round((b[1] - top) * scale / 2),
               round((b[2] - left) * scale), round((b[3] - top) * scale / 2)]
        for name, b in boxes.items()
    }  # fmt: skip
    if len(boxes) == 2:
        (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = cells.values()
        canvas.fill(max(ax1, bx1), max(ay1, by1), min(ax2, bx2), min(ay2, by2), "░")
    for (x1, y1, x2, y2), lines in zip(cells.values(), [LIGHT, HEAVY, DOUBLE, DASHED, ROUND], strict=False):
        canvas.draw_box(x1, y1, x2, y2, lines)
    for name, (x1, y1, _, _) in cells.items():
        canvas.put(x1 + 1, y1, name)
    return canvas.text()


def _boxes_by_name(data: dict[str, Any]) -> dict[str, list[float]]:
    if "boxes" in data:
        return dict(zip(data["labels"], data["boxes"], strict=True))
    return {"A": data["A"], "B": data["B"]}
