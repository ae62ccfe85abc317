"""Answers that are several numbers: a tensor's shape, a vector, a matrix; each correct element earns credit."""

from collections.abc import Callable, Iterable, Iterator

from quizzes.answers.kind import Kind, Reading
from quizzes.answers.notation import list_notation, shape_notation
from quizzes.answers.numbers import (
    are_indistinguishable,
    format_decimal,
    format_number,
    is_rounded_too_early,
    rounds_to,
)
from quizzes.expressions.parser import FormatError, read_list, write
from quizzes.expressions.tree import Value, evaluate
from quizzes.question import Answer, Part


class Shape(Kind):
    expected_format = "a shape such as AxBxC"

    def read(self, text: str, part: Part) -> Reading:
        items = read_list(shape_notation(text))
        if any(isinstance(item, list) for item in items):
            raise FormatError("a shape is one list of integers, such as AxBxC", text, 0)
        sizes = [evaluate(item, {}) for item in items if not isinstance(item, list)]
        if any(size != int(size) or size < 0 for size in sizes):
            raise FormatError("every dimension of a shape must be an integer, such as in AxBxC", text, 0)
        return Reading([int(size) for size in sizes], self.format_answer(sizes, part))

    def score(self, value: list[int], expected: Answer, part: Part) -> float:
        if len(value) != len(expected):
            return 0.0
        return float(sum(a == b for a, b in zip(value, expected, strict=True)) / len(expected))

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        sizes: list[int] = reading.value
        if len(sizes) == len(expected) == 3 and sizes == [expected[2], *expected[:2]]:
            return "These are the channels first. The question asks for height x width x channels."
        if len(sizes) != len(expected):
            return f"This has {len(sizes)} dimensions, but it should have {len(expected)}."
        return _which([a == b for a, b in zip(sizes, expected, strict=True)], [(k + 1,) for k in range(len(sizes))])

    def format_answer(self, value: Answer, part: Part) -> str:
        return format_shape(value)

    def to_json(self, value: Value) -> Answer:
        return [int(size) for size in value]


class Vector(Kind):
    """A list of numbers, nested as deeply as `depth` says."""

    expected_format = "a vector such as [a, b, c]"
    depth = 1

    def format_hint(self, part: Part) -> str:
        places = "" if part.decimals is None else f", to {part.decimals} decimal places"
        return self.expected_format + places

    def read(self, text: str, part: Part) -> Reading:
        trees = read_list(list_notation(text, self.depth))
        if self.depth == 1 and _depth(trees) == 2:
            trees = _as_vector(trees)
        if self.depth == 2 and trees and not isinstance(trees[0], list):
            trees = [trees]
        if _depth(trees) != self.depth:
            raise FormatError(f"enter {self.expected_format}", text, 0)
        if self.depth == 2 and len({len(row) for row in trees if isinstance(row, list)}) > 1:
            raise FormatError("the rows of the matrix have different lengths", text, 0)
        value = _map(trees, lambda tree: evaluate(tree, {}))
        return Reading(value, _format_nested(trees, write))

    def score(self, value: Value, expected: Answer, part: Part) -> float:
        if _shape(value) != _shape(expected):
            return 0.0
        pairs = list(zip(_flat(value), _flat(expected), strict=True))
        if all(rounds_to(a, b, part.decimals) for a, b in pairs):
            return 1.0
        # Zeros that belong there earn no credit of their own: most elements of a one-hot vector are 0.
        counted = [(a, b) for a, b in pairs if a or not rounds_to(0, b, part.decimals)]
        return sum(rounds_to(a, b, part.decimals) for a, b in counted) / len(counted)

    def rounding_error(self, value: Value, part: Part) -> float:
        return 0.0 if part.decimals is None else 0.5 * 10.0**-part.decimals

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        value = reading.value
        if self.depth == 2 and value != expected and self.score(_transposed(value), expected, part) == 1:
            return "This is the transpose: exchange rows and columns."
        if _shape(value) != _shape(expected):
            return self._size_feedback(value, expected)
        pairs = list(zip(_flat(value), _flat(expected), strict=True))
        correct, decimals = [rounds_to(a, b, part.decimals) for a, b in pairs], part.decimals or 0
        if not all(correct) and all(
            ok or is_rounded_too_early(a, b, decimals) for ok, (a, b) in zip(correct, pairs, strict=True)
        ):
            return f"Correct values, too few digits: give {part.decimals} decimal places."
        # Of a one-hot vector, the elements that are incorrect would tell which is 1.
        return _which(correct, list(_places_in(expected))) if self.score(value, expected, part) else ""

    def _size_feedback(self, value: Value, expected: Answer) -> str:
        actual_size, expected_size = (format_shape(_shape(v)) for v in (value, expected))
        numbers, size = list(_flat(value)), len(list(_flat(expected)))
        advice = ""
        if len(numbers) == 2 * size:
            advice = " If you wrote decimal commas, use decimal points."
        elif len(numbers) == 1 < size:
            advice = f" Write commas between the elements, as in {'[a, b]' if self.depth == 1 else '[[a, b], [c, d]]'}."
        return f"The size is {actual_size}, but it should be {expected_size}.{advice}"

    def are_indistinguishable(self, a: Answer, b: Answer, part: Part) -> bool:
        return _shape(a) == _shape(b) and all(
            are_indistinguishable(x, y, part.decimals) for x, y in zip(_flat(a), _flat(b), strict=True)
        )

    def format_answer(self, value: Answer, part: Part) -> str:
        decimals = part.decimals
        return _format_nested(value, format_number if decimals is None else lambda v: format_decimal(v, decimals))

    def to_json(self, value: Value) -> Answer:
        return _map(value, lambda v: int(v) if v == int(v) else float(v))


