"""Questions are the same after a round trip through JSON, and anything else is rejected."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quizzes import bank
from quizzes.marking import mark
from quizzes.question import Question
from quizzes.selftest import answer_texts
from workbench.errors import UserError

TEXT = bank.draw("iou", 3).to_json()


@pytest.mark.parametrize("seeds", [range(2), pytest.param(range(2, 30), marks=pytest.mark.full)], ids=["few", "many"])
def test_every_question_is_the_same_after_json(seeds):
    for id in bank.all_drills_and_cards():
        for seed in seeds:
            question = bank.draw(id, seed)
            stored = Question.from_json(question.to_json())
            assert stored == question, id
            assert mark(stored, answer_texts(question)) == mark(question, answer_texts(question)), id


def test_a_stored_question_is_graded_as_it_was_whatever_its_drill_does_now():
    question = replace(bank.draw("conv-out-size", 3), drill="no-such-drill")
    stored = Question.from_json(question.to_json())
    for mistake in question.mistakes:
        result = mark(stored, {mistake.part: str(mistake.answer)})
        assert result.parts[0].mistake == mistake.mistake


def change(**fields: object) -> str:
    return json.dumps({**json.loads(TEXT), **fields})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("3", "schema must be 2, not None"),
        ("{}", "schema must be 2, not None"),
        (change(schema=3), "schema must be 2, not 3"),
        (change(seed="1"), "seed must be an integer"),
        (change(seed=True), "seed must be an integer"),
        (change(prompt=None), "prompt must be a text"),
        (change(hint="Other"), "hint must be the first of hints"),
        (change(hint=None), "hint must be the first of hints"),
        (change(hints=[3]), r"hints\[0\] must be a text"),
        (change(extra=1), "extra is not a field of a question"),
        (change(parts=[{"part": "I"}]), r"parts\[0\].kind is missing"),
        (change(parts=[3]), r"parts\[0\] must be an object"),
        (change(parts={}), "parts must be a list"),
        (change(check={"module": 1, "name": "a", "arguments": {}}), "check.module must be a text"),
        (json.dumps({"schema": 2}), "drill is missing"),
    ],
)
def test_anything_else_is_an_error_that_says_where(text, message):
    with pytest.raises(UserError, match=f"^The question can't be read: .*{message}"):
        Question.from_json(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-1, 1) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


@given(field=st.sampled_from(sorted(json.loads(TEXT))), value=JSON)
def test_any_value_of_a_field_is_read_or_rejected(field, value):
    try:
        question = Question.from_json(change(**{field: value}))
    except UserError:
        return
    assert json.loads(question.to_json())[field] == value
