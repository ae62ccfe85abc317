"""The file of a run's events: one JSON object per line."""

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
FLUSH_EVERY = 0.1  # seconds: readers poll as often, and a system call at every step would take longer than a small step
READ_AT_ONCE = 1 << 20  # bytes


class Writer:
    """Appends events to a file; the first carries the schema's version. Safe to flush from another thread.

    Args:
        path: The file, which is created if it is missing.
        **common: Fields of every event: the run, the seed.
    """

    def __init__(self, path: Path, **common: Any):
        cut = _cut(path)
        self._file = path.open("a", encoding="utf-8")
        if cut:
            self._file.write("\n")  # an earlier writer was killed in the middle of a line
        self._common = common
        self._lock = threading.Lock()
        self._flushed = -math.inf
        self._first = True

    def write(self, event: Mapping[str, Any]) -> None:
        """Append one event. It is in the file after a tenth of a second if others follow, or after `flush`."""
        record = {"event": event["event"], **({"schema": SCHEMA} if self._first else {}), **self._common, **event}
        self._first = False
        with self._lock:
            self._file.write(json.dumps(untrusted.finite(record), ensure_ascii=False, allow_nan=False) + "\n")
            if time.monotonic() - self._flushed >= FLUSH_EVERY:
                self._flush()

    def flush(self) -> None:
        """Write all events so far to the file."""
        with self._lock:
            self._flush()

    def sync(self) -> None:
        """Write all events so far to the disk, so that they survive a power failure."""
        self.flush()
        os.fsync(self._file.fileno())  # without the lock: a slow disk must not keep the heartbeat waiting

    def _flush(self) -> None:
        self._file.flush()
        self._flushed = time.monotonic()

    def close(self) -> None:
        """Flush and close the file. Nothing can be written after that."""
        with self._lock:
            self._file.close()


class Reader:
    """Reads events from a growing file.

    Args:
        path: The file, which may be missing at first.
        offset: The byte to begin at.

    Attributes:
        damaged: The number of lines so far that are not valid events.
    """

    def __init__(self, path: Path, offset: int = 0):
        self.damaged = 0
        self._path = path
        self._offset = offset
        self._partial: list[bytes] = []  # of a line that has no end yet
        self._lines: deque[bytes] = deque()

    def read(self, limit: int = 1000) -> list[Event]:
        """Return the next events, at most `limit`. An unfinished last line is read once it is complete.

        Lines that are not valid events are skipped, so the list is empty only at the end of the file.
        """
        events: list[Event] = []
        while len(events) < limit and (self._lines or (not events and self._fetch())):
            if not self._lines:
                continue  # a line that is longer than a chunk
            event = parse(self._lines.popleft())
            if event is None:
                self.damaged += 1
            else:
                events.append(event)
        return events

    def _fetch(self) -> bool:
        """Read the next chunk of the file, and return whether there was one."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(READ_AT_ONCE)
        except OSError:
            return False  # not there yet, or deleted
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
    """Return the last complete event of a file, of which only the end is read; None if there is none."""
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
    """Return whether the last line of a file is incomplete."""
    if not size(path):
        return False
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() != b"\n"
