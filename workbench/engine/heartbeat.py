"""Who works on a run, and whether they live: a process id and a clock, written anew every second."""

import json
import os
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from workbench import files, untrusted

EVERY = 1.0  # seconds
SILENCE = 30.0  # seconds after which a worker is thought dead though its process id lives: it may be another's by now


@dataclass(frozen=True)
class Heartbeat:
    """One beat.

    Attributes:
        pid: The worker's process id, on its host.
        host: The machine's name.
        uptime: By a clock that stands still while the machine sleeps, and starts anew with it.
        time: Seconds since 1970: what two machines have in common.
        since: Bytes of events that were there when its work began: an end among them is not the end of this work.
    """

    pid: int
    host: str
    uptime: float
    time: float
    since: int = 0

    @property
    def here(self) -> bool:
        """Whether it is this machine's."""
        return self.host == socket.gethostname()

    def alive(self) -> bool:
        """Whether who left it is still at work."""
        if not self.here:  # on a shared disk; a process id says nothing here
            return abs(time.time() - self.time) < SILENCE
        return 0 <= time.monotonic() - self.uptime < SILENCE and _exists(self.pid)


def leave(path: Path, since: int = 0, pid: int | None = None) -> None:
    """Write a heartbeat: this process's, or that of a worker that was just given the run."""
    beat = Heartbeat(pid or os.getpid(), socket.gethostname(), time.monotonic(), time.time(), since)
    files.write(path, json.dumps(asdict(beat)).encode())


def read(path: Path) -> Heartbeat | None:
    """The last heartbeat, if there is one that can be read."""
    try:
        beat = Heartbeat(**untrusted.parse(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None
    whole = all(
        type(value) is kind for value, kind in zip(asdict(beat).values(), (int, str, float, float, int), strict=True)
    )
    return beat if whole and beat.pid > 0 else None  # 0 and below would be whole groups of processes


def _exists(pid: int) -> bool:
    if os.name == "nt":
        return True  # the signal 0 would end the process there; the clock has to do
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Whether a process has ended and its parent has not asked for it, as may last in a container without an init."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2]
    except OSError:
        return False  # no such file system here
    return state.split()[:1] == ["Z"]
