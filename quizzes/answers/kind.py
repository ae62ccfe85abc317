"""What every kind of answer can do."""

from dataclasses import dataclass
from typing import Any

from quizzes.question import Part


@dataclass(frozen=True)
class Reading:
    """An answer as it was read: its value, and one line that says so."""

    value: Any
    read_as: str


class Kind:
    """One kind of answer."""

    expected_format = ""

    def format_hint(self, part: Part) -> str:
        """How to write the answer, in a few words; an example must not be a possible answer."""
        return self.expected_format

    def read(self, text: str, part: Part) -> Reading:
        """Read an answer.

        Raises:
            FormatError: Where it can't be read.
        """
        raise NotImplementedError

    def score(self, value: Any, truth: Any, part: Part) -> float:
        """How much of a value that was read agrees with the truth: 0 to 1."""
        return float(value == truth)

    def near_miss_hint(self, reading: Reading, truth: Any, part: Part) -> str:
        """What to say of a wrong answer that is right but for its form; empty where there is nothing to say."""
        return ""

    def indistinguishable(self, a: Any, b: Any, part: Part) -> bool:
        """Whether two answers of a question, as they are written, can't be told apart."""
        return a == b

    def write(self, value: Any, part: Part) -> str:
        """A value as a text that `read` takes back."""
        return str(value)

    def to_json(self, value: Any) -> Any:
        """A value that was computed, as plain data for a question."""
        return value
