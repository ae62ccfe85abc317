"""A network drawn as text: its blocks in order, with shapes.

Blocks that repeat are told once. A rail runs beside the layers of a block to the place where branches meet again: what
the block is given goes round its layers there, and is added to what they make of it.
"""

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

from models.layer import OPERATIONS, Layer, Outline

SHAPE, PARAMS = 14, 13  # columns


def plain(outline: Outline) -> dict[str, Any]:
    """The diagram as plain data."""
    network = outline.network
    return dict(
        name=outline.name,
        preset=outline.preset,
        params=network.total_params,
        macs=network.total_macs,
        input_shape=outline.input_shape,
        output_shape=network.output_shape,
        blocks=blocks(network),
    )


def blocks(layer: Layer) -> list[dict[str, Any]]:
    """What stands within a layer, in order; equal layers that follow one another are one block with several names."""
    found: list[dict[str, Any]] = []
    before, last = "input", None
    for part in layer.parts:
        name = part.name.removeprefix(f"{layer.name}.")
        if last and part.takes == [before] and part.type not in OPERATIONS and alike(part, last):
            found[-1]["names"].append(name)
        else:
            found.append(
                dict(
                    names=[name],
                    type=part.type,
                    detail=part.detail,
                    takes=part.takes,
                    then=part.then,
                    output_shape=part.output_shape,
                    params=part.total_params,
                    macs=part.total_macs,
                    blocks=blocks(part),
                )
            )
        before, last = name, part
    return found


def alike(one: Layer, other: Layer) -> bool:
    """Whether two layers differ in their names alone."""
    return fingerprint(one) == fingerprint(other)


def fingerprint(layer: Layer) -> tuple:
    parts = [(part.name.removeprefix(layer.name), part.takes, fingerprint(part)) for part in layer.parts]
    return layer.type, layer.detail, layer.output_shape, layer.params, layer.macs, layer.then, parts


def draw(outline: Outline, width: int = 80) -> list[str]:
    """The diagram as lines of at most `width` columns."""
    shown = plain(outline)
    counts = f"{shown['params']:,} parameters, {shown['macs']:,} MACs"
    lines = [*wrap(f"{shown['name']}, preset {shown['preset']}: {counts}", width), ""]
    lines += row("", "", "", "output", "parameters", width)
    lines += row("", "", "input", shape(outline.input_shape), "", width)
    return [*lines, *_drawn(shown["blocks"], "", width)]


def _drawn(found: list[dict[str, Any]], margin: str, width: int) -> Iterator[str]:
    joins = [k for k, block in enumerate(found) if block["type"] in OPERATIONS]
    end = joins[-1] if joins else -1  # how far the rail runs
    before = "input"
    for k, block in enumerate(found):
        beside = "" if not joins else "│  " if k < end else "   "
        corner = "┌─ " if k == 0 else "└─ " if k == end else "├─ "
        turns = joins and (k == 0 or k in joins)
        size = f"{block['params']:,}" if block["params"] else ""
        first, below = margin + (corner if turns else beside), margin + beside
        yield from row(first, below, _told(block, before), shape(block["output_shape"]), size, width)
        yield from _drawn(block["blocks"], f"{below}  ", width)
        before = block["names"][-1]


def _told(block: dict[str, Any], before: str) -> str:
    """A block in words; where it takes what the layer before it doesn't give, that too."""
    names, sources = block["names"], ["the input" if name == "input" else name for name in block["takes"]]
    then = f", then {' and '.join(block['then'])}" if block["then"] else ""
    if block["type"] in OPERATIONS:
        return f"{block['type']} {listed(sources)}{then}"
    kind = " ".join(filter(None, [block["type"], block["detail"]]))
    if len(names) > 1:
        return f"{names[0]} to {names[-1]}: {len(names)} times {kind}{then}; each"
    of = f", from {listed(sources)}" if sources and block["takes"] != [before] else ""
    return f"{names[0]}: {kind}{of}{then}"


def listed(words: list[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last


def row(first: str, below: str, text: str, output: str, params: str, width: int) -> list[str]:
    """A line of three columns; a text too long for its own goes on in the next line."""
    room = width - SHAPE - PARAMS
    lines = wrap(text, max(room - len(first), 12)) or [""]
    head = f"{first + lines[0]:<{room}}{output:>{SHAPE}}{params:>{PARAMS}}".rstrip()
    return [head, *(below + "  " + line for line in lines[1:])]


def shape(sides: list[int]) -> str:
    return "x".join(map(str, sides))
