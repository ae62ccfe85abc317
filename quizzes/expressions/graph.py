"""The computation graph of an expression: what autograd keeps of a forward pass, to go back through it.

    sigmoid(w*x + b)                   one expression: its operations are v1, v2 ... in forward order
    u = x*y; v = u + x; f = u*v        or equations: each may use those before it, and the last one is the root

Every variable is a leaf that takes a gradient, and one leaf however often it is used. What holds numbers alone is a
constant. An operation that is written twice is two nodes, as in PyTorch; a max or min of several is taken two by two.
Values stay exact as far as `tree` keeps them so.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise
from typing import Any

from quizzes.expressions.local_derivatives import KINKS, derivative_rules, is_at_kink, local_derivative
from quizzes.expressions.parser import ALIASES, LENGTH, FormatError, read, tokens, write
from quizzes.expressions.tree import (
    CONSTANTS,
    FUNCTIONS,
    OPERATIONS,
    REDUCTIONS,
    Call,
    Name,
    Op,
    Tree,
    UndefinedValue,
    Value,
    evaluate,
    names,
    substitute,
)
from quizzes.question import to_json, value_text
from workbench.errors import UserError, unknown_name

FLAT = ("sign", "floor", "ceil")  # no gradient goes through these
RESERVED = {*CONSTANTS, *FUNCTIONS, *REDUCTIONS, "log"}


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes:
        name: A leaf's is the variable's, a constant's what was written, an operation's the equation's or `v1`, `v2` ...
        kind: leaf (a variable), constant, intermediate, or root (the operation that comes last).
        tree: The operation with its operands' names in it; a constant's expression.
        operation: `+`, `neg`, `sigmoid` ..., as `tree` has them; empty for a leaf and a constant.
        operands: The names of the nodes that it takes.
    """

    name: str
    kind: str
    tree: Tree
    operation: str = ""
    operands: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The operation as it is written; empty for a leaf and a constant."""
        return write(self.tree) if self.operation else ""

    @property
    def rules(self) -> list[str]:
        """The derivative by each operand as a formula."""
        return derivative_rules(self.tree, self.name) if isinstance(self.tree, Op | Call) and self.operation else []


@dataclass(frozen=True)
class Graph:
    """The nodes of an expression in an order in which they can be worked out, leaves first.

    Attributes:
        text: The expression as it was typed.
        read_as: As it was read.
        nodes: By name.
        root: The name of the last one.
    """

    text: str
    read_as: str
    nodes: dict[str, Node]
    root: str

    @property
    def leaves(self) -> list[str]:
        """The variables, in the order in which they are met."""
        return [name for name, node in self.nodes.items() if node.kind == "leaf"]


@dataclass(frozen=True)
class Passes:
    """The forward and the backward pass at one point.

    Attributes:
        values: The value of each node.
        local: For each operation its derivative by each operand; None by a constant.
        gradients: The root's derivative by each node but the constants, over all paths.
        kinks: A sentence for each operation that has no derivative at this point.
    """

    values: dict[str, Value]
    local: dict[str, list[Value | None]]
    gradients: dict[str, Value]
    kinks: list[str]


def build_graph(text: str, given: Collection[str] = ()) -> Graph:
    """The graph of what a person typed.

    Args:
        text: An expression, or equations with semicolons between them.
        given: Variables that are known to be meant; where `w` and `x` are, `wx` is their product.

    Raises:
        FormatError: Where it can't be read, with the place.
        UserError: Where it is no graph that gradients go through.
    """
    if not text.strip():
        raise FormatError("there is no expression here yet: write one, such as sigmoid(w*x + b)")
    if len(text) > LENGTH:
        raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
    builder = _Builder(_variables(text, given))
    for piece in text.strip().rstrip(";").split(";"):
        builder.equation(piece)
    return builder.graph(text.strip())


def _variables(text: str, given: Collection[str]) -> set[str]:
    """The names in a text that stand for variables, and not for functions or constants of the grammar."""
    listed = tokens(text)
    called = {token.text for token, after in pairwise(listed) if after.text == "("}
    found = {token.text for token in listed if token.kind == "name"} - RESERVED - (ALIASES.keys() & called)
    for name in found - set(given) & called:
        if len(name) > 1:  # of one letter it is a factor, as in d(f - 1)
            raise unknown_name("function", name, list(FUNCTIONS))
    letters = {name for name in given if len(name) == 1}
    return {name for name in found if name in given or len(name) == 1 or not set(name) <= letters} | letters


def read_name(text: str) -> str:
    """The name of a variable that a person typed, as the expressions have it: `α` is `alpha`.

    Raises:
        FormatError: Where it is none, or means something else already.
    """
    found = tokens(text)
    if [token.kind for token in found] != ["name", "end"]:
        raise FormatError("before an equals sign stands one name, as in x = 2", text, 0)
    if found[0].text in RESERVED:
        raise FormatError(f"{found[0].text} has a meaning of its own: choose another name", text, 0)
    return found[0].text


def read_value(text: str) -> Value:
    """The value of a variable that a person typed, exact: `0.5`, `1/3`, `sqrt(2)`.

    Raises:
        FormatError: Where it is no single number.
    """
    if text.strip().startswith("["):
        raise FormatError("a variable is a single number here: write a vector's elements as variables", text, 0)
    return evaluate(read(text), {})


@dataclass
class _Builder:
    variables: set[str]
    leaves: dict[str, Node] = field(default_factory=dict)
    constants: dict[str, Node] = field(default_factory=dict)
    operations: dict[str, Node] = field(default_factory=dict)
    defined: dict[str, str] = field(default_factory=dict)  # a name on the left -> its node
    numbers: dict[str, Tree] = field(default_factory=dict)  # a name on the left that is a number alone -> the number
    read_as: list[str] = field(default_factory=list)
    last: str = ""

    def equation(self, text: str) -> None:
        left, equals, right = text.partition("=")
        name = self.target(left) if equals else ""
        written = read(right if equals else text, self.variables)
        self.read_as.append(f"{name} = {write(written)}" if name else write(written))
        tree = substitute(written, self.numbers)
        self.last = self.add(tree, name)
        if name:
            self.defined[name] = self.last
        if self.last in self.constants:
            self.numbers[name] = tree

    def target(self, left: str) -> str:
        name = read_name(left)
        if name in self.defined:
            raise UserError(f"{name} is defined twice: define it once.")
        if name in self.leaves:
            raise UserError(f"{name} is used before it is defined: put its equation first.")
        return name

    def add(self, tree: Tree, name: str = "") -> str:
        """Add what an expression needs; the name of its node."""
        if names(tree) <= CONSTANTS.keys():
            constant = Node(write(tree), "constant", tree)
            return self.constants.setdefault(constant.name, constant).name
        match tree:
            case Name(variable):
                if variable not in self.defined:
                    self.leaves.setdefault(variable, Node(variable, "leaf", tree))
                return self.defined.get(variable, variable)
            case Call("max" | "min" as function, args) if len(args) > 2:
                return self.add(reduce(lambda a, b: Call(function, (a, b)), args), name)
            case Call(function, _) if function in FLAT:
                raise UserError(f"No gradient goes through {function}: it is flat between its jumps. Leave it out.")
            case Op(operation, args) | Call(operation, args):
                operands = tuple(self.add(arg) for arg in args)
                within = tuple(self.constants[o].tree if o in self.constants else Name(o) for o in operands)
                name = name or self.fresh()
                self.operations[name] = Node(name, "intermediate", replace(tree, args=within), operation, operands)
                return name
        raise TypeError(tree)

    def fresh(self) -> str:
        taken = {*self.variables, *self.operations}
        return next(name for k in range(1, len(taken) + 2) if (name := f"v{k}") not in taken)

    def graph(self, text: str) -> Graph:
        if not self.leaves:
            raise UserError("There is no variable in this, so nothing takes a gradient: write one, such as w*2.")
        nodes = {**self.leaves, **self.constants, **self.operations}
        reached = {self.last}
        for name, node in reversed(nodes.items()):
            reached |= set(node.operands) if name in reached else set()
        if lost := [name for name in nodes if name not in reached and name not in self.constants]:
            raise UserError(f"{lost[-1]} leads nowhere: the last equation must use it.")
        if self.last in self.operations:
            nodes[self.last] = replace(nodes[self.last], kind="root")
        return Graph(
            text, "; ".join(self.read_as), {name: node for name, node in nodes.items() if name in reached}, self.last
        )


def run_passes(graph: Graph, given: Mapping[str, Value]) -> Passes:
    """Forward and backward through a graph.

    Args:
        graph: The graph.
        given: The value of each leaf, exact (see `tree.exact`).

    Raises:
        UserError: Where a leaf has no value, a value is given to no leaf, or a value or a gradient is no finite number.
    """
    for name in given:
        if name not in graph.leaves:
            known = ", ".join(graph.leaves)
            raise UserError(f"Unknown variable {name[:30]!r}. The variables of the expression are {known}.")
    if missing := [name for name in graph.leaves if name not in given]:
        raise UserError(f"{missing[0]} has no value: add {missing[0]}=...")
    values: dict[str, Value] = {}
    for name, node in graph.nodes.items():
        try:
            values[name] = given[name] if node.kind == "leaf" else evaluate(node.tree, values)
        except UndefinedValue as reason:
            raise UserError(f"{name} = {node.text} has no value{_point(graph, node, values)}: {reason}.") from None
    derivatives = {
        name: [
            None if graph.nodes[operand].kind == "constant" else _derivative(graph, node, k, values)
            for k, operand in enumerate(node.operands)
        ]
        for name, node in graph.nodes.items()
    }
    kinks = [
        f"{name} = {node.text} has a kink{_point(graph, node, values)}: {KINKS[node.operation]}."
        for name, node in graph.nodes.items()
        if len(set(node.operands)) == len(node.operands)  # max(x, x) is x, and has none
        and is_at_kink(node.operation, [values[operand] for operand in node.operands])
    ]
    return Passes(values, derivatives, _gradients(graph, derivatives), kinks)


def _gradients(graph: Graph, derivatives: Mapping[str, list[Value | None]]) -> dict[str, Value]:
    found: dict[str, Value] = {name: 0 for name, node in graph.nodes.items() if node.kind != "constant"}
    found[graph.root] = 1
    for name, node in reversed(graph.nodes.items()):
        for operand, derivative in zip(node.operands, derivatives[name], strict=True):
            if derivative is None:
                continue
            try:
                found[operand] += OPERATIONS["*"](found[name], derivative)
            except (UndefinedValue, OverflowError):
                raise UserError(f"The gradient at {operand} is too large: use values nearer to 0.") from None
    return found


def _derivative(graph: Graph, node: Node, which: int, values: Mapping[str, Value]) -> Value:
    try:
        return local_derivative(
            node.operation, which, [values[operand] for operand in node.operands], values[node.name]
        )
    except UndefinedValue as reason:
        by = f"has no derivative by {node.operands[which]}{_point(graph, node, values)}"
        raise UserError(f"{node.name} = {node.text} {by}: {node.rules[which]} has no value ({reason}).") from None


def _point(graph: Graph, node: Node, values: Mapping[str, Value]) -> str:
    shown = [o for o in dict.fromkeys(node.operands) if graph.nodes[o].kind != "constant"]
    return f" at {', '.join(f'{o} = {value_text(to_json(values[o]))}' for o in shown)}" if shown else ""


def describe_nodes(graph: Graph, found: Passes | None = None) -> list[dict[str, Any]]:
    """The nodes as plain data, in forward order; values, derivatives and gradients are None where there are no passes.

    Returns:
        Of each node: node, kind, operation, operands, text, rules (the derivative by each operand as a formula), value,
        local (the derivative by each operand as a number, None by a constant), gradient (None for a constant).
    """
    return [
        dict(
            node=name,
            kind=node.kind,
            operation=node.operation,
            operands=list(node.operands),
            text=node.text,
            rules=node.rules,
            value=to_json(found.values[name]) if found else None,
            local=[to_json(d) for d in found.local[name]] if found else [None] * len(node.operands),
            gradient=to_json(found.gradients.get(name)) if found else None,
        )
        for name, node in graph.nodes.items()
    ]
