"""Files that are whole whenever somebody looks."""

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes, sync: bool = False) -> None:
    """Put a file in place, written beside and renamed; with `sync`, both are forced to the disk.

    A writer that is killed in between leaves what stood there before. Only one process may write a path at a time.

    Raises:
        OSError: It couldn't be written; what stood there before still does.
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        with beside.open("wb") as file:
            file.write(content)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        beside.replace(path)
        if sync:
            _sync_folder(path.parent)  # the renaming stands in the folder, and a power cut would undo it
    except OSError as error:
        error.filename = error.filename or str(path)
        with suppress(OSError):
            beside.unlink()  # a full disk has no room for half a file
        raise


def _sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk, where the system can."""
    with suppress(OSError):  # Windows opens no folders, and some network disks don't sync them
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
