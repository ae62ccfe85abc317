"""Follow-through: later parts are graded from the student's own earlier values.

A student who entered a rounded value may continue with it, or with what the calculator shows. So a later answer follows
if some value that rounds to the earlier one leads to it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from quizzes.answers import KINDS, Reading
from quizzes.expressions.tree import UndefinedValue, Value, exact
from quizzes.formula import equation, evaluate_equations
from quizzes.question import Part, Question

ROUNDED_KINDS = ("integer", "decimal", "vector", "matrix")  # in which an error of an earlier value can be seen
NEAREST = 1e-9  # of a rounding error: how near the number that a student rounded may have been to the rounded one
MAX_NUMBERS = 100  # of earlier parts, each of which is varied by itself


@dataclass(frozen=True)
class OwnValues:
    """The student's values of the parts before one part.

    Attributes:
        question: The question.
        part: The part that they may lead to.
        values: The values by part.
        rounding_errors: How far the student's unrounded values may be from them.
        unexplained: The parts whose values are incorrect, and come from no mistake with a name.
    """

    question: Question
    part: Part
    values: Mapping[str, Value]
    rounding_errors: Mapping[str, float]
    unexplained: Collection[str] = ()

    def lead_to(self, reading: Reading, unrounded: bool = False) -> bool:
        """Return whether an answer follows, by the question's equations, from the student's values.

        Args:
            reading: The answer.
            unrounded: Whether it may follow from any values that round to the earlier ones.
        """
        if not self.question.equations or not self.values or self.part.part in self.question.procedure_values:
            return False
        value = self._consequence(self.values)
        if value is None:
            return unrounded and self._lies_between_neighbors(reading)
        if unrounded:
            return self._unrounded_lead_to(value, reading)
        kind = KINDS[self.part.kind]
        return kind.score(reading.value, kind.answer(value, self.part), self.part) == 1

    @property
    def removes_work(self) -> str:
        """The name of a part whose own value earns no credit for what follows from it; empty if there is none.

        Neither 0, 1 or -1 in place of an earlier value, unless a mistake with a name leads to it, nor a later value
        that becomes one of them: nothing is left to compute.
        """
        correct = {**{p.part: p.answer for p in self.question.parts}, **self.question.expected}
        choices = {p.part for p in self.question.parts if p.choice_values}  # the number of a choice is never trivial
        values = {name: self.values[name] for name in self.unexplained if name not in choices}
        if self.unexplained and self.part.part not in choices:
            values[self.part.part] = self._consequence(self.values)
        trivial = (name for name, value in values.items() if value is not None and _is_trivial(value))
        return next((name for name in trivial if not _is_trivial(exact(correct[name]))), "")

    def _consequence(self, values: Mapping[str, Value]) -> Value | None:
        """Return the value of the part if the earlier ones have these values; None if it has none."""
        inputs = {**self.question.params, **self.question.procedure_values, **values}
        # What defines the earlier values is not needed, and may have no value.
        equations = [eq for eq in map(equation, self.question.equations) if eq.name not in values]
        try:
            return evaluate_equations(equations, inputs)[self.part.part]
        except (UndefinedValue, KeyError, TypeError):
            return None

    def _unrounded_lead_to(self, value: Value, reading: Reading) -> bool:
        """Return whether values that round to the earlier ones may lead to an answer.

        Each earlier number is moved by its rounding error to either side; the effects add up.

        Args:
            value: What the values as entered lead to.
            reading: The answer.
        """
        if self.part.kind not in ROUNDED_KINDS or not any(self.rounding_errors.values()):
            return False
        nominal, deviations = numbers_in(value), [0.0] * len(numbers_in(value))
        neighbors = list(self._neighbors())
        if len(neighbors) > 2 * MAX_NUMBERS:
            return False
        for pair in zip(neighbors[::2], neighbors[1::2], strict=True):
            moved = [numbers_in(v) for v in map(self._consequence, pair) if v is not None]
            for k in range(len(nominal)):
                changes = [abs(numbers[k] - nominal[k]) for numbers in moved if len(numbers) == len(nominal)]
                deviations[k] += max(changes, default=0.0)
        kind = KINDS[self.part.kind]
        entered = numbers_in(kind.equation_value(reading.value, self.part))
        error = kind.rounding_error(reading.value, self.part) * (1 + 1e-9)
        return len(entered) == len(nominal) and all(
            abs(a - b) <= deviation * (1 + 1e-9) + error
            for a, b, deviation in zip(entered, nominal, deviations, strict=True)
        )

    def _lies_between_neighbors(self, reading: Reading) -> bool:
        """Return whether values that round to the earlier ones lead to an answer, if the earlier ones lead to none.

        A probability of 0.99999 that was entered as 1 has no -ln(1 - p), but the student's own number has: what the
        ends of the rounding interval and its middle lead to are the limits of the answer.
        """
        if self.part.kind != "decimal" or not any(self.rounding_errors.values()):
            return False
        entered = float(KINDS[self.part.kind].equation_value(reading.value, self.part))
        ends, middles = (map(self._consequence, self._neighbors(scale)) for scale in (1.0, NEAREST))
        for end, middle in zip(ends, middles, strict=True):
            if end is not None and middle is not None and end != middle:
                low, high = sorted((float(end), float(middle)))
                if low <= entered <= high:
                    return True
        return False

    def _neighbors(self, scale: float = 1.0) -> Iterator[dict[str, Value]]:
        """Yield the values with one number moved down, then up, by its rounding error, for each number.

        Args:
            scale: A factor of the rounding error.
        """
        for name, error in self.rounding_errors.items():
            if error:
                for k in range(len(numbers_in(self.values[name]))):
                    for sign in (-1, 1):
                        yield {**self.values, name: _moved(self.values[name], k, sign * scale * error)}


def numbers_in(value: Value) -> list[float]:
    """Return all numbers of a value, in order."""
    return [number for item in value for number in numbers_in(item)] if isinstance(value, list) else [float(value)]


def _moved(value: Value, index: int, change: float) -> Value:
    """Return a value in which the number at an index of `numbers_in` is changed."""
    if not isinstance(value, list):
        return float(value) + change
    result, start = [], 0
    for item in value:
        count = len(numbers_in(item))
        result.append(_moved(item, index - start, change) if start <= index < start + count else item)
        start += count
    return result


def _is_trivial(value: Value) -> bool:
    if isinstance(value, list):
        return all(_is_trivial(v) for v in value)
    return value in (0, 1, -1)
