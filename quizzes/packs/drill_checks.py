"""Checks of a pack's drill that need questions: they are drawn with many seeds and graded."""

from collections.abc import Iterator, Mapping
from random import Random
from time import perf_counter
from typing import Any

from quizzes.answers import KINDS
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import Replacement
from quizzes.packs.drills import PackDrill
from quizzes.question import Part
from quizzes.selftest import selftest
from quizzes.toml_lines import KeyPath
from workbench.errors import UserError

SEEDS = range(1, 51)
TRIALS = 20  # draws of inputs by which mistakes are distinguished
MAX_PROBLEMS = 3  # of the self-test that are reported
MAX_SECONDS = 1.0  # to generate a question


def drill_problems(drill: PackDrill) -> Iterator[tuple[KeyPath, str]]:
    """Yield the problems of a drill, each with its path in the drill's table."""
    try:
        if duplicates := list(_duplicate_mistakes(drill)):
            yield from duplicates
            return
        start = perf_counter()
        drill.draw(SEEDS[0])
        if (seconds := perf_counter() - start) > MAX_SECONDS:
            yield (), f"Generating a question takes {seconds:.1f} s. Choose smaller numbers."
            return
        problems = selftest(drill, SEEDS).problems
    except (UndefinedValue, UserError) as error:
        yield (), str(error) if isinstance(error, UserError) else drill.no_inputs_message()
        return
    for problem in problems[:MAX_PROBLEMS]:
        yield (), f"{drill.id}, {problem}."
    if (count := len(problems) - MAX_PROBLEMS) > 0:
        yield (), f"There {'are' if count > 1 else 'is'} {count} more problem{'s' * (count > 1)} of {drill.id}."


def _duplicate_mistakes(drill: PackDrill) -> Iterator[tuple[KeyPath, str]]:
    """Yield a problem for each mistake that always gives the correct values, or those of another mistake."""
    outcomes = {"": [_evaluate(drill, trial, {}) for trial in range(TRIALS)]}  # by mistake; "" is the correct one
    for number, rule in enumerate(drill.mistake_rules):
        own = [_evaluate(drill, trial, rule.replaced) for trial in range(TRIALS)]
        for name, others in outcomes.items():
            if all(_is_same(drill, a, b) for a, b in zip(own, others, strict=True)):
                values = f"same values as {name}" if name else "correct values"
                yield ("mistake", number), f"The mistake {rule.name} always gives the {values}. Change its equation."
                break
        outcomes[rule.name] = own


def _evaluate(drill: PackDrill, trial: int, replaced: Mapping[str, Replacement]) -> dict[str, Any] | None:
    """Return the values of all symbols, with a mistake's equations if there are any; None if one is undefined."""
    formula = drill.formula
    correct = formula.evaluate(formula.complete(drill.generate(Random(trial))))
    try:
        return formula.evaluate_with_mistake(replaced, correct, drill.asks)
    except UndefinedValue:
        return None


def _is_same(drill: PackDrill, a: dict[str, Any] | None, b: dict[str, Any] | None) -> bool:
    """Return whether two outcomes can't be distinguished when they are written as answers."""
    if a is None or b is None:
        return a is b
    for name in drill.formula.outputs:
        kind = drill.formula.symbols[name].answer_kind
        if kind not in KINDS:  # such as a table, which nobody is asked for
            if a[name] != b[name]:
                return False
            continue
        part = Part(name, kind, "", None, decimals=drill.decimals)
        if not KINDS[kind].are_indistinguishable(KINDS[kind].to_json(a[name]), KINDS[kind].to_json(b[name]), part):
            return False
    return True
