"""The heartbeat of a run's worker: its process id and the time, in a file that it rewrites every second."""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench import files, untrusted

EVERY = 1.0  # seconds
SILENCE = 30.0  # seconds after which a worker counts as dead, because its process id may belong to another process


@dataclass(frozen=True)
class Heartbeat:
    """One heartbeat.

    Attributes:
        pid: The worker's process id, on its host.
        host: The machine's name.
        uptime: Seconds of a clock that stops while the machine sleeps, and starts again when it is started.
        time: Seconds since 1970, for other machines.
        since: The size of the events in bytes when the worker began: an end before that is of an earlier worker.
    """

    pid: int
    host: str
    uptime: float
    time: float
    since: int = 0

    @property
    def here(self) -> bool:
        """The heartbeat is one of this machine."""
        return self.host == socket.gethostname()

    def alive(self) -> bool:
        """Return whether the worker that wrote it is still running."""
        if not self.here:  # on a shared disk; process ids of other machines can't be checked
            return abs(time.time() - self.time) < SILENCE
        return 0 <= time.monotonic() - self.uptime < SILENCE and _exists(self.pid)


def leave(path: Path, since: int = 0, pid: int | None = None) -> None:
    """Write a heartbeat.

    Args:
        path: The file.
        since: The size of the events in bytes when the worker began.
        pid: The process id of the worker; by default that of this process.
    """
    beat = Heartbeat(pid or os.getpid(), socket.gethostname(), time.monotonic(), time.time(), since)
    files.write(path, json.dumps(asdict(beat)).encode())


def read(path: Path) -> Heartbeat | None:
    """Return the last heartbeat; None if there is none that can be read."""
    try:
        beat = Heartbeat(**untrusted.parse(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    is_valid = all(
        type(value) is kind for value, kind in zip(asdict(beat).values(), (int, str, float, float, int), strict=True)
    )
    return beat if is_valid and beat.pid > 0 else None  # 0 and below stand for groups of processes


def _exists(pid: int) -> bool:
    if os.name == "nt":
        return True  # the signal 0 would end the process there, so only the clock counts
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether a process has ended but was not reaped by its parent, as is common in containers without init."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
    except OSError:
        return False  # no such file system here
    return state.split()[:1] == ["Z"]
