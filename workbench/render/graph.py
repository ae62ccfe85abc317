"""Computation graphs in characters: a table in forward order, and the graph from its root back, one line per edge."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import fill, indent
from typing import Any

from quizzes.answers import numbers
from quizzes.expressions.graph import build_graph, describe_nodes

Node = dict[str, Any]  # as `quizzes.expressions.graph.described` returns it
NAME_WIDTH, OPERATION_WIDTH = 14, 24  # columns; longer texts are truncated
LARGE = 1e9  # larger numbers are written with an exponent
LOCAL_WIDTH = 22  # columns reserved for the local derivatives
# Before an operand, before the last operand, and below each of them: wide, and narrower for deep graphs.
BRANCHES = (("├─ ", "└─ ", "│  ", "   "), ("├ ", "└ ", "│ ", "  "), ("├", "└", "│", " "))


def format_number(value: float | None) -> str:
    """Return a number with six significant digits; a question mark for None."""
    if value is None:
        return "?"
    return numbers.format_number(value) if abs(value) < LARGE else f"{float(value):.6g}"


def render_table(nodes: list[Node], width: int = 78) -> str:
    """Return a table of leaves and operations in forward order, with values and gradients."""
    rows = [node for node in nodes if node["kind"] != "constant"]
    operations = [f"= {truncate(node['text'], OPERATION_WIDTH)}" if node["text"] else "" for node in rows]
    columns = [
        align("node", [truncate(node["node"], NAME_WIDTH) for node in rows]),
        align("operation", operations),
        align("value", [format_number(node["value"]) for node in rows]),
        align("gradient", ["" if node["kind"] == "condition" else format_number(node["gradient"]) for node in rows]),
        align("kind", [node["kind"] for node in rows]),
    ]
    return join_columns(columns, width)


def render_graph(nodes: list[Node], width: int = 78) -> str:
    """Return the graph from its root back to its leaves, with the value, gradient and local derivative at each edge.

    A node that is used several times is drawn each time, its operands only once; next to it is the part of its gradient
    that comes through this edge. Unknown numbers are question marks.
    """
    has_gradients = any(node["gradient"] is not None for node in nodes)
    uses = Counter(operand for node in nodes for operand in node["operands"])
    for branches in BRANCHES:
        edges = list(edges_of(nodes, branches))
        numbers = [
            align("value", [format_number(edge.node["value"]) for edge in edges]),
            align("gradient" if has_gradients else "grad", [_format_gradient(edge, uses) for edge in edges]),
        ]
        room = width - sum(len(column[0]) + 2 for column in numbers) - has_gradients * (LOCAL_WIDTH + 2)
        if max(len(edge.label) for edge in edges) <= room:
            break
    labels = [edge.label if len(edge.label) <= room else f"…{edge.label[1 - room :]}" for edge in edges]
    columns = [align("", labels), *numbers]
    if has_gradients:
        room = width - sum(len(column[0]) + 2 for column in columns)
        columns.append(align("local derivative", [_format_local(edge, room) for edge in edges]))
    return join_columns(columns, width)


@dataclass(frozen=True)
class Edge:
    """A line of the drawing: a node and the operation that uses it.

    Attributes:
        branch: The characters before the node.
        node: The operand.
        consumer: The operation that uses it; None for the root.
        which: The index of the node among the consumer's operands.
    """

    branch: str
    node: Node
    consumer: Node | None = None
    which: int = 0

    @property
    def label(self) -> str:
        """The branch, the node's name and its operation."""
        text = truncate(self.node["text"], OPERATION_WIDTH)
        return f"{self.branch}{truncate(self.node['node'], NAME_WIDTH)}{f' = {text}' if text else ''}"


def edges_of(nodes: list[Node], branches: tuple[str, str, str, str]) -> Iterator[Edge]:
    """Yield every edge from the root back, except those from constants."""
    by_name, visited = {node["node"]: node for node in nodes}, set()
    inner, outer, rail, blank = branches

    def operand_edges(node: Node, margin: str) -> Iterator[Edge]:
        if node["node"] in visited:
            return
        visited.add(node["node"])
        operands = [(k, by_name[o]) for k, o in enumerate(node["operands"]) if by_name[o]["kind"] != "constant"]
        for k, operand in operands:
            is_last = k == operands[-1][0]
            yield Edge(margin + (outer if is_last else inner), operand, node, k)
            yield from operand_edges(operand, margin + (blank if is_last else rail))

    yield Edge("", nodes[-1])
    yield from operand_edges(nodes[-1], "")


