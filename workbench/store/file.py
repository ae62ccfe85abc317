"""Access to the study file: connection, transactions, queries and error messages."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import astuple, fields
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from workbench.errors import UserError
from workbench.paths import data_dir, make_private
from workbench.store.backups import copy_daily
from workbench.store.rows import Attempt, ItemState, read_attempt, read_state
from workbench.store.schema import migrate

WRITE_TIMEOUT = 5.0  # seconds to wait for another process that is writing; a screen may be waiting, too
OPEN_TIMEOUT = 30.0  # seconds to wait when the file is opened: creating it takes long on a slow disk
RETRY_INTERVAL = 0.02  # seconds between two attempts to open
LOCKED_CODES = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


class Store:
    """The study file. Use it as a context manager, from one thread.

    Args:
        path: The file, which is created if it doesn't exist; None for the one in the data directory.

    Raises:
        UserError: If the file can't be used. The message says what to do, and the file is unchanged.
    """

    def __init__(self, path: Path | None = None):
        self.path = path or data_dir() / "study.sqlite"
        with self._translate_errors():
            make_private(self.path.parent)
            with suppress(FileExistsError):  # SQLite would let others read a file that it creates
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(self.path, timeout=RETRY_INTERVAL, isolation_level=None)
            self._connection.text_factory = lambda text: text.decode(errors="replace")
            self._prepare()
            copy_daily(self._connection, self.path)

    def _prepare(self) -> None:
        """Switch to write-ahead logging and update the tables, while other programs may do the same.

        SQLite's own timeout isn't enough. The switch needs exclusive access to the file, and if another connection is
        about to write, it fails at once, because two connections that waited for each other would never continue.
        """
        deadline = monotonic() + OPEN_TIMEOUT
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                migrate(self._connection)
                break
            except sqlite3.OperationalError as error:
                if not _is_locked(error) or monotonic() >= deadline:
                    raise
                sleep(RETRY_INTERVAL)
        self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * WRITE_TIMEOUT)}")

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def _translate_errors(self) -> Iterator[None]:
        """Raise errors of SQLite and the operating system as user errors."""
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(self._message(error)) from error
        except OSError as error:
            raise UserError(
                f"The folder {self.path.parent} can't be used ({error.strerror}). Set WORKBENCH_HOME to another folder."
            ) from error

    def _message(self, error: sqlite3.Error) -> str:
        if _is_locked(error):
            return f"Another program is writing to {self.path}. Close it or wait a moment, then try again."
        text = str(error)
        if "readonly" in text or "unable to open" in text:
            return (
                f"{self.path} can't be written. Allow writing to its folder, or set WORKBENCH_HOME to another folder."
            )
        if "full" in text or "I/O" in text:
            return f"The disk with {self.path} is full. Make room and try again. Earlier answers are safe."
        return f"{self.path} is damaged ({text}). Run 'workbench doctor --repair' to restore a backup."

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the body as one transaction: all of it or nothing is written, and other writers wait."""
        if self._connection.in_transaction:
            yield
            return
        with self._translate_errors():
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def save_attempt(self, attempt: Attempt, state: ItemState | None = None) -> None:
        """Write an attempt and, if it was a review, the item's new state in the same transaction."""
        with self.transaction():
            self._insert("attempt", attempt)
            if state:
                self._insert("item", state)

    def _insert(self, table: str, row: Attempt | ItemState) -> None:
        names = [field.name for field in fields(row)]
        marks = ", ".join("?" for _ in names)
        self._connection.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})", astuple(row))

    def _query(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        with self._translate_errors():
            return self._connection.execute(query, values).fetchall()

    def attempts(self, item: str | None = None) -> list[Attempt]:
        """Return all attempts or those of one item, oldest first. Rows that can't be read are skipped."""
        columns = ", ".join(field.name for field in fields(Attempt))
        where = "WHERE item = ?" if item else ""
        rows = self._query(f"SELECT {columns} FROM attempt {where} ORDER BY id", *([item] if item else []))
        return [attempt for row in rows if (attempt := read_attempt(row))]

    def items(self) -> dict[str, ItemState]:
        """Return the states of all scheduled items by id, the first due first."""
        rows = self._query("SELECT item, topic, memory, due, reviewed FROM item")
        states = [state for row in rows if (state := read_state(*row))]
        return {state.item: state for state in sorted(states, key=lambda state: (state.due, state.item))}

    def mistake_count(self, item: str, mistake: str) -> int:
        """Return in how many attempts at an item a mistake was recognized."""
        query = "SELECT count(*) FROM attempt WHERE item = ? AND (',' || mistakes || ',') LIKE ?"
        return int(self._query(query, item, f"%,{mistake},%")[0][0])


def _is_locked(error: sqlite3.Error) -> bool:
    """Return whether another connection holds a lock; the last byte of an extended error code is the basic code."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in LOCKED_CODES
