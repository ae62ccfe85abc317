"""The study file: opened, guarded, read and written."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, fields
from pathlib import Path
from time import monotonic, sleep

from workbench.errors import UserError
from workbench.paths import data_dir
from workbench.store.rows import Attempt, ItemState, read_attempt, read_state
from workbench.store.schema import migrate

PATIENCE = 5.0  # seconds to wait for another process that is writing; a screen may be waiting for it, too
OPENING = 30.0  # seconds to wait when the file is opened: making it takes long on a slow disk
PAUSE = 0.02  # seconds between two attempts to open
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL)


class Store:
    """The study file. Use it as a context manager, from one thread.

    Args:
        path: The file; the one in the user's home where none is given. It is made where it isn't there yet.

    Raises:
        UserError: Where it can't be used; the sentence says what to do, and the file is left as it was.
    """

    def __init__(self, path: Path | None = None):
        self.path = path or data_dir() / "study.sqlite"
        with self._guarded():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=PAUSE, isolation_level=None)
            self._connection.text_factory = lambda text: text.decode(errors="replace")
            self._prepare()

    def _prepare(self) -> None:
        """Switch to write-ahead logging and bring the tables up to date, while other programs may do the same.

        SQLite's own timeout isn't enough: the switch needs the file alone, and where another connection is about to
        write, it is refused at once, since two that waited for each other would wait for ever.
        """
        give_up = monotonic() + OPENING
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
                self._connection.execute("PRAGMA synchronous = FULL")
                migrate(self._connection)
                break
            except sqlite3.OperationalError as error:
                if not _locked(error) or monotonic() >= give_up:
                    raise
                sleep(PAUSE)
        self._connection.execute(f"PRAGMA busy_timeout = {round(1000 * PATIENCE)}")

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """Turn SQLite's and the system's errors into sentences."""
        try:
            yield
        except sqlite3.Error as error:
            raise UserError(self._sentence(error)) from error
        except OSError as error:
            raise UserError(
                f"The folder {self.path.parent} can't be used ({error.strerror}): set WORKBENCH_HOME to another."
            ) from error

    def _sentence(self, problem: sqlite3.Error) -> str:
        if _locked(problem):
            return f"Another program is writing to {self.path}: close it or wait a moment, then try again."
        error = str(problem)
        if "readonly" in error or "unable to open" in error:
            return f"{self.path} can't be written: allow writing to its folder, or set WORKBENCH_HOME to another."
        if "full" in error or "I/O" in error:
            return f"The disk under {self.path} takes no more: make room and try again; what was stored before is safe."
        return f"{self.path} is damaged ({error}): move it away to start anew, or put a copy of it back."

    @contextmanager
    def writing(self) -> Iterator[None]:
        """What is read and written within happens at once or not at all; other programs that write wait."""
        if self._connection.in_transaction:
            yield
            return
        with self._guarded():
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def keep(self, attempt: Attempt, state: ItemState | None = None) -> None:
        """Write an attempt and, where it was a review, the item's new state: both or neither."""
        with self.writing():
            self._insert("attempt", attempt)
            if state:
                self._insert("item", state)

    def _insert(self, table: str, row: Attempt | ItemState) -> None:
        names = [field.name for field in fields(row)]
        marks = ", ".join("?" for _ in names)
        self._connection.execute(f"INSERT OR REPLACE INTO {table} ({', '.join(names)}) VALUES ({marks})", astuple(row))

    def _rows(self, query: str, *values: object) -> list[tuple]:
        with self._guarded():
            return self._connection.execute(query, values).fetchall()

    def attempts(self, item: str | None = None) -> list[Attempt]:
        """What was answered, oldest first: everything, or one item's. Rows that can't be read are passed over."""
        columns = ", ".join(field.name for field in fields(Attempt))
        where = "WHERE item = ?" if item else ""
        rows = self._rows(f"SELECT {columns} FROM attempt {where} ORDER BY id", *([item] if item else []))
        return [attempt for row in rows if (attempt := read_attempt(row))]

    def items(self) -> dict[str, ItemState]:
        """What is scheduled, by item, soonest first."""
        rows = self._rows("SELECT item, topic, memory, due, reviewed FROM item")
        states = [state for row in rows if (state := read_state(*row))]
        return {state.item: state for state in sorted(states, key=lambda state: (state.due, state.item))}

    def mistake_count(self, item: str, mistake: str) -> int:
        """How often a mistake was recognised in an item so far."""
        query = "SELECT count(*) FROM attempt WHERE item = ? AND (',' || mistakes || ',') LIKE ?"
        return self._rows(query, item, f"%,{mistake},%")[0][0]


def _locked(error: sqlite3.Error) -> bool:
    """Whether another connection is in the way; of an extended error code the last byte says so."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in LOCKED
