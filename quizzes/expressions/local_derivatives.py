"""Local derivatives: those of one operation with respect to its operands, as formulas and as numbers.

At a kink (relu and abs at 0, max and min of equal values) there is no derivative. The gradient is the one that PyTorch
uses: 0 for relu and abs, one half for each of two equal values. Of cases (`where`) the gradient passes to the one that
holds; the condition has none.
"""

from collections.abc import Sequence
from fractions import Fraction

from quizzes.expressions.arithmetic import COMPARISONS, Value
from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.nodes import Call, Comparison, Logic, Name, Op, Tree, Where, integer, names, substitute
from quizzes.expressions.parser import parse, write
from quizzes.expressions.tree import evaluate

# The derivative of each operation with respect to its operands a and b; v is its value, and c is b - 1.
DERIVATIVES: dict[str, tuple[str, ...]] = {
    "neg": ("-1",),
    "+": ("1", "1"),
    "-": ("1", "-1"),
    "*": ("b", "a"),
    "/": ("1/b", "-v/b"),
    "^": ("b*a^c", "v*ln(a)"),
    **{row.name: row.derivatives for row in FUNCTIONS.values() if row.derivatives},
}
WHERE = "where"  # the operation whose operands are a condition and two values
KINKS = {row.name: row.gradient_at_kink for row in FUNCTIONS.values() if row.gradient_at_kink}
KINKS |= dict.fromkeys(COMPARISONS, "the gradient of the case that holds is used, as in PyTorch")


def local_derivative(operation: str, which: int, operands: Sequence[Value], value: Value) -> Value:
    """Return the derivative of an operation with respect to one of its operands.

    Args:
        operation: A key of `DERIVATIVES`, or `where`.
        which: The operand, from 0.
        operands: The operands' values.
        value: The operation's value.

    Raises:
        UndefinedValue: If there is no derivative.
    """
    if operation == WHERE:
        return int(bool(operands[0]) == (which == 1))
    values = dict(zip("ab", operands, strict=False)) | {"v": value}
    if operation == "^":
        if which == 0 and values["b"] == 0:
            return 0  # x^0 is 1 everywhere, also at 0, where 0*x^-1 has no value
        values["c"] = values["b"] - 1
    return evaluate(parse(DERIVATIVES[operation][which]), values)


def derivative_rules(tree: Tree, name: str) -> list[str]:
    """Return the derivative with respect to each operand as a formula; an empty one for what takes no gradient.

    Args:
        tree: The operation.
        name: The name of its value.
    """
    if isinstance(tree, Comparison | Logic):
        return [""] * len(tree.args)
    if isinstance(tree, Where):
        condition = write(tree.condition)
        return ["", f"where({condition}, 1, 0)", f"where({condition}, 0, 1)"]
    if not isinstance(tree, Op | Call):
        return []
    symbols: dict[str, Tree] = dict(zip("ab", tree.args, strict=False)) | {"v": Name(name)}
    if isinstance(tree, Op) and tree.op == "^":
        symbols["c"] = _minus_one(tree.args[1])
    operation = tree.op if isinstance(tree, Op) else tree.function
    return [write(substitute(parse(rule), symbols)) for rule in DERIVATIVES[operation]]


def _minus_one(exponent: Tree) -> Tree:
    value = None if names(exponent) else evaluate(exponent, {})
    return parse(str(value - 1)) if isinstance(value, int | Fraction) else Op("-", (exponent, integer(1)))


def is_at_kink(operation: str, operands: Sequence[Value]) -> bool:
    """Return whether an operation has no derivative, or a condition changes, at these values of its operands."""
    if operation not in KINKS:
        return False
    if operation in COMPARISONS or FUNCTIONS[operation].kinks == "equal":
        return bool(operands[0] == operands[1])
    return bool(operands[0] == 0)
