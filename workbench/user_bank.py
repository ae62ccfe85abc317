"""The bank with the user's packs, which are in a folder of the data directory."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.paths import packs_dir

if TYPE_CHECKING:
    from quizzes.bank import Bank
    from quizzes.packs.pack import Pack

FileState = tuple[str, int, int, int]  # path, modification time in nanoseconds, size in bytes, number of the file


def user_bank() -> "Bank":
    """Return the bank of the built-in questions and of the user's packs, as they are now."""
    folder = packs_dir()
    return _bank(folder, tuple(_files(folder)))


def user_packs() -> "tuple[Pack, ...]":
    """Return the user's packs, including those with problems; without importing anything if there are none.

    Raises:
        UserError: If the folder of the packs can't be read.
    """
    return user_bank().packs if packs_dir().is_dir() else ()


@lru_cache(maxsize=1)
def _bank(folder: Path, files: tuple[FileState, ...]) -> "Bank":
    """Return the bank of a folder of packs while its files stay as they are."""
    from quizzes.bank import Bank
    from quizzes.builtin import CONTENT

    return Bank(CONTENT, _Library(folder))


class _Library:
    """The packs in a folder, read when they are iterated."""

    def __init__(self, folder: Path):
        self.folder = folder

    def __iter__(self) -> "Iterator[Pack]":
        """Read the packs.

        Raises:
            UserError: If the folder can't be read.
        """
        if self.folder.is_dir():
            from quizzes.packs.library import load_all
            from workbench import syllabus

            yield from load_all(self.folder, syllabus.topics())


def _files(folder: Path) -> Iterator[FileState]:
    """Yield the state of every file of a pack."""
    for path in sorted(path for pattern in ("*", "*/*.toml", "*/*/*.toml") for path in folder.glob(pattern)):
        status = path.lstat()
        yield str(path), status.st_mtime_ns, status.st_size, status.st_ino
