"""Hints by degrees: the idea, the formula, and the first step with its numbers.

An author writes the idea, and the others only where those that are made here say too little.
"""

import re
from collections.abc import Iterator, Sequence

from quizzes.answers import KINDS
from quizzes.answers.numbers import format_decimal
from quizzes.declaration import Declaration
from quizzes.expressions.tree import names
from quizzes.formula import Equation
from quizzes.question import Answer, Params, Part, Step, value_text
from quizzes.trace import Trace

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")
INDEX = re.compile(r"(?<=\w)\[[\d, ]*\]")  # of an element, such as z[1]
RESULT = re.compile(r"[^=]*= *\(?-?[\d./]+\)?|[^=]*= *\[.*")  # an equation whose right-hand side is a number or a list


def hints_by_degrees(
    drill: Declaration, prompt: str, params: Params, parts: list[Part], steps: list[Step]
) -> list[str]:
    """Return the hints of a question, from the idea to the first step; none of them contains an answer.

    Args:
        drill: The drill, whose own hints come first.
        prompt: The text of the question.
        params: The values that the question gives, by symbol.
        parts: The values that it asks for.
        steps: The worked solution.
    """
    hints = list(drill.author_hints)
    if drill.derived:  # the equations are what the question asks for
        return hints
    if len(hints) < 2:
        hints += _formula_hint(drill)
    if len(hints) < 3:
        lengths = (str(len(value)) for value in params.values() if isinstance(value, list))
        question_text = " ".join([prompt, *(eq.text for eq in drill.formula.equations), *lengths])
        hints += _first_step(drill, question_text, params, parts, steps)
    return hints


def _formula_hint(drill: Declaration) -> list[str]:
    """Return the formula as a hint; an empty list if it is a procedure without equations."""
    formula = drill.formula.step if isinstance(drill.formula, Trace) else drill.formula
    if not formula.equations:
        return []
    equations = formula.equations if drill.one_of or formula is not drill.formula else _needed(drill)
    head = "Use this formula:" if len(equations) == 1 else "Use these formulas:"
    return ["\n".join([head, *(f"  {eq.text}" for eq in equations)])]


def _needed(drill: Declaration) -> Sequence[Equation]:
    """Return the equations that lead to what the drill asks for; all of them if it asks for an input."""
    needed = {name for name in drill.asks if not drill.draws_answer(name)}
    if needed & set(drill.formula.inputs):
        return drill.formula.equations
    equations: list[Equation] = []
    for eq in reversed(drill.formula.equations):
        if eq.name in needed:
            needed |= names(eq.tree)
            equations.insert(0, eq)
    return equations


def _first_step(
    drill: Declaration, question_text: str, params: Params, parts: list[Part], steps: list[Step]
) -> list[str]:
    """Return the first step that has numbers, without its result; an empty list if there is none without an answer."""
    if drill.steps:
        for step in steps:
            lines = [step.text, *(f"  {line}" for line in step.math if not RESULT.fullmatch(line))]
            if lines := [line for line in lines if not reveals(line, question_text, parts)]:
                return ["\n".join(lines if lines[0] == step.text else ["First step:", *lines])]
        return []
    formula, unknown = drill.formula, parts[0].part if parts[0].domain else ""
    needed = {eq.name for eq in _needed(drill)}
    for eq, step in zip(formula.equations, steps, strict=False):
        line = step.math[1] if len(step.math) > 1 else ""
        if eq.name not in needed or not line or line.replace(" ", "") == eq.text.replace(" ", ""):
            continue  # nothing to put in, as in n = len(x)
        head = f"First step, {formula.symbols[eq.name].meaning}:"
        if unknown and eq.name in params:
            head = f"Put in the given values, then solve for {unknown}:"
            line = f"{value_text(params[eq.name])} = {line.partition(' = ')[2]}"
        if not reveals(line, question_text, parts):
            return [f"{head}\n  {line}"]
    return [f"First step: compute {eq.name} ({formula.symbols[eq.name].meaning})." for eq in formula.equations[:1]]


def reveals(text: str, question_text: str, parts: list[Part]) -> bool:
    """Return whether a text contains an answer, or a number of one, that is not in the text of what is given."""
    numbers = set(NUMBER.findall(INDEX.sub("", text))) - set(NUMBER.findall(question_text))
    for part in parts:
        whole = KINDS[part.kind].format_answer(part.answer, part)
        if len(whole) > 1 and not NUMBER.fullmatch(whole) and whole in text and whole not in question_text:
            return True
        if numbers & {number for leaf in _leaves(part.answer) for number in _texts(leaf, part)}:
            return True
    return False


def _leaves(answer: Answer) -> Iterator[Answer]:
    """Yield the elements of an answer."""
    if isinstance(answer, list):
        for element in answer:
            yield from _leaves(element)
    else:
        yield answer


def _texts(value: Answer, part: Part) -> Iterator[str]:
    """Yield a number as it may be written, without its sign; nothing for a text."""
    if isinstance(value, int | float):
        yield value_text(abs(value))
        if part.decimals is not None and not part.digits:
            yield format_decimal(abs(value), part.decimals)
        elif part.digits:
            yield KINDS[part.kind].format_answer(abs(value), part)
