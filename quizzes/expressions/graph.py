"""The computation graph of an expression: what autograd records in a forward pass for the backward pass.

    sigmoid(w*x + b)                   one expression; its operations are v1, v2, ... in forward order
    u = x*y; v = u + x; f = u*v        or equations; each may use those before it, and the last one is the root

Every variable is one leaf that requires a gradient, however often it is used. An expression of numbers alone is a
constant. An operation that is written twice is two nodes, as in PyTorch; a max or min of more than two values is a
chain of operations with two operands. Of cases, `where(x > 0, x, a*x)`, the condition and both values are nodes, as in
PyTorch; no gradient passes to the condition. Values stay exact as far as `tree` keeps them exact.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import pairwise
from typing import Any

from quizzes.expressions import arrays
from quizzes.expressions.arithmetic import OPERATIONS, UndefinedValue, Value, Values
from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.local_derivatives import KINKS, WHERE, derivative_rules, is_at_kink, local_derivative
from quizzes.expressions.nodes import (
    Call,
    Comparison,
    Iverson,
    Logic,
    Name,
    Op,
    Tree,
    Where,
    names,
    substitute,
    with_children,
)
from quizzes.expressions.parser import (
    ALIASES,
    RESERVED,
    FormatError,
    check_length,
    read,
    split_equation,
    tokens,
    write,
)
from quizzes.expressions.tree import CONSTANTS, evaluate
from quizzes.question import to_json, value_text
from workbench.errors import UserError, unknown_name

RESERVED_NAMES = {*CONSTANTS, *RESERVED, "log", "and", "or", "not"}
WITHOUT_GRADIENT = ("constant", "condition")  # kinds of nodes


@dataclass(frozen=True)
class Node:
    """A node of a graph.

    Attributes:
        name: The variable of a leaf, the text of a constant; the name that an equation defines, or `v1`, `v2`, ...
        kind: leaf (a variable), constant, condition, intermediate, or root (the last operation).
        tree: The operation applied to the names of its operands; a constant's expression.
        operation: `+`, `neg`, `sigmoid`, ..., as in `tree`; empty for a leaf or a constant.
        operands: The names of its operands' nodes.
    """

    name: str
    kind: str
    tree: Tree
    operation: str = ""
    operands: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The operation as text; empty for a leaf or a constant."""
        return write(self.tree) if self.operation else ""

    @property
    def rules(self) -> list[str]:
        """The derivative with respect to each operand, as a formula."""
        return derivative_rules(self.tree, self.name) if self.operation else []


@dataclass(frozen=True)
class Graph:
    """The nodes of an expression in forward order, leaves first.

    Attributes:
        text: The expression as the user typed it.
        read_as: The expression as the parser read it.
        nodes: The nodes by name.
        root: The name of the last node.
    """

    text: str
    read_as: str
    nodes: dict[str, Node]
    root: str

    @property
    def leaves(self) -> list[str]:
        """The variables, in order of first use."""
        return [name for name, node in self.nodes.items() if node.kind == "leaf"]


@dataclass(frozen=True)
class Passes:
    """The forward and the backward pass at one point.

    Attributes:
        values: The value of each node.
        local_derivatives: For each node the derivative with respect to each operand; None where no gradient passes.
        gradients: The derivative of the root with respect to each node but constants and conditions, summed over all
            paths.
        kinks: A sentence for each operation that has no derivative, or condition that changes, at this point.
    """

    values: dict[str, Value]
    local_derivatives: dict[str, list[Value | None]]
    gradients: dict[str, Value]
    kinks: list[str]


def build_graph(text: str, variables: Collection[str] = ()) -> Graph:
    """Build the graph of an expression that a user typed.

    Args:
        text: An expression, or equations separated by semicolons.
        variables: Known variables: if `w` and `x` are among them, `wx` is their product.

    Raises:
        FormatError: If it can't be read, with the position.
        UserError: If no gradient can be computed through it.
    """
    if not text.strip():
        raise FormatError("this is empty: enter an expression, such as sigmoid(w*x + b)")
    check_length(text)
    builder = _Builder(_variables(text, variables))
    for piece in text.strip().rstrip(";").split(";"):
        builder.equation(piece)
    return builder.graph(text.strip())


