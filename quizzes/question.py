"""The data of this package: a question, its parts, steps and mistakes, and the result of grading an answer.

Everything is made of numbers, texts, lists and dicts, so that a question can be stored, sent and shown anywhere.
"""

import json
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Any, TypeAlias

from quizzes.plain_data import build
from workbench.errors import UserError

SCHEMA = 2  # of the program's JSON

# JSON data: a number, a text, a (nested) list of them, or a dict. Its type depends on the kind of answer or symbol,
# which is known only when a program runs.
Answer: TypeAlias = Any
Params: TypeAlias = dict[str, Answer]  # by symbol


@dataclass(frozen=True)
class Part:
    """One value that a question asks for.

    Attributes:
        part: Its name within the question.
        kind: The kind of answer: a key of `answers.KINDS`.
        label: What is asked for, in words.
        answer: The correct answer, in the form that its kind's `to_json` returns.
        other_answers: Further correct answers (several inputs may lead to one output).
        decimals: The decimal places that the answer is rounded to; None for an exact answer.
        digits: The significant digits that it is rounded to, if the question asks for these; else None.
        choices: The answers to choose among, the items to order, or the right-hand side of a match.
        choice_values: The value that equations and checks have for each choice; empty if there are none.
        items: The left-hand side of a match.
        item_values: The value that checks have for each of these items; empty if there are none.
        variables: The symbols of an expression, each with the interval in which it is compared.
        domain: For an unknown input, the smallest and the largest value that it may have, None for no limit.
        form: The forms that an expression must have, as in `answers.forms`.
        definitions: Further symbols that an expression may use, each defined by an expression in the variables.
        before: For an order, the pairs of items of which the first must come before the second; with none, only the
            order of the answer is correct.
        imports: For a line of a program, the import statements of the program.
        signatures: For a line of a program, the signatures of functions that it may call.
        supported_by: For a choice, the parts that must be correct too, so that a guess earns nothing.
        sentence: For words, the sentence with the gap that they fill.
    """

    part: str
    kind: str
    label: str
    answer: Answer
    other_answers: list[Answer] = field(default_factory=list)
    decimals: int | None = None
    choices: list[str] = field(default_factory=list)
    choice_values: list[Answer] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    item_values: list[Answer] = field(default_factory=list)
    variables: dict[str, list[float]] = field(default_factory=dict)
    domain: list[float | None] = field(default_factory=list)
    form: list[str] = field(default_factory=list)
    definitions: dict[str, str] = field(default_factory=dict)
    before: list[list[str]] = field(default_factory=list)
    imports: list[str] = field(default_factory=list)
    signatures: list[str] = field(default_factory=list)
    supported_by: list[str] = field(default_factory=list)
    digits: int | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Mistake:
    """A mistake in one part of a question, and what it leads to.

    Attributes:
        mistake: Its name, the same in every variant.
        part: The part.
        answer: The answer that it leads to.
        feedback: What to tell a student who made it.
        other_answers: Further answers that it leads to.
    """

    mistake: str
    part: str
    answer: Answer
    feedback: str
    other_answers: list[Answer] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One step of the worked solution: a text, and equations in the grammar of `expressions.parser`."""

    text: str
    math: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Visualization:
    """A drawing next to a question: its kind, as in `workbench.render.visualizations`, and its data."""

    kind: str
    data: Params = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A function that computes the answers by PyTorch or another library.

    Attributes:
        module: The module of the function.
        name: Its name.
        arguments: Its arguments by name.
    """

    module: str
    name: str
    arguments: Params


