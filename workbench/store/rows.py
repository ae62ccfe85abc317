"""What the study file keeps, as plain rows, and how they are read: SQLite keeps any kind of value in any column."""

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

NEVER = "1970-01-01T00:00:00+00:00"  # earlier than any review: what was last due then is due now
YEARS = range(1970, 9999)  # no zone takes one of these out of what a datetime can hold


@dataclass(frozen=True)
class Attempt:
    """One marked answer. What was stored is never marked again.

    Attributes:
        item: The drill or card.
        seed: Its variant.
        topic: The topic's id.
        answers: What was typed, as JSON by part.
        mark: `right`, `partly` or `wrong`.
        score: 0 to 1.
        mistakes: The names of the mistakes that were recognised, separated by commas.
        hinted: Whether a hint was shown first.
        seconds: From the question to the answer.
        at: When, in UTC, as ISO 8601.
        rating: FSRS rating 1 to 4 where this was the item's review of the day; None for mere practice.
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
    """What the scheduler knows of an item: the FSRS card as JSON, when it is due and was last reviewed (UTC)."""

    item: str
    topic: str
    memory: str
    due: str
    reviewed: str


def moment(text: Any) -> datetime | None:
    """A date as ISO 8601, in UTC where it names no zone; None where it can't be read."""
    try:
        read = datetime.fromisoformat(text)
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None
    return read if read.year in YEARS else None


def read_attempt(row: tuple[Any, ...]) -> Attempt | None:
    """A row as an attempt; None where a value isn't of its column's kind."""
    attempt = Attempt(*row)
    kinds = {field.name: field.type for field in fields(Attempt)} | {"hinted": int}  # SQLite keeps truth as 0 and 1
    sound = all(isinstance(getattr(attempt, name), kind) for name, kind in kinds.items())  # type: ignore[arg-type]
    return attempt if sound else None


def read_state(item: Any, topic: Any, memory: Any, due: Any, reviewed: Any) -> ItemState | None:
    """A row as an item's state; None where it names no item.

    Where it can't be read when the item is due or was reviewed, it is due now, and its reviews start over.
    """
    if not isinstance(item, str):
        return None
    topic = topic if isinstance(topic, str) else ""
    next_review, last_review = moment(due), moment(reviewed)
    if not isinstance(memory, str) or next_review is None or last_review is None:
        return ItemState(item, topic, "", NEVER, NEVER)
    return ItemState(item, topic, memory, next_review.isoformat(), last_review.isoformat())
