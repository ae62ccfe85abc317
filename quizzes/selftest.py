"""What must hold of every drill, over many seeds: the drills' own examination."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, is_dataclass, replace
from functools import lru_cache
from itertools import chain
from math import isfinite
from time import perf_counter
from typing import Any

from quizzes.answers import KINDS
from quizzes.answers.expressions import one_sided
from quizzes.drill import Drill
from quizzes.marking import mark
from quizzes.question import PartMark, Question
from quizzes.variant import LEAST_MISTAKES
from quizzes.verification import compare_values, script_names

GARBAGE = ["", "@", "1 2", "((", "import os", "9^9^9^9"]
SHARE = 0.3  # no single answer may be right for a larger share of the seeds
ENOUGH = 30  # seeds from which on shares and the presence of every mistake are judged
REMEMBERED = 4096  # scripts whose values are kept

Compute = Callable[[str, list[str]], dict[str, Any]]
Check = Callable[[Question], Iterable[str]]  # what is wrong with a question, a sentence each


@dataclass
class Report:
    """What a self-test found: nothing is the good news."""

    drill: str
    variants: int = 0
    milliseconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def selftest(
    drill: Drill, seeds: Iterable[int], compute: Compute | None = None, checks: Iterable[Check] = ()
) -> Report:
    """Examine a drill.

    Args:
        drill: The drill.
        seeds: The variants to examine.
        compute: Runs a question's script and returns the named values (see `verifying.script_names`); None where the
            drill has no script.
        checks: Further examinations of each question.
    """
    report, answers, asked, seen = Report(drill.id), Counter[str](), set(), set()
    seeds = list(seeds)
    compute = _once(compute) if compute else None
    first = drill.draw(seeds[0])
    if compute and first.verify:
        compute(first.verify, script_names(first))  # what the second computation imports is not the variants' time
    started = perf_counter()
    for seed in seeds:
        question = drill.draw(seed)
        problems = chain(examine(question, compute), *(check(question) for check in checks))
        report.problems += [f"seed {seed}: {problem}" for problem in problems]
        answers[json.dumps(answer_texts(question))] += 1
        asked |= {part.part for part in question.parts}
        seen |= {m.mistake for m in question.mistakes}
        report.variants += 1
    report.milliseconds = round((perf_counter() - started) / max(1, report.variants) * 1000, 2)
    if report.variants >= ENOUGH:
        text, count = answers.most_common(1)[0]
        if count > SHARE * report.variants:
            report.problems.append(f"{text} is right for {count} of {report.variants} seeds")
        report.problems += [f"{name} is never asked for" for name in drill.asks if name not in asked]
        report.problems += [
            f"the mistake {way.name} never shows" for way in drill.mistake_rules if way.name not in seen
        ]
    return report


def _once(compute: Compute) -> Compute:
    """The same, but for a script that was run a short while ago: seeds may draw the same numbers."""
    remembered = lru_cache(REMEMBERED)(lambda script, *names: compute(script, [*names]))
    return lambda script, names: remembered(script, *names)


def answer_texts(question: Question) -> dict[str, str]:
    """The true answers, as a person would write them."""
    return {part.part: KINDS[part.kind].write(part.answer, part) for part in question.parts}


def examine(question: Question, compute: Compute | None = None) -> list[str]:
    """What is wrong with one variant."""
    problems = []
    truth = answer_texts(question)
    given = mark(question, truth)
    if given.mark != "right":
        problems.append(f"the true answer {truth} is marked {given.mark}: {given.feedback}")
    if len({m.mistake for m in question.mistakes}) < LEAST_MISTAKES:
        problems.append("fewer than two mistakes can be told")
    alone = {part.part: replace(question, parts=[part]) for part in question.parts}
    for wrong in question.mistakes:
        part = alone[wrong.part].parts[0]
        text = KINDS[part.kind].write(wrong.answer, part)
        marked = _marked(alone[wrong.part], text)
        if marked.mark not in ("wrong", "partly") or marked.mistake != wrong.mistake:
            problems.append(f"{part.part} = {text} is {wrong.mistake}, but was marked {marked.mark}, {marked.mistake}")
    garbage = GARBAGE[question.seed % len(GARBAGE)]
    for part in question.parts:
        if part.kind != "text" and _marked(alone[part.part], garbage).mark != "not_understood":
            problems.append(f"{part.part} = {garbage!r} was understood")
    problems += [problem for one in alone.values() for problem in _rounding(one)]
    problems += [
        f"{step} lies on one side everywhere in the domain of {part.part}"
        for part in question.parts
        if part.kind == "expression"
        for step in one_sided(part.answer, part.variables)
    ]
    if not _plain(question):
        problems.append("it is no plain data")
    if not (compute and question.verify):
        return problems
    try:
        texts, agree = compare_values(question, compute(question.verify, script_names(question)))
    except RuntimeError as error:
        return [*problems, f"the second computation fails: {error}"]
    if not agree:
        problems.append(f"the second computation gives {texts}, and not {truth}")
    return problems


def _marked(alone: Question, text: str) -> PartMark:
    """The mark of the only part of a question."""
    return mark(alone, {alone.parts[0].part: text}).parts[0]


def _plain(value: Any) -> bool:
    """Whether a value is the same after it went through JSON."""
    if isinstance(value, list):
        return all(map(_plain, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _plain(inner) for key, inner in value.items())
    if is_dataclass(value):
        return _plain(vars(value))
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))


def _rounding(alone: Question) -> list[str]:
    """Decimals: the ends of the rounding interval pass, and what lies beyond it does not."""
    (part,) = alone.parts
    if part.kind != "decimal" or part.decimals is None:
        return []
    problems = []
    for shift, right in ((0.49, True), (-0.49, True), (3, False), (-3, False)):
        text = f"{part.answer + shift * 10.0**-part.decimals:.{part.decimals + 6}f}"
        marked = _marked(alone, text)
        if (marked.mark == "right") != right:
            problems.append(f"{part.part} = {text}, {shift} units from the truth, was marked {marked.mark}")
    return problems
