"""Copies of the study file: one a day, of which the newest five stay."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import date
from pathlib import Path

from workbench.paths import make_private

COUNT = 5


def folder(path: Path) -> Path:
    """Return the folder of the copies of a study file."""
    return path.parent / "backups"


def copies(path: Path) -> list[Path]:
    """Return the copies of a study file, the newest first."""
    return sorted(folder(path).glob(f"{path.stem}-????-??-??{path.suffix}"), reverse=True)


def copy_daily(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the study file, unless it was copied today, is empty or is damaged; what fails is tried at the next opening.

    A damaged file is not copied, so that it can't push out the sound copies.

    Args:
        connection: A connection to the file.
        path: The file.
    """
    copy = folder(path) / f"{path.stem}-{date.today().isoformat()}{path.suffix}"
    if copy.exists():
        return
    temporary = copy.with_name(f".{copy.name}.{os.getpid()}.partial")
    try:
        if connection.execute("SELECT 1 FROM attempt UNION ALL SELECT 1 FROM item LIMIT 1").fetchone() is None:
            return
        make_private(copy.parent)
        with closing(sqlite3.connect(temporary)) as target:
            connection.backup(target)
            is_sound = target.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
            target.execute("PRAGMA journal_mode = DELETE")  # a file without a log next to it
        if is_sound:
            temporary.replace(copy)
            for old in copies(path)[COUNT:]:
                old.unlink()
    except (sqlite3.Error, OSError):
        pass  # no room, no permission, or damaged: the study file itself can be used, or says what is wrong
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
