"""The lock of a run's folder, for one worker at a time. The system releases it when the worker ends in any way."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def held(folder: Path) -> Iterator[int]:
    """Hold the lock of a run's folder.

    A process that is started with the descriptor as its stdin shares the lock, until it ends or leaves this context.

    Yields:
        The descriptor of the lock's file.

    Raises:
        BlockingIOError: If another process holds it.
        OSError: If the folder can't be written.
    """
    opened = os.open(folder / "worker.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        is_shared = _is_stdin(opened)
        if not is_shared:
            _take(opened)
        yield opened
        if is_shared:
            _release(0)  # closing isn't enough, as stdin stays open
    finally:
        os.close(opened)


def _is_stdin(opened: int) -> bool:
    try:
        return os.path.samestat(os.fstat(0), os.fstat(opened))
    except OSError:
        return False  # stdin is closed


if sys.platform == "win32":
    import msvcrt

    def _take(opened: int) -> None:
        # Windows can't share a lock, so the worker waits until the process that started it releases it.
        try:
            msvcrt.locking(opened, msvcrt.LK_LOCK, 1)
        except OSError as error:
            raise BlockingIOError(*error.args) from None

    def _release(opened: int) -> None:
        msvcrt.locking(opened, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _take(opened: int) -> None:
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise
        except OSError:
            pass  # a file system without locks; then only the heartbeat tells whether a worker is running

    def _release(opened: int) -> None:
        with suppress(OSError):
            fcntl.flock(opened, fcntl.LOCK_UN)
