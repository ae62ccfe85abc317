"""A computation graph in characters: a table in forward order, and the way back from the root, a line for each edge."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import fill, indent
from typing import Any

from quizzes.answers.numbers import format_number
from quizzes.expressions.graph import build_graph, describe_nodes

Node = dict[str, Any]  # as `quizzes.expressions.graph.describe_nodes` gives it
NAME, OPERATION = 14, 24  # columns, beyond which they are cut
HUGE = 1e9
LOCAL = 22  # columns that are kept for the local derivatives
# What stands before an operand, before the last one, and below each: wide, and narrower for deep graphs.
BRANCHES = (("├─ ", "└─ ", "│  ", "   "), ("├ ", "└ ", "│ ", "  "), ("├", "└", "│", " "))


def number(value: float | None) -> str:
    """A number to six digits; a question mark where it isn't known."""
    if value is None:
        return "?"
    return format_number(value) if abs(value) < HUGE else f"{float(value):.6g}"


def table(nodes: list[Node], width: int = 78) -> str:
    """Leaves and operations in forward order: what each is, its value and its gradient."""
    rows = [node for node in nodes if node["kind"] != "constant"]
    columns = [
        aligned("node", [cut(node["node"], NAME) for node in rows]),
        aligned("operation", [f"= {cut(node['text'], OPERATION)}" if node["text"] else "" for node in rows]),
        aligned("value", [number(node["value"]) for node in rows]),
        aligned("gradient", [number(node["gradient"]) for node in rows]),
        aligned("kind", [node["kind"] for node in rows]),
    ]
    return joined(columns, width)


def draw(nodes: list[Node], width: int = 78) -> str:
    """The graph from its root back to its leaves: at each node its value and gradient, at each edge the derivative.

    A node that is used several times is drawn each time, its operands once; beside it stands how much of its gradient
    comes by this way. What isn't known is drawn as a question mark.
    """
    known = any(node["gradient"] is not None for node in nodes)
    uses = Counter(operand for node in nodes for operand in node["operands"])
    for branches in BRANCHES:
        edges = list(edges_of(nodes, branches))
        numbers = [
            aligned("value", [number(edge.node["value"]) for edge in edges]),
            aligned("gradient" if known else "grad", [_share(edge, uses) for edge in edges]),
        ]
        room = width - sum(len(column[0]) + 2 for column in numbers) - known * (LOCAL + 2)
        if max(len(edge.label) for edge in edges) <= room:
            break
    columns = [aligned("", [edge.label if len(edge.label) <= room else f"…{edge.label[1 - room :]}" for edge in edges])]
    columns += numbers
    if known:
        room = width - sum(len(column[0]) + 2 for column in columns)
        columns.append(aligned("local derivative", [_local(edge, room) for edge in edges]))
    return joined(columns, width)


@dataclass(frozen=True)
class Edge:
    """What is drawn in one line: a node, before it its branch, and the operation that uses it as its operand `which`.

    The root is used by no operation.
    """

    branch: str
    node: Node
    consumer: Node | None = None
    which: int = 0

    @property
    def label(self) -> str:
        """The node as it is drawn."""
        text = cut(self.node["text"], OPERATION)
        return f"{self.branch}{cut(self.node['node'], NAME)}{f' = {text}' if text else ''}"


def edges_of(nodes: list[Node], branches: tuple[str, str, str, str]) -> Iterator[Edge]:
    """Every edge between nodes that take gradients, from the root back."""
    by_name, seen = {node["node"]: node for node in nodes}, set()
    inner, outer, beside, below = branches

    def operands(node: Node, margin: str) -> Iterator[Edge]:
        if node["node"] in seen:
            return
        seen.add(node["node"])
        used = [(k, by_name[o]) for k, o in enumerate(node["operands"]) if by_name[o]["kind"] != "constant"]
        for k, operand in used:
            last = k == used[-1][0]
            yield Edge(margin + (outer if last else inner), operand, node, k)
            yield from operands(operand, margin + (below if last else beside))

    yield Edge("", nodes[-1])
    yield from operands(nodes[-1], "")


