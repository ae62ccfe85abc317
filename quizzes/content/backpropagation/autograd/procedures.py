"""PyTorch autograd: the dynamic graph: procedures."""

from collections.abc import Iterator
from typing import Any

from quizzes.expressions.graph import build_graph, describe_nodes, run_passes
from quizzes.expressions.nodes import natural_order
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, number_text, procedure, with_numbers
from quizzes.question import Visualization
from quizzes.symbols import Expression, Vector
from workbench.errors import UserError


@procedure(
    "backprop-steps",
    title="Backpropagation through a graph, node by node",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, section 6.5: the chain rule, backward from the output",
    f=Expression(meaning="function of the variables, such as (w*x + b - y)^2", default="(w*x + b - y)^2"),
    values=Vector(meaning="value of each variable, in alphabetical order, w2 before w10", default=[1, 2, 3, 4]),
)
def backprop_steps(f: str, values: list[Value]) -> Iterator[State]:
    """Compute the value of every node, forward; then the gradient of every node, backward."""
    graph = build_graph(f)
    names = natural_order(graph.leaves)
    if len(values) != len(names):
        raise UserError(
            f"values must have one number for each variable ({', '.join(names)}): {len(names)}, not {len(values)}."
        )
    passes = run_passes(graph, dict(zip(names, values, strict=True)))
    described = {node["node"]: node for node in describe_nodes(graph, passes)}
    forward = {name: passes.values[name] for name, node in graph.nodes.items() if node.kind in ("leaf", "constant")}
    backward: dict[str, Value] = {}
    variables = [name for name in graph.nodes if graph.nodes[name].kind != "constant"]

    def state(caption: str, current: str = "", local: dict[str, Value] | None = None, uses: int = 0) -> State:
        nodes: list[dict[str, Any]] = [
            node | dict(value=forward.get(name), gradient=backward.get(name)) for name, node in described.items()
        ]
        node_values = {name: value for name, value in forward.items() if name in variables}
        data = dict(node=current, uses=uses, values=node_values, local_derivatives=local or {}, gradients=backward)
        return State(caption, data, Visualization("passes", dict(nodes=nodes, node=current)))

    place = ", ".join(f"{name} = {number_text(value)}" for name, value in zip(names, values, strict=True))
    yield state(f"Write the function as a graph of single operations, and put in {place}.")
    operations = [name for name in variables if graph.nodes[name].operation]
    for name in operations:
        node = graph.nodes[name]
        forward[name] = passes.values[name]
        equation = f"{node.text} = {with_numbers(node.tree, passes.values)}"
        yield state(f"Forward: {name} = {equation} = {number_text(forward[name])}.", name)
    backward[graph.root] = 1
    yield state(f"Backward: the derivative of the root {graph.root} with respect to itself is 1.", graph.root)
    for name in reversed(variables):
        if name == graph.root:
            continue
        terms, local = [], {}
        for user in operations:
            for k, operand in enumerate(graph.nodes[user].operands):
                derivative = passes.local_derivatives[user][k]
                if operand == name and derivative is not None:
                    local[user] = derivative
                    terms.append(f"{in_parentheses(backward[user])}*{in_parentheses(derivative)}")
        backward[name] = passes.gradients[name]
        users = " and ".join(dict.fromkeys(local))
        reason = f"{name} is used by {users}, so multiply the gradient of {users} by the local derivative"
        if len(terms) > 1:
            reason = f"{name} is used {len(terms)} times, by {users}, so add the contributions of all paths"
        yield state(
            f"Backward: {reason}: {' + '.join(terms)} = {number_text(backward[name])}.", name, local, len(terms)
        )
