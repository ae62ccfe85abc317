"""Spaced repetition with FSRS: the rating of a graded answer, and when an item is due again.

The items are drills and cards, not their variants. The first graded attempt at an item on a (local) day is its review;
further attempts that day are practice and do not change its schedule.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import cache
from statistics import median
from typing import TYPE_CHECKING
from zlib import crc32

from workbench.store import Attempt, ItemState
from workbench.store.rows import parse_time

if TYPE_CHECKING:
    from fsrs import Card, Scheduler

    from quizzes.question import Mark

AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4
SLOW_FACTOR = 2.0  # an answer is slow if it takes longer than this times the median
MIN_TIMES = 5  # fewer earlier answers give no median
MAX_STABILITY = 1e9  # days: far beyond what reviews lead to, and FSRS can still compute with it


@cache
def scheduler() -> "Scheduler":
    """Return the FSRS scheduler, without learning steps: sessions themselves repeat what was incorrect."""
    from fsrs import Scheduler

    return Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def rate(mark: "Mark", hinted: bool, seconds: float, earlier: Iterable[Attempt]) -> int:
    """Return the FSRS rating of a mark.

    Again: a score below one half. Good: correct. Hard: anything between, also a correct answer after a hint, one that
    follows from an incorrect earlier part, or one that takes more than twice the median time of earlier correct
    answers. Easy is never given, because nobody is asked how easy an item was.
    """
    if mark.score < 0.5:
        return AGAIN
    times = [attempt.seconds for attempt in earlier if attempt.mark == "right"]
    is_slow = len(times) >= MIN_TIMES and seconds > SLOW_FACTOR * median(times)
    has_followed_error = any(part.mark == "right" and part.feedback for part in mark.parts)
    return HARD if mark.mark != "right" or hinted or is_slow or has_followed_error else GOOD


def was_reviewed_today(state: ItemState | None, at: datetime) -> bool:
    """Return whether an item has been reviewed on the local day of `at`."""
    return state is not None and datetime.fromisoformat(state.reviewed).astimezone().date() == at.astimezone().date()


def review(item: str, topic: str, state: ItemState | None, rating: int, seconds: float, at: datetime) -> ItemState:
    """Return an item's state after a review.

    Args:
        item: The drill or card.
        topic: The topic's id.
        state: The state before; None for the first review.
        rating: `AGAIN`, `HARD`, `GOOD` or `EASY`.
        seconds: Time from the question to the answer.
        at: When, in UTC.
    """
    from fsrs import Card, Rating

    card = _card(state) or Card(card_id=crc32(item.encode()), due=at)
    card, _ = scheduler().review_card(card, Rating(rating), at, round(seconds * 1000))
    return ItemState(item, topic, card.to_json(), card.due.isoformat(), at.isoformat())


def end_of_day(at: datetime) -> datetime:
    """Return the end of the local day, in UTC. Items that are due before it are due today."""
    tomorrow = at.astimezone().date() + timedelta(days=1)
    return datetime.combine(tomorrow, time()).astimezone(UTC)  # with tomorrow's UTC offset, if the clock changes


def due(states: Iterable[ItemState], at: datetime) -> list[ItemState]:
    """Return the items that are due today, the longest overdue first."""
    limit = end_of_day(at)
    return sorted((s for s in states if datetime.fromisoformat(s.due) < limit), key=lambda s: (s.due, s.item))


def retrievability(state: ItemState, at: datetime) -> float:
    """Return the predicted probability of recalling an item at a time."""
    card = _card(state)
    return scheduler().get_card_retrievability(card, at) if card else 0.0


def _card(state: ItemState | None) -> "Card | None":
    """Return the FSRS card of an item; None if there is none or it can't be read: the item then starts as a new one."""
    from fsrs import Card, State

    try:
        card = Card.from_json(state.memory) if state else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if card is None or card.state is not State.Review or card.last_review is None:
        return None
    card.last_review = parse_time(card.last_review.isoformat())
    is_valid = 0 < (card.stability or 0) < MAX_STABILITY and 1 <= (card.difficulty or 0) <= 10 and card.last_review
    return card if is_valid else None