def build_array_graph(text: str, values: Mapping[str, Value]) -> Graph:
    """Build the graph of an expression in vectors and matrices; its leaves are their elements, as in `arrays`.

    Args:
        text: An expression, or equations separated by semicolons; the last one is a number.
        values: The value of each variable, a number or a (nested) list of numbers.

    Raises:
        FormatError: If it can't be read, with the position.
        UserError: If shapes don't fit, or no gradient can be computed through it.
    """
    writer = arrays.Writer(values)
    builder = _Builder({name for array, value in values.items() for name, _ in arrays.elements(array, value)})
    pieces = [piece for piece in text.split(";") if piece.strip()]
    for piece in pieces:
        left, right = split_equation(piece) or ("", piece)
        result = writer.equation(builder.target(left) if left else "", right)
        builder.read_as.append(piece.strip())
    if isinstance(result, list):
        raise UserError("The last line is an array, and a gradient needs a number: take a sum, a mean or one element.")
    for name, tree in [*writer.equations, ("", result)]:
        builder.define(name, tree)
    return builder.graph(text.strip(), may_leave_out=True)


def _variables(text: str, declared: Collection[str]) -> set[str]:
    """Return the names in a text that are variables, not functions or constants of the grammar."""
    all_tokens = tokens(text)
    called = {token.text for token, after in pairwise(all_tokens) if after.text == "("}
    candidates = (
        {token.text for token in all_tokens if token.kind == "name"} - RESERVED_NAMES - (ALIASES.keys() & called)
    )
    for name in candidates - set(declared) & called:
        if len(name) > 1:  # one letter is a factor, as in d(f - 1)
            raise unknown_name("function", name, [*FUNCTIONS, WHERE])
    letters = {name for name in declared if len(name) == 1}
    variables = {n for n in candidates if n in declared or len(n) == 1 or not set(n) <= letters}
    return variables | letters


def read_name(text: str) -> str:
    """Read the name of a variable that a user typed, spelled as in expressions: `α` is `alpha`.

    Raises:
        FormatError: If it is not a name, or a name of the grammar.
    """
    name, *others = tokens(text)
    if name.kind != "name" or [token.kind for token in others] != ["end"]:
        raise FormatError("write one name before the equals sign, as in x = 2", text, 0)
    if name.text in RESERVED_NAMES:
        raise FormatError(f"{name.text} is reserved: choose another name", text, 0)
    return name.text


def read_value(text: str) -> Value:
    """Read the value of a variable that a user typed, exactly: `0.5`, `1/3`, `sqrt(2)`.

    Raises:
        FormatError: If it is not a single number.
    """
    if text.strip().startswith("["):
        raise FormatError("enter a single number: make each element of a vector a variable", text, 0)
    return evaluate(read(text), {})