@dataclass(frozen=True)
class Question:
    """A question with its numbers: one variant of a drill, or one card.

    Attributes:
        drill: The drill's id, or the card's.
        seed: The seed that gives the same question again.
        topic: The topic's id in the syllabus.
        tier: The level, 1 (one formula) to 3 (a small exam problem); 0 for a card.
        title: A few words on the subject.
        prompt: The text of the question, with every convention that changes the answer.
        params: The values that the question gives, by symbol.
        parts: The values that it asks for, in order.
        mistakes: The mistakes that this variant can tell apart.
        hints: Sentences that help without giving the answer, from the idea to the first step.
        steps: The worked solution.
        equations: The equations from the inputs to the outputs: a later part can be graded from the student's own
            earlier value, and an unknown input by the outputs that it leads to.
        procedure_values: The values that the equations use and the question doesn't give: those of a procedure, and
            inputs that are asked for.
        check: The function that computes the answers by another library; None for a card.
        verify: The check as a program that a student can run; empty for a card.
        expected: The values that the check must compute, by name.
        visualization: What to draw next to it.
        explanation: Why a card's answer is correct; empty for a drill, whose steps explain it.
        source: Where the formula or the fact comes from.
        joins: Further topics that it belongs to.
    """

    drill: str
    seed: int
    topic: str
    tier: int
    title: str
    prompt: str
    params: Params
    parts: list[Part]
    mistakes: list[Mistake] = field(default_factory=list)
    hints: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    equations: list[str] = field(default_factory=list)
    procedure_values: Params = field(default_factory=dict)
    check: Check | None = None
    verify: str = ""
    expected: Params = field(default_factory=dict)
    visualization: Visualization | None = None
    explanation: str = ""
    source: str = ""
    joins: list[str] = field(default_factory=list)

    @property
    def hint(self) -> str:
        """The first hint; empty if there is none."""
        return self.hints[0] if self.hints else ""

    def to_json(self) -> str:
        """Return the question as text, for `from_json`: a printed exam is graded as it was printed."""
        return json.dumps({"schema": SCHEMA, **asdict(self), "hint": self.hint})

    @classmethod
    def from_json(cls, text: str | bytes) -> "Question":
        """Return the question of a text that `to_json` returned.

        Raises:
            UserError: If the text is not such a question, or comes from a later version of the program.
        """
        try:
            data = json.loads(text)
        except (ValueError, RecursionError):
            raise UserError("The question can't be read: it is not JSON.") from None
        schema = data.pop("schema", None) if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise UserError(f"The question can't be read: its schema must be {SCHEMA}, not {str(schema)[:20]}.")
        first_hint = [data.pop("hint")] if "hint" in data else []
        data.setdefault("hints", [hint for hint in first_hint if hint != ""])  # earlier versions had one hint
        try:
            question = build(cls, data)
            if first_hint not in ([], [question.hint]):
                raise UserError("hint must be the first of hints.")
            return question
        except UserError as error:
            raise UserError(f"The question can't be read: {error}") from None


class Outcome(StrEnum):
    """The result of grading an answer or one part of it; each is its text wherever it is printed or stored."""

    RIGHT = "right"
    PARTLY = "partly"
    WRONG = "wrong"
    NOT_UNDERSTOOD = "not_understood"

    __repr__ = str.__repr__


@dataclass(frozen=True)
class PartMark:
    """The result of grading one part.

    Attributes:
        part: The part's name.
        mark: Its outcome.
        score: 0 to 1.
        read_as: The answer as it was read; empty if it was not understood.
        mistake: The name of the recognized mistake; None if none was recognized.
        feedback: What to tell the student.
    """

    part: str
    mark: Outcome
    score: float = 0.0
    read_as: str = ""
    mistake: str | None = None
    feedback: str = ""


@dataclass(frozen=True)
class Mark:
    """The result of grading a whole answer; one that is not understood is not counted."""

    mark: Outcome
    score: float
    feedback: str
    parts: list[PartMark]


def to_json(value: Any) -> Answer:
    """Convert an exact value to JSON data: fractions become integers or floats, also inside lists."""
    if isinstance(value, list):
        return [to_json(v) for v in value]
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value


def value_text(value: Answer) -> str:
    """Write a value as it appears in a question."""
    if isinstance(value, list):
        return f"[{', '.join(value_text(v) for v in value)}]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
