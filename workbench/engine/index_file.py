"""The file of the index of runs: SQLite, with a row per run. It can be deleted at any time, and is then rebuilt.

A connection is open only while the file is read or written. Several processes may do so at once; one that can't,
because another is writing or the folder is read-only, works without the file.
"""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from zlib import crc32

from workbench.engine.run_row import Row

BUSY_TIMEOUT = 0.2  # seconds
# Errors that say nothing about the content of the file.
UNAVAILABLE = (
    *(sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_CANTOPEN),
    *(sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_FULL),
    *(sqlite3.SQLITE_IOERR, sqlite3.SQLITE_NOMEM),
)
SOURCES = Path(__file__).parent
TABLE = "run (name BLOB PRIMARY KEY, state BLOB, created TEXT, row BLOB, checksum INTEGER)"


class Entry:
    """The entry of a run in the index.

    Args:
        state: The times and sizes of its files when they were read, see `index.read_state`.
        created: When the run was created; empty if that isn't known.
        content: The row, as JSON, which is parsed when it is needed.
        row: The row, if it was read from the folder.
    """

    __slots__ = ("_row", "content", "created", "state")

    def __init__(self, state: bytes, created: str, content: bytes = b"", row: Row | None = None):
        self.state, self.created, self.content, self._row = state, created, content, row

    @property
    def row(self) -> Row:
        """The run as a row of a list."""
        if self._row is None:
            self._row = json.loads(self.content)
            self.content = b""
        return self._row


def load(path: Path) -> dict[str, Entry]:
    """Return the entries of the file by folder name; none if it is missing, damaged, or of another version."""
    entries: dict[str, Entry] = {}
    if not path.exists():
        return entries
    with _usable(path), closing(_connect(path)) as connection:
        if _version(connection) == _program():
            for name, state, created, content, checksum in connection.execute("SELECT * FROM run"):
                if _checksum(name, state, created, content) != checksum:
                    raise ValueError("a row is damaged")
                entries[os.fsdecode(name)] = Entry(state, created, content)
            return entries
    return {}


def save(path: Path, changed: Mapping[str, Entry], removed: Iterable[str]) -> None:
    """Write entries to the file and remove others, in one transaction."""
    rows: list[tuple[Any, ...]] = []
    for name, entry in changed.items():
        columns = os.fsencode(name), entry.state, entry.created, json.dumps(entry.row).encode()
        rows.append((*columns, _checksum(*columns)))
    with _usable(path), closing(_connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = OFF")  # a file that a power cut damages is rebuilt
        connection.execute("BEGIN IMMEDIATE")
        if _version(connection) != _program():
            connection.execute("DROP TABLE IF EXISTS run")
            connection.execute(f"CREATE TABLE {TABLE}")
            connection.execute(f"PRAGMA user_version = {_program()}")
        connection.executemany("INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?)", rows)
        connection.executemany("DELETE FROM run WHERE name = ?", [(os.fsencode(name),) for name in removed])
        connection.execute("COMMIT")


def _checksum(name: bytes, state: bytes, created: str, content: bytes) -> int:
    return crc32(b"\0".join((name, state, created.encode(), content)))


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    """Do without the file if it can't be used now, and delete it if it is damaged."""
    try:
        yield
    except (sqlite3.Error, ValueError, TypeError, AttributeError) as error:  # the last two: columns of other types
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
        if code & 0xFF not in UNAVAILABLE:  # the last byte of an extended code is the basic one
            for suffix in ("", "-wal", "-shm"):
                with suppress(OSError):
                    Path(f"{path}{suffix}").unlink()


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


@cache
def _program() -> int:
    """Return a number that changes with the sources that read runs, because another version may read them otherwise."""
    states = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in sorted(SOURCES.rglob("*.py"))]
    return crc32(repr(states).encode()) & 0x7FFF_FFFF  # SQLite keeps 31 bits of it
