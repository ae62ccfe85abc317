"""Answers that put items in order: all of them, or those that belong."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import pairwise

from quizzes.answers.kind import Reading
from quizzes.answers.labels import Choices, check_unique, letter_of
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tree import Value
from quizzes.question import Answer, Part

Before = Sequence[Sequence[str]]  # pairs of items: the first must come before the second

MAX_ITEMS = 10  # in an answer of which several orders are correct


class Order(Choices):
    """Items in order, by letter; the score is the share of neighbors that are neighbors in the nearest correct order.

    If the part has more choices than its answer, the student also selects the items that belong.
    """

    def format_hint(self, part: Part) -> str:
        if _has_distractors(part):
            return "the letters of the items that belong, first to last"
        return "every letter once, first to last"

    def read(self, text: str, part: Part) -> Reading:
        order = check_unique(self.letters_in(text, part), text)
        if not order:
            raise FormatError("this is empty: enter an answer", text, 0)
        if len(order) != len(part.choices) and not _has_distractors(part):
            raise FormatError(f"put all {len(part.choices)} letters in order, each of them once", text, 0)
        return Reading(order, ", ".join(order))

    def score(self, value: list[str], expected: Answer, part: Part) -> float:
        if value == expected:
            return 1.0
        pairs = set(pairwise(value))
        if part.before and _is_possible(expected, part.before):
            common = _most_neighbors(expected, part.before, pairs)
        else:
            common = len(pairs & set(pairwise(expected)))
        return common / max(1, max(len(value), len(expected)) - 1)

    def are_indistinguishable(self, a: Answer, b: Answer, part: Part) -> bool:
        if a == b:
            return True
        return bool(part.before) and sorted(a) == sorted(b) and all(_is_possible(x, part.before) for x in (a, b))

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        if not _has_distractors(part):
            return ""
        if sorted(reading.value) == sorted(expected):
            return "These are the items that belong, but their order is incorrect."
        return "An item doesn't belong, or one is missing."

    def answer(self, value: Value, part: Part) -> Answer:
        return [letter_of(key, part) for key in value]


def _has_distractors(part: Part) -> bool:
    return part.answer is not None and len(part.answer) < len(part.choices)


def _is_possible(order: Sequence[str], before: Before) -> bool:
    place = {item: k for k, item in enumerate(order)}
    return all(first in place and second in place and place[first] < place[second] for first, second in before)


def _most_neighbors(items: Sequence[str], before: Before, pairs: set[tuple[str, str]]) -> int:
    """Return how many of the pairs are neighbors in the possible order of the items that has most of them."""
    needs = {item: frozenset(first for first, second in before if second == item) for item in items}

    @cache
    def most(placed: frozenset[str], last: str) -> int:
        following = [item for item in items if item not in placed and needs[item] <= placed]
        return max(((last, item) in pairs) + most(placed | {item}, item) for item in following) if following else 0

    return most(frozenset(), "")


def possible_orders(needs: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield the orders of items in which each comes after those that it needs.

    Args:
        needs: The items that each item needs.
    """
    free = [item for item, others in needs.items() if not set(others) & needs.keys()]
    if not needs:
        yield []
    for item in free:
        for rest in possible_orders({other: needs[other] for other in needs if other != item}):
            yield [item, *rest]
