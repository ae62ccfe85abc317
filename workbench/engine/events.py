"""A run's events: JSON lines that the worker appends, and that anybody may read on from the last byte they saw."""

import json
import math
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workbench import untrusted

SCHEMA = 1
FLUSH_EVERY = 0.1  # seconds: nobody looks oftener, and a system call a step would cost more than a small step
READ_AT_ONCE = 1 << 20  # bytes
SPLITS = ("train", "validation", "test")
STATUSES = ("done", "stopped", "diverged", "crashed")
LARGEST_NUMBER = 1e300  # a chart can still subtract two of them
LARGEST_WHOLE = 2**63 - 1  # what TensorBoard and PyTorch take


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _whole(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_WHOLE


def _number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST_NUMBER


def _duration(value: Any) -> bool:
    return _number(value) and value >= 0


def _flag(value: Any) -> bool:
    return isinstance(value, bool)


def _metrics(value: Any) -> bool:
    return isinstance(value, dict) and all(number is None or _number(number) for number in value.values())


def _baseline(value: Any) -> bool:
    texts = isinstance(value, dict) and _text(value.get("method")) and _text(value.get("metric"))
    return texts and _number(value.get("value"))


def _initial_weights(value: Any) -> bool:
    texts = isinstance(value, dict) and _text(value.get("source")) and _text(value.get("part", ""))
    return texts and _whole(value.get("loaded")) and all(_names(value.get(name)) for name in ("missing", "left_over"))


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(_text(name) for name in value)


# What each field holds, in whatever event it stands.
FIELDS: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("event", "run", "model", "task", "preset", "device", "checkpoint", "reason", "monitor"), _text),
    **dict.fromkeys(("step", "steps", "seed", "params", "trainable"), _whole),
    **dict.fromkeys(("epoch", "epochs", "seconds", "time", "steps_per_second"), _duration),
    **dict.fromkeys(("refused", "resumed"), _flag),
    "split": lambda value: value in SPLITS,
    "status": lambda value: value in STATUSES,
    **dict.fromkeys(("metrics", "validation"), _metrics),
    "baseline": _baseline,
    "terms": _names,
    "initial_weights": _initial_weights,
    "early_stopping": lambda value: isinstance(value, dict),
}
# The fields that an event can't do without.
NEEDED = {
    "start": ("run", "seed", "step", "seconds", "steps", "model", "task", "preset", "params", "device"),
    "metric": ("step", "epoch", "seconds", "split", "metrics"),
    "eval": ("step", "epoch", "seconds", "split", "metrics"),
    "checkpoint": ("step", "checkpoint"),
    "end": ("status", "step", "steps", "seconds", "steps_per_second", "metrics"),
}


class Writer:
    """Appends events to a file; the first carries the schema's version. Safe to flush from another thread.

    Args:
        path: The file, made if it isn't there.
        **common: What every event says: the run, the seed.
    """

    def __init__(self, path: Path, **common: Any):
        cut = _cut(path)
        self._file = path.open("a", encoding="utf-8")
        if cut:
            self._file.write("\n")  # a writer before us was killed in the midst of a line
        self._common = common
        self._lock = threading.Lock()
        self._flushed = -math.inf
        self._first = True

    def write(self, event: dict[str, Any]) -> None:
        """Append one event; it reaches the file within a tenth of a second if others follow, or with `flush`."""
        record = {"event": event["event"], **({"schema": SCHEMA} if self._first else {}), **self._common, **event}
        self._first = False
        with self._lock:
            self._file.write(json.dumps(untrusted.finite(record), ensure_ascii=False, allow_nan=False) + "\n")
            if time.monotonic() - self._flushed >= FLUSH_EVERY:
                self._flush()

    def flush(self) -> None:
        """Hand everything written so far to the file."""
        with self._lock:
            self._flush()

    def sync(self) -> None:
        """Force everything written so far to the disk, where it outlives a power cut."""
        self.flush()
        os.fsync(self._file.fileno())  # without the lock: a slow disk must not keep the heartbeat waiting

    def _flush(self) -> None:
        self._file.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Flush and close; nothing can be written after."""
        with self._lock:
            self._file.close()


class Tail:
    """Reads a growing file of events, from the last byte it saw.

    Args:
        path: The file; it needn't be there yet.
        offset: The byte to begin at.

    Attributes:
        damaged: How many lines so far were no event: no JSON, or not with the fields that such an event has.
    """

    def __init__(self, path: Path, offset: int = 0):
        self.damaged = 0
        self._path = path
        self._offset = offset
        self._partial: list[bytes] = []  # of a line that has no end yet
        self._lines: deque[bytes] = deque()

    def read(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The next events, at most `limit`; an unfinished last line waits for its end.

        There are none only where the file has no more: what is no event is passed over, however long it is.
        """
        events: list[dict[str, Any]] = []
        while len(events) < limit and (self._lines or (not events and self._fetch())):
            if not self._lines:
                continue  # a line longer than what is read at once
            event = _parsed(self._lines.popleft())
            if event is None:
                self.damaged += 1
            else:
                events.append(event)
        return events

    def _fetch(self) -> bool:
        """Read on in the file; whether there was more."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(READ_AT_ONCE)
        except OSError:
            return False  # not there yet, or not there any more
        if not chunk:
            return False
        self._offset += len(chunk)
        end, *lines = chunk.split(b"\n")
        self._partial.append(end)
        if lines:
            self._lines += [b"".join(self._partial), *lines[:-1]]
            self._partial = [lines[-1]]
        return True


def last(path: Path) -> dict[str, Any] | None:
    """The last whole event of a file, read from its end."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - READ_AT_ONCE // 16))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    return next((event for event in map(_parsed, reversed(lines)) if event), None)


def size(path: Path) -> int:
    """Bytes of a file; 0 where it isn't there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _cut(path: Path) -> bool:
    """Whether a file ends in the midst of a line."""
    if not size(path):
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The event of a line; None where it is none, whoever wrote it."""
    try:
        event = untrusted.parse(line)
    except ValueError:
        return None
    if isinstance(event, dict) and "floor" in event:  # its name in older runs
        event["baseline"] = event.pop("floor")
    return untrusted.clean(event) if isinstance(event, dict) and _sound(event) else None


def _sound(event: dict[str, Any]) -> bool:
    """Whether a JSON object is an event, with all fields that one of its kind needs, and each of its type."""
    if not _text(event.get("event")):
        return False
    needed = (*NEEDED.get(event["event"], ()), *(["reason"] if event.get("refused") else []))
    return all(name in event for name in needed) and all(
        fits(event[name]) for name, fits in FIELDS.items() if name in event
    )
