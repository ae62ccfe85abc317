"""The file of a run's events: a line of JSON each."""

import json
import math
import os
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench import untrusted
from workbench.engine.events.kinds import Event, parse

SCHEMA = 2
FLUSH_EVERY = 0.1  # seconds: nobody looks oftener, and a system call a step would cost more than a small step
READ_AT_ONCE = 1 << 20  # bytes


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

    def write(self, event: Mapping[str, Any]) -> None:
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


class Reader:
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

    def read(self, limit: int = 1000) -> list[Event]:
        """Return the next events, at most `limit`; an unfinished last line waits for its end.

        There are none only where the file has no more: what is no event is passed over, however long it is.
        """
        events: list[Event] = []
        while len(events) < limit and (self._lines or (not events and self._fetch())):
            if not self._lines:
                continue  # a line longer than what is read at once
            event = parse(self._lines.popleft())
            if event is None:
                self.damaged += 1
            else:
                events.append(event)
        return events

    def _fetch(self) -> bool:
        """Read on in the file, and return whether there was more."""
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


def last(path: Path) -> Event | None:
    """Return the last whole event of a file, which is read from its end."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - READ_AT_ONCE // 16))
            lines = file.read().split(b"\n")[:-1]
    except OSError:
        return None
    return next((event for event in map(parse, reversed(lines)) if event), None)


def size(path: Path) -> int:
    """Return the size of a file in bytes; 0 if it isn't there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _cut(path: Path) -> bool:
    """Return whether a file ends in the midst of a line."""
    if not size(path):
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"
