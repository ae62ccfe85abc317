"""The rows of the study file, checked as they are read: SQLite stores values of any type in any column."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

NEVER = "1970-01-01T00:00:00+00:00"  # earlier than any review: an item that was due then is due now
YEARS = range(1970, 9999)  # in these years no time zone leads out of the range of a datetime


@dataclass(frozen=True)
class Attempt:
    """One graded answer. A stored answer is never graded again.

    Attributes:
        item: The drill or card.
        seed: Its variant.
        topic: The topic's id.
        answers: The typed answers, as JSON by part.
        mark: `right`, `partly` or `wrong`.
        score: 0 to 1.
        mistakes: The names of the recognized mistakes, separated by commas.
        hinted: Whether a hint was shown first.
        seconds: Time from the question to the answer.
        at: When, in UTC, as ISO 8601.
        rating: FSRS rating 1 to 4 if this was the item's review of the day; None for practice.
    """

    item: str
    seed: int
    topic: str
    answers: str
    mark: str
    score: float
    mistakes: str
    hinted: bool
    seconds: float
    at: str
    rating: int | None


@dataclass(frozen=True)
class ItemState:
    """The scheduler's state of an item.

    Attributes:
        item: The drill or card.
        topic: The topic's id.
        memory: The FSRS card, as JSON; empty if it can't be read.
        due: When the item is due, in UTC, as ISO 8601.
        reviewed: When it was last reviewed, in UTC, as ISO 8601.
    """

    item: str
    topic: str
    memory: str
    due: str
    reviewed: str


def parse_time(text: Any) -> datetime | None:
    """Return an ISO 8601 time, which is in UTC if it names no time zone; None if it can't be read."""
    try:
        time = datetime.fromisoformat(text)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return time if time.year in YEARS else None


def read_attempt(row: tuple[Any, ...]) -> Attempt | None:
    """Return a row as an attempt; None if a value does not have its column's type."""
    attempt = Attempt(*row)
    types = {field.name: field.type for field in fields(Attempt)} | {"hinted": int}  # SQLite stores booleans as 0 and 1
    is_valid = all(isinstance(getattr(attempt, name), type_) for name, type_ in types.items())  # type: ignore[arg-type]
    return attempt if is_valid else None


def read_state(item: Any, topic: Any, memory: Any, due: Any, reviewed: Any) -> ItemState | None:
    """Return a row as an item's state; None if it names no item.

    If one of its times can't be read, the item is due now and its reviews start from scratch.
    """
    if not isinstance(item, str):
        return None
    topic = topic if isinstance(topic, str) else ""
    next_review, last_review = parse_time(due), parse_time(reviewed)
    if not isinstance(memory, str) or next_review is None or last_review is None:
        return ItemState(item, topic, "", NEVER, NEVER)
    return ItemState(item, topic, memory, next_review.isoformat(), last_review.isoformat())
