"""The schedule: which marks are reviews, how they are rated, when an item is due, and that FSRS agrees."""

import time
from datetime import UTC, datetime, timedelta
from zlib import crc32

import pytest
from fsrs import Card, Rating, Scheduler

from quizzes.question import Mark, PartMark
from workbench.store import Attempt
from workbench.study import schedule
from workbench.study.schedule import AGAIN, GOOD, HARD

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(params=["UTC", "America/Los_Angeles", "Pacific/Auckland", "Europe/Berlin"])
def zone(request, monkeypatch):
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def mark_of(word="right", score=None, feedback=""):
    score = {"right": 1.0, "partly": 0.6, "wrong": 0.0}[word] if score is None else score
    return Mark(word, score, feedback, [PartMark("a", word, score, feedback=feedback)])


def before(*seconds, mark="right"):
    return [Attempt("iou", 1, "iou", "{}", mark, 1.0, "", False, s, NOON.isoformat(), 3) for s in seconds]


@pytest.mark.parametrize(
    ("mark", "hinted", "seconds", "earlier", "rated"),
    [
        (mark_of("right"), False, 10, [], GOOD),
        (mark_of("wrong"), False, 10, [], AGAIN),
        (mark_of("partly", 0.4), False, 10, [], AGAIN),
        (mark_of("partly", 0.6), False, 10, [], HARD),
        (mark_of("right"), True, 10, [], HARD),
        (mark_of("wrong"), True, 10, [], AGAIN),
        (mark_of("right", feedback="Correct, based on your own earlier value."), False, 10, [], HARD),
        (mark_of("right"), False, 21, before(10, 10, 10, 10, 10), HARD),
        (mark_of("right"), False, 20, before(10, 10, 10, 10, 10), GOOD),
        (mark_of("right"), False, 99, before(10, 10, 10, 10), GOOD),  # too few to compare with
        (mark_of("right"), False, 21, before(10, 10, 10, 10, 10, mark="wrong"), GOOD),
        (mark_of("right"), False, 0.1, before(*[10] * 9), GOOD),  # Easy is never given unasked
    ],
)
def test_rating(mark, hinted, seconds, earlier, rated):
    assert schedule.rating(mark, hinted, seconds, earlier) == rated


def test_the_state_is_what_fsrs_makes_of_the_same_reviews():
    scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card, state, at = Card(card_id=crc32(b"iou"), due=NOON), None, NOON
    for rated in (GOOD, GOOD, AGAIN, HARD, GOOD):
        card, _ = scheduler.review_card(card, Rating(rated), at, 12_000)
        state = schedule.review("iou", "iou", state, rated, 12.0, at)
        assert datetime.fromisoformat(state.due) == card.due
        assert datetime.fromisoformat(state.reviewed) == at
        assert Card.from_json(state.memory) == card
        later = card.due + timedelta(days=3)
        assert schedule.recall(state, later) == pytest.approx(scheduler.get_card_retrievability(card, later))
        at = card.due


def test_good_comes_back_later_than_hard_and_again_first():
    due = {rated: schedule.review("iou", "iou", None, rated, 5, NOON).due for rated in (AGAIN, HARD, GOOD)}
    assert due[AGAIN] <= due[HARD] <= due[GOOD]
    assert datetime.fromisoformat(due[GOOD]) > NOON + timedelta(hours=20)


def test_the_day_is_the_local_one(zone):
    state = schedule.review("iou", "iou", None, GOOD, 5, NOON)
    local = NOON.astimezone()
    last = local.replace(hour=23, minute=59, second=59)
    first = local.replace(hour=0, minute=0, second=1)
    assert schedule.reviewed_today(state, last.astimezone(UTC))
    assert schedule.reviewed_today(state, first.astimezone(UTC))
    assert not schedule.reviewed_today(state, (last + timedelta(seconds=2)).astimezone(UTC))
    assert not schedule.reviewed_today(None, NOON)


def test_due_means_before_the_end_of_the_local_day(zone):
    state = schedule.review("iou", "iou", None, GOOD, 5, NOON)
    due = datetime.fromisoformat(state.due)
    day = due.astimezone().date()
    for hours in range(-48, 49):
        at = due + timedelta(hours=hours)
        assert bool(schedule.due([state], at)) == (at.astimezone().date() >= day)


@pytest.mark.parametrize("moment", ["2026-03-29T00:30", "2026-03-29T12:00", "2026-10-25T00:30", "2026-10-25T12:00"])
def test_days_on_which_the_clock_is_changed_end_at_midnight(moment, monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        at = datetime.fromisoformat(moment).astimezone(UTC)
        end = schedule.end_of_day(at).astimezone()
        assert (end.date() - at.astimezone().date()).days == 1
        assert (end.hour, end.minute) == (0, 0)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_longest_overdue_comes_first():
    states = [
        schedule.review(item, "t", None, GOOD, 5, NOON + timedelta(days=k)) for k, item in enumerate(["b", "a", "c"])
    ]
    found = schedule.due(reversed(states), NOON + timedelta(days=60))
    assert [s.item for s in found] == ["b", "a", "c"]
