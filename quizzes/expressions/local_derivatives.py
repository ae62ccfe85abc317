"""Local derivatives: those of one operation with respect to its operands, as formulas and as numbers.

At a kink (relu and abs at 0, max and min of equal values) there is no derivative. The gradient is the one that PyTorch
uses: 0 for relu and abs, one half for each of two equal values.
"""

from collections.abc import Sequence
from fractions import Fraction

from quizzes.expressions.parser import parse, write
from quizzes.expressions.tree import Call, Name, Op, Tree, Value, evaluate, integer, names, substitute

# The derivative of each operation with respect to its operands a and b; v is its value, and c is b - 1.
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
KINKS = {  # the gradient at a kink
    "relu": "the gradient 0 is used, as in PyTorch",
    "abs": "the gradient 0 is used, as in PyTorch",
    "max": "each of the two equal values gets half of the gradient, as in PyTorch",
    "min": "each of the two equal values gets half of the gradient, as in PyTorch",
}


def local_derivative(operation: str, which: int, operands: Sequence[Value], value: Value) -> Value:
    """Return the derivative of an operation with respect to one of its operands.

    Args:
        operation: A key of `DERIVATIVES`.
        which: The operand, from 0.
        operands: The operands' values.
        value: The operation's value.

    Raises:
        UndefinedValue: If there is no derivative.
    """
    values = dict(zip("ab", operands, strict=False)) | {"v": value}
    if operation == "^":
        if which == 0 and values["b"] == 0:
            return 0  # x^0 is 1 everywhere, also at 0, where 0*x^-1 has no value
        values["c"] = values["b"] - 1
    return evaluate(parse(DERIVATIVES[operation][which]), values)


def derivative_rules(tree: Op | Call, name: str) -> list[str]:
    """Return the derivative with respect to each operand as a formula.

    Args:
        tree: The operation.
        name: The name of its value.
    """
    symbols: dict[str, Tree] = dict(zip("ab", tree.args, strict=False)) | {"v": Name(name)}
    if isinstance(tree, Op) and tree.op == "^":
        symbols["c"] = _minus_one(tree.args[1])
    operation = tree.op if isinstance(tree, Op) else tree.function
    return [write(substitute(parse(rule), symbols)) for rule in DERIVATIVES[operation]]


def _minus_one(exponent: Tree) -> Tree:
    value = None if names(exponent) else evaluate(exponent, {})
    return parse(str(value - 1)) if isinstance(value, int | Fraction) else Op("-", (exponent, integer(1)))


def is_at_kink(operation: str, operands: Sequence[Value]) -> bool:
    """Return whether an operation has no derivative at these values of its operands."""
    if operation in ("relu", "abs"):
        return bool(operands[0] == 0)
    return operation in ("max", "min") and operands[0] == operands[1]
