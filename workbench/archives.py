"""Zip files are measured before they are unpacked: a few megabytes can hold more than fits into memory."""

import os
import sys
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from workbench.errors import UserError

MAX_RATIO = 20  # unpacked bytes per byte of the file; arrays and images are far below, and repeated zeros reach 1,000
ALWAYS_FINE = 1 << 24  # bytes: a small archive of a few words may be above that ratio
MEMORY_SHARE = 0.5  # of the memory that is free


def check_zip(path: Path, max_ratio: float = MAX_RATIO, always_fine: int = ALWAYS_FINE) -> None:
    """Check that a zip file doesn't become far larger than it is, or than the memory, as it is unpacked.

    Only its directory is read. What an entry holds beyond the size that is stated there is never read by `zipfile`.

    Args:
        path: The file.
        max_ratio: The number of unpacked bytes per byte of the file.
        always_fine: The number of unpacked bytes up to which the ratio doesn't matter.

    Raises:
        UserError: If it does, or if it is not a zip file.
        OSError: If it can't be read.
    """
    try:
        with ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (BadZipFile, ValueError, NotImplementedError, IndexError) as error:
        raise UserError(f"{path} is not a zip file, or is damaged. Download or save it again.") from error
    size = path.stat().st_size
    if unpacked > max(max_ratio * size, always_fine):
        raise UserError(
            f"{path} has {size:,} bytes and would unpack to {unpacked:,}, which is suspicious. Use another file."
        )
    free = free_memory()
    if free is not None and unpacked > MEMORY_SHARE * free:
        raise UserError(
            f"{path} would unpack to {unpacked / 2**30:.1f} GiB, but only {free / 2**30:.1f} GiB of memory is free. "
            "Free some memory."
        )


def free_memory() -> int | None:
    """Return the number of bytes of memory that programs can still take; None if the system doesn't say."""
    if sys.platform == "linux":
        try:
            for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
                name, _, value = line.partition(":")
                if name == "MemAvailable":
                    return int(value.split()[0]) * 1024
        except (OSError, ValueError, IndexError):
            pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # macOS tells the total alone
    except (AttributeError, OSError, ValueError):
        return None
