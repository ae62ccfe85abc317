"""The self-test of drills: checks that every drill must pass, over many seeds."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, is_dataclass, replace
from itertools import chain
from math import isfinite
from time import perf_counter
from typing import Any, TypeAlias

from quizzes.answers import KINDS
from quizzes.answers.expressions import one_sided, text_in_variables
from quizzes.drill import Drill
from quizzes.marking import mark
from quizzes.question import Answer, Check, Outcome, PartMark, Question
from quizzes.text_checks import LEAST_MISTAKES
from quizzes.verification import check_names, compare_values

GARBAGE = ["", "@", "1 2 /", "((", "import os", "9^9^9^9"]
MAX_SHARE = 0.3  # of the seeds for which one answer may be correct
MIN_VARIANTS = 50  # from which on the share of answers, and the presence of every part and mistake, are checked

Compute: TypeAlias = Callable[[Check, list[str]], dict[str, Answer]]
Examination: TypeAlias = Callable[[Question], Iterable[str]]  # yields a sentence for each problem of a question


@dataclass
class Report:
    """The result of a self-test; a sound drill has no problems."""

    drill: str
    variants: int = 0
    milliseconds: float = 0.0
    problems: list[str] = field(default_factory=list)


def selftest(
    drill: Drill, seeds: Iterable[int], compute: Compute | None = None, checks: Iterable[Examination] = ()
) -> Report:
    """Check a drill.

    Args:
        drill: The drill.
        seeds: The variants to check.
        compute: Runs a question's check and returns the values of the given names (see `verification.check_names`);
            None to skip the second computation.
        checks: Further checks of each question.
    """
    report, answers = Report(drill.id), Counter[str]()
    parts: set[str] = set()
    mistakes: set[str] = set()
    seeds = list(seeds)
    compute = _cached(compute) if compute else None
    first = drill.draw(seeds[0])
    if compute and first.check:
        with suppress(RuntimeError):  # which is reported for every variant below
            compute(first.check, check_names(first))  # importing the libraries is not part of the variants' time
    started = perf_counter()
    for seed in seeds:
        question = drill.draw(seed)
        problems = chain(examine(question, compute), *(check(question) for check in checks))
        report.problems += [f"seed {seed}: {problem}" for problem in problems]
        answers[json.dumps(answer_texts(question))] += 1
        parts |= {part.part for part in question.parts}
        mistakes |= {m.mistake for m in question.mistakes}
        report.variants += 1
    report.milliseconds = round((perf_counter() - started) / max(1, report.variants) * 1000, 2)
    if report.variants >= MIN_VARIANTS:
        text, count = answers.most_common(1)[0]
        if count > MAX_SHARE * report.variants:
            report.problems.append(f"{text} is correct for {count} of {report.variants} seeds")
        report.problems += [f"{name} is never asked for" for name in drill.asks if name not in parts]
        report.problems += [
            f"the mistake {rule.name} never occurs" for rule in drill.mistake_rules if rule.name not in mistakes
        ]
    return report


def _cached(compute: Compute) -> Compute:
    """Cache the values of checks, since several seeds may have the same numbers."""
    cached: dict[str, dict[str, Answer]] = {}

    def compute_once(check: Check, names: list[str]) -> dict[str, Answer]:
        key = json.dumps([asdict(check), names])
        if key not in cached:
            cached[key] = compute(check, names)
        return cached[key]

    return compute_once


def answer_texts(question: Question) -> dict[str, str]:
    """Return the correct answers by part, written as a student would write them."""
    return {part.part: KINDS[part.kind].format_answer(part.answer, part) for part in question.parts}


def examine(question: Question, compute: Compute | None = None) -> list[str]:
    """Return the problems of one variant; see `selftest`."""
    problems = []
    correct = answer_texts(question)
    result = mark(question, correct)
    if result.mark != Outcome.RIGHT:
        problems.append(f"the correct answer {correct} is graded {result.mark}: {result.feedback}")
    if len({m.mistake for m in question.mistakes}) < LEAST_MISTAKES:
        problems.append(f"fewer than {LEAST_MISTAKES} mistakes can be distinguished")
    alone = {part.part: replace(question, parts=[part]) for part in question.parts}
    for mistake in question.mistakes:
        part = alone[mistake.part].parts[0]
        text = KINDS[part.kind].format_answer(mistake.answer, part)
        graded = _grade_part(alone[mistake.part], text)
        if graded.mark not in (Outcome.WRONG, Outcome.PARTLY) or graded.mistake != mistake.mistake:
            outcome = f"{graded.mark}, {graded.mistake}"
            problems.append(f"{part.part} = {text} is {mistake.mistake}, but was graded {outcome}")
    garbage = GARBAGE[question.seed % len(GARBAGE)]
    for part in question.parts:
        if part.kind not in ("text", "line") and _grade_part(alone[part.part], garbage).mark != Outcome.NOT_UNDERSTOOD:
            problems.append(f"{part.part} = {garbage!r} was understood")
    problems += [problem for one in alone.values() for problem in _check_rounding(one)]
    problems += [
        f"{function} is on one side of its kink everywhere in the domain of {part.part}"
        for part in question.parts
        if part.kind == "expression"
        for function in one_sided(text_in_variables(part.answer, part), part.variables)
    ]
    if not _is_json(question):
        problems.append("it changes when it is stored as JSON")
    if not (compute and question.check):
        return problems
    try:
        texts, agree = compare_values(question, compute(question.check, check_names(question)))
    except RuntimeError as error:
        return [*problems, f"the second computation fails: {error}"]
    if not agree:
        problems.append(f"the second computation gives {texts}, not {correct}")
    return problems


def _grade_part(alone: Question, text: str) -> PartMark:
    """Grade the only part of a question."""
    return mark(alone, {alone.parts[0].part: text}).parts[0]


def _is_json(value: Any) -> bool:
    """Return whether a value is the same after it was stored as JSON."""
    if isinstance(value, list):
        return all(map(_is_json, value))
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_json(inner) for key, inner in value.items())
    if is_dataclass(value):
        return _is_json(vars(value))
    return value is None or isinstance(value, str | int) or (isinstance(value, float) and isfinite(value))


def _check_rounding(alone: Question) -> list[str]:
    """Return the problems of a decimal's rounding: its interval must be correct, and what is beyond it incorrect."""
    (part,) = alone.parts
    if part.kind != "decimal" or part.decimals is None:
        return []
    problems = []
    for shift, is_right in ((0.49, True), (-0.49, True), (3, False), (-3, False)):
        text = f"{part.answer + shift * 10.0**-part.decimals:.{max(0, part.decimals + 6)}f}"
        graded = _grade_part(alone, text)
        if (graded.mark == Outcome.RIGHT) != is_right:
            problems.append(f"{part.part} = {text}, off by {shift} units, was graded {graded.mark}")
    return problems
