"""A pack's drill at work: what shows only when its questions are drawn and marked."""

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
from workbench.errors import UserError

SEEDS = range(1, 51)
TRIALS = 20  # drawings of numbers by which mistakes are told from each other
SHOWN = 3  # problems of the self-test
SLOW = 1.0  # seconds that no question may take to make

Place = tuple[str | int, ...]


def flaws(drill: PackDrill) -> Iterator[tuple[Place, str]]:
    """What is wrong with a drill, each with its place in the drill's table."""
    try:
        idle = list(_indistinct(drill))
        if idle:
            yield from idle
            return
        started = perf_counter()
        drill.draw(SEEDS[0])
        if (taken := perf_counter() - started) > SLOW:
            yield (), f"Making a question takes {taken:.1f} s: choose smaller numbers."
            return
        found = selftest(drill, SEEDS).problems
    except (UndefinedValue, UserError) as error:
        yield (), str(error) if isinstance(error, UserError) else drill.dry()
        return
    for problem in found[:SHOWN]:
        yield (), f"{drill.id}, {problem}."
    if len(found) > SHOWN:
        yield (), f"And {len(found) - SHOWN} problems more of {drill.id}."


def _indistinct(drill: PackDrill) -> Iterator[tuple[Place, str]]:
    """Every mistake that leads, by whatever numbers, to the true values or where another one leads."""
    known = {"the truth": [_values(drill, k, {}) for k in range(TRIALS)]}
    for number, way in enumerate(drill.mistake_rules):
        led = [_values(drill, k, way.replaced) for k in range(TRIALS)]
        for name, other in known.items():
            if all(_alike(drill, a, b) for a, b in zip(led, other, strict=True)):
                where = "gives the true values" if name == "the truth" else f"leads where {name} leads"
                yield ("mistake", number), f"The mistake {way.name} always {where}: write another equation."
                break
        known[way.name] = led


def _values(drill: PackDrill, trial: int, replaced: Mapping[str, Replacement]) -> dict[str, Any] | None:
    """What comes out, rightly or by a mistake; None where nothing does."""
    formula = drill.formula
    truth = formula.evaluate(formula.complete(drill.generate(Random(trial))))
    try:
        return formula.evaluate_with_mistake(replaced, truth, drill.asks)
    except UndefinedValue:
        return None


def _alike(drill: PackDrill, one: dict[str, Any] | None, other: dict[str, Any] | None) -> bool:
    """Whether two outcomes, written as answers are, can't be told apart."""
    if one is None or other is None:
        return one is other
    for name in drill.formula.outputs:
        kind = drill.formula.symbols[name].answer_kind
        part = Part(name, kind, "", None, decimals=drill.decimals)
        if not KINDS[kind].indistinguishable(KINDS[kind].to_json(one[name]), KINDS[kind].to_json(other[name]), part):
            return False
    return True
