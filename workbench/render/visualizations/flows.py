"""The sizes of activations through layers, in sequence or in branches."""

from itertools import zip_longest
from typing import Any

from workbench.render.visualizations.grid import LIGHT, Grid


def draw_flow(data: dict[str, Any], width: int, height: int) -> str:
    """Draw sizes and layers in turn, which the text separates by `>`; sizes are in boxes if there is room."""
    sizes, layers = _split(data["text"])
    steps = list(zip_longest(sizes, layers, fillvalue=""))
    if 4 * len(sizes) - 1 <= height:
        box_width = max(map(len, sizes)) + 4
        arrow_x = max(0, min(box_width // 2, width - 2 - max(map(len, layers))))
        grid = Grid(width, 4 * len(sizes) - 1)
        for k, (size, layer) in enumerate(steps):
            grid.draw_box(0, 4 * k, box_width - 1, 4 * k + 2, LIGHT)
            grid.put((box_width - len(size)) // 2, 4 * k + 1, size)
            grid.put(arrow_x, 4 * k + 3, f"↓ {layer}" if layer else "")
        return grid.text()
    if 2 * len(sizes) - 1 <= height:
        return "\n".join(line for size, layer in steps for line in (f"[ {size} ]", f"  ↓ {layer}") if line.strip(" ↓"))
    layer_width = max(map(len, layers)) + 3
    rows = [f"{f'↓ {layer}'.ljust(layer_width)}{size}" for size, layer in zip(sizes[1:], layers, strict=True)]
    return "\n".join([f"{' ' * layer_width}{sizes[0]}", *rows])


def _split(text: str) -> tuple[list[str], list[str]]:
    """Return the sizes and the layers of a text."""
    parts = [part.strip() for part in text.split(" > ")]
    return parts[::2], parts[1::2]


def draw_branches(data: dict[str, Any], width: int, height: int) -> str:
    """Draw an input size, parallel branches of layers, and an output size: `in > a, b | c, d > out`."""
    above, middle, below = (part.strip() for part in data["text"].split(" > "))
    branches = [[layer.strip() for layer in branch.split(",")] for branch in middle.split(" | ")]
    widest = max(len(layer) for branch in branches for layer in branch)
    room = width // len(branches)
    branch_width = min(widest + 2, room)
    lines = [[layer.rsplit(" ", widest >= room) for layer in branch] for branch in branches]
    lines_per_layer = max(len(layer) for branch in lines for layer in branch)
    depth = max(map(len, branches)) * (lines_per_layer + 1) - 1
    total_width = branch_width * len(branches)
    centers = [branch_width * k + branch_width // 2 for k in range(len(branches))]
    grid = Grid(max(total_width, len(above) + 4, len(below) + 4), depth + 4)
    for text, y in ((above, 0), (below, depth + 3)):
        grid.put(max(0, (total_width - len(text) - 4) // 2), y, f"[ {text} ]")
    for y, ends in ((1, "┌┬┐"), (depth + 2, "└┴┘")):
        grid.put(centers[0], y, "─" * (centers[-1] - centers[0]))
        for k, x in enumerate(centers):
            grid.put(x, y, ends[0 if k == 0 else 2 if k == len(centers) - 1 else 1])
    for layers, x in zip(lines, centers, strict=True):
        for level in range(depth):
            grid.put(x, 2 + level, "│")
        for level, layer in enumerate(layers):
            for k, text in enumerate(layer):
                grid.put(x - len(text) // 2, 2 + level * (lines_per_layer + 1) + k, text)
    return grid.text()
