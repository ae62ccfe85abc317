"""Runs as lines of a list: dates, durations, and the metric that decides which checkpoint is best."""

from datetime import datetime
from textwrap import wrap
from typing import Any

from workbench.render.metrics import format_metric

COLUMNS = ("run", "status", "task", "made", "duration", "metric")
MAX_RUN, MIN_RUN, MIN_TASK = 24, 8, 8  # cells
SPLITS = {"validation": "val"}  # shorter names in a column


def lines(rows: list[dict[str, Any]], width: int, now: datetime) -> list[str]:
    """Return a table of runs, as rows of `engine.index` describe them.

    Below a run is what doesn't fit a column: its note and tags, and the reason if it did not end as it should.

    Args:
        rows: The runs.
        width: Number of cells. A run's name is never shortened, because it is typed again.
        now: The present time; dates of this year are without the year.
    """
    table = [[*COLUMNS], *(_cells(row, now) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    widths[0] = min(MAX_RUN, widths[0])
    gap = 2 if sum(widths) + 2 * (len(widths) - 1) <= width else 1
    for column, least in ((2, MIN_TASK), (0, MIN_RUN)):
        surplus = sum(widths) + gap * (len(widths) - 1) - width
        widths[column] = max(min(least, widths[column]), widths[column] - max(0, surplus))
    text = []
    for cells, row in zip(table, [{}, *rows], strict=True):
        if len(cells[0]) > widths[0]:  # on a line of its own
            text.append(cells[0])
            cells[0] = ""
        cells[2] = shorten(cells[2], widths[2])
        text.append((" " * gap).join(cell.ljust(size) for cell, size in zip(cells, widths, strict=True)).rstrip())
        text += [f"    {line}" for remark in _remarks(row) for line in wrap(remark, max(20, width - 6))]
    return text


def _cells(row: dict[str, Any], now: datetime) -> list[str]:
    return [
        row["run"],
        row["status"],
        row.get("task", ""),
        format_date(row["created"], now),
        format_duration(row["duration"]),
        format_monitored(row),
    ]


def _remarks(row: dict[str, Any]) -> list[str]:
    words = [*(f"#{tag}" for tag in row.get("tags", [])), row.get("note", "")]
    return list(filter(None, [" ".join(filter(None, words)), row.get("reason", "")]))


def format_monitored(row: dict[str, Any]) -> str:
    """Return the metric that decides which checkpoint of a run is best, as `test accuracy 0.9722`; empty if none."""
    if row["value"] is None:
        return ""
    split = row["split"] or ""
    return f"{SPLITS.get(split, split)} {row['monitor']} {format_metric(row['monitor'], row['value'])}".lstrip()


def format_date(created: str | None, now: datetime) -> str:
    """Return an ISO 8601 time as local time: `01-31 14:05` in the present year, else `2025-01-31`."""
    if created is None:
        return ""
    local = datetime.fromisoformat(created).astimezone()
    return f"{local:%m-%d %H:%M}" if local.year == now.year else f"{local:%Y-%m-%d}"


def format_duration(seconds: float | None) -> str:
    """Return a duration: `4.2 s`, `12:34`, `1:02:03`; empty if it isn't known."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def shorten(text: str, width: int) -> str:
    """Return a text of at most `width` characters; of a path, the end says more than the beginning."""
    return text if len(text) <= width else f"...{text[len(text) - width + 3 :]}"