def _share(edge: Edge, uses: Counter[str]) -> str:
    total = number(edge.node["gradient"])
    if edge.consumer is None or uses[edge.node["node"]] < 2 or edge.node["gradient"] is None:
        return total
    return f"{number(edge.consumer['gradient'] * edge.consumer['local'][edge.which])} of {total}"


def _local(edge: Edge, room: int) -> str:
    """The derivative along an edge: as much of its name, its formula and its value as there is room for."""
    if edge.consumer is None:
        return ""
    rule, value = edge.consumer["rules"][edge.which], number(edge.consumer["local"][edge.which])
    worked = rule if rule == value else f"{rule} = {value}"
    forms = [f"d{edge.consumer['node']}/d{edge.node['node']} = {worked}", worked, value]
    return next((form for form in forms if len(form) <= room), value)


def remarks(nodes: list[Node], kinks: list[str], width: int = 78) -> str:
    """How the gradient of each node that is used several times is added up, and which kinks were met."""
    said = []
    for node in nodes:
        terms = [
            f"{_bracketed(other['gradient'] * local)} through {other['node']}"
            for other in nodes
            for operand, local in zip(other["operands"], other["local"], strict=True)
            if operand == node["node"] and local is not None
        ]
        if len(terms) > 1:
            said.append(f"{node['node']} adds up {' + '.join(terms)} = {number(node['gradient'])}.")
    return "\n".join(fill(sentence, width, subsequent_indent="  ") for sentence in [*said, *kinks])


def _bracketed(value: float) -> str:
    return f"({number(value)})" if value < 0 else number(value)


def derivatives(root: str, drawn: Mapping[str, str], verdict: dict[str, Any], kinks: list[str]) -> str:
    """SymPy's derivative by each leaf as a formula and a number, PyTorch's number, and whether all agree.

    Args:
        root: The root's name.
        drawn: SymPy's formulas by leaf.
        verdict: As `quizzes.expressions.gradients.compare_gradients` gives it.
        kinks: What the graph says of kinks: one may be why they don't agree.
    """
    blocks = [
        f"d{root}/d{name}\n\n{indent(drawn[name], '    ')}\n\n    {'✓' if leaf['agree'] else '✗'} "
        f"SymPy {number(leaf['sympy_value'])}, PyTorch {number(leaf['torch'])}"
        for name, leaf in verdict["leaves"].items()
    ]
    if verdict["agree"]:
        return "\n\n".join([*blocks, "✓ Graph, SymPy and PyTorch agree."])
    why = " PyTorch rounds to 64 bits, and so may stand beside the kink." if kinks else ""
    return "\n\n".join([*blocks, f"✗ Graph, SymPy and PyTorch do not agree.{why}"])


def cut(text: str, width: int) -> str:
    """A text, or its beginning where it is too long."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def aligned(heading: str, cells: list[str]) -> list[str]:
    """A column of one width under its heading: numbers with their points below one another, all else from the left."""
    whole = [match.end() if (match := re.match(r"-?\d+|\?", cell)) else None for cell in cells]
    if None not in whole:
        left = max(end for end in whole if end is not None)
        cells = [" " * (left - (end or 0)) + cell for end, cell in zip(whole, cells, strict=True)]
    width = max(map(len, [heading, *cells]))
    return [cell.ljust(width) for cell in (heading, *cells)]


def joined(columns: list[list[str]], width: int) -> str:
    """Columns beside one another, cut at the width."""
    return "\n".join(cut("  ".join(row).rstrip(), width) for row in zip(*columns, strict=True))


def draw_graph(data: dict[str, Any], width: int, height: int) -> str:
    """The picture beside a question: the graph of the equations in `text`, with the values that are given."""
    nodes = [node | {"value": data.get(node["node"])} for node in describe_nodes(build_graph(data["text"]))]
    return draw(nodes, width)