@dataclass
class _Builder:
    variables: set[str]
    leaves: dict[str, Node] = field(default_factory=dict)
    constants: dict[str, Node] = field(default_factory=dict)
    operations: dict[str, Node] = field(default_factory=dict)
    nodes_by_name: dict[str, str] = field(default_factory=dict)  # left-hand side of an equation -> its node
    numbers: dict[str, Tree] = field(default_factory=dict)  # left-hand side -> its number, if it is a constant
    read_as: list[str] = field(default_factory=list)
    last: str = ""

    def equation(self, text: str) -> None:
        left, right = split_equation(text) or ("", text)
        name = self.target(left) if left or right != text else ""
        expression = read(right, self.variables)
        self.read_as.append(f"{name} = {write(expression)}" if name else write(expression))
        self.define(name, expression)

    def define(self, name: str, tree: Tree) -> None:
        """Add an expression; `name` is that of its last node, empty for a new name."""
        tree = substitute(tree, self.numbers)
        self.last = self.add(tree, name)
        if name:
            self.nodes_by_name[name] = self.last
        if self.last in self.constants:
            self.numbers[name] = tree

    def target(self, left: str) -> str:
        name = read_name(left)
        if name in self.nodes_by_name:
            raise UserError(f"{name} is defined twice: define it once.")
        if name in self.leaves:
            raise UserError(f"{name} is used before it is defined: put its equation first.")
        return name

    def add(self, tree: Tree, name: str = "") -> str:
        """Add the nodes of an expression; return the name of the last one."""
        if names(tree) <= CONSTANTS.keys():
            constant = Node(write(tree), "constant", tree)
            return self.constants.setdefault(constant.name, constant).name
        match tree:
            case Name(variable):
                if variable not in self.nodes_by_name:
                    self.leaves.setdefault(variable, Node(variable, "leaf", tree))
                return self.nodes_by_name.get(variable, variable)
            case Call("max" | "min" as function, args) if len(args) > 2:
                return self.add(reduce(lambda a, b: Call(function, (a, b)), args), name)
            case Call(function, _) if not FUNCTIONS[function].derivatives:
                raise _no_gradient(function)
            case Iverson():
                raise _no_gradient(write(tree))
            case Op(operation, args) | Call(operation, args):
                return self.add_operation(tree, operation, args, name)
            case Comparison(sign, args):
                return self.add_operation(tree, sign, args, name, "condition")
            case Logic(op, args):
                return self.add_operation(tree, op, args, name, "condition")
            case Where(condition, value, otherwise):
                if (names(value) | names(otherwise)) <= CONSTANTS.keys():
                    raise _no_gradient(write(tree))
                return self.add_operation(tree, WHERE, (condition, value, otherwise), name)
        raise TypeError(tree)

    def add_operation(
        self, tree: Tree, operation: str, args: tuple[Tree, ...], name: str, kind: str = "intermediate"
    ) -> str:
        """Add the node of an operation, after those of its operands; return its name."""
        operands = tuple(self.add(arg) for arg in args)
        named = [self.constants[o].tree if o in self.constants else Name(o) for o in operands]
        name = name or self.new_name()
        self.operations[name] = Node(name, kind, with_children(tree, named), operation, operands)
        return name

    def new_name(self) -> str:
        used = {*self.variables, *self.operations}
        return next(name for k in range(1, len(used) + 2) if (name := f"v{k}") not in used)

    def graph(self, text: str, may_leave_out: bool = False) -> Graph:
        """Return the graph of the last equation; all others must have an effect on it, unless they may be left out."""
        if not self.leaves:
            raise UserError("The expression has no variable, so there is no gradient. Add one, such as w in w*2.")
        nodes = {**self.leaves, **self.constants, **self.operations}
        ancestors = {self.last}  # of the root, itself among them
        for name, node in reversed(nodes.items()):
            ancestors |= set(node.operands) if name in ancestors else set()
        unused = [name for name in nodes if name not in ancestors and name not in self.constants]
        if unused and not may_leave_out:
            raise UserError(f"{unused[-1]} is not used: the last equation must depend on it.")
        if self.last in self.operations:
            nodes[self.last] = replace(nodes[self.last], kind="root")
        nodes = {name: node for name, node in nodes.items() if name in ancestors}
        return Graph(text, "; ".join(self.read_as), nodes, self.last)


def _no_gradient(what: str) -> UserError:
    return UserError(f"No gradient goes through {what}: its derivative is 0 between its jumps. Remove it.")


