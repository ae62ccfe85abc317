"""The schedule: which attempts are reviews, how they are rated, and when an item is due, compared with FSRS."""

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


def attempts_of(*seconds, mark="right"):
    return [Attempt("iou", 1, "iou", "{}", mark, 1.0, "", False, s, NOON.isoformat(), 3) for s in seconds]


@pytest.mark.parametrize(
    ("mark", "hinted", "seconds", "earlier", "rating"),
    [
        (mark_of("right"), False, 10, [], GOOD),
        (mark_of("wrong"), False, 10, [], AGAIN),
        (mark_of("partly", 0.4), False, 10, [], AGAIN),
        (mark_of("partly", 0.6), False, 10, [], HARD),
        (mark_of("right"), True, 10, [], HARD),
        (mark_of("wrong"), True, 10, [], AGAIN),
        (mark_of("right", feedback="Correct, based on your own earlier value."), False, 10, [], HARD),
        (mark_of("right"), False, 21, attempts_of(10, 10, 10, 10, 10), HARD),
        (mark_of("right"), False, 20, attempts_of(10, 10, 10, 10, 10), GOOD),
        (mark_of("right"), False, 99, attempts_of(10, 10, 10, 10), GOOD),  # too few to compare with
        (mark_of("right"), False, 21, attempts_of(10, 10, 10, 10, 10, mark="wrong"), GOOD),
        (mark_of("right"), False, 0.1, attempts_of(*[10] * 9), GOOD),  # Easy is never given
    ],
)
def test_rate(mark, hinted, seconds, earlier, rating):
    assert schedule.rate(mark, hinted, seconds, earlier) == rating


def test_the_state_matches_fsrs_after_the_same_reviews():
    scheduler = Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)
    card, state, at = Card(card_id=crc32(b"iou"), due=NOON), None, NOON
    for rating in (GOOD, GOOD, AGAIN, HARD, GOOD):
        card, _ = scheduler.review_card(card, Rating(rating), at, 12_000)
        state = schedule.review("iou", "iou", state, rating, 12.0, at)
        assert datetime.fromisoformat(state.due) == card.due
        assert datetime.fromisoformat(state.reviewed) == at
        assert Card.from_json(state.memory) == card
        later = card.due + timedelta(days=3)
        assert schedule.retrievability(state, later) == pytest.approx(scheduler.get_card_retrievability(card, later))
        at = card.due


def test_a_better_rating_is_due_later():
    due = {rating: schedule.review("iou", "iou", None, rating, 5, NOON).due for rating in (AGAIN, HARD, GOOD)}
    assert due[AGAIN] <= due[HARD] <= due[GOOD]
    assert datetime.fromisoformat(due[GOOD]) > NOON + timedelta(hours=20)


def test_a_day_is_local(zone):
    state = schedule.review("iou", "iou", None, GOOD, 5, NOON)
    local = NOON.astimezone()
    last = local.replace(hour=23, minute=59, second=59)
    first = local.replace(hour=0, minute=0, second=1)
    assert schedule.was_reviewed_today(state, last.astimezone(UTC))
    assert schedule.was_reviewed_today(state, first.astimezone(UTC))
    assert not schedule.was_reviewed_today(state, (last + timedelta(seconds=2)).astimezone(UTC))
    assert not schedule.was_reviewed_today(None, NOON)


def test_an_item_is_due_until_the_end_of_its_local_day(zone):
    state = schedule.review("iou", "iou", None, GOOD, 5, NOON)
    due = datetime.fromisoformat(state.due)
    day = due.astimezone().date()
    for hours in range(-48, 49):
        at = due + timedelta(hours=hours)
        assert bool(schedule.due([state], at)) == (at.astimezone().date() >= day)


@pytest.mark.parametrize("moment", ["2026-03-29T00:30", "2026-03-29T12:00", "2026-10-25T00:30", "2026-10-25T12:00"])
def test_days_of_a_clock_change_end_at_midnight(moment, monkeypatch):
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
    due = schedule.due(reversed(states), NOON + timedelta(days=60))
    assert [s.item for s in due] == ["b", "a", "c"]
