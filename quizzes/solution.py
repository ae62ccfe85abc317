"""Worked steps: each equation as it is, with the numbers in it, and what it comes to."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from quizzes.answers import KINDS
from quizzes.answers.numbers import format_number
from quizzes.declaration import Declaration
from quizzes.expressions import isolate
from quizzes.expressions.parser import write
from quizzes.expressions.tree import Num, Op, Reduction, Tree, exact, index_range, integer, substitute, walk
from quizzes.formula import Equation, Formula
from quizzes.question import Part, Step, to_json

SHOWN = 5  # solutions that are listed


def worked_steps(drill: Declaration, values: Mapping[str, Any], sought: Part | None) -> list[Step]:
    """The worked solution.

    Args:
        drill: The drill; its own steps go before those that the equations give.
        values: All values of the formula.
        sought: The part, where an input is sought.
    """
    if drill.steps:
        return drill.steps(**{name: to_json(value) for name, value in values.items()})
    known = {name: value for name, value in values.items() if not sought or name != sought.part}
    numbers = {key: tree for name, value in known.items() for key, tree in _numbers(name, value).items()}
    steps = [_step(eq, drill.formula, values, numbers, drill.decimals) for eq in drill.formula.equations]
    if not sought:
        return steps
    steps = [replace(step, math=step.math[:2]) for step in steps]
    found = sorted(exact(v) for v in [sought.answer, *sought.other_answers])
    listed = " or ".join(map(format_number, found[:SHOWN])) + (" ..." if len(found) > SHOWN else "")
    fits = f"{listed} {'fits' if len(found) == 1 else 'fit'}."
    lines = _rearranged(drill.formula, values, numbers, sought.part)
    if not lines:
        return [*steps, Step(f"Solve for {sought.part}: {fits}")]
    return [*steps, Step(f"Undo what stands around {sought.part}, from the outside in:", lines), Step(fits)]


def _rearranged(formula: Formula, values: Mapping[str, Any], numbers: Mapping[str, Tree], unknown: str) -> list[str]:
    """The way from the formula with its numbers to the input that is sought; nothing where SymPy must solve it."""
    name = formula.outputs[0]
    tree = formula.compose(name)
    tree = substitute(tree, {**numbers, **_extents(tree, values)})
    try:
        lines = isolate.isolate(tree, unknown, values[name], {})
    except isolate.CannotIsolate:
        return []
    return [text for line in lines for text in line.render(format_number)]


def _extents(tree: Tree, values: Mapping[str, Any]) -> dict[str, Tree]:
    """How far each sum of an expression runs, as `substitute` takes it."""
    folds = [node for node in walk(tree) if isinstance(node, Reduction)]
    return {f"#{fold.index}": integer(len(index_range(fold.body, fold.index, values))) for fold in folds}


def _step(
    eq: Equation, formula: Formula, values: Mapping[str, Any], numbers: Mapping[str, Tree], decimals: int | None
) -> Step:
    """One equation; of an indexed one, the first element is written out."""
    inside = {**numbers, **{index: integer(1) for index in eq.index}, **_extents(eq.tree, values)}
    target = eq.name + (f"[{', '.join('1' for _ in eq.index)}]" if eq.index else "")
    symbol = formula.symbols[eq.name]
    kind = KINDS[symbol.answer_kind]
    outcome = kind.write(kind.to_json(values[eq.name]), Part(eq.name, "", "", None, decimals=decimals))
    written = f"{target} = {write(substitute(eq.tree, inside))}"
    return Step(symbol.meaning, [eq.text, written, f"{eq.name} = {outcome}"])


def _numbers(name: str, value: Any) -> dict[str, Tree]:
    """The numbers that stand for a symbol, or for each element of it: `z[2]`, `Q[1, 2]`."""
    if isinstance(value, list):
        return {_element(name, k, key): tree for k, v in enumerate(value, 1) for key, tree in _numbers("", v).items()}
    if isinstance(value, str):
        return {}
    number = Num(Fraction(abs(value)), format_number(abs(value)))
    return {name: Op("neg", (number,)) if value < 0 else number}


def _element(name: str, k: int, inner: str) -> str:
    return f"{name}[{k}, {inner[1:-1]}]" if inner else f"{name}[{k}]"
