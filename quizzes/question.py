"""The words of this package as plain data: a question, its parts, steps and mistakes, and the mark an answer earns.

Everything here is made of numbers, texts, lists and dicts, so that a question can be stored, sent and shown anywhere.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any


@dataclass(frozen=True)
class Part:
    """One value that a question asks for.

    Attributes:
        part: Its name within the question.
        kind: The kind of answer: a key of `answers.KINDS`.
        label: What is asked, in words.
        answer: The true value, in the form that the kind gives it.
        other_answers: Further values that are as right (several inputs may give one output).
        decimals: How many decimals the answer is rounded to; None where it is exact.
        choices: What may be chosen: answers to choose among, items to order, or the right-hand side of a match.
        items: The left-hand side of a match.
        variables: The symbols of an expression, each with the interval in which it is compared.
        domain: For an input that is sought: the least and the largest value it may have, None for no end.
    """

    part: str
    kind: str
    label: str
    answer: Any
    other_answers: list = field(default_factory=list)
    decimals: int | None = None
    choices: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    variables: dict[str, list[float]] = field(default_factory=dict)
    domain: list[float | None] = field(default_factory=list)


@dataclass(frozen=True)
class Mistake:
    """A known wrong way to a part: its name (the same in every variant), the answers it leads to, and what to say."""

    mistake: str
    part: str
    answer: Any
    feedback: str
    other_answers: list = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """One step of the worked solution: words, and equations in the grammar of `expressions.parser`."""

    text: str
    math: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Visualization:
    """A drawing beside a question: its kind, as `workbench.render.visualizations` knows it, and its data."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """A question with its numbers: one variant of a drill, or one card.

    Attributes:
        drill: The drill's id, or the card's.
        seed: The seed that gives the same question again.
        topic: The topic's id in the syllabus.
        tier: 1 (one formula) to 3 (a small exam problem); 0 for a card.
        title: A few words on the subject.
        prompt: What is asked, with every convention that changes the answer.
        params: The given values by symbol.
        parts: What is to be answered, in order.
        mistakes: The mistakes that this variant can tell apart.
        hint: One sentence that helps without giving the answer.
        steps: The worked solution.
        equations: The equations from the inputs to the outputs, so that a later part can be graded from the
            student's own earlier value, and an input that is sought by what it leads to.
        procedure_values: What a procedure found for the chain to start from.
        verify: A Python script whose last values confirm the parts by another library; empty for a card.
        expected: The values that the script must arrive at, by name.
        visualization: What to draw beside it.
        explanation: Why a card's answer is correct; empty for a drill, whose steps explain it.
        source: Where the formula or the fact comes from.
    """

    drill: str
    seed: int
    topic: str
    tier: int
    title: str
    prompt: str
    params: dict[str, Any]
    parts: list[Part]
    mistakes: list[Mistake] = field(default_factory=list)
    hint: str = ""
    steps: list[Step] = field(default_factory=list)
    equations: list[str] = field(default_factory=list)
    procedure_values: dict[str, Any] = field(default_factory=dict)
    verify: str = ""
    expected: dict[str, Any] = field(default_factory=dict)
    visualization: Visualization | None = None
    explanation: str = ""
    source: str = ""


@dataclass(frozen=True)
class PartMark:
    """The mark of one part.

    Attributes:
        part: The part's name.
        mark: `right`, `partly`, `wrong` or `not_understood`.
        score: 0 to 1.
        read_as: The answer as it was read; empty where it was not understood.
        mistake: The name of the mistake that was recognised.
        feedback: What to say about it.
    """

    part: str
    mark: str
    score: float = 0.0
    read_as: str = ""
    mistake: str | None = None
    feedback: str = ""


@dataclass(frozen=True)
class Mark:
    """The mark of a whole answer; `not_understood` costs nothing."""

    mark: str
    score: float
    feedback: str
    parts: list[PartMark]


def to_json(value: Any) -> Any:
    """An exact value as plain data."""
    if isinstance(value, list):
        return [to_json(v) for v in value]
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else float(value)
    return value


def value_text(value: Any) -> str:
    """A given value as a question prints it."""
    if isinstance(value, list):
        return f"[{', '.join(value_text(v) for v in value)}]"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
