"""Pictures beside a question: drawn in characters, and told in a sentence where nothing can be drawn."""

from collections.abc import Callable
from typing import Any

from quizzes.question import Picture, value_text


def draw(picture: Picture, width: int = 44, height: int = 14) -> str:
    """A picture as lines of characters, within so many cells; a cell is about twice as high as it is wide."""
    return DRAWINGS[picture.picture][0](picture.data, width, height)


def tell(picture: Picture) -> str:
    """A picture as a sentence, for line mode and screen readers; empty where the question says it all."""
    return DRAWINGS[picture.picture][1](picture.data)


class Grid:
    """Characters on a grid."""

    def __init__(self, width: int, height: int):
        self.rows = [[" "] * width for _ in range(height)]

    def put(self, x: int, y: int, text: str) -> None:
        """Write from a cell to the right; what falls outside is left out."""
        for k, character in enumerate(text):
            if 0 <= y < len(self.rows) and 0 <= x + k < len(self.rows[0]):
                self.rows[y][x + k] = character

    def box(self, x1: int, y1: int, x2: int, y2: int, lines: str) -> None:
        """The outline between two cells, in lines given as: across, down, and the corners from top left, clockwise."""
        across, down, corners = lines[0], lines[1], lines[2:]
        for x in range(x1, x2 + 1):
            self.put(x, y1, across)
            self.put(x, y2, across)
        for y in range(y1, y2 + 1):
            self.put(x1, y, down)
            self.put(x2, y, down)
        for (x, y), corner in zip([(x1, y1), (x2, y1), (x2, y2), (x1, y2)], corners, strict=True):
            self.put(x, y, corner)

    def fill(self, x1: int, y1: int, x2: int, y2: int, character: str) -> None:
        """Every cell between two, both included."""
        for y in range(y1, y2 + 1):
            self.put(x1, y, character * (x2 - x1 + 1))

    def text(self) -> str:
        """The drawing, without the blanks at the ends of lines."""
        return "\n".join("".join(row).rstrip() for row in self.rows)


LIGHT, HEAVY, DOUBLE, DASHED, ROUND = "─│┌┐┘└", "━┃┏┓┛┗", "═║╔╗╝╚", "╌╎┌┐┘└", "─│╭╮╯╰"


def _named_boxes(data: dict[str, Any]) -> dict[str, list[float]]:
    if "boxes" in data:
        return dict(zip(data["labels"], data["boxes"], strict=True))
    return {"A": data["A"], "B": data["B"]}


def _draw_boxes(data: dict[str, Any], width: int, height: int) -> str:
    boxes = _named_boxes(data)
    left, top = (min(b[k] for b in boxes.values()) for k in (0, 1))
    wide, high = (max(b[k + 2] for b in boxes.values()) - low for k, low in ((0, left), (1, top)))
    scale = min((width - 1) / wide, 2 * (height - 1) / high)  # cells a pixel, across
    canvas = Grid(width, round(high * scale / 2) + 1)
    cells = {
        name: [round((b[0] - left) * scale), round((b[1] - top) * scale / 2),
               round((b[2] - left) * scale), round((b[3] - top) * scale / 2)]
        for name, b in boxes.items()
    }  # fmt: skip
    if len(boxes) == 2:
        (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = cells.values()
        canvas.fill(max(ax1, bx1), max(ay1, by1), min(ax2, bx2), min(ay2, by2), "░")
    for (x1, y1, x2, y2), lines in zip(cells.values(), [LIGHT, HEAVY, DOUBLE, DASHED, ROUND], strict=False):
        canvas.box(x1, y1, x2, y2, lines)
    for name, (x1, y1, _, _) in cells.items():
        canvas.put(x1 + 1, y1, name)
    return canvas.text()


def _tell_boxes(data: dict[str, Any]) -> str:
    return "Picture: " + "; ".join(
        f"box {name} from ({b[0]}, {b[1]}) to ({b[2]}, {b[3]})" for name, b in _named_boxes(data).items()
    ) + "."  # fmt: skip


def _draw_kernel(data: dict[str, Any], width: int, height: int) -> str:
    right, bottom = min(width, 30) - 1, min(height, 10) - 1
    canvas = Grid(right + 1, bottom + 1)
    pad = 1 if data.get("p") else 0
    if pad:
        canvas.box(0, 0, right, bottom, DASHED)
        canvas.put(2, 0, f" padding {data['p']} ")
    canvas.box(2 * pad, pad, right - 2 * pad, bottom - pad, LIGHT)
    canvas.put(10, pad, f" {_side(data, 'n')} ")
    canvas.fill(pad, pad, pad + 6, pad + 3, "▒")
    canvas.put(pad + 1, pad + 1, f" {_side(data, 'f')} ")
    canvas.put(pad + 8, pad + 2, f"→ {data.get('s', 's')}")
    canvas.put(pad + 1, pad + 5, f"↓ {data.get('s', 's')}")
    return canvas.text()


def _side(data: dict[str, Any], name: str) -> str:
    return f"{data.get(name, name)} x {data.get(name, name)}"


def _draw_bars(data: dict[str, Any], width: int, height: int) -> str:
    values = data["z"]
    low, high = min(0, *values), max(0, *values)
    cells = (width - 12) / ((high - low) or 1)
    zero = round(-low * cells)
    lines = []
    for k, value in enumerate(values, 1):
        length = round(abs(value) * cells)
        start = zero if value >= 0 else zero - length
        bar = (" " * start + "▇" * length).ljust(width - 10)
        lines.append(f"z{k} {bar}{value_text(value)}")
    return "\n".join(lines)


def _draw_neurons(data: dict[str, Any], width: int, height: int) -> str:
    w1, w2, b1, b2 = (value_text(data[name]) for name in ("w1", "w2", "b1", "b2"))
    first, second = f"─ w1 {w1} →", f"─ w2 {w2} →"
    line = f"x {value_text(data['x'])} {first} ( h ) {second} ( y ) → L,  t {value_text(data['t'])}"
    biases = [" "] * len(line)
    for mark, bias in (("h", f"b1 {b1}"), ("y", f"b2 {b2}")):
        at = line.index(f"( {mark} )")
        biases[at : at + len(bias)] = bias
    return f"{line}\n{''.join(biases).rstrip()}"


def _nothing(data: dict[str, Any]) -> str:
    return ""


DRAWINGS: dict[str, tuple[Callable[[dict[str, Any], int, int], str], Callable[[dict[str, Any]], str]]] = {
    "boxes": (_draw_boxes, _tell_boxes),
    "kernel-slide": (_draw_kernel, _nothing),
    "bars": (_draw_bars, _nothing),
    "two-neurons": (_draw_neurons, _nothing),
}
