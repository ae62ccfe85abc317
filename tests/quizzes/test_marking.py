"""Grading: mistakes by name, follow-through, partial credit, and answers that can't be read."""

import json
from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import bank
from quizzes.marking import mark
from quizzes.question import Mistake, Part, Question
from workbench.errors import UserError


def chain_question(**params: float) -> Question:
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
    result = mark(question, dict(zip([p.part for p in question.parts], answers, strict=True)))
    return result, [part.mark for part in result.parts]


def test_all_parts_correct():
    result, parts = marks(chain_question(), "5", "50", "12.5")
    assert (result.mark, result.score, parts) == ("right", 1, ["right"] * 3)
    assert [p.read_as for p in result.parts] == ["5", "50", "12.5"]


def test_outcomes_are_plain_texts_in_json_and_in_dicts():
    data = asdict(mark(chain_question(), {"a": "5", "b": "50", "c": "1"}))
    assert json.loads(json.dumps(data)) == data and data["mark"] == "partly"
    assert repr(data["mark"]) == "'partly'" and f"{data['parts'][0]['mark']}" == "right"


def test_a_mistake_costs_one_part_only():
    result, parts = marks(chain_question(), "7", "70", "17.5")
    assert parts == ["wrong", "right", "right"]
    assert result.mark == "partly"
    assert result.score == pytest.approx(2 / 3, abs=1e-4)
    assert "your own earlier value" in result.parts[1].feedback


def test_a_later_part_may_follow_from_the_own_or_the_correct_value():
    assert marks(chain_question(), "7", "50", "12.5")[1] == ["wrong", "right", "right"]
    assert marks(chain_question(), "7", "50", "17.5")[1] == ["wrong", "right", "wrong"]  # neither 50/4 nor 17.5 from 50


def test_a_second_mistake_is_found():
    assert marks(chain_question(), "7", "7", "1.75")[1] == ["wrong", "wrong", "right"]


@pytest.mark.parametrize("trivial", ["0", "1", "-1", "0.0", "2/2"])
def test_a_trivial_value_earns_no_follow_through(trivial):
    follows = {"0": "0", "0.0": "0", "1": "10", "2/2": "10", "-1": "-10"}[trivial]
    assert marks(chain_question(), trivial, follows, "0")[1][:2] == ["wrong", "wrong"]


def test_a_correct_zero_is_accepted():
    assert marks(chain_question(x=-2), "0", "0", "0")[1] == ["right"] * 3


def test_later_parts_may_use_rounded_values():
    parts = [Part("a", "decimal", "", 3.006, decimals=2), Part("b", "decimal", "", 30.06, decimals=2)]
    question = replace(chain_question(x=1.006), parts=parts)
    result, parts = marks(question, "3.01", "30.1")
    assert parts == ["right", "right"]
    assert "earlier" not in result.parts[1].feedback  # every earlier part is correct


def test_a_later_part_may_follow_from_what_the_earlier_one_was_rounded_from():
    # The student has a = 7.004, enters 7.00, and continues with the calculator's number: b = 70.04, c = 17.51.
    assert marks(chain_question(), "7.00", "70.04", "17.51")[1] == ["wrong", "right", "right"]
    # No value that rounds to 7.00 leads to 70.06.
    assert marks(chain_question(), "7.00", "70.06", "17.51")[1] == ["wrong", "wrong", "right"]


@pytest.mark.parametrize(
    ("loss", "outcome"), [("12.25", "right"), ("5", "wrong"), ("9999", "wrong"), ("-12.25", "wrong")]
)
def test_what_a_rounded_value_leads_to_has_limits(loss, outcome):
    # p = 0.999995 is entered as 1.0000, for which -ln(1 - p) has no value.
    parts = [Part("p", "decimal", "", 0.5622, decimals=4), Part("L", "decimal", "", 0.8259, decimals=4)]
    mistakes = [Mistake("no-relu", "p", 0.99999522, "Use ReLU.")]
    question = replace(chain_question(), parts=parts, mistakes=mistakes, equations=["p = x", "L = -ln(1 - p)"])
    assert marks(question, "1.0000", loss)[1][1] == outcome


