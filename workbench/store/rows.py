"""What the study file keeps, as plain rows."""

from dataclasses import dataclass


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
