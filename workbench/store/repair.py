"""Check of the study file, and its repair from the newest sound copy.

A file is *damaged* if SQLite can't read all of it. A row is *odd* if SQLite can read it and this program can't, because
another program wrote it: its date is not a date, or its memory is not JSON.
"""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from workbench import files, untrusted
from workbench.store.backups import copies
from workbench.store.rows import Attempt, ItemState, parse_time, read_attempt, read_state
from workbench.store.schema import MIGRATIONS

MESSAGES = 3  # of SQLite, about one damaged file
# Errors of SQLite that mean that the contents are wrong; others mean that the file can't be read now.
DAMAGE_CODES = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR)
LOGS = ("-wal", "-shm")  # files that SQLite keeps next to the study file


@dataclass(frozen=True)
class Contents:
    """The contents of a study file.

    Attributes:
        damage: What SQLite says is wrong with the file; empty if it is sound.
        attempts: The number of attempts that can be read.
        odd_attempts: The ids of attempts that can't be read.
        odd_items: Items whose state can't be read, with the value that can't.
        last_attempt: The time of the last attempt; None if there is none.
    """

    damage: str = ""
    attempts: int = 0
    odd_attempts: tuple[int, ...] = ()
    odd_items: tuple[tuple[str, str], ...] = ()
    last_attempt: str | None = None

    @property
    def is_odd(self) -> bool:
        """True if a row can't be read."""
        return bool(self.odd_attempts or self.odd_items)


@dataclass(frozen=True)
class Repair:
    """The result of a repair.

    Attributes:
        status: `sound`: nothing was wrong, and nothing was done; `restored`: a copy took the place of the damaged file;
            `cleaned`: odd rows were removed or reset; `not_restored`: the file is damaged, and there is no sound copy.
        before: The contents of the file before.
        copy: The copy that was restored, and its contents; None if none was.
        moved_to: Where the file from before the repair is; None if nothing was done.
        lost_attempts: The number of attempts that the copy does not have, as far as the damaged file can be read; None
            if they can't be counted.
    """

    status: str
    before: Contents
    copy: tuple[Path, Contents] | None = None
    moved_to: Path | None = None
    lost_attempts: int | None = 0


def inspect(path: Path) -> Contents:
    """Check a study file and each of its rows. It is only read.

    Raises:
        sqlite3.Error: If it can't be read now, because another program locks it or its permissions don't allow it.
    """
    try:
        with _opened(path) as connection:
            messages = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({MESSAGES})")]
            if messages != ["ok"]:
                lines = [line for message in messages for line in message.splitlines() if not line.startswith("*")]
                return Contents(damage=untrusted.printable("; ".join(lines[:MESSAGES]) or messages[0]))
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version > len(MIGRATIONS):
                return Contents()  # a newer program's, which knows what its rows mean
            if version < 1:
                return Contents(damage="it has no tables of answers")
            return _inspect_rows(connection)
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in DAMAGE_CODES:
            raise
        return Contents(damage=untrusted.printable(str(error)))


def _inspect_rows(connection: sqlite3.Connection) -> Contents:
    names = ", ".join(field.name for field in fields(Attempt))
    count, odd, last = 0, [], None
    for number, *row in connection.execute(f"SELECT id, {names} FROM attempt ORDER BY id"):
        attempt = read_attempt(tuple(row))
        if attempt is None or parse_time(attempt.at) is None:
            odd.append(number)
        else:
            count, last = count + 1, attempt.at
    items = [
        (str(item), untrusted.printable(str(value)[:40]))
        for item, *state in connection.execute("SELECT item, topic, memory, due, reviewed FROM item ORDER BY item")
        for value in _odd_value(item, *state)
    ]
    return Contents("", count, tuple(odd), tuple(items), last)


