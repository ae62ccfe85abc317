"""Two more ways to a question's values: SymPy's own working of the equations, and a script of PyTorch calls."""

from collections.abc import Mapping
from typing import Any

from quizzes.answers import KINDS
from quizzes.expressions.parser import parse
from quizzes.expressions.tree import evaluate, exact, index_range
from quizzes.formula import Equation, equation
from quizzes.question import Part, Question

AGREEMENT = 1e-6


def script_names(question: Question) -> list[str]:
    """The names whose values the question's script must give: the parts, and an expression's sampled points."""
    points = {name for part in question.parts for name in part.variables}
    return [*question.expected, *sorted(points)]


def evaluate_with_sympy(question: Question) -> dict[str, Any]:
    """What SymPy makes of the formula's equations: exact rationals, and 30 digits of everything else.

    Where a procedure finds a value (n-grams counted, boxes suppressed) there is nothing for SymPy to work out, and the
    procedure's own value stands.
    """
    from quizzes.expressions import symbolic

    values = {**question.params, **question.procedure_values}
    values |= {part.part: part.answer for part in question.parts if part.part not in question.expected}
    for eq in map(equation, question.equations):
        values[eq.name] = _defined(eq, values, symbolic.compute)
    return {name: _plain(values[name]) for name in question.expected}


def _defined(eq: Equation, values: Mapping[str, Any], compute: Any, left: int = 0) -> Any:
    if left == len(eq.index):
        found = compute(eq.tree, values)
        return found if found.is_Rational else found.evalf(30)
    index = eq.index[left]
    return [_defined(eq, {**values, index: k}, compute, left + 1) for k in index_range(eq.tree, index, values)]


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value if isinstance(value, str | int) else float(value)


def compare_values(question: Question, found: Mapping[str, Any]) -> tuple[dict[str, str], bool]:
    """Hold values found elsewhere against the question's own.

    Args:
        question: The question.
        found: For each name of `script_names` what was found.

    Returns:
        The found values by part, written as answers are, and whether all agree.
    """
    texts, agree = {}, True
    by_name = {part.part: part for part in question.parts}
    for name, true in question.expected.items():
        part = by_name.get(name)
        if part and part.kind == "expression":
            same = _same_curve(part, found)
            texts[name] = f"equal at {len(found[name])} points" if same else "not equal"
        else:
            same = _close(found[name], true)
            texts[name] = KINDS[part.kind].write(_typed(part, found[name]), part) if part else f"{name} = {found[name]}"
        agree = agree and same
    asked = question.parts[0]
    if asked.part not in question.expected:  # an input was asked for: it is right where it leads to the given output
        answer = KINDS[asked.kind].write(asked.answer, asked)
        texts = {asked.part: answer if agree else "; ".join(texts.values())}
    return texts, agree


def _typed(part: Part, value: Any) -> Any:
    return KINDS[part.kind].to_json(round(value) if part.kind == "integer" else value)


def _same_curve(part: Part, found: Mapping[str, Any]) -> bool:
    if isinstance(found[part.part], str):
        return found[part.part] == part.answer
    tree = parse(part.answer, tuple(part.variables))
    columns = [found[name] for name in part.variables]
    points = [dict(zip(part.variables, point, strict=True)) for point in zip(*columns, strict=True)]
    return all(_close(evaluate(tree, p), value) for p, value in zip(points, found[part.part], strict=True))


def _close(a: Any, b: Any) -> bool:
    if isinstance(a, list) or isinstance(b, list):
        return isinstance(a, list) and isinstance(b, list) and len(a) == len(b) and all(map(_close, a, b))
    a, b = exact(a), exact(b)
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return abs(float(a) - float(b)) <= AGREEMENT * max(1.0, abs(float(b)))
