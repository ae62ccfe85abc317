"""A formula as a book prints it: what it says, its equations, and what its functions stand for."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quizzes.formula import Formula

PROCEDURE = "A procedure: it counts, compares or goes step by step."


def draw_formula(formula: "Formula", width: int = 76) -> str:
    """Return the lines of a formula, with an empty line between equations.

    Args:
        formula: The formula.
        width: The columns to keep within.
    """
    from quizzes.expressions.functions import FUNCTIONS
    from quizzes.expressions.nodes import Call, walk
    from quizzes.expressions.symbolic import pretty_text

    notation = {name: symbol.notation for name, symbol in formula.symbols.items() if symbol.notation}
    blocks = ["\n".join(formula.statement)] if formula.statement else []
    blocks += [pretty_text(equation.text, width, notation) for equation in formula.equations]
    calls = {node.function for equation in formula.equations for node in walk(equation.tree) if isinstance(node, Call)}
    definitions = [row.definition for name, row in FUNCTIONS.items() if name in calls and row.definition]
    if definitions:
        blocks.append(f"where {', '.join(definitions)}")
    return "\n\n".join(blocks) or PROCEDURE
