"""One run as a row of a list: its summary, when it was created, how long it took, its note and tags."""

import stat
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

from workbench import tasks
from workbench.engine import content_key, notes
from workbench.engine.events.kinds import Status
from workbench.engine.run import Run
from workbench.errors import UserError
from workbench.untrusted import printable

FILES = ("spec.json", "events.jsonl", notes.FILE, "worker.json", "key")  # what a row is read from
MAX_SPEC = 1_000_000  # bytes
STATUSES = ("running", *get_args(Status), "damaged")
Row = dict[str, Any]


def read(run: Run) -> Row:
    """Return a run as plain data, also if its folder is damaged.

    Returns:
        `Run.summary()` and: `created` (ISO 8601, in UTC; None if that isn't known), `duration` (seconds of training),
        `monitor` and `value` (the metric that decides which checkpoint is best, as it was measured last), `tags`,
        `note`, `key` (of its content; None in older runs) and `origin` (the run or file whose weights it began with).
    """
    try:
        _check_files(run.folder)
        return _read(run)
    except Exception as error:  # whatever is wrong with one folder, the others are listed
        reason = str(error) if isinstance(error, UserError) else f"Its files can't be read ({type(error).__name__})."
        return _damaged(run, reason)


def _check_files(folder: Path) -> None:
    """Check that the files of a run can be read without waiting or filling the memory.

    Raises:
        UserError: If one is a pipe, a folder or a device, or the spec is too long.
    """
    for name in FILES:
        try:
            status = (folder / name).stat()
        except OSError:
            continue
        if not stat.S_ISREG(status.st_mode):
            raise UserError(f"The run {folder.name} is damaged: its {name} is not a file.")
        if name == "spec.json" and status.st_size > MAX_SPEC:
            raise UserError(f"The run {folder.name} is damaged: its spec.json is too long.")


def _read(run: Run) -> Row:
    row = run.summary()
    if row["status"] == "damaged":
        return _damaged(run, row["reason"])
    spec, last = run.spec, run.last_event()
    first = run.reader().read(1)
    start: Mapping[str, Any] = first[0] if first else {}
    monitor = start.get("monitor") or spec.evaluation.monitor or _default_monitor(spec.data.task, row["metrics"])
    own_notes = notes.read(run)
    return row | dict(
        created=_date(start.get("time")) or _date(run.created() or None),
        duration=last.get("seconds") if last else None,
        monitor=monitor,
        value=row["metrics"].get(monitor),
        tags=list(own_notes.tags),
        note=own_notes.note,
        key=content_key.read(run),
        origin=printable(spec.origin) if spec.origin else None,
    )


def _damaged(run: Run, reason: str) -> Row:
    own_notes = notes.read(run) if (run.folder / notes.FILE).is_file() else notes.Notes()
    row = dict(run=printable(run.id), status="damaged", reason=printable(reason), created=_date(run.created() or None))
    row |= dict.fromkeys(("duration", "monitor", "value", "key", "origin"))
    return row | dict(tags=list(own_notes.tags), note=own_notes.note)


def _default_monitor(task: str, metrics: dict[str, Any]) -> str | None:
    """Return the first metric of a task. Data of the user's own are not read for a list: then it is the first value."""
    names = metrics if task.startswith(tasks.OWN) else tasks.info(task).metrics
    return next(iter(names), None)


def _date(seconds: float | None) -> str | None:
    """Return seconds since 1970 as ISO 8601 in UTC; None if there is no such date."""
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, ValueError, OSError):
        return None
