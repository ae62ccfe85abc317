"""The equations of mistakes and the conditions of packs, in the grammar of `quizzes.expressions.parser`."""

from collections.abc import Callable, Mapping
from typing import Any

from quizzes.expressions.parser import LENGTH, read_condition, split_equation, write
from quizzes.expressions.tree import ARRAYS, Array, Call, Name, Op, Reduction, Tree, Where, children, evaluate
from quizzes.formula import Equation, Formula, equation
from workbench.errors import UserError

MAX_NESTED_SUMS = 2  # each further level multiplies the time by the number of elements
SCALAR_KINDS = ("int", "real", "fraction")

Condition = Callable[[Mapping[str, Any]], bool]  # from the values of symbols


def check_equation(text: str, formula: Formula) -> None:
    """Check an equation of a mistake.

    Raises:
        UserError: If it can't be read, or can't replace an equation of the formula.
    """
    if len(text) > LENGTH:
        raise UserError(f"The equation has {len(text)} characters, and the limit is {LENGTH}. Shorten it.")
    if text.count("=") < 1 or not split_equation(text):
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
        _check_numbers((*wrong.lengths.values(),), formula)
        if _depth(wrong.tree, formula) != formula.symbols[wrong.name].depth - len(wrong.index):
            raise _not_a_number(wrong.tree, formula)


def _check_replacement(wrong: Equation, correct: Equation, usable: set[str]) -> None:
    """Check that a mistake's equation can replace the correct one, using only the symbols that are known there."""
    if len(wrong.index) != len(correct.index):
        raise UserError(f"The left-hand side must have the indices of the correct equation: {correct.text}")
    for name in sorted(wrong.used_names - usable):
        raise UserError(f"The equation can't use {name[:30]}. It can use {', '.join(sorted(usable))}.")
    if _sum_depth(wrong.tree) > MAX_NESTED_SUMS:
        raise UserError(f"Sums are nested more than {MAX_NESTED_SUMS} deep. Use fewer levels.")
    if wrong.tree == correct.tree:
        raise UserError("This is the correct equation. Write the one that a student would use by mistake.")


def _depth(tree: Tree, formula: Formula) -> int:
    """Return the levels of lists in the value of an expression: 0 of a number, 1 of a vector, 2 of a matrix.

    Raises:
        UserError: If a symbol has more indices than its kind has, or an array occurs where a number is needed.
    """
    match tree:
        case Name(name, index) if name in formula.symbols:
            _check_numbers(index, formula)
            depth = formula.symbols[name].depth - len(index)
            if depth < 0:
                raise _wrong_indices(name, formula)
            return depth
        case Array(items):
            return 1 + _common_depth(tree, items, formula)
        case Op("@", args):
            depths = [_depth(arg, formula) for arg in args]
            if 0 in depths:
                raise UserError(f"@ in {write(tree)[:60]!r} multiplies vectors and matrices. Write * between numbers.")
            return sum(depths) - 2
        case Op("+" | "-" | "neg", args):
            return _common_depth(tree, args, formula)
        case Op("*", (a, b)) if _depth(a, formula) == 0:
            return _depth(b, formula)
        case Op("*" | "/", (a, b)):
            _check_numbers((b,), formula)
            return _depth(a, formula)
        case Call(function, (array,)) if function in ARRAYS:
            _depth(array, formula)
            return 0
        case Where(condition, value, otherwise):
            _check_numbers((condition,), formula)
            return _common_depth(tree, (value, otherwise), formula)
    _check_numbers(children(tree), formula)
    return 0


def _check_numbers(trees: tuple[Tree, ...], formula: Formula) -> None:
    for tree in trees:
        if _depth(tree, formula):
            raise _not_a_number(tree, formula)


def _common_depth(tree: Tree, parts: tuple[Tree, ...], formula: Formula) -> int:
    depths = [_depth(part, formula) for part in parts]
    if len(set(depths)) > 1:
        raise _not_a_number(parts[depths.index(max(depths))], formula)
    return depths[0]


def _not_a_number(tree: Tree, formula: Formula) -> UserError:
    if isinstance(tree, Name):
        return _wrong_indices(tree.name, formula)
    return UserError(f"{write(tree)[:60]!r} is an array, and a number is needed there.")


def _wrong_indices(name: str, formula: Formula) -> UserError:
    symbol = formula.symbols[name]
    return UserError(f"{name} is of kind {symbol.kind}. Write it as {name}{('', '[i]', '[i, k]')[symbol.depth]}.")


def _sum_depth(tree: Tree) -> int:
    return isinstance(tree, Reduction) + max(map(_sum_depth, children(tree)), default=0)


def parse_condition(text: str, formula: Formula) -> Condition:
    """Return a function that tells whether values satisfy a condition such as `n > f and p <= 2`.

    Raises:
        FormatError: If the condition can't be read.
    """
    scalars = [name for name, symbol in formula.symbols.items() if symbol.kind in SCALAR_KINDS]
    tree = read_condition(text, scalars)
    return lambda values: bool(evaluate(tree, values))
