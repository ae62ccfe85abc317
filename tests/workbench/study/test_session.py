"""A round of questions: what is asked, kept, rated and asked again."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from quizzes import bank, cards
from quizzes.selftest import written
from tests.patience import PATIENCE
from workbench.errors import UserError
from workbench.store import Store
from workbench.study import schedule
from workbench.study.session import Session, choose, items_of

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
WRONG = {"L": "99"}


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self):
        self.at = NOON

    def __call__(self):
        return self.at


@pytest.fixture
def store():
    with Store() as opened:
        yield opened


def session(store, *items, clock=None):
    return Session(store, list(items), Random(1), clock or Clock())


def test_right_answers_end_the_round_and_are_kept(store):
    round = session(store, "bce-value", "iou")
    while question := round.next():
        assert round.answer(question, written(question), seconds=3.21).mark == "right"
    kept = store.attempts()
    assert [(a.item, a.mark, a.rating, a.seconds) for a in kept] == [
        ("bce-value", "right", 3, 3.2),
        ("iou", "right", 3, 3.2),
    ]
    assert json.loads(kept[0].answers) == written(bank.draw("bce-value", kept[0].seed))
    assert datetime.fromisoformat(kept[0].at) == NOON
    assert set(store.items()) == {"bce-value", "iou"}


def test_only_the_first_attempt_of_a_day_is_a_review(store):
    clock = Clock()
    for k in range(5):
        round = session(store, "bce-value", clock=clock)
        question = round.next()
        round.answer(question, written(question) if k else WRONG)
        clock.at += timedelta(minutes=5)
    assert [a.rating for a in store.attempts()] == [1, None, None, None, None]
    first = store.items()["bce-value"]
    clock.at += timedelta(days=1)
    round = session(store, "bce-value", clock=clock)
    question = round.next()
    round.answer(question, written(question))
    assert store.attempts()[-1].rating == 3
    assert store.items()["bce-value"] != first


def test_what_went_wrong_comes_once_more_with_other_numbers(store):
    round = session(store, "bce-value", "bce-value")
    seen = []
    while question := round.next():
        seen.append(question.seed)
        round.answer(question, WRONG)
    assert len(seen) == 3 and len(set(seen)) == 3


def test_what_was_not_understood_costs_nothing(store):
    round = session(store, "bce-value")
    question = round.next()
    assert round.answer(question, {"L": "a lot"}).mark == "not_understood"
    assert (store.attempts(), store.items(), round.marks, list(round.queue)) == ([], {}, [], [])
    assert round.answer(question, written(question)).mark == "right"


def test_giving_up_is_forgetting(store):
    round = session(store, "bce-value")
    round.give_up(round.next(), 8)
    kept = store.attempts()[0]
    assert (kept.mark, kept.rating, kept.mistakes, kept.answers) == ("wrong", 1, "given-up", "{}")
    assert list(round.queue) == ["bce-value"]


def test_a_hint_makes_it_hard(store):
    round = session(store, "bce-value")
    question = round.next()
    round.answer(question, written(question), hinted=True)
    assert (store.attempts()[0].rating, store.attempts()[0].hinted) == (2, True)


def test_mistakes_are_counted_over_variants(store):
    for _ in range(2):
        round = session(store, "bce-value")
        question = round.next()
        wrong = next(m for m in question.mistakes if m.mistake == "log10")
        round.answer(question, {"L": str(wrong.answer)[:12]})
    assert store.mistake_count("bce-value", "log10") == 2


def test_what_is_due_is_asked_first_then_what_is_new_then_what_is_least_remembered(store):
    for item, days in (("iou", 0), ("bce-value", 40), ("conv-params", 40)):
        state = schedule.review(item, "t", None, 3, 5, NOON + timedelta(days=days))
        store.keep(session_attempt(item), state)
    order = choose(store, ["conv-params", "iou", "bce-value", "adam-step"], 4, NOON + timedelta(days=41), Random(1))
    assert order[:2] == ["iou", "adam-step"]
    assert choose(store, ["iou"], 3, NOON, Random(1)) == ["iou"] * 3
    assert choose(store, [], 3, NOON, Random(1)) == []


def session_attempt(item):
    from workbench.store import Attempt

    return Attempt(item, 1, "t", "{}", "right", 1.0, "", False, 5.0, NOON.isoformat(), 3)


def test_names_of_what_can_be_asked():
    assert items_of("iou") == ["iou"]
    assert items_of("convolution/equivariance") == ["convolution/equivariance"]
    convolution = items_of("convolution")
    assert {"conv-out-size", "conv-params", "convolution/equivariance"} <= set(convolution)
    assert set(items_of(None)) == {*bank.all_drills(), *cards.all_cards()}
    with pytest.raises(UserError, match="Did you mean 'convolution"):
        items_of("convolutoin")


ANSWERING = """
from random import Random
from quizzes.selftest import written
from workbench.store import Store
from workbench.study.session import Session
with Store() as store:
    round = Session(store, ["bce-value"] * 15, Random())
    while question := round.next():
        round.answer(question, written(question))
"""


def test_two_programs_that_answer_at_once_lose_nothing_and_review_once(store):
    both = [subprocess.Popen([sys.executable, "-c", ANSWERING], stderr=subprocess.PIPE) for _ in range(2)]
    for one in both:
        assert one.communicate(timeout=PATIENCE)[1] == b""
    assert len(store.attempts()) == 30
    assert [a.rating for a in store.attempts() if a.rating] == [3]