def _odd_value(item: object, topic: object, memory: object, due: object, reviewed: object) -> list[object]:
    """Return the first value of an item's state that can't be read, if there is one."""
    if not isinstance(item, str):
        return [item]
    for value in (due, reviewed):
        if parse_time(value) is None:
            return [value]
    try:
        is_read = memory == "" or isinstance(untrusted.parse(memory), dict)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        is_read = False
    return [] if is_read else [memory]


def repair(path: Path) -> Repair:
    """Check a study file; restore the newest sound copy if it is damaged, and remove or reset odd rows.

    The file from before stays under another name. Without a problem, nothing is done.

    Raises:
        OSError: If files can't be written; the study file is still there.
        sqlite3.Error: If the file can't be read or written now, as another program locks it.
    """
    if not path.exists():
        return Repair("sound", Contents())
    before = inspect(path)
    if before.damage:
        return _restore(path, before)
    if not before.is_odd:
        return Repair("sound", before)
    moved_to = _other_name(path, "before-repair")
    with _opened(path) as connection, closing(sqlite3.connect(moved_to)) as target:
        connection.backup(target)
    moved_to.chmod(0o600)
    with closing(sqlite3.connect(path)) as connection, connection:
        _clean(connection, before)
    return Repair("cleaned", before, moved_to=moved_to, lost_attempts=len(before.odd_attempts))


def _restore(path: Path, before: Contents) -> Repair:
    for copy in copies(path):
        contents = inspect(copy)
        if not contents.damage:
            break
    else:
        return Repair("not_restored", before)
    moved_to = _other_name(path, "damaged")
    logs = {path.with_name(path.name + log): moved_to.with_name(moved_to.name + log) for log in LOGS}
    _rename(logs)  # they belong to the damaged file, and would be applied to the copy
    try:
        with copy.open("rb") as source:
            files.write(path, lambda file: shutil.copyfileobj(source, file), sync=True, previous=moved_to)
    except OSError:
        _rename({new: old for old, new in logs.items()})
        raise
    path.chmod(0o600)
    return Repair("restored", before, (copy, contents), moved_to, _count_after(moved_to, copy))


def _rename(names: dict[Path, Path]) -> None:
    for old, new in names.items():
        with suppress(FileNotFoundError):
            old.rename(new)


def _count_after(damaged: Path, copy: Path) -> int | None:
    """Return how many attempts a damaged file has that a copy does not have; None if they can't be counted."""
    try:
        with _opened(copy) as connection:
            newest = connection.execute("SELECT coalesce(max(id), 0) FROM attempt").fetchone()[0]
        with _opened(damaged) as connection:
            return int(connection.execute("SELECT count(*) FROM attempt WHERE +id > ?", (newest,)).fetchone()[0])
    except sqlite3.Error:
        return None


def _clean(connection: sqlite3.Connection, before: Contents) -> None:
    """Remove odd attempts, and let odd items be due now and start from scratch, as they are read in any case."""
    connection.executemany("DELETE FROM attempt WHERE id = ?", [(number,) for number in before.odd_attempts])
    odd = {item for item, _ in before.odd_items}
    rows = connection.execute("SELECT rowid, item, topic, memory, due, reviewed FROM item").fetchall()
    for number, item, topic, _, _, _ in [row for row in rows if str(row[1]) in odd]:
        state = read_state(item, topic, None, None, None)
        connection.execute("DELETE FROM item WHERE rowid = ?", (number,))
        if state is not None:
            names = [field.name for field in fields(ItemState)]
            values = [getattr(state, name) for name in names]
            marks = ", ".join("?" for _ in names)
            connection.execute(f"INSERT INTO item ({', '.join(names)}) VALUES ({marks})", values)


def _other_name(path: Path, word: str) -> Path:
    """Return a path that is free, for the file from before a repair."""
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S")
    names = (f"{path.stem}-{word}-{time}{more}{path.suffix}" for more in ("", *(f"-{k}" for k in range(2, 1000))))
    return next(other for other in map(path.with_name, names) if not other.exists())


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a file for reading, with whatever text is in it."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)) as connection:
        connection.text_factory = lambda text: text.decode(errors="replace")
        yield connection
