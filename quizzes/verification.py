"""Two independent computations of a question's values: SymPy evaluates the equations, a check calls PyTorch."""

from collections.abc import Mapping
from typing import TypeAlias

from quizzes.answers import KINDS
from quizzes.answers.expressions import in_variables
from quizzes.expressions.parser import FormatError, parse
from quizzes.expressions.tree import Value, Values, evaluate, exact, is_close
from quizzes.formula import Equation, equation
from quizzes.question import Answer, Part, Question

TOLERANCE = 1e-6  # relative

Computed: TypeAlias = Mapping[str, Answer]  # the values that were computed, by name


def check_names(question: Question) -> list[str]:
    """Return the names that the question's check must return: the parts, and an expression's sampled points."""
    points = {name for part in question.parts for name in part.variables}
    return [*question.expected, *sorted(points)]


def evaluate_with_sympy(question: Question) -> dict[str, Answer]:
    """Evaluate the question's equations with SymPy: exact rationals, and 30 digits of any other number.

    Values of a procedure (counts of n-grams, suppressed boxes) are the question's own, since SymPy can't compute them.
    """
    values = {**question.params, **question.procedure_values}
    values |= {part.part: part.answer for part in question.parts if part.part not in question.expected}
    for eq in map(equation, question.equations):
        values[eq.name] = _evaluate_equation(eq, values)
    return {name: _to_float(values[name]) for name in question.expected}


def _evaluate_equation(eq: Equation, values: Values, done: int = 0) -> Value:
    """Evaluate an equation for all values of its indices but the first ones that are `done`."""
    from quizzes.expressions import symbolic

    if done == len(eq.index):
        return _to_number(symbolic.compute(eq.tree, values))
    index = eq.index[done]
    return [_evaluate_equation(eq, {**values, index: k}, done + 1) for k in eq.index_values(index, values)]


def _to_number(value: Value) -> Value:
    if isinstance(value, list):
        return [_to_number(v) for v in value]
    return value if value.is_Rational else value.evalf(30)


def _to_float(value: Value) -> Answer:
    if isinstance(value, list):
        return [_to_float(v) for v in value]
    return value if isinstance(value, str | int | dict) else float(value)  # a match is a dict of names


def compare_values(question: Question, computed: Computed) -> tuple[dict[str, str], bool]:
    """Compare computed values with the question's own.

    Args:
        question: The question.
        computed: The value of each name in `check_names`.

    Returns:
        The computed values by part, written as answers are, and whether all agree.
    """
    texts, agree = {}, True
    by_name = {part.part: part for part in question.parts}
    for name, expected in question.expected.items():
        part = by_name.get(name)
        if part and part.choice_values:
            texts[name] = _write(part, computed[name])
            is_same = _is_same_selection(part, texts[name])
        elif part and part.kind == "expression":
            is_same = _is_same_expression(part, computed)
            texts[name] = f"equal at {len(computed[name])} points" if is_same else "not equal"
        else:
            is_same = is_close(exact(computed[name]), exact(expected), TOLERANCE)
            texts[name] = _write(part, computed[name]) if part else f"{name} = {computed[name]}"
        agree = agree and is_same
    first = question.parts[0]
    if first.domain:  # an unknown input is correct if it leads to the outputs
        texts = {
            first.part: KINDS[first.kind].format_answer(first.answer, first) if agree else "; ".join(texts.values())
        }
    return texts, agree


def _write(part: Part, value: Answer) -> str:
    kind = KINDS[part.kind]
    if part.choice_values:
        try:
            return kind.format_answer(kind.answer(value, part), part)
        except (ValueError, LookupError):  # no such option
            return str(value)
    return kind.format_answer(kind.to_json(round(value) if part.kind == "integer" else value), part)


def _is_same_selection(part: Part, text: str) -> bool:
    """Return whether a choice, several choices, an order or a match is correct."""
    kind = KINDS[part.kind]
    try:
        return kind.score(kind.read(text, part).value, part.answer, part) == 1
    except FormatError:
        return False


def _is_same_expression(part: Part, computed: Computed) -> bool:
    values = computed[part.part]
    if isinstance(values, str):
        return bool(values == part.answer)
    tree = in_variables(parse(part.answer, (*part.variables, *part.definitions)), part)
    columns = [computed[name] for name in part.variables]
    points = [dict(zip(part.variables, point, strict=True)) for point in zip(*columns, strict=True)]
    return all(is_close(evaluate(tree, p), value, TOLERANCE) for p, value in zip(points, values, strict=True))
