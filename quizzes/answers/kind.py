"""The base class of the kinds of answers, such as integers, matrices and choices."""

from dataclasses import dataclass

from quizzes.expressions.tree import Value
from quizzes.question import Answer, Part


@dataclass(frozen=True)
class Reading:
    """A student's answer after parsing.

    Attributes:
        value: The parsed value, of the type that `Kind.score` of its kind takes.
        read_as: The answer as the program understood it, in one line that is shown to the student.
    """

    value: Value
    read_as: str


class Kind:
    """A kind of answer: how to parse, grade and format it.

    Attributes:
        expected_format: The format in a few words, such as `an integer`.
    """

    expected_format = ""

    def format_hint(self, part: Part) -> str:
        """Describe the expected format of the answer to a part. An example in it must not be a possible answer."""
        return self.expected_format

    def read(self, text: str, part: Part) -> Reading:
        """Parse an answer.

        Raises:
            FormatError: If it can't be parsed.
        """
        raise NotImplementedError

    def score(self, value: Value, expected: Answer, part: Part) -> float:
        """Return the correct fraction of an answer's parsed value, from 0 to 1."""
        return float(value == expected)

    def form_feedback(self, value: Value, part: Part) -> str:
        """Return the feedback to a correct value that lacks the form asked for; empty if it has it."""
        return ""

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        """Return the feedback to an incorrect answer with only a wrong format, such as too few digits; else empty."""
        return ""

    def are_indistinguishable(self, a: Answer, b: Answer, part: Part) -> bool:
        """Return whether grading might accept one answer for the other, for example after rounding."""
        return bool(a == b)

    def format_answer(self, value: Answer, part: Part) -> str:
        """Format an answer as text that `read` accepts."""
        return str(value)

    def to_json(self, value: Value) -> Answer:
        """Convert a computed value to the JSON data that a question stores as its answer."""
        return value

    def answer(self, value: Value, part: Part) -> Answer:
        """Convert a computed value to the answer of a part; that of a choice is a letter."""
        return self.to_json(value)

    def rounding_error(self, value: Value, part: Part) -> float:
        """Return by how much a number that a student computed may differ from the rounded one that they entered."""
        return 0.0

    def equation_value(self, value: Value, part: Part) -> Value:
        """Return an answer's parsed value as equations take it."""
        return value
