"""Answer + question -> mark: mistakes recognised by name, partial credit, and follow-through between parts."""

from collections.abc import Mapping
from typing import Any

from quizzes.answers import KINDS, Reading
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tree import UndefinedValue, exact
from quizzes.formula import evaluate_equations
from quizzes.question import Mark, Part, PartMark, Question
from workbench.errors import UserError

SIGNS = {"right": "✓", "partly": "≈", "wrong": "✗", "not_understood": "?"}


def mark(question: Question, answers: Mapping[str, str]) -> Mark:
    """Mark an answer.

    Args:
        question: The question.
        answers: What was typed, by part.

    Returns:
        The mark. It is `not_understood` as soon as one part can't be read; then nothing is lost and nothing counts.

    Raises:
        UserError: Where a part is missing, or there is one too many.
    """
    check_parts(question, answers)
    marks: list[PartMark] = []
    own: dict[str, Any] = {}  # the student's values of the parts that were read, for the parts that follow from them
    all_right = True
    for part in question.parts:
        try:
            reading = read_part(part, answers[part.part])
        except FormatError as error:
            marks.append(PartMark(part.part, "not_understood", feedback=error.message_with_caret()))
            continue
        marks.append(_mark_part(question, part, reading, own, all_right))
        own[part.part] = _number(reading.value)
        all_right = all_right and marks[-1].mark == "right"
    if any(m.mark == "not_understood" for m in marks):
        first = next(m for m in marks if m.mark == "not_understood")
        return Mark("not_understood", 0.0, first.feedback, marks)
    score = sum(m.score for m in marks) / len(marks)
    verdict = "right" if score == 1 else "wrong" if score == 0 else "partly"
    return Mark(verdict, round(score, 4), next((m.feedback for m in marks if m.feedback), ""), marks)


def check_parts(question: Question, answers: Mapping[str, str]) -> None:
    """Refuse an answer with missing or surplus parts."""
    names = [part.part for part in question.parts]
    missing = [name for name in names if name not in answers]
    surplus = [name for name in answers if name not in names]
    if missing or surplus:
        wanted = f"this question asks for {len(names)} value{'s' * (len(names) > 1)}: {', '.join(names)}"
        wrong = f"missing: {', '.join(missing)}" if missing else f"not asked for: {', '.join(surplus)}"
        raise UserError(f"{wanted[0].upper()}{wanted[1:]} ({wrong}).")


def read_part(part: Part, text: str) -> Reading:
    """Read what was typed for one part; the `o =` that people like to write before it is left out.

    Raises:
        FormatError: Where it can't be read.
    """
    left, equals, right = text.partition("=")
    named = equals and left.strip() == part.part and part.kind != "match"
    return KINDS[part.kind].read(right if named else text, part)


def _number(value: Any) -> Any:
    """A value that was read as the chain takes it: a decimal comes with the places it was typed with."""
    return value[0] if isinstance(value, tuple) else value


def _mark_part(question: Question, part: Part, reading: Reading, own: dict[str, Any], all_right: bool) -> PartMark:
    kind = KINDS[part.kind]
    score = max(kind.score(reading.value, truth, part) for truth in [part.answer, *part.other_answers])
    if score == 1 or _fits(question, part, reading):
        return PartMark(part.part, "right", 1.0, reading.read_as)
    if _follows(question, part, reading, own):
        said = "" if all_right else "Right, worked from your own earlier value."
        return PartMark(part.part, "right", 1.0, reading.read_as, feedback=said)
    for wrong in question.mistakes:
        if wrong.part == part.part and any(
            kind.score(reading.value, v, part) == 1 for v in [wrong.answer, *wrong.other_answers]
        ):
            verdict = "partly" if score > 0 else "wrong"
            return PartMark(part.part, verdict, round(score, 4), reading.read_as, wrong.mistake, wrong.feedback)
    if remark := kind.near_miss_hint(reading, part.answer, part):
        return PartMark(part.part, "partly" if score else "wrong", round(score, 4), reading.read_as, feedback=remark)
    if score > 0:
        return PartMark(part.part, "partly", round(score, 4), reading.read_as, feedback="Partly right.")
    return PartMark(part.part, "wrong", 0.0, reading.read_as)


def _fits(question: Question, part: Part, reading: Reading) -> bool:
    """Whether an input that is sought leads to the given outputs: any that does is right."""
    value = _number(reading.value)
    low, high = part.domain or (None, None)
    if not part.domain or (low is not None and value < low) or (high is not None and value > high):
        return False
    try:
        found = evaluate_equations(question.equations, {**question.params, part.part: value})
    except UndefinedValue:
        return False
    return all(found[name] == exact(given) for name, given in question.expected.items())


def _follows(question: Question, part: Part, reading: Reading, own: dict[str, Any]) -> bool:
    """Whether an answer follows, by the question's own chain, from what the student gave for the parts before.

    A value so trivial that it removes the work earns nothing: neither zeros and ones in place of an earlier value, nor
    a later value that has become zero by it.
    """
    if not question.equations or not own:
        return False
    truths = {p.part: p.answer for p in question.parts}
    if any(_trivial(value) and not _trivial(exact(truths[name])) for name, value in own.items()):
        return False
    try:
        value = evaluate_equations(question.equations, {**question.params, **question.procedure_values}, given=own)[
            part.part
        ]
    except (UndefinedValue, KeyError, TypeError):
        return False
    if _trivial(value) and not _trivial(exact(part.answer)):
        return False
    kind = KINDS[part.kind]
    return kind.score(reading.value, kind.to_json(value), part) == 1


def _trivial(value: Any) -> bool:
    if isinstance(value, list):
        return all(_trivial(v) for v in value)
    return value in (0, 1, -1)
