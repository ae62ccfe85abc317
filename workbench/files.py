"""Writing files atomically: a reader sees the old content or the new, never a part of it."""

import os
import shutil
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write(
    path: Path, content: bytes | Callable[[BinaryIO], object], sync: bool = False, previous: Path | None = None
) -> None:
    """Write a file under a temporary name, then rename it.

    A writer that is killed before the renaming leaves the old file in place. Several may write the same path.

    Args:
        path: The file, in a folder that exists.
        content: The bytes, or a function that writes them to a file.
        sync: Whether to force the file and its folder to the disk, so that a power cut can't undo the write.
        previous: Another path in the same folder, at which the old content stays. Both paths hold a whole file at any
            time, once they did.

    Raises:
        OSError: If the file can't be written; the old file is still there.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        with temporary.open("wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                content(file)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        if previous is not None:
            _keep(path, previous, sync)
        temporary.replace(path)
        if sync:
            sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()  # on a full disk this makes room
        if isinstance(error, OSError):
            error.filename = error.filename or str(path)
        raise


def _keep(path: Path, previous: Path, sync: bool) -> None:
    """Give the content of a file, if there is one, a second name."""
    temporary = previous.with_name(f".{previous.name}.{os.getpid()}-{threading.get_ident()}.partial")
    try:
        os.link(path, temporary)
        temporary.replace(previous)
    except FileNotFoundError:
        pass
    except OSError:  # a file system without hard links
        with path.open("rb") as old:
            write(previous, lambda file: shutil.copyfileobj(old, file), sync)
    finally:
        temporary.unlink(missing_ok=True)  # renaming one name of a file to another name of it does nothing


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk, where the system can."""
    with suppress(OSError):  # Windows can't open folders, and some network disks can't sync them
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
