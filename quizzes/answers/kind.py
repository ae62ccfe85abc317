"""The interface of a kind of answer."""

from dataclasses import dataclass

from quizzes.expressions.tree import Value
from quizzes.question import Answer, Part


@dataclass(frozen=True)
class Reading:
    """An answer as it was read.

    Attributes:
        value: Its value, of the type that the kind's `score` takes.
        read_as: One line that shows how it was read.
    """

    value: Value
    read_as: str


class Kind:
    """A kind of answer.

    Attributes:
        expected_format: The form of the answer, in a few words.
    """

    expected_format = ""

    def format_hint(self, part: Part) -> str:
        """Describe how to write the answer to a part; an example in it must not be a possible answer."""
        return self.expected_format

    def read(self, text: str, part: Part) -> Reading:
        """Read an answer.

        Raises:
            FormatError: If it can't be read.
        """
        raise NotImplementedError

    def score(self, value: Value, expected: Answer, part: Part) -> float:
        """Return how much of a value that was read is correct, from 0 to 1."""
        return float(value == expected)

    def near_miss_hint(self, reading: Reading, expected: Answer, part: Part) -> str:
        """Return the feedback to an incorrect answer that is wrong only in its form; empty for any other."""
        return ""

    def indistinguishable(self, a: Answer, b: Answer, part: Part) -> bool:
        """Return whether two answers, as a student would write them, may be the same."""
        return bool(a == b)

    def write(self, value: Answer, part: Part) -> str:
        """Write a value as a text that `read` accepts."""
        return str(value)

    def to_json(self, value: Value) -> Answer:
        """Convert a computed value to JSON data for a question."""
        return value
