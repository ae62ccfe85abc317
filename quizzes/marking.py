"""Grading: mistakes recognized by name, partial credit, and later parts graded from the student's earlier values."""

from collections.abc import Mapping
from dataclasses import replace

from quizzes.answers import KINDS, Reading
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tokens import GREEK
from quizzes.expressions.tree import UndefinedValue, Value, exact
from quizzes.follow_through import OwnValues
from quizzes.formula import evaluate_equations
from quizzes.question import Mark, Outcome, Part, PartMark, Question
from workbench.errors import UserError

FORM_SCORE = 0.5  # of a correct value in another form than the one that is asked for

GREEK_NAMES = {"lam": "lambda"}  # a name that Python reserves is shortened in formulas

NOTHING_LEFT = "This follows from your own values, but {name} is 0 or 1 there and leaves nothing to compute. No credit."

SIGNS: dict[str, str] = {Outcome.RIGHT: "✓", Outcome.PARTLY: "≈", Outcome.WRONG: "✗", Outcome.NOT_UNDERSTOOD: "?"}


def mark(question: Question, answers: Mapping[str, str]) -> Mark:
    """Grade an answer.

    Args:
        question: The question.
        answers: The text that the student entered for each part.

    Returns:
        The result. If one part can't be read, it is `not_understood`, and the answer does not count.

    Raises:
        UserError: If a part is missing, or there is one too many.
    """
    check_parts(question, answers)
    marks: list[PartMark] = []
    own_values: dict[str, Value] = {}  # the student's values, for the parts that follow from them
    rounding_errors: dict[str, float] = {}
    all_right = True
    for part in question.parts:
        try:
            reading = read_part(part, answers[part.part])
        except FormatError as error:
            marks.append(PartMark(part.part, Outcome.NOT_UNDERSTOOD, feedback=error.message_with_caret()))
            continue
        unexplained = [m.part for m in marks if m.mark in (Outcome.WRONG, Outcome.PARTLY) and not m.mistake]
        own = OwnValues(question, part, own_values, rounding_errors, unexplained)
        marks.append(_mark_part(question, part, reading, own, all_right))
        own_values[part.part] = _equation_value(part, reading)
        rounding_errors[part.part] = KINDS[part.kind].rounding_error(reading.value, part)
        all_right = all_right and marks[-1].mark == Outcome.RIGHT
    if unread := [m for m in marks if m.mark == Outcome.NOT_UNDERSTOOD]:
        return Mark(Outcome.NOT_UNDERSTOOD, 0.0, unread[0].feedback, marks)
    marks = [_check_support(part, m, marks) for part, m in zip(question.parts, marks, strict=True)]
    score = sum(m.score for m in marks) / len(marks)
    outcome = Outcome.RIGHT if score == 1 else Outcome.WRONG if score == 0 else Outcome.PARTLY
    return Mark(outcome, round(score, 4), next((m.feedback for m in marks if m.feedback), ""), marks)


def check_parts(question: Question, answers: Mapping[str, str]) -> None:
    """Check that an answer has every part of a question, and no other.

    Raises:
        UserError: If a part is missing, or there is one too many.
    """
    names = [part.part for part in question.parts]
    missing = [name for name in names if name not in answers]
    surplus = [name for name in answers if name not in names]
    if missing or surplus:
        problem = f"missing: {', '.join(missing)}" if missing else f"not asked for: {', '.join(surplus)}"
        values = "1 value" if len(names) == 1 else f"{len(names)} values"
        raise UserError(f"This question asks for {values}: {', '.join(names)} ({problem}).")


def read_part(part: Part, text: str) -> Reading:
    """Read what a student entered for one part: the value, or the part's name, an equals sign and the value.

    Raises:
        FormatError: If it can't be read.
    """
    left, equals, right = text.partition("=")
    has_name = equals and part.kind not in ("match", "line") and _is_name_of(left.strip(), part)
    return KINDS[part.kind].read(right if has_name else text, part)


def _is_name_of(text: str, part: Part) -> bool:
    """Return whether a text names a part: its symbol, also as a Greek letter, or a symbol of its label (`df/dz`)."""
    name = "".join(GREEK.get(c, c) for c in text)
    return name in (part.part, GREEK_NAMES.get(part.part)) or (bool(text) and text in part.label.split())


def _equation_value(part: Part, reading: Reading) -> Value:
    return KINDS[part.kind].equation_value(reading.value, part)


def _check_support(part: Part, part_mark: PartMark, marks: list[PartMark]) -> PartMark:
    """Return the result for a part; a correct choice without the correct values that support it earns nothing."""
    incorrect = [m.part for m in marks if m.part in part.supported_by and m.mark != Outcome.RIGHT]
    if part_mark.mark != Outcome.RIGHT or not incorrect:
        return part_mark
    names, verb = " and ".join(incorrect), "doesn't" if len(incorrect) == 1 else "don't"
    is_expected = not part_mark.feedback  # it does not only follow from an incorrect value
    choice = "The choice is correct" if is_expected else "The choice follows from your own value"
    feedback = f"{choice}, but {names} {verb} support it: it earns credit only with the correct value."
    return replace(part_mark, mark=Outcome.PARTLY, score=0.0, feedback=feedback)


def _mark_part(question: Question, part: Part, reading: Reading, own: OwnValues, all_right: bool) -> PartMark:
    kind = KINDS[part.kind]
    score = max(kind.score(reading.value, answer, part) for answer in [part.answer, *part.other_answers])
    if score == 1 and (advice := kind.form_feedback(reading.value, part)):
        return PartMark(part.part, Outcome.PARTLY, FORM_SCORE, reading.read_as, feedback=advice)
    if score == 1 or _fits_outputs(question, part, reading):
        return PartMark(part.part, Outcome.RIGHT, 1.0, reading.read_as)
    follows = own.lead_to(reading) or (not all_right and own.lead_to(reading, unrounded=True))
    if follows and not own.removes_work:
        return _following(part, reading, all_right)
    outcome = Outcome.PARTLY if score > 0 else Outcome.WRONG
    for mistake in question.mistakes:
        if mistake.part == part.part and any(
            kind.score(reading.value, answer, part) == 1 for answer in [mistake.answer, *mistake.other_answers]
        ):
            return PartMark(part.part, outcome, round(score, 4), reading.read_as, mistake.mistake, mistake.feedback)
    if all_right and own.lead_to(reading, unrounded=True) and not own.removes_work:
        return _following(part, reading, all_right)
    feedback = kind.near_miss_feedback(reading, part.answer, part) or ("Partially correct." if score > 0 else "")
    if follows:
        feedback = NOTHING_LEFT.format(name=own.removes_work)
    return PartMark(part.part, outcome, round(score, 4), reading.read_as, feedback=feedback)


def _following(part: Part, reading: Reading, all_right: bool) -> PartMark:
    """Return the result for an answer that follows from the student's own earlier values."""
    feedback = "" if all_right else "Correct, based on your own earlier value."
    return PartMark(part.part, Outcome.RIGHT, 1.0, reading.read_as, feedback=feedback)


def _fits_outputs(question: Question, part: Part, reading: Reading) -> bool:
    """Return whether an unknown input leads to the given outputs: any value that does is correct."""
    value = _equation_value(part, reading)
    low, high = part.domain or (None, None)
    if not part.domain or (low is not None and value < low) or (high is not None and value > high):
        return False
    try:
        values = evaluate_equations(question.equations, {**question.params, part.part: value})
    except UndefinedValue:
        return False
    return all(values[name] == exact(output) for name, output in question.expected.items())