def test_a_trivial_value_that_a_mistake_leads_to_has_follow_through():
    result, parts = marks(chain_question(x=1), "1", "10", "2.5")
    assert parts == ["wrong", "right", "right"] and result.parts[0].mistake == "two-forgotten"


def test_it_is_said_why_a_trivial_value_earns_nothing():
    result, _ = marks(chain_question(), "1", "10", "2.5")
    assert "a is 0 or 1 there and leaves nothing to compute" in result.parts[1].feedback


@pytest.mark.parametrize("name", ["lam", "lambda", "λ"])
def test_a_greek_name_before_the_value_is_ignored(name):
    part = Part("lam", "decimal", "penalty", 0.25, decimals=2)
    question = replace(chain_question(), parts=[part], mistakes=[], equations=[])
    assert mark(question, {"lam": f"{name} = 0.25"}).mark == "right"


def test_a_symbol_of_the_label_before_the_value_is_ignored():
    part = Part("df", "decimal", "derivative df/dz at z", 0.25, decimals=2)
    question = replace(chain_question(), parts=[part], mistakes=[], equations=[])
    assert mark(question, {"df": "df/dz = 0.25"}).mark == "right"


def test_mistakes_are_recognized_by_name():
    result, parts = marks(chain_question(), "3", "0.5", "9")
    assert parts == ["wrong", "wrong", "wrong"]
    assert [p.mistake for p in result.parts] == ["two-forgotten", "divided", None]
    assert result.feedback == "Add 2."
    assert result.score == 0


def test_a_mistake_in_one_element_keeps_the_credit_of_the_others():
    question = Question(
        drill="t", seed=0, topic="t", tier=1, title="", prompt="", params={},
        parts=[Part("v", "vector", "", [1, 2, 3, 4], decimals=2)],
        mistakes=[Mistake("last-twice", "v", [1, 2, 3, 8], "Once.")],
    )  # fmt: skip
    result = mark(question, {"v": "[1, 2, 3, 8]"})
    assert (result.mark, result.score, result.parts[0].mistake) == ("partly", 0.75, "last-twice")
    assert mark(question, {"v": "[1, 2, 0, 0]"}).score == 0.5
    assert "size is 3, but it should be 4" in mark(question, {"v": "[1, 2, 3]"}).feedback


def test_further_solutions_are_correct():
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


def test_a_name_before_the_value_is_ignored():
    assert marks(chain_question(), "a = 5", "b=50", " c =12.5")[0].mark == "right"
    assert marks(chain_question(), "b = 5", "50", "12.5")[0].mark == "not_understood"


def test_an_unreadable_part_is_not_counted_and_the_error_points_to_it():
    result, parts = marks(chain_question(), "7", "5O", "12.5")
    assert (result.mark, result.score) == ("not_understood", 0)
    assert parts == ["wrong", "not_understood", "right"]
    lines = result.feedback.splitlines()
    assert lines[-1].index("^") == lines[-2].index("O")


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"a": "5"}, r"3 values: a, b, c \(missing: b, c\)"),
        ({"a": "5", "b": "1", "c": "1", "d": "1"}, "not asked for: d"),
        ({}, "missing: a, b, c"),
    ],
)
def test_missing_and_surplus_parts_are_rejected(answers, sentence):
    with pytest.raises(UserError, match=sentence):
        mark(chain_question(), answers)


def test_follow_through_through_matrices():
    question = bank.draw("self-attention-hand", 3)
    rows = len(question.params["Q"])
    values = question.params["V"]
    output = [[0.25 * sum(row[k] for row in values) for k in range(2)]] * rows
    result = mark(question, {"A": str([[0.25] * rows] * rows), "O": str(output)})  # incorrect, but not trivial
    assert result.parts[0].mark != "right"
    assert result.parts[1].mark == "right"


def test_own_values_may_have_any_size():
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
def test_any_answers_give_a_mark_or_an_error(name, answers):
    question = bank.draw(name, 1)
    for whole in (answers, {part.part: answers.get(part.part, "2") for part in question.parts}):
        try:
            result = mark(question, whole)
        except UserError:
            assert set(whole) != {part.part for part in question.parts}
            continue
        assert result.mark in ("right", "partly", "wrong", "not_understood")
        assert 0 <= result.score <= 1