class Matrix(Vector):
    expected_format = "a matrix such as [[a, b], [c, d]]"
    depth = 2


def _which(correct: list[bool], places: list[tuple[int, ...]]) -> str:
    """Return how many elements are correct, and which are not: `2 of 3 correct: check element 2.`"""
    wrong = [", ".join(map(str, place)) for place, ok in zip(places, correct, strict=True) if not ok]
    if not any(correct) or not wrong:
        return ""
    names = [f"[{place}]" if "," in place else place for place in wrong[:3]]
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    noun = "element" if len(wrong) == 1 else "elements"
    return f"{sum(correct)} of {len(correct)} correct: check {noun} {', '.join(names)}{more}."


def _places_in(value: Value, place: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Yield the indices of each number, counted from 1."""
    if not isinstance(value, list):
        yield place
        return
    for k, item in enumerate(value, 1):
        yield from _places_in(item, (*place, k))


def _transposed(matrix: Value) -> Value:
    return [list(column) for column in zip(*matrix, strict=True)]


def _as_vector(rows: Value) -> Value:
    """Return the elements of a matrix with one row or one column; any other matrix as it is."""
    if len(rows) == 1:
        return rows[0]
    return [row[0] for row in rows] if all(len(row) == 1 for row in rows) else rows


def format_shape(sizes: Iterable[Value]) -> str:
    """Return a shape as text: `28x28x1`."""
    return "x".join(str(int(size)) for size in sizes)


def _format_nested(value: Value, format_leaf: Callable[[Value], str]) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_format_nested(v, format_leaf) for v in value)}]"
    return format_leaf(value)


def _depth(value: Value) -> int:
    """Return how deeply lists are nested; -1 if only some elements of a list are lists."""
    if not isinstance(value, list):
        return 0
    depths = {_depth(v) for v in value}
    return 1 + depths.pop() if len(depths) == 1 and -1 not in depths else -1


def _shape(value: Value) -> tuple[int, ...]:
    return (len(value), *_shape(value[0])) if isinstance(value, list) else ()


def _flat(value: Value) -> Iterator[Value]:
    for v in value:
        if isinstance(v, list):
            yield from _flat(v)
        else:
            yield v


def _map(value: Value, function: Callable[[Value], Value]) -> Value:
    return [_map(v, function) for v in value] if isinstance(value, list) else function(value)
