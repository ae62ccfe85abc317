"""Formulas with letters as values: `conv-params C_in=C1 C_out=2*C1` gives an expression in C1."""

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from quizzes.expressions.functions import FUNCTIONS
from quizzes.expressions.parser import ALIASES, FormatError, read
from quizzes.expressions.tree import CONSTANTS, UndefinedValue
from workbench.errors import UserError

if TYPE_CHECKING:
    from quizzes.formula import Formula

SCALARS = ("int", "real", "fraction")
NAME = re.compile(r"[A-Za-z_\u0370-\u03ff]\w*")
NUMBER_WITH_EXPONENT = re.compile(r"\d[eE][+-]?\d")


def split_letters(formula: "Formula", words: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the words whose values are numbers, and the values that have letters, by name."""
    numbers, letters = [], {}
    for word in words:
        name, _, text = word.partition("=")
        symbol = formula.symbols.get(name)
        if symbol and symbol.kind in SCALARS and _letters_in(text):
            letters[name] = text
        else:
            numbers.append(word)
    return numbers, letters


def _letters_in(text: str) -> set[str]:
    names = set(NAME.findall(NUMBER_WITH_EXPONENT.sub("", text)))
    return names - {*FUNCTIONS, *ALIASES, *CONSTANTS}


def evaluate(
    formula: "Formula", numbers: Mapping[str, Any], letters: Mapping[str, str], solve: str = ""
) -> dict[str, Any]:
    """Return the outputs as expressions in the letters, factored; with `solve`, the solutions for an input.

    Raises:
        UserError: If a value can't be read, an input is missing, or the formula can't be computed with letters.
    """
    import sympy as sp

    from quizzes.expressions.symbolic import compute

    if formula.procedure:
        raise UserError(f"{formula.id} is computed by a procedure, which needs numbers for every symbol.")
    values = dict(numbers) | {name: compute(_read(name, text), {}) for name, text in letters.items()}
    inputs = {name: values[name] for name in formula.inputs if name in values}
    for name in formula.inputs:
        symbol = formula.symbols[name]
        if name == solve:
            inputs[name] = sp.Symbol(name, real=True)
        elif name not in inputs and symbol.default is not None:
            inputs[name] = symbol.default
        elif name not in inputs and not symbol.optional:
            raise UserError(f"{formula.id} needs {name} ({symbol.meaning}): add {name}=...")
    used: dict[str, Any] = dict(inputs)
    try:
        for eq in formula.equations:
            if eq.index:
                raise UserError(f"{formula.id} has arrays, which need numbers.")
            used[eq.name] = compute(eq.tree, used)
    except (TypeError, UndefinedValue, KeyError) as error:
        raise UserError(f"{formula.id} can't be computed with letters. Give numbers.") from error
    if not solve:
        return {name: _text(used[name]) for name in formula.outputs}
    targets = [(used[name], values[name]) for name in formula.outputs if name in values]
    if not targets:
        raise UserError(f"To solve {formula.id} for {solve}, give an output: add {formula.outputs[-1]}=...")
    try:
        solutions = sp.solve([sp.Eq(left, right) for left, right in targets], inputs[solve], dict=True)
    except NotImplementedError:
        raise UserError(f"{formula.id} can't be solved for {solve} with letters. Give numbers.") from None
    return {solve: [_text(solution[inputs[solve]]) for solution in solutions]}


def _read(name: str, text: str) -> Any:
    try:
        return read(text, sorted(_letters_in(text)))
    except FormatError as error:
        raise UserError(f"{name}: {error.sentence}.") from None


def _text(expression: Any) -> str:
    """Return an expression as text: factored, unless that only moves a minus."""
    import sympy as sp

    plain, factored = str(expression), str(sp.factor(expression))
    is_better = not factored.startswith("-") or len(factored) < len(plain)
    return (factored if is_better else plain).replace("**", "^")
