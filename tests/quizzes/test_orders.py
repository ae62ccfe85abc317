"""Orders: every permutation against the constraints, by brute force, and selections with items that don't belong."""

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes.answer_symbols import Order
from quizzes.answers import KINDS
from quizzes.answers.orders import possible_orders
from quizzes.expressions.parser import FormatError
from quizzes.question import Part
from workbench.errors import UserError

KIND = KINDS["order"]
LETTERS = "abcde"


def part(answer, before=(), choices=LETTERS):
    return Part("steps", "order", "", list(answer), choices=[f"line {c}" for c in choices], before=[*map(list, before)])


constraints = st.lists(st.sampled_from([(x, y) for x in LETTERS for y in LETTERS if x < y]), max_size=6, unique=True)


def valid(order, before):
    return all(order.index(x) < order.index(y) for x, y in before)


@given(before=constraints, shuffled=st.permutations(LETTERS))
def test_every_permutation_against_the_constraints(before, shuffled):
    rename = dict(zip(LETTERS, shuffled, strict=True))
    before = [(rename[x], rename[y]) for x, y in before]
    answer = [rename[c] for c in LETTERS]
    correct = [list(order) for order in permutations(LETTERS) if valid(order, before)] if before else [answer]
    steps = part(answer, before)
    for order in permutations(LETTERS):
        score = KIND.score(list(order), answer, steps)
        nearest = max(len(set(pairwise(order)) & set(pairwise(other))) for other in correct) / 4
        assert score == (1 if list(order) in correct else nearest)
        assert (score == 1) == (list(order) in correct)


@given(before=constraints)
def test_possible_orders_are_those_of_brute_force(before):
    needs = {c: [x for x, y in before if y == c] for c in LETTERS}
    assert sorted(possible_orders(needs)) == [list(o) for o in permutations(LETTERS) if valid(o, before)]


def test_items_that_need_each_other_have_no_order():
    assert list(possible_orders({"a": ["b"], "b": ["a"]})) == []
    with pytest.raises(ValueError, match="need each other"):
        Order(items=dict(a="1", b="2"), after=dict(a="b", b="a"), meaning="lines")
    with pytest.raises(UserError, match="Unknown item 'c'"):
        Order(items=dict(a="1", b="2"), after=dict(c="b"), meaning="lines")


@pytest.mark.parametrize(
    ("typed", "score", "feedback"),
    [
        ("a, b, c", 1, ""),
        ("a c b", 0, "their order is incorrect"),  # no neighbors that are neighbors in a, b, c
        ("a, b", 0.5, "one is missing"),
        ("a, b, c, d", 2 / 3, "doesn't belong"),
        ("d, e", 0, "doesn't belong"),
        ("a", 0, "one is missing"),
    ],
)
def test_selection_and_order(typed, score, feedback):
    steps = part("abc", [("a", "b"), ("b", "c")])
    reading = KIND.read(typed, steps)
    assert KIND.score(reading.value, steps.answer, steps) == pytest.approx(score)
    assert feedback in KIND.near_miss_feedback(reading, steps.answer, steps)


def test_without_distractors_every_item_is_needed():
    with pytest.raises(FormatError, match="put all 5 letters in order"):
        KIND.read("a, b", part("abcde"))
    assert KIND.format_hint(part("abcde")) == "every letter once, first to last"
    assert "that belong" in KIND.format_hint(part("abc"))


def test_a_mistakes_order_is_matched_exactly():
    steps = part("abcde", [("a", "e")])
    assert KIND.score(list("eabcd"), list("eabcd"), steps) == 1
    assert KIND.score(list("ebacd"), list("eabcd"), steps) < 1  # as wrong, but another order
    assert KIND.are_indistinguishable(list("abcde"), list("bacde"), steps)
    assert not KIND.are_indistinguishable(list("abcde"), list("eabcd"), steps)


@given(typed=st.text(alphabet="abcdefg, ;->", max_size=20))
def test_any_text_is_read_or_rejected(typed):
    steps = part("abc", [("a", "b")])
    try:
        reading = KIND.read(typed, steps)
    except FormatError:
        return
    assert 0 <= KIND.score(reading.value, steps.answer, steps) <= 1
