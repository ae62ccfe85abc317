"""The equations of mistakes and the conditions of packs, in the grammar of `quizzes.expressions.parser`."""

import operator
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from quizzes.expressions.parser import LENGTH, FormatError, read
from quizzes.expressions.tree import CONSTANTS, Call, Name, Reduction, Tree, children, evaluate, names
from quizzes.formula import Equation, Formula, equation
from workbench.errors import UserError

MAX_NESTED_SUMS = 2  # each further level multiplies the time by the number of elements
ARRAY_FUNCTIONS = ("len", "min", "max")  # functions that also take a whole array
COMPARISONS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
COMPARISON = re.compile(r"(<=|>=|!=|=|<|>)")
SCALAR_KINDS = ("int", "real", "fraction")

Condition = Callable[[Mapping[str, Any]], bool]  # from the values of symbols


def check_equation(text: str, formula: Formula) -> None:
    """Check an equation of a mistake.

    Raises:
        UserError: If it can't be read, or can't replace an equation of the formula.
    """
    if len(text) > LENGTH:
        raise UserError(f"The equation has {len(text)} characters, and the limit is {LENGTH}. Shorten it.")
    if text.count("=") != 1:
        raise UserError(f"{text.strip()[:60]!r} is not an equation. Write it as {formula.outputs[-1]} = ...")
    try:
        replacements = formula.expand(equation(text))
    except TypeError:
        raise UserError(f"An equation must define one symbol. Write it as {formula.outputs[-1]} = ...") from None
    defined = [eq.name for eq in formula.equations]
    for wrong in replacements:
        if wrong.name not in defined:
            listed = ", ".join(defined) or "nothing"
            raise UserError(f"No equation of {formula.id} defines {wrong.name[:30]}. Its equations define {listed}.")
        index = defined.index(wrong.name)
        usable = {*formula.inputs, *formula.procedure_outputs, *defined[:index]}
        _check_replacement(wrong, formula.equations[index], usable)
        _check_elements(wrong.tree, formula)


def _check_replacement(wrong: Equation, correct: Equation, usable: set[str]) -> None:
    """Check that a mistake's equation can replace the correct one, using only the symbols that are known there."""
    if len(wrong.index) != len(correct.index):
        raise UserError(f"The left-hand side must have the indices of the correct equation: {correct.text}")
    for name in sorted(names(wrong.tree) - usable - CONSTANTS.keys() - {*wrong.index}):
        raise UserError(f"The equation can't use {name[:30]}. It can use {', '.join(sorted(usable))}.")
    if _sum_depth(wrong.tree) > MAX_NESTED_SUMS:
        raise UserError(f"Sums are nested more than {MAX_NESTED_SUMS} deep. Use fewer levels.")
    if wrong.tree == correct.tree:
        raise UserError("This is the correct equation. Write the one that a student would use by mistake.")


def _check_elements(tree: Tree, formula: Formula, whole_array: bool = False) -> None:
    """Check that each symbol has as many indices as its kind requires.

    Args:
        tree: The expression.
        formula: The formula of its symbols.
        whole_array: Whether the expression may also be an array without indices.
    """
    if isinstance(tree, Name) and tree.name in formula.symbols:
        kind = formula.symbols[tree.name].kind
        depth = formula.symbols[tree.name].depth
        if len(tree.index) > depth or (len(tree.index) < depth and not whole_array):
            raise UserError(f"{tree.name} is of kind {kind}. Write it as {tree.name}{('', '[i]', '[i, k]')[depth]}.")
    for child in children(tree):
        _check_elements(child, formula, whole_array=isinstance(tree, Call) and tree.function in ARRAY_FUNCTIONS)


def _sum_depth(tree: Tree) -> int:
    return isinstance(tree, Reduction) + max(map(_sum_depth, children(tree)), default=0)


def parse_condition(text: str, formula: Formula) -> Condition:
    """Return a function that tells whether values satisfy a condition such as `n > f and p <= 2`.

    Raises:
        UserError: If the condition can't be read.
    """
    scalars = [name for name, symbol in formula.symbols.items() if symbol.kind in SCALAR_KINDS]
    comparisons = [_parse_comparison(piece, scalars) for piece in re.split(r"\band\b", text)]
    return lambda values: all(is_true(values) for is_true in comparisons)


def _parse_comparison(text: str, symbols: list[str]) -> Condition:
    """Return the condition of a comparison, or of several in a chain such as `1 < f <= n`."""
    pieces = COMPARISON.split(text.replace("==", "="))
    if len(pieces) < 3:
        raise UserError(f"{text.strip()[:60]!r} is not a comparison. Write n > f, with < <= > >= = or !=.")
    try:
        trees = [read(piece, symbols) for piece in pieces[::2]]
    except FormatError as error:
        if not error.text.strip():
            message = f"{text.strip()[:60]!r} has no expression on one side of a comparison. Add it."
            raise UserError(message) from None
        raise
    comparisons = [COMPARISONS[sign] for sign in pieces[1::2]]

    def is_true(values: Mapping[str, Any]) -> bool:
        numbers = [evaluate(tree, values) for tree in trees]
        return all(compare(a, b) for compare, (a, b) in zip(comparisons, pairwise(numbers), strict=True))

    return is_true