def run_passes(graph: Graph, leaf_values: Values) -> Passes:
    """Run the forward and the backward pass of a graph.

    Args:
        graph: The graph.
        leaf_values: The value of each leaf, exact (see `tree.exact`).

    Raises:
        UserError: If a leaf has no value, a value belongs to no leaf, or a value or a gradient is undefined.
    """
    for name in leaf_values:
        if name not in graph.leaves:
            variables = ", ".join(graph.leaves)
            raise UserError(f"Unknown variable {name[:30]!r}. The variables of the expression are {variables}.")
    if missing := [name for name in graph.leaves if name not in leaf_values]:
        raise UserError(f"{missing[0]} has no value: add {missing[0]}=...")
    values: dict[str, Value] = {}
    for name, node in graph.nodes.items():
        try:
            value = leaf_values[name] if node.kind == "leaf" else evaluate(node.tree, values)
            values[name] = int(value) if isinstance(value, bool) else value
        except UndefinedValue as reason:
            raise UserError(f"{name} = {node.text} has no value{_point(graph, node, values)}: {reason}.") from None
    derivatives = {
        name: [
            _derivative(graph, node, k, values)
            if node.kind != "condition" and graph.nodes[operand].kind not in WITHOUT_GRADIENT
            else None
            for k, operand in enumerate(node.operands)
        ]
        for name, node in graph.nodes.items()
    }
    kinks = [
        f"{name} = {node.text} {'changes' if node.kind == 'condition' else 'has a kink'}"
        f"{_point(graph, node, values)}: {KINKS[node.operation]}."
        for name, node in graph.nodes.items()
        if len(set(node.operands)) == len(node.operands)  # max(x, x) is x: no kink
        and is_at_kink(node.operation, [values[operand] for operand in node.operands])
    ]
    return Passes(values, derivatives, _gradients(graph, derivatives), kinks)


def _gradients(graph: Graph, derivatives: Mapping[str, list[Value | None]]) -> dict[str, Value]:
    gradients: dict[str, Value] = {n: 0 for n, node in graph.nodes.items() if node.kind not in WITHOUT_GRADIENT}
    gradients[graph.root] = 1
    for name, node in reversed(graph.nodes.items()):
        for operand, derivative in zip(node.operands, derivatives[name], strict=True):
            if derivative is None:
                continue
            try:
                gradients[operand] += OPERATIONS["*"](gradients[name], derivative)
            except (UndefinedValue, OverflowError):
                raise UserError(f"The gradient at {operand} is too large: use values nearer to 0.") from None
    return gradients


def _derivative(graph: Graph, node: Node, which: int, values: Values) -> Value:
    try:
        return local_derivative(
            node.operation, which, [values[operand] for operand in node.operands], values[node.name]
        )
    except UndefinedValue as reason:
        problem = f"has no derivative with respect to {node.operands[which]}{_point(graph, node, values)}"
        raise UserError(f"{node.name} = {node.text} {problem}: {node.rules[which]} has no value ({reason}).") from None


def _point(graph: Graph, node: Node, values: Values) -> str:
    operands = [o for o in dict.fromkeys(node.operands) if graph.nodes[o].kind != "constant"]
    return f" at {', '.join(f'{o} = {value_text(to_json(values[o]))}' for o in operands)}" if operands else ""


def describe_nodes(graph: Graph, passes: Passes | None = None) -> list[dict[str, Any]]:
    """Return the nodes as JSON data, in forward order; without passes, values, derivatives and gradients are None.

    Returns:
        For each node: node (its name), kind, operation, operands, text, rules (the derivative with respect to each
        operand as a formula; empty where no gradient passes), value (1 or 0 of a condition), local (the same
        derivatives as numbers, None where no gradient passes), gradient (None for a constant or condition).
    """
    return [
        dict(
            node=name,
            kind=node.kind,
            operation=node.operation,
            operands=list(node.operands),
            text=node.text,
            rules=node.rules,
            value=to_json(passes.values[name]) if passes else None,
            local=[to_json(d) for d in passes.local_derivatives[name]] if passes else [None] * len(node.operands),
            gradient=to_json(passes.gradients.get(name)) if passes else None,
        )
        for name, node in graph.nodes.items()
    ]
