"""Marking: mistakes by name, follow-through, the better result, credit for parts, and what costs nothing."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import bank
from quizzes.marking import mark
from quizzes.question import Mistake, Part, Question
from workbench.errors import UserError


def chained(**params: float) -> Question:
    """a = x + 2, then b = 10a, then c = b/4."""
    x = params.get("x", 3)
    values = {"a": x + 2, "b": 10 * (x + 2), "c": 10 * (x + 2) / 4}
    return Question(
        drill="test", seed=0, topic="t", tier=1, title="", prompt="", params={"x": x},
        parts=[Part(name, "decimal", "", float(v), decimals=2) for name, v in values.items()],
        mistakes=[
            Mistake("two-forgotten", "a", float(x), "Add 2."),
            Mistake("divided", "b", (x + 2) / 10, "Multiply."),
        ],
        equations=["a = x + 2", "b = 10a", "c = b/4"],
    )  # fmt: skip


def marks(question, *answers):
    given_mark = mark(question, dict(zip([p.part for p in question.parts], answers, strict=True)))
    return given_mark, [part.mark for part in given_mark.parts]


def test_all_right():
    given_mark, parts = marks(chained(), "5", "50", "12.5")
    assert (given_mark.mark, given_mark.score, parts) == ("right", 1, ["right"] * 3)
    assert [p.read_as for p in given_mark.parts] == ["5", "50", "12.5"]


def test_a_slip_costs_once():
    given_mark, parts = marks(chained(), "7", "70", "17.5")
    assert parts == ["wrong", "right", "right"]
    assert given_mark.mark == "partly"
    assert given_mark.score == pytest.approx(2 / 3, abs=1e-4)
    assert "your own earlier value" in given_mark.parts[1].feedback


def test_of_the_own_and_the_true_value_the_better_counts():
    assert marks(chained(), "7", "50", "12.5")[1] == ["wrong", "right", "right"]
    assert marks(chained(), "7", "50", "17.5")[1] == ["wrong", "right", "wrong"]  # neither 50/4 nor 17.5 from 50


def test_a_second_slip_on_the_way_is_found():
    assert marks(chained(), "7", "7", "1.75")[1] == ["wrong", "wrong", "right"]


@pytest.mark.parametrize("trivial", ["0", "1", "-1", "0.0", "2/2"])
def test_a_trivial_value_removes_the_work_and_earns_nothing(trivial):
    follows = {"0": "0", "0.0": "0", "1": "10", "2/2": "10", "-1": "-10"}[trivial]
    assert marks(chained(), trivial, follows, "0")[1][:2] == ["wrong", "wrong"]


def test_a_true_zero_is_no_trick():
    assert marks(chained(x=-2), "0", "0", "0")[1] == ["right"] * 3


def test_rounded_values_may_be_worked_on_with():
    parts = [Part("a", "decimal", "", 3.006, decimals=2), Part("b", "decimal", "", 30.06, decimals=2)]
    question = replace(chained(x=1.006), parts=parts)
    given_mark, parts = marks(question, "3.01", "30.1")
    assert parts == ["right", "right"]
    assert "earlier" not in given_mark.parts[1].feedback  # nothing was wrong before


def test_mistakes_are_recognised_by_name():
    given_mark, parts = marks(chained(), "3", "0.5", "9")
    assert parts == ["wrong", "wrong", "wrong"]
    assert [p.mistake for p in given_mark.parts] == ["two-forgotten", "divided", None]
    assert given_mark.feedback == "Add 2."
    assert given_mark.score == 0


def test_a_mistake_in_one_element_leaves_the_others_their_credit():
    question = Question(
        drill="t", seed=0, topic="t", tier=1, title="", prompt="", params={},
        parts=[Part("v", "vector", "", [1, 2, 3, 4], decimals=2)],
        mistakes=[Mistake("last-twice", "v", [1, 2, 3, 8], "Once.")],
    )  # fmt: skip
    found = mark(question, {"v": "[1, 2, 3, 8]"})
    assert (found.mark, found.score, found.parts[0].mistake) == ("partly", 0.75, "last-twice")
    assert mark(question, {"v": "[1, 2, 0, 0]"}).score == 0.5
    assert "size is 3, and 4" in mark(question, {"v": "[1, 2, 3]"}).feedback


def test_further_solutions_are_as_right():
    question = Question(
        drill="t",
        seed=0,
        topic="t",
        tier=1,
        title="",
        prompt="",
        params={},
        parts=[Part("n", "integer", "", 223, [224])],
    )
    assert [mark(question, {"n": text}).mark for text in ("223", "224", "225")] == ["right", "right", "wrong"]


def test_the_name_before_the_value_is_taken_off():
    assert marks(chained(), "a = 5", "b=50", " c =12.5")[0].mark == "right"
    assert marks(chained(), "b = 5", "50", "12.5")[0].mark == "not_understood"


def test_one_part_not_understood_costs_nothing_and_says_where():
    given_mark, parts = marks(chained(), "7", "5O", "12.5")
    assert (given_mark.mark, given_mark.score) == ("not_understood", 0)
    assert parts == ["wrong", "not_understood", "right"]
    lines = given_mark.feedback.splitlines()
    assert lines[-1].index("^") == lines[-2].index("O")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"a": "5"}, r"3 values: a, b, c \(missing: b, c\)"),
        ({"a": "5", "b": "1", "c": "1", "d": "1"}, "not asked for: d"),
        ({}, "missing: a, b, c"),
    ],
)
def test_missing_and_surplus_parts_are_refused(answers, sentence):
    with pytest.raises(UserError, match=sentence):
        mark(chained(), answers)


def test_follow_through_through_matrices():
    question = bank.draw("self-attention-hand", 3)
    rows = len(question.params["Q"])
    values = question.params["V"]
    mixed = [[0.25 * sum(row[k] for row in values) for k in range(2)]] * rows
    given_mark = mark(question, {"A": str([[0.25] * rows] * rows), "O": str(mixed)})  # wrong, not trivial
    assert given_mark.parts[0].mark != "right"
    assert given_mark.parts[1].mark == "right"


def test_own_values_of_any_size_break_nothing():
    question = bank.draw("self-attention-hand", 3)
    for own in ("[[5]]", "[[1, 2, 3, 4, 5, 6]]", "[[10^40, 1], [1, 2]]", "[[0]]", "1,2;3,4;5,6;7,8"):
        assert mark(question, {"A": own, "O": "[[1, 2], [3, 4]]"}).mark in ("wrong", "partly")


@pytest.mark.parametrize(
    "name", ["iou", "self-attention-hand", "bleu-full", "activation-derivs", "nms-trace", "adam-step"]
)
@given(
    answers=st.dictionaries(
        st.sampled_from(["I", "U", "iou", "A", "O", "p1", "df", "keep", "theta1", "theta2", "x"]),
        st.text(max_size=30) | st.sampled_from(["1", "[[1, 2], [3, 4]]", "z^z", "A, B", "7/9", "1e59", "-0", "[1]"]),
    )
)
def test_any_answers_give_a_mark_or_a_refusal(name, answers):
    question = bank.draw(name, 1)
    for whole in (answers, {part.part: answers.get(part.part, "2") for part in question.parts}):
        try:
            found = mark(question, whole)
        except UserError:
            assert set(whole) != {part.part for part in question.parts}
            continue
        assert found.mark in ("right", "partly", "wrong", "not_understood")
        assert 0 <= found.score <= 1
