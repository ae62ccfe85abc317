"""A network as a text diagram: its blocks in order, with output shapes and parameters.

Equal blocks in a row are drawn once. An activation is on the line of the layer before it. In a block with branches, a
vertical line at the left, the rail, connects the block's input to the operations that merge the branches. Parameters
that belong to a block itself, such as a class token, are drawn before the layers inside it. Below the diagram of a
network with atrous spatial pyramid pooling is what each of its kernels sees.
"""

from collections.abc import Iterator
from math import prod
from textwrap import wrap
from typing import Any

from models.summary import OPERATIONS, Layer, ModelSummary
from workbench.render.reach import draw_reach, find_pyramids
from workbench.render.shape import format_shape

SHAPE_WIDTH, PARAMS_WIDTH = 14, 13  # characters
PARAMETER = "parameter"  # the type of a block for one; in lower case, because it is not a module


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
        blocks=group_layers(network),
    )


def group_layers(layer: Layer) -> list[dict[str, Any]]:
    """Group the layers inside a layer into blocks, in order: equal layers in a row are one block with several names.

    A layer that has other layers inside and parameters of its own begins with a block for each of these.
    """
    blocks = [_parameter(name, shape) for name, shape in layer.parameters.items() if layer.children]
    previous_name, previous = "input", None
    for child in layer.children:
        if child.is_activation:
            continue
        name = child.name.removeprefix(f"{layer.name}.")
        is_chained = child.inputs == [previous_name] and child.type not in OPERATIONS
        if previous and is_chained and are_equal(child, previous):
            blocks[-1]["names"].append(name)
        else:
            blocks.append(
                dict(
                    names=[name],
                    type=child.type,
                    detail=child.detail,
                    inputs=child.inputs,
                    activations=child.activations,
                    output_shape=child.output_shape,
                    params=child.total_params,
                    macs=child.total_macs,
                    blocks=group_layers(child),
                )
            )
        previous_name, previous = name, child
    return blocks


def _parameter(name: str, shape: list[int]) -> dict[str, Any]:
    """Return a block for a parameter of a layer that has other layers inside."""
    block: dict[str, Any] = dict(names=[name], type=PARAMETER, detail="", inputs=[], activations=[])
    return block | dict(output_shape=shape, params=prod(shape), macs=0, blocks=[])


def are_equal(a: Layer, b: Layer) -> bool:
    """Return whether two layers differ only in their names."""
    return fingerprint(a) == fingerprint(b)


def fingerprint(layer: Layer) -> tuple[Any, ...]:
    """Return everything about a layer except its name, to compare layers."""
    children = [(child.name.removeprefix(layer.name), child.inputs, fingerprint(child)) for child in layer.children]
    return layer.type, layer.detail, layer.output_shape, layer.params, layer.macs, layer.activations, children


def render_diagram(summary: ModelSummary, width: int = 80) -> list[str]:
    """Return the diagram as lines of at most `width` columns."""
    diagram = to_dict(summary)
    counts = f"{diagram['params']:,} parameters, {diagram['macs']:,} MACs"
    lines = [*wrap(f"{diagram['name']}, preset {diagram['preset']}: {counts}", width), ""]
    lines += _render_row("", "", "", "output", "parameters", width)
    lines += _render_row("", "", "input", format_shape(summary.input_shape), "", width)
    lines += _render_blocks(diagram["blocks"], "", width)
    for pyramid in find_pyramids(summary.network):
        lines += ["", *draw_reach(pyramid, width)]
    return lines


def _render_blocks(blocks: list[dict[str, Any]], margin: str, width: int) -> Iterator[str]:
    """Yield the lines of blocks and of the blocks inside them, each line after the margin."""
    merges = [k for k, block in enumerate(blocks) if block["type"] in OPERATIONS]
    first = sum(block["type"] == PARAMETER for block in blocks)
    last_merge = merges[-1] if merges else -1  # the rail ends here
    previous_name = "input"
    for k, block in enumerate(blocks):
        rail = "" if not merges else "│  " if first <= k < last_merge else "   "
        corner = "┌─ " if k == first else "└─ " if k == last_merge else "├─ "
        has_corner = merges and (k == first or k in merges)
        params = f"{block['params']:,}" if block["params"] else ""
        first_margin, next_margin = margin + (corner if has_corner else rail), margin + rail
        text, shape = _describe(block, previous_name), format_shape(block["output_shape"])
        yield from _render_row(first_margin, next_margin, text, shape, params, width)
        yield from _render_blocks(block["blocks"], f"{next_margin}  ", width)
        previous_name = block["names"][-1] if k >= first else previous_name


def _describe(block: dict[str, Any], previous_name: str) -> str:
    """Describe a block in words, naming its inputs unless its only input is the output of the previous layer."""
    names, inputs = block["names"], ["the input" if name == "input" else name for name in block["inputs"]]
    activations = f", then {' and '.join(block['activations'])}" if block["activations"] else ""
    if block["type"] in OPERATIONS:
        return f"{block['type']} {join_words(inputs)}{activations}"
    kind = " ".join(filter(None, [block["type"], block["detail"]]))
    if len(names) > 1:
        return f"{names[0]} to {names[-1]}: {len(names)} times {kind}{activations}; each"
    source = f", from {join_words(inputs)}" if inputs and block["inputs"] != [previous_name] else ""
    return f"{names[0]}: {kind}{source}{activations}"


def join_words(words: list[str]) -> str:
    """Join words with commas and a final "and": `a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def _render_row(first_margin: str, next_margin: str, text: str, shape: str, params: str, width: int) -> list[str]:
    """Return a row of three columns as lines: text that is too long for its column continues on the next line.

    Args:
        first_margin: Margin of the first line.
        next_margin: Margin of the other lines.
        text: The first column.
        shape: The second column, an output shape.
        params: The third column, a number of parameters.
        width: Width of the row in characters.
    """
    text_width = width - SHAPE_WIDTH - PARAMS_WIDTH
    lines = wrap(text, max(text_width - len(first_margin), 12)) or [""]
    first_line = f"{first_margin + lines[0]:<{text_width}}{shape:>{SHAPE_WIDTH}}{params:>{PARAMS_WIDTH}}".rstrip()
    return [first_line, *(next_margin + "  " + line for line in lines[1:])]
