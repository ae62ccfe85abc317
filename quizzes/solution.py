"""Worked steps: each equation, the same with numbers, and its value."""

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from quizzes.answer_symbols import Choice
from quizzes.answers import KINDS
from quizzes.answers.numbers import format_number
from quizzes.declaration import Declaration
from quizzes.expressions import isolate
from quizzes.expressions.cases import explain, resolve
from quizzes.expressions.parser import write
from quizzes.expressions.tree import (
    Array,
    Num,
    Op,
    Reduction,
    Tree,
    Value,
    Values,
    exact,
    index_range,
    integer,
    substitute,
    walk,
)
from quizzes.formula import Equation, Formula
from quizzes.question import Part, Step, to_json, value_text

MAX_SOLUTIONS = 5  # that are listed
MAX_LENGTH = 150  # characters of a line of brackets with numbers; a longer one would hide more than it shows


def worked_steps(drill: Declaration, values: Values, unknown: Part | None) -> list[Step]:
    """Return the worked solution: the drill's own steps, or those that follow from the equations.

    Args:
        drill: The drill.
        values: All values of the formula.
        unknown: The part that asks for an input; None if the question asks for outputs.
    """
    if drill.steps:
        return drill.steps(**{name: to_json(value) for name, value in values.items()})
    question_values = {name: value for name, value in values.items() if not unknown or name != unknown.part}
    numbers = {key: tree for name, value in question_values.items() for key, tree in number_trees(name, value).items()}
    steps = [_step(eq, drill.formula, values, numbers, drill.decimals) for eq in drill.formula.equations]
    if not unknown:
        return steps
    steps = [replace(step, math=step.math[:2]) for step in steps]
    solutions = sorted(exact(v) for v in [unknown.answer, *unknown.other_answers])
    dots = " ..." if len(solutions) > MAX_SOLUTIONS else ""
    listed = " or ".join(map(format_number, solutions[:MAX_SOLUTIONS])) + dots
    fits = f"{listed} {'fits' if len(solutions) == 1 else 'fit'}."
    lines = _isolated(drill.formula, values, numbers, unknown.part)
    if not lines:
        return [*steps, Step(f"Solve for {unknown.part}: {fits}")]
    undo = f"Solve for {unknown.part}. Undo the operations around it, from the outside in:"
    return [*steps, Step(undo, lines), Step(fits)]


def _isolated(formula: Formula, values: Values, numbers: Mapping[str, Tree], unknown: str) -> list[str]:
    """Return the lines from the formula with its numbers to the unknown; none if only SymPy can solve for it."""
    name = formula.outputs[0]
    tree = formula.compose(name)
    tree = substitute(tree, {**numbers, **reduction_lengths(tree, values)})
    try:
        lines = isolate.isolate(tree, unknown, values[name], {})
    except isolate.CannotIsolate:
        return []
    return [text for line in lines for text in line.render(format_number)]


def reduction_lengths(tree: Tree, values: Values) -> dict[str, Tree]:
    """Return the number of terms of each sum in an expression, as `substitute` takes it."""
    sums = [node for node in walk(tree) if isinstance(node, Reduction) and not node.bounds]
    return {f"#{node.index}": integer(len(index_range(node.body, node.index, values))) for node in sums}


def _step(eq: Equation, formula: Formula, values: Values, numbers: Mapping[str, Tree], decimals: int | None) -> Step:
    """Return the step of one equation; for an indexed one, with the numbers of its first element.

    If it has cases, the step says which one holds, or has a line with and one without them.
    """
    lists = {name: values[name] for name in eq.whole_names if isinstance(values.get(name), list)}
    arrays = {name: array for name, value in lists.items() if (array := array_tree(value))}
    inside = {**numbers, **arrays, **{index: integer(1) for index in eq.index}, **reduction_lengths(eq.tree, values)}
    target = eq.name + (f"[{', '.join('1' for _ in eq.index)}]" if eq.index else "")
    symbol, with_numbers = formula.symbols[eq.name], substitute(eq.tree, inside)
    if isinstance(symbol, Choice):
        option = list(symbol.options.values())[int(values[eq.name]) - 1]
        texts = {name: value_text(to_json(value)) for name, value in values.items()}
        return Step(f"{symbol.meaning}: {option.format(**texts)}. {explain('', eq.tree, with_numbers)}".strip())
    kind = KINDS[symbol.answer_kind]
    result = kind.format_answer(kind.to_json(values[eq.name]), Part(eq.name, "", "", None, decimals=decimals))
    line, last = f"{target} = {write(with_numbers)}", f"{eq.name} = {result}"
    if not eq.has_cases or (without_cases := resolve(with_numbers)) == with_numbers:
        return Step(symbol.meaning, [eq.text, line, last])
    line_without = f"{target} = {write(without_cases)}"
    case = explain(target, substitute(eq.tree, {index: integer(1) for index in eq.index}), with_numbers)
    if case:
        return Step(f"{symbol.meaning}. {case}", [*dict.fromkeys([eq.text, line_without, last])])
    return Step(symbol.meaning, [eq.text, *([line] if len(line) <= MAX_LENGTH else []), line_without, last])


def number_trees(name: str, value: Value) -> dict[str, Tree]:
    """Return a symbol's number, or the numbers of its elements: `z[2]`, `Q[1, 2]`."""
    if isinstance(value, list):
        return {
            _element(name, k, key): tree for k, v in enumerate(value, 1) for key, tree in number_trees("", v).items()
        }
    if isinstance(value, str | dict):  # a row of a table is a dict
        return {}
    number = Num(Fraction(abs(value)), format_number(abs(value)))
    return {name: Op("neg", (number,)) if value < 0 else number}


def array_tree(value: Value) -> Tree | None:
    """Return an array, or an element of it, as an expression; None if one is a text."""
    if not isinstance(value, list):
        return number_trees("", value).get("")
    items = [item for v in value if (item := array_tree(v))]
    return Array(tuple(items)) if len(items) == len(value) else None


def _element(name: str, k: int, inner: str) -> str:
    return f"{name}[{k}, {inner[1:-1]}]" if inner else f"{name}[{k}]"
