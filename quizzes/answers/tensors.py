"""Answers that are several numbers: a tensor's shape, a vector, a matrix; each correct element earns credit."""

import re
from collections.abc import Callable, Iterable, Iterator

from quizzes.answers.kind import Kind, Reading
from quizzes.answers.numbers import are_indistinguishable, format_decimal, format_number, rounds_to
from quizzes.expressions.parser import FormatError, read_list, write
from quizzes.expressions.tree import Value, evaluate
from quizzes.question import Answer, Part

BETWEEN_DIGITS = re.compile(r"(?<=[\d\s])[x×X](?=[\d\s])")


class Shape(Kind):
    expected_format = "a shape such as AxBxC"

    def read(self, text: str, part: Part) -> Reading:
        items = read_list(BETWEEN_DIGITS.sub(",", text.strip()))
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
        trees = read_list(text)
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
        return sum(rounds_to(a, b, part.decimals) for a, b in pairs) / len(pairs)

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        if _shape(reading.value) == _shape(expected):
            return ""
        actual_size, expected_size = (format_shape(_shape(v)) for v in (reading.value, expected))
        has_commas = len(list(_flat(reading.value))) == 2 * len(list(_flat(expected)))
        advice = " If you wrote decimal commas, use decimal points." if has_commas else ""
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
