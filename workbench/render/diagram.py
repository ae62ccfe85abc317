"""A network drawn as text: its blocks in order, with shapes.

Equal blocks in a row are drawn once, and activations on the line of the layer before them. In a block with branches, a
rail at the left runs from the block's input to the operation that merges it with the output of the layers.
"""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from models.summary import OPERATIONS, Layer, ModelSummary

SHAPE, PARAMS = 14, 13  # columns


def to_dict(summary: ModelSummary) -> dict[str, Any]:
    """Return the diagram as plain data."""
    network = summary.network
    return dict(
        name=summary.name,
        preset=summary.preset,
        params=network.total_params,
        macs=network.total_macs,
        input_shape=summary.input_shape,
        output_shape=network.output_shape,
        blocks=blocks(network),
    )


def blocks(layer: Layer) -> list[dict[str, Any]]:
    """Return the layers inside a layer, in order; equal layers in a row are one block with several names."""
    listed: list[dict[str, Any]] = []
    before, last = "input", None
    for child in layer.children:
        if child.is_activation:
            continue
        name = child.name.removeprefix(f"{layer.name}.")
        if last and child.inputs == [before] and child.type not in OPERATIONS and are_equal(child, last):
            listed[-1]["names"].append(name)
        else:
            listed.append(
                dict(
                    names=[name],
                    type=child.type,
                    detail=child.detail,
                    inputs=child.inputs,
                    activations=child.activations,
                    output_shape=child.output_shape,
                    params=child.total_params,
                    macs=child.total_macs,
                    blocks=blocks(child),
                )
            )
        before, last = name, child
    return listed


def are_equal(one: Layer, other: Layer) -> bool:
    """Return whether two layers differ only in their names."""
    return fingerprint(one) == fingerprint(other)


def fingerprint(layer: Layer) -> tuple[Any, ...]:
    """Return everything about a layer except its name."""
    children = [(child.name.removeprefix(layer.name), child.inputs, fingerprint(child)) for child in layer.children]
    return layer.type, layer.detail, layer.output_shape, layer.params, layer.macs, layer.activations, children


def draw(summary: ModelSummary, width: int = 80) -> list[str]:
    """Return the diagram as lines of at most `width` columns."""
    diagram = to_dict(summary)
    counts = f"{diagram['params']:,} parameters, {diagram['macs']:,} MACs"
    lines = [*wrap(f"{diagram['name']}, preset {diagram['preset']}: {counts}", width), ""]
    lines += row("", "", "", "output", "parameters", width)
    lines += row("", "", "input", shape(summary.input_shape), "", width)
    return [*lines, *_rows(diagram["blocks"], "", width)]


def _rows(listed: list[dict[str, Any]], margin: str, width: int) -> Iterator[str]:
    merges = [k for k, block in enumerate(listed) if block["type"] in OPERATIONS]
    end = merges[-1] if merges else -1  # where the rail ends
    before = "input"
    for k, block in enumerate(listed):
        rail = "" if not merges else "│  " if k < end else "   "
        corner = "┌─ " if k == 0 else "└─ " if k == end else "├─ "
        has_corner = merges and (k == 0 or k in merges)
        params = f"{block['params']:,}" if block["params"] else ""
        first, below = margin + (corner if has_corner else rail), margin + rail
        yield from row(first, below, _describe(block, before), shape(block["output_shape"]), params, width)
        yield from _rows(block["blocks"], f"{below}  ", width)
        before = block["names"][-1]


def _describe(block: dict[str, Any], before: str) -> str:
    """Return a block in words, with its inputs if they are not just the output of the layer before."""
    names, inputs = block["names"], ["the input" if name == "input" else name for name in block["inputs"]]
    then = f", then {' and '.join(block['activations'])}" if block["activations"] else ""
    if block["type"] in OPERATIONS:
        return f"{block['type']} {enumerated(inputs)}{then}"
    kind = " ".join(filter(None, [block["type"], block["detail"]]))
    if len(names) > 1:
        return f"{names[0]} to {names[-1]}: {len(names)} times {kind}{then}; each"
    source = f", from {enumerated(inputs)}" if inputs and block["inputs"] != [before] else ""
    return f"{names[0]}: {kind}{source}{then}"


def enumerated(words: list[str]) -> str:
    """Return words as an enumeration: `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def row(first: str, below: str, text: str, output: str, params: str, width: int) -> list[str]:
    """Return a line of three columns; text that is too long for its column continues on the next lines.

    Args:
        first: Margin of the first line.
        below: Margin of the next lines.
        text: The first column.
        output: The second column, an output shape.
        params: The third column, a number of parameters.
        width: Columns of the terminal.
    """
    text_width = width - SHAPE - PARAMS
    lines = wrap(text, max(text_width - len(first), 12)) or [""]
    head = f"{first + lines[0]:<{text_width}}{output:>{SHAPE}}{params:>{PARAMS}}".rstrip()
    return [head, *(below + "  " + line for line in lines[1:])]


def shape(sizes: list[int]) -> str:
    """Return a shape as text: `64x56x56`."""
    return "x".join(map(str, sizes))
