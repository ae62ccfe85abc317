"""Local derivatives: those of one operation by its operands, as formulas and as numbers.

Where a function has a kink (relu and abs at 0, max and min of equals) it has no derivative, and a gradient is taken as
PyTorch takes it: 0, and one half for each of the two.
"""

from collections.abc import Sequence
from fractions import Fraction

from quizzes.expressions.parser import parse, write
from quizzes.expressions.tree import Call, Name, Op, Tree, Value, evaluate, integer, names, substitute

# The derivative of each operation by its operands a and b, where v is its value, and c is b - 1.
DERIVATIVES = {
    "neg": ["-1"],
    "+": ["1", "1"],
    "-": ["1", "-1"],
    "*": ["b", "a"],
    "/": ["1/b", "-v/b"],
    "^": ["b*a^c", "v*ln(a)"],
    "sqrt": ["1/(2v)"],
    "exp": ["v"],
    "ln": ["1/a"],
    "log2": ["1/(a*ln(2))"],
    "log10": ["1/(a*ln(10))"],
    "sin": ["cos(a)"],
    "cos": ["-sin(a)"],
    "tanh": ["1 - v*v"],
    "sigmoid": ["v*(1 - v)"],
    "softplus": ["sigmoid(a)"],
    "relu": ["max(0, sign(a))"],
    "abs": ["sign(a)"],
    "max": ["(1 + sign(a - b))/2", "(1 + sign(b - a))/2"],
    "min": ["(1 + sign(b - a))/2", "(1 + sign(a - b))/2"],
}
KINKS = {  # what is taken there
    "relu": "0 is taken there, as PyTorch does",
    "abs": "0 is taken there, as PyTorch does",
    "max": "each of the two equals is given one half, as PyTorch does",
    "min": "each of the two equals is given one half, as PyTorch does",
}


def local_derivative(operation: str, which: int, operands: Sequence[Value], value: Value) -> Value:
    """The derivative of an operation by one of its operands.

    Args:
        operation: A key of `DERIVATIVES`.
        which: The operand, from 0.
        operands: Their values.
        value: The operation's value.

    Raises:
        UndefinedValue: Where there is none.
    """
    at = dict(zip("ab", operands, strict=False)) | {"v": value}
    if operation == "^":
        if which == 0 and at["b"] == 0:
            return 0  # x^0 is 1 everywhere, also where 0*x^-1 has no value
        at["c"] = at["b"] - 1
    return evaluate(parse(DERIVATIVES[operation][which]), at)


def derivative_rules(tree: Op | Call, name: str) -> list[str]:
    """The derivative by each operand as a formula.

    Args:
        tree: The operation.
        name: What its value is called.
    """
    within: dict[str, Tree] = dict(zip("ab", tree.args, strict=False)) | {"v": Name(name)}
    if isinstance(tree, Op) and tree.op == "^":
        within["c"] = _less_one(tree.args[1])
    operation = tree.op if isinstance(tree, Op) else tree.function
    return [write(substitute(parse(rule), within)) for rule in DERIVATIVES[operation]]


def _less_one(exponent: Tree) -> Tree:
    value = None if names(exponent) else evaluate(exponent, {})
    return parse(str(value - 1)) if isinstance(value, int | Fraction) else Op("-", (exponent, integer(1)))


def is_at_kink(operation: str, operands: Sequence[Value]) -> bool:
    """Whether an operation has no derivative at these values of its operands."""
    if operation in ("relu", "abs"):
        return operands[0] == 0
    return operation in ("max", "min") and operands[0] == operands[1]
