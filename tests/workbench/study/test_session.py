"""Sessions: which questions are asked, saved, rated and repeated."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from quizzes import bank, cards
from quizzes.selftest import answer_texts
from tests.patience import PATIENCE
from workbench.errors import UserError
from workbench.store import Store
from workbench.study import schedule
from workbench.study.session import Session, choose, items_of

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WRONG = {"L": "99"}


class Clock:
    """A clock that only tests advance."""

    def __init__(self):
        self.at = NOON

    def __call__(self):
        return self.at


@pytest.fixture
def store():
    with Store() as store:
        yield store


def session_of(store, *items, clock=None):
    return Session(store, list(items), Random(1), clock or Clock())


def test_correct_answers_are_saved_and_not_repeated(store):
    session = session_of(store, "bce-value", "iou")
    while question := session.next():
        assert session.answer(question, answer_texts(question), seconds=3.21).mark == "right"
    attempts = store.attempts()
    assert [(a.item, a.mark, a.rating, a.seconds) for a in attempts] == [
        ("bce-value", "right", 3, 3.2),
        ("iou", "right", 3, 3.2),
    ]
    assert json.loads(attempts[0].answers) == answer_texts(bank.draw("bce-value", attempts[0].seed))
    assert datetime.fromisoformat(attempts[0].at) == NOON
    assert set(store.items()) == {"bce-value", "iou"}


def test_only_the_first_attempt_of_a_day_is_a_review(store):
    clock = Clock()
    for k in range(5):
        session = session_of(store, "bce-value", clock=clock)
        question = session.next()
        session.answer(question, answer_texts(question) if k else WRONG)
        clock.at += timedelta(minutes=5)
    assert [a.rating for a in store.attempts()] == [1, None, None, None, None]
    first = store.items()["bce-value"]
    clock.at += timedelta(days=1)
    session = session_of(store, "bce-value", clock=clock)
    question = session.next()
    session.answer(question, answer_texts(question))
    assert store.attempts()[-1].rating == 3
    assert store.items()["bce-value"] != first


def test_an_incorrect_item_is_repeated_once_with_another_variant(store):
    session = session_of(store, "bce-value", "bce-value")
    seeds = []
    while question := session.next():
        seeds.append(question.seed)
        session.answer(question, WRONG)
    assert len(seeds) == 3 and len(set(seeds)) == 3


def test_an_answer_that_cannot_be_read_is_not_counted(store):
    session = session_of(store, "bce-value")
    question = session.next()
    assert session.answer(question, {"L": "a lot"}).mark == "not_understood"
    assert (store.attempts(), store.items(), session.marks, list(session.queue)) == ([], {}, [], [])
    assert session.answer(question, answer_texts(question)).mark == "right"


def test_giving_up_is_rated_again(store):
    session = session_of(store, "bce-value")
    session.give_up(session.next(), 8)
    attempt = store.attempts()[0]
    assert (attempt.mark, attempt.rating, attempt.mistakes, attempt.answers) == ("wrong", 1, "given-up", "{}")
    assert list(session.queue) == ["bce-value"]


def test_a_correct_answer_after_a_hint_is_rated_hard(store):
    session = session_of(store, "bce-value")
    question = session.next()
    session.answer(question, answer_texts(question), hinted=True)
    assert (store.attempts()[0].rating, store.attempts()[0].hinted) == (2, True)


def test_mistakes_are_counted_over_variants(store):
    for _ in range(2):
        session = session_of(store, "bce-value")
        question = session.next()
        wrong = next(m for m in question.mistakes if m.mistake == "log10")
        session.answer(question, {"L": str(wrong.answer)[:12]})
    assert store.mistake_count("bce-value", "log10") == 2


def test_choose_orders_due_items_then_new_then_the_least_likely_recalled(store):
    for item, days in (("iou", 0), ("bce-value", 40), ("conv-params", 40)):
        state = schedule.review(item, "t", None, 3, 5, NOON + timedelta(days=days))
        store.save_attempt(attempt_at(item), state)
    order = choose(store, ["conv-params", "iou", "bce-value", "adam-step"], 4, NOON + timedelta(days=41), Random(1))
    assert order[:2] == ["iou", "adam-step"]
    assert choose(store, ["iou"], 3, NOON, Random(1)) == ["iou"] * 3
    assert choose(store, [], 3, NOON, Random(1)) == []


def attempt_at(item):
    from workbench.store import Attempt

    return Attempt(item, 1, "t", "{}", "right", 1.0, "", False, 5.0, NOON.isoformat(), 3)


def test_items_of_a_name():
    assert items_of("iou") == ["iou"]
    assert items_of("convolution/equivariance") == ["convolution/equivariance"]
    convolution = items_of("convolution")
    assert {"conv-out-size", "conv-params", "convolution/equivariance"} <= set(convolution)
    assert set(items_of(None)) == {*bank.all_drills(), *cards.all_cards()}
    with pytest.raises(UserError, match="Did you mean 'convolution"):
        items_of("convolutoin")


ANSWERING = """
from random import Random
from quizzes.selftest import answer_texts
from workbench.store import Store
from workbench.study.session import Session
with Store() as store:
    session = Session(store, ["bce-value"] * 15, Random())
    while question := session.next():
        session.answer(question, answer_texts(question))
"""


def test_two_programs_answer_at_once_without_losing_attempts(store):
    programs = [subprocess.Popen([sys.executable, "-c", ANSWERING], stderr=subprocess.PIPE) for _ in range(2)]
    for program in programs:
        assert program.communicate(timeout=PATIENCE)[1] == b""
    assert len(store.attempts()) == 30
    assert [a.rating for a in store.attempts() if a.rating] == [3]
