"""Arrays that take a while to make, kept in the cache folder. All in it can be deleted: it is made or fetched again."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

from workbench import files
from workbench.archives import check_zip
from workbench.paths import cache_dir, make_private

if TYPE_CHECKING:
    import numpy as np

Arrays = tuple["np.ndarray", ...]


def kept(name: str, make: Callable[[], Arrays]) -> Arrays:
    """Arrays by their name; what isn't there, or is damaged, is made and put there.

    Where nothing can be written (no room, no permission), they are made each time.

    Args:
        name: Holds a version: other arrays need another name.
        make: Makes them.
    """
    path = cache_dir() / f"{name}.npz"
    arrays = _read(path)
    if arrays is None:
        arrays = make()
        with suppress(OSError):
            _write(path, arrays)
    return arrays


def _read(path: Path) -> Arrays | None:
    import numpy as np

    try:
        check_zip(path)
        with np.load(path, allow_pickle=False) as file:  # reading to its end checks the zip file's checksums
            return tuple(file[f"arr_{k}"] for k in range(len(file.files)))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile, NotImplementedError, MemoryError):
        return None


def _write(path: Path, arrays: Arrays) -> None:
    import numpy as np

    make_private(path.parent)
    files.write(path, lambda file: np.savez(file, *arrays))
