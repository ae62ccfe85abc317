"""Spaced repetition: what a marked answer says about memory, and when an item is due again.

What is scheduled is a drill or a card, never a seed. The first marked attempt of an item on a (local) day is its
review; further ones are practice and don't move it.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from functools import cache
from statistics import median
from typing import TYPE_CHECKING
from zlib import crc32

from workbench.store import Attempt, ItemState
from workbench.store.rows import moment

if TYPE_CHECKING:
    from fsrs import Card, Scheduler

    from quizzes.question import Mark

AGAIN, HARD, GOOD, EASY = 1, 2, 3, 4
SLOW = 2.0  # times the person's own median
ENOUGH_TO_COMPARE = 5
LONGEST = 1e9  # days of stability: far beyond all that reviews lead to, and FSRS can still compute with it


@cache
def scheduler() -> "Scheduler":
    """FSRS without learning steps: what must come again within a session, the session brings."""
    from fsrs import Scheduler

    return Scheduler(learning_steps=(), relearning_steps=(), enable_fuzzing=False)


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def rating(mark: "Mark", hinted: bool, seconds: float, before: Iterable[Attempt]) -> int:
    """What a mark says about memory.

    Wrong: Again. At least half right, or right with a hint, from one's own earlier slip, or slower than twice one's own
    median for the item: Hard. Right: Good. Easy is never given unasked.
    """
    if mark.score < 0.5:
        return AGAIN
    times = [attempt.seconds for attempt in before if attempt.mark == "right"]
    slow = len(times) >= ENOUGH_TO_COMPARE and seconds > SLOW * median(times)
    followed = any(part.mark == "right" and part.feedback for part in mark.parts)
    return HARD if mark.mark != "right" or hinted or slow or followed else GOOD


def reviewed_today(state: ItemState | None, at: datetime) -> bool:
    """Whether an item has had its review of the local day."""
    return state is not None and datetime.fromisoformat(state.reviewed).astimezone().date() == at.astimezone().date()


def review(item: str, topic: str, state: ItemState | None, rated: int, seconds: float, at: datetime) -> ItemState:
    """The item's state after a review."""
    from fsrs import Card, Rating

    card = _card(state) or Card(card_id=crc32(item.encode()), due=at)
    card, _ = scheduler().review_card(card, Rating(rated), at, round(seconds * 1000))
    return ItemState(item, topic, card.to_json(), card.due.isoformat(), at.isoformat())


def end_of_day(at: datetime) -> datetime:
    """The end of the local day, in UTC: what falls due before it is due today."""
    tomorrow = at.astimezone().date() + timedelta(days=1)
    return datetime.combine(tomorrow, time()).astimezone(UTC)  # by that day's rules, also where the clocks change


def due(states: Iterable[ItemState], at: datetime) -> list[ItemState]:
    """The items due today, longest overdue first."""
    limit = end_of_day(at)
    return sorted((s for s in states if datetime.fromisoformat(s.due) < limit), key=lambda s: (s.due, s.item))


def recall(state: ItemState, at: datetime) -> float:
    """The predicted probability of remembering an item now."""
    card = _card(state)
    return scheduler().get_card_retrievability(card, at) if card else 0.0


def _card(state: ItemState | None) -> "Card | None":
    """FSRS's card of an item; None where there is none, or what was kept can't be read and the item starts anew."""
    from fsrs import Card, State

    try:
        card = Card.from_json(state.memory) if state else None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return None
    if card is None or card.state is not State.Review or card.last_review is None:
        return None
    card.last_review = moment(card.last_review.isoformat())
    sound = 0 < (card.stability or 0) < LONGEST and 1 <= (card.difficulty or 0) <= 10 and card.last_review
    return card if sound else None
