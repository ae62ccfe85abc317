"""Files that are whole whenever somebody looks."""

import os
from contextlib import suppress
from pathlib import Path


def write(path: Path, content: bytes, sync: bool = False) -> None:
    """Put a file in place, written beside and renamed; with `sync`, forced to the disk first.

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
    except OSError as error:
        error.filename = error.filename or str(path)
        with suppress(OSError):
            beside.unlink()  # a full disk has no room for half a file
        raise
