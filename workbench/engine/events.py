"""A run's events: JSON lines that the worker appends, and that anybody may read on from the last byte they saw."""

import json
import math
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

SCHEMA = 1
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

    def write(self, event: dict[str, Any]) -> None:
        """Append one event; it reaches the file within a tenth of a second if others follow, or with `flush`."""
        record = {"event": event["event"], **({"schema": SCHEMA} if self._first else {}), **self._common, **event}
        self._first = False
        with self._lock:
            self._file.write(json.dumps(_finite(record), ensure_ascii=False, allow_nan=False) + "\n")
            if time.monotonic() - self._flushed >= FLUSH_EVERY:
                self._flush()

    def flush(self) -> None:
        """Hand everything written so far to the file."""
        with self._lock:
            self._flush()

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
        damaged: How many lines so far were no event.
    """

    def __init__(self, path: Path, offset: int = 0):
        self.damaged = 0
        self._path = path
        self._offset = offset
        self._partial = b""
        self._lines: deque[bytes] = deque()

    def read(self, limit: int = 1000) -> list[dict[str, Any]]:
        """The next events, at most `limit` lines of them; an unfinished last line waits for its end."""
        if len(self._lines) < limit:
            self._fetch()
        events = []
        for _ in range(min(limit, len(self._lines))):
            event = _parsed(self._lines.popleft())
            if event is None:
                self.damaged += 1
            else:
                events.append(event)
        return events

    def _fetch(self) -> None:
        try:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                chunk = file.read(READ_AT_ONCE)
        except OSError:
            return  # not there yet, or not there any more
        self._offset += len(chunk)
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        self._lines.extend(lines)


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
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and isinstance(event.get("event"), str) else None


def _finite(value: Any) -> Any:
    """The value with null for NaN and infinity, which JSON hasn't got."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return value
