"""Queries of the list of runs: filters and orders."""

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from workbench import tasks
from workbench.engine.run_row import STATUSES, Row
from workbench.errors import UserError, lookup

SEARCHED = ("run", "status", "model", "task", "preset", "note", "reason")


@dataclass(frozen=True)
class Query:
    """A filter and an order of the list of runs.

    Attributes:
        status: One of `run_row.STATUSES`; None for all.
        model: The network; None for all.
        task: The task; None for all.
        tag: A tag that the run must have; None for all.
        text: Words that all occur in the run's names, note, tags or reason.
        sort: `made` (newest first), `name`, `metric` (best first) or `duration` (longest first). Metrics are compared
            with the same metric of the same task only. Runs without a value are last.

    Raises:
        UserError: If there is no such status or order.
    """

    status: str | None = None
    model: str | None = None
    task: str | None = None
    tag: str | None = None
    text: str = ""
    sort: str = "made"

    def __post_init__(self) -> None:
        if self.status is not None:
            lookup("status", self.status, dict.fromkeys(STATUSES))
        lookup("order", self.sort, SORTS)

    @property
    def is_filtered(self) -> bool:
        """The query has a filter."""
        return bool(self.text) or any(value is not None for value in (self.status, self.model, self.task, self.tag))

    def select(self, rows: list[Row]) -> list[Row]:
        """Return the rows that fit, in order."""
        values = {"status": self.status, "model": self.model, "task": self.task}
        required = {name: value for name, value in values.items() if value is not None}
        words = self.text.casefold().split()
        matches = [
            row
            for row in rows
            if all(row.get(name) == value for name, value in required.items())
            and (self.tag is None or self.tag.removeprefix("#") in row["tags"])
            and (not words or _has_words(row, words))
        ]
        return sorted(matches, key=SORTS[self.sort], reverse=self.sort == "made")


def _has_words(row: Row, words: list[str]) -> bool:
    text = " ".join([*(str(row.get(name) or "") for name in SEARCHED), *(f"#{tag}" for tag in row["tags"])]).casefold()
    return all(word in text for word in words)


@cache
def _natural(name: str) -> list[tuple[int, str]]:
    """Return a key by which `mlp-9` is before `mlp-10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _metric_key(row: Row) -> tuple[Any, ...]:
    value, task, monitor = row["value"], row.get("task", ""), row["monitor"]
    if value is None:
        return True, "", "", 0.0, _natural(row["run"])
    return False, task, monitor, value if is_lower_better(task, monitor) else -value, _natural(row["run"])


def _duration_key(row: Row) -> tuple[Any, ...]:
    return row["duration"] is None, -(row["duration"] or 0.0), _natural(row["run"])


SORTS: dict[str, Callable[[Row], Any]] = {
    "made": lambda row: (row["created"] or "", row["run"]),
    "name": lambda row: _natural(row["run"]),
    "metric": _metric_key,
    "duration": _duration_key,
}


@cache
def is_lower_better(task: str, metric: str) -> bool:
    """Return whether a lower value of a task's metric is better. Data of the user's own are not read for that."""
    declared = {**tasks.CLASSIFICATION, **tasks.REGRESSION, "loss": "min", "perplexity": "min"}
    if not task.startswith(tasks.OWN):
        with suppress(UserError):  # a task of another version
            declared |= tasks.info(task).metrics
    return declared.get(metric, "max") == "min"