def _format_gradient(edge: Edge, uses: Counter[str]) -> str:
    """Return the gradient of an edge's node; for a node with several uses, how much of it comes through this edge."""
    if edge.node["kind"] == "condition":
        return ""
    total = format_number(edge.node["gradient"])
    if edge.consumer is None or uses[edge.node["node"]] < 2 or edge.node["gradient"] is None:
        return total
    local = edge.consumer["local"][edge.which]  # None of a condition, which takes no gradient
    return f"{format_number(0 if local is None else edge.consumer['gradient'] * local)} of {total}"


def _format_local(edge: Edge, room: int) -> str:
    """Return the derivative along an edge: its name, formula and value, as far as there is room."""
    if edge.consumer is None or not edge.consumer["rules"][edge.which]:
        return ""
    rule, value = edge.consumer["rules"][edge.which], format_number(edge.consumer["local"][edge.which])
    equation = rule if rule == value else f"{rule} = {value}"
    forms = [f"d{edge.consumer['node']}/d{edge.node['node']} = {equation}", equation, value]
    return next((form for form in forms if len(form) <= room), value)


def render_notes(nodes: list[Node], kinks: list[str], width: int = 78) -> str:
    """Return how the gradient of each node with several uses is summed, then the sentences about kinks."""
    sentences = []
    for node in nodes:
        terms = [
            f"{_in_parentheses(other['gradient'] * local)} through {other['node']}"
            for other in nodes
            for operand, local in zip(other["operands"], other["local"], strict=True)
            if operand == node["node"] and local is not None
        ]
        if len(terms) > 1:
            sentences.append(f"Gradient of {node['node']}: {' + '.join(terms)} = {format_number(node['gradient'])}.")
    return "\n".join(fill(sentence, width, subsequent_indent="  ") for sentence in [*sentences, *kinks])


def _in_parentheses(value: float) -> str:
    return f"({format_number(value)})" if value < 0 else format_number(value)


def render_comparison(root: str, formulas: Mapping[str, str], verdict: dict[str, Any], kinks: list[str]) -> str:
    """Return the derivative by each leaf from SymPy and PyTorch, and whether these and the graph agree.

    Args:
        root: The root's name.
        formulas: SymPy's formulas by leaf, drawn in two dimensions.
        verdict: The result of `quizzes.expressions.gradients.compare`.
        kinks: The graph's sentences about kinks, which may explain a difference.
    """
    blocks = [
        f"d{root}/d{name}\n\n{indent(formulas[name], '    ')}\n\n    {'✓' if leaf['agree'] else '✗'} "
        f"SymPy {format_number(leaf['sympy_value'])}, PyTorch {format_number(leaf['torch'])}"
        for name, leaf in verdict["leaves"].items()
    ]
    if verdict["agree"]:
        return "\n\n".join([*blocks, "✓ Graph, SymPy and PyTorch agree."])
    reason = " PyTorch rounds to 64 bits, so it may be on the other side of the kink." if kinks else ""
    return "\n\n".join([*blocks, f"✗ Graph, SymPy and PyTorch do not agree.{reason}"])


def truncate(text: str, width: int) -> str:
    """Return a text, or its beginning and an ellipsis if it is too long."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def align(heading: str, cells: list[str]) -> list[str]:
    """Pad a column and its heading to one width; numbers are aligned at their decimal points, text to the left."""
    integer_ends = [match.end() if (match := re.match(r"-?\d+|\?", cell)) else None for cell in cells]
    if None not in integer_ends:
        left = max(end for end in integer_ends if end is not None)
        cells = [" " * (left - (end or 0)) + cell for end, cell in zip(integer_ends, cells, strict=True)]
    width = max(map(len, [heading, *cells]))
    return [cell.ljust(width) for cell in (heading, *cells)]


def join_columns(columns: list[list[str]], width: int) -> str:
    """Join columns side by side, truncated to the width."""
    return "\n".join(truncate("  ".join(row).rstrip(), width) for row in zip(*columns, strict=True))


def draw_graph(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the graph of the equations in `text`, with the values that the question gives."""
    nodes = [node | {"value": data.get(node["node"])} for node in describe_nodes(build_graph(data["text"]))]
    return render_graph(nodes, width)


def draw_passes(data: dict[str, Any], width: int, height: int) -> str:
    """Draw the graph of `nodes` with the values and gradients so far; the `node` that is computed is marked."""
    lines = render_graph(data["nodes"], width - 2).splitlines()
    own = re.compile(rf"[├└│─ ]*{re.escape(truncate(data['node'], NAME_WIDTH))}(?: = |  |$)")
    is_marked = [bool(data["node"] and own.match(line)) for line in lines]
    return "\n".join(f"{'▸ ' if mark else '  '}{line}" for line, mark in zip(lines, is_marked, strict=True))
