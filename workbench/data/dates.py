"""Dates as people write them, and in the form of ISO 8601: `March 3, 2024` is 2024-03-03. Made by code, always alike.

Dates in digits have the day first if they have dots, and the month first if they have slashes: 3.4.2024 and 4/3/2024
are both the third of April.
"""

from datetime import date, timedelta
from functools import cache

import numpy as np

from workbench.data.pairs import Pair

PAIRS = 5000
SET = dict(
    title="dates as people write them, in ISO 8601",
    row="a date in one of ten formats",
    samples=5000,
    shape=(),
    target="the date in ISO 8601",
    source="made by code: dates from 1900 to 2099",
    licence="MIT",
    synthetic=True,
    modality="pairs",
    sizes=dict(source_vocabulary=49, target_vocabulary=15, longest_target=11),
)
MONTHS = "January February March April May June July August September October November December".split()
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2099, 12, 31)


def formats(day: date) -> list[str]:
    """Return a date in each of ten formats."""
    month, year = MONTHS[day.month - 1], day.year
    return [
        f"{month} {day.day}, {year}",
        f"{month} {day.day} {year}",
        f"{month.lower()} {day.day} {year}",
        f"{month[:3]} {day.day}, {year}",
        f"{day.day} {month} {year}",
        f"{day.day} {month[:3].lower()} {year}",
        f"the {ordinal(day.day)} of {month} {year}",
        f"{WEEKDAYS[day.weekday()]}, {month} {day.day}, {year}",
        f"{day.day}.{day.month}.{year}",
        f"{day.month}/{day.day}/{year}",
    ]


def ordinal(number: int) -> str:
    """Return a day of the month such as 1st, 2nd, 3rd, 11th."""
    ending = "th" if 11 <= number <= 13 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


@cache
def load() -> list[Pair]:
    """Return 5,000 different dates in random formats, each with its form in ISO 8601."""
    rng = np.random.default_rng(0)
    pairs: dict[str, str] = {}
    while len(pairs) < PAIRS:
        day = FIRST_DAY + timedelta(days=int(rng.integers((LAST_DAY - FIRST_DAY).days + 1)))
        texts = formats(day)
        pairs[texts[int(rng.integers(len(texts)))]] = day.isoformat()
    return list(pairs.items())
