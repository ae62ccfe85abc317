"""What a pack says in the grammar of `expressions.parser`: wrong equations, and conditions on the numbers."""

import operator
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from quizzes.expressions.parser import LENGTH, FormatError, read
from quizzes.expressions.tree import CONSTANTS, Call, Name, Reduction, Tree, children, evaluate, names
from quizzes.formula import Equation, Formula, equation
from quizzes.symbol import DEPTHS
from workbench.errors import UserError, unknown_name

NESTED = 2  # sums within sums: each one more takes as many times longer as the array has elements
OF_ARRAYS = ("len", "min", "max")  # functions that also take a whole array
SIGNS = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
SIGN = re.compile(r"(<=|>=|!=|=|<|>)")


def check_equation(text: str, formula: Formula) -> None:
    """Look at one wrong equation before a drill declares it.

    Raises:
        UserError: Where it can't be read, or can't stand in the place of one of the formula's.
    """
    if len(text) > LENGTH:
        raise UserError(f"The equation has {len(text)} characters: up to {LENGTH} are read.")
    if text.count("=") != 1:
        raise UserError(f"{text.strip()[:60]!r} is no equation: write it as {formula.outputs[-1]} = ...")
    try:
        wrong = equation(text)
    except TypeError:
        raise UserError(f"An equation defines one symbol: write it as {formula.outputs[-1]} = ...") from None
    defined = [eq.name for eq in formula.equations]
    if wrong.name not in defined:
        listed = ", ".join(defined) or "nothing"
        raise UserError(f"{wrong.name[:30]} is not what an equation of {formula.id} defines: they define {listed}.")
    right = formula.equations[defined.index(wrong.name)]
    before = {*formula.inputs, *formula.procedure_outputs, *defined[: defined.index(wrong.name)]}
    _check_fit(wrong, right, before)
    _check_elements(wrong.tree, formula)


def _check_fit(wrong: Equation, right: Equation, before: set[str]) -> None:
    """Whether a wrong equation can stand where the right one does."""
    if len(wrong.index) != len(right.index):
        raise UserError(f"Its left side must have the indices of the right equation: {right.text}")
    for name in sorted(names(wrong.tree) - before - CONSTANTS.keys() - {*wrong.index}):
        raise unknown_name("symbol to use in it", name, sorted(before))
    if _sums(wrong.tree) > NESTED:
        raise UserError(f"Sums stand more than {NESTED} deep in each other: write it flatter.")
    if wrong.tree == right.tree:
        raise UserError("This is the right equation: a mistake uses a wrong one.")


def _check_elements(tree: Tree, formula: Formula, whole_array: bool = False) -> None:
    """Whether arrays are used by their elements (`whole_array`: or as they are), and numbers without an index."""
    if isinstance(tree, Name) and tree.name in formula.symbols:
        kind = formula.symbols[tree.name].kind
        depth = DEPTHS.get(kind, 0)
        if len(tree.index) > depth or (len(tree.index) < depth and not whole_array):
            raise UserError(f"{tree.name} is of kind {kind}: write it as {tree.name}{('', '[i]', '[i, k]')[depth]}.")
    for child in children(tree):
        _check_elements(child, formula, whole_array=isinstance(tree, Call) and tree.function in OF_ARRAYS)


def _sums(tree: Tree) -> int:
    return isinstance(tree, Reduction) + max(map(_sums, children(tree)), default=0)


def condition(text: str, formula: Formula) -> Callable[[Mapping[str, Any]], bool]:
    """A condition on a formula's values, as in `n > f and p <= 2`, from values to whether they fulfil it.

    Raises:
        UserError: Where it can't be read.
    """
    scalars = [name for name, symbol in formula.symbols.items() if symbol.kind in ("int", "real", "fraction")]
    chains = [_chain(piece, scalars) for piece in re.split(r"\band\b", text)]
    return lambda values: all(holds(values) for holds in chains)


def _chain(text: str, symbols: list[str]) -> Callable[[Mapping[str, Any]], bool]:
    """One comparison, or several in a row: `1 < f <= n`."""
    pieces = SIGN.split(text.replace("==", "="))
    if len(pieces) < 3:
        raise UserError(f"{text.strip()[:60]!r} compares nothing: write it as n > f, with < <= > >= = or !=.")
    try:
        sides = [read(piece, symbols) for piece in pieces[::2]]
    except FormatError as error:
        if not error.text.strip():
            raise UserError(f"A side of {text.strip()[:60]!r} is missing.") from None
        raise
    compare = [SIGNS[sign] for sign in pieces[1::2]]

    def holds(values: Mapping[str, Any]) -> bool:
        numbers = [evaluate(side, values) for side in sides]
        return all(sign(a, b) for sign, (a, b) in zip(compare, pairwise(numbers), strict=True))

    return holds
