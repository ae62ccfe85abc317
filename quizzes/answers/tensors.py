"""Answers that are several numbers: a tensor's shape, a vector, a matrix; each element earns its share."""

import re
from collections.abc import Iterator
from typing import Any

from quizzes.answers.kind import Kind, Reading
from quizzes.answers.numbers import format_decimal, format_number, indistinguishable, rounds_to
from quizzes.expressions.parser import FormatError, read_list, write
from quizzes.expressions.tree import evaluate
from quizzes.question import Part

BETWEEN_DIGITS = re.compile(r"(?<=[\d\s])[x×X](?=[\d\s])")


class Shape(Kind):
    expected_format = "a shape such as AxBxC"

    def read(self, text: str, part: Part) -> Reading:
        items = read_list(BETWEEN_DIGITS.sub(",", text.strip()))
        if any(isinstance(item, list) for item in items):
            raise FormatError("a shape is one list of whole numbers, such as AxBxC", text, 0)
        sizes = [evaluate(item, {}) for item in items]
        if any(size != int(size) or size < 0 for size in sizes):
            raise FormatError("every dimension of a shape is a whole number, such as AxBxC", text, 0)
        return Reading([int(size) for size in sizes], self.write(sizes, part))

    def score(self, value: list[int], truth: list[int], part: Part) -> float:
        if len(value) != len(truth):
            return 0.0
        return sum(a == b for a, b in zip(value, truth, strict=True)) / len(truth)

    def write(self, value: Any, part: Part) -> str:
        return "x".join(str(int(size)) for size in value)

    def to_json(self, value: Any) -> list[int]:
        return [int(size) for size in value]


class Vector(Kind):
    """A list of numbers; `depth` says how deeply the lists are nested."""

    expected_format = "a vector such as [a, b, c]"
    depth = 1

    def format_hint(self, part: Part) -> str:
        return self.expected_format if part.decimals is None else f"{self.expected_format}, to {part.decimals} decimals"

    def read(self, text: str, part: Part) -> Reading:
        trees = read_list(text)
        if self.depth == 2 and trees and not isinstance(trees[0], list):
            trees = [trees]
        if _depth(trees) != self.depth:
            raise FormatError(f"{self.expected_format} is wanted", text, 0)
        if self.depth == 2 and len({len(row) for row in trees}) > 1:
            raise FormatError("the rows of the matrix have different lengths", text, 0)
        value = _map(trees, lambda tree: evaluate(tree, {}))
        return Reading(value, self._nested(trees, write))

    def score(self, value: Any, truth: Any, part: Part) -> float:
        if _shape(value) != _shape(truth):
            return 0.0
        pairs = list(zip(_flat(value), _flat(truth), strict=True))
        return sum(rounds_to(a, b, part.decimals) for a, b in pairs) / len(pairs)

    def near_miss_hint(self, reading: Reading, truth: Any, part: Part) -> str:
        if _shape(reading.value) != _shape(truth):
            given, wanted = ("x".join(map(str, _shape(v))) for v in (reading.value, truth))
            commas = " If your decimals have commas, write points." if _doubled(reading.value, truth) else ""
            return f"The size is {given}, and {wanted} is wanted.{commas}"
        return ""

    def indistinguishable(self, a: Any, b: Any, part: Part) -> bool:
        return _shape(a) == _shape(b) and all(
            indistinguishable(x, y, part.decimals) for x, y in zip(_flat(a), _flat(b), strict=True)
        )

    def write(self, value: Any, part: Part) -> str:
        decimals = part.decimals
        return self._nested(value, format_number if decimals is None else lambda v: format_decimal(v, decimals))

    def _nested(self, value: Any, leaf: Any) -> str:
        return f"[{', '.join(self._nested(v, leaf) for v in value)}]" if isinstance(value, list) else leaf(value)

    def to_json(self, value: Any) -> Any:
        return _map(value, lambda v: int(v) if v == int(v) else float(v))


class Matrix(Vector):
    expected_format = "a matrix such as [[a, b], [c, d]]"
    depth = 2


def _depth(value: Any) -> int:
    """How deeply lists are nested; -1 where some elements are lists and others are not."""
    if not isinstance(value, list):
        return 0
    inside = {_depth(v) for v in value}
    return 1 + inside.pop() if len(inside) == 1 and -1 not in inside else -1


def _shape(value: Any) -> tuple[int, ...]:
    return (len(value), *_shape(value[0])) if isinstance(value, list) else ()


def _flat(value: Any) -> Iterator[Any]:
    for v in value:
        if isinstance(v, list):
            yield from _flat(v)
        else:
            yield v


def _doubled(value: Any, truth: Any) -> bool:
    return len(list(_flat(value))) == 2 * len(list(_flat(truth)))


def _map(value: Any, leaf: Any) -> Any:
    return [_map(v, leaf) for v in value] if isinstance(value, list) else leaf(value)
