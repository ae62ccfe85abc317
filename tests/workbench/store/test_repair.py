"""The repair of a study file: nothing without a problem, and never a row or a file lost without a word."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from random import Random

import pytest

from tests.workbench.store.test_store import STATE, attempt
from workbench.store import Store, backups
from workbench.store.repair import inspect, repair


def add(count, **changes):
    with Store() as store:
        for _ in range(count):
            store.save_attempt(attempt(answers="x" * 300, **changes), STATE)


def damage(path, seed=0):
    """Overwrite pages of a file, but not the first."""
    content = bytearray(path.read_bytes())
    start = Random(seed).randrange(8192, len(content) - 8192)
    content[start : start + 6000] = Random(seed).randbytes(6000)
    path.write_bytes(content)


@pytest.fixture
def study(home, monkeypatch):
    """A study file with 300 attempts, a copy of yesterday with 100, and one of the day before with 40."""

    class Today(date):
        day = date(2026, 3, 1)

        @classmethod
        def today(cls):
            return cls.day

    monkeypatch.setattr(backups, "date", Today)
    for count in (40, 60, 200):
        add(count)
        Today.day += timedelta(days=1)
        if count < 200:
            Store().close()
    return home / "study.sqlite"


def content(folder):
    """Return the files of a folder; without those that SQLite makes as it reads, in which there is nothing."""
    files = {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return {name: bytes_ for name, bytes_ in files.items() if bytes_ and not name.endswith("-shm")}


def test_nothing_is_done_to_a_sound_file(study, home):
    before = content(home)
    result = repair(study)
    assert (result.status, result.before.attempts, result.moved_to) == ("sound", 300, None)
    assert content(home) == before


def test_without_a_file_there_is_nothing_to_repair(home):
    assert repair(home / "study.sqlite").status == "sound" and not home.exists()


@pytest.mark.parametrize("kind", ["pages", "cut", "junk", "empty tables"])
def test_the_newest_copy_takes_the_place_of_a_damaged_file(study, kind):
    if kind == "pages":
        damage(study)
    elif kind == "cut":
        study.write_bytes(study.read_bytes()[:50_000])
    elif kind == "junk":
        study.write_bytes(b"hello" * 1000)
    else:
        study.unlink()
        sqlite3.connect(study).execute("CREATE TABLE other (a)").connection.close()
    damaged = study.read_bytes()
    result = repair(study)
    assert result.status == "restored" and result.copy[0].name == "study-2026-03-03.sqlite"
    assert (result.copy[1].attempts, result.copy[1].last_attempt) == (100, attempt().at)
    assert result.lost_attempts in (None, 200)
    assert result.moved_to.read_bytes() == damaged and result.moved_to.parent == study.parent
    with Store() as store:
        assert len(store.attempts()) == 100 and store.items() == {"iou": STATE}
    assert repair(study).status == "sound"


def test_what_is_lost_is_counted_where_it_can_be_read(study):
    with closing(sqlite3.connect(study)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")  # the table can be read, its index can't
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, '(item, at)', '(at)') WHERE name LIKE '%_by_%'")
    assert inspect(study).damage
    assert repair(study).lost_attempts == 200


def test_a_damaged_copy_is_passed_over(study):
    damage(backups.copies(study)[0])
    damage(study)
    result = repair(study)
    assert (result.copy[0].name, result.copy[1].attempts) == ("study-2026-03-02.sqlite", 40)


def test_without_a_sound_copy_nothing_is_changed(study, home):
    for path in (study, *backups.copies(study)):
        damage(path)
    before = content(home)
    result = repair(study)
    assert (result.status, result.moved_to, result.copy) == ("not_restored", None, None) and result.before.damage
    assert content(home) == before


def test_the_log_of_a_damaged_file_is_not_applied_to_the_copy(study):
    other = sqlite3.connect(study, isolation_level=None)  # as a program that was killed leaves it
    other.execute("INSERT INTO attempt SELECT NULL, 'log', 1, '', '', 'right', 1.0, '', 0, 1.0, '', NULL")
    logs = {name: study.with_name(study.name + name).read_bytes() for name in ("-wal", "-shm")}
    damage(study)
    damaged = study.read_bytes()
    other.close()
    study.write_bytes(damaged)
    for name, bytes_ in logs.items():
        study.with_name(study.name + name).write_bytes(bytes_)
    result = repair(study)
    assert result.status == "restored"
    with Store() as store:
        assert len(store.attempts()) == 100 and not store.attempts("log")
    assert result.moved_to.with_name(result.moved_to.name + "-wal").exists()


ODD = [
    ("item", "due", "soon"),
    ("item", "reviewed", "0001-01-01T00:00:00+14:00"),
    ("item", "memory", "[" * 100_000),
    ("item", "memory", "[]"),
    ("item", "memory", b"\xff\xfe"),
    ("attempt", "at", "once"),
    ("attempt", "score", "much"),
    ("attempt", "seed", 1.5),
]


@pytest.mark.parametrize(("table", "column", "value"), ODD)
def test_odd_rows_are_found_and_removed_or_reset_and_the_file_before_stays(study, table, column, value):
    with closing(sqlite3.connect(study)) as connection, connection:
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE rowid IN (SELECT max(rowid) FROM {table})", (value,))
    result = repair(study)
    assert (result.status, result.before.damage) == ("cleaned", "")
    assert (len(result.before.odd_attempts), len(result.before.odd_items)) == ((1, 0) if table == "attempt" else (0, 1))
    assert result.lost_attempts == len(result.before.odd_attempts)
    with Store() as store:
        assert len(store.attempts()) == 300 - result.lost_attempts
        items = store.items()
    assert (items == {"iou": STATE}) == (table == "attempt") and list(items) == ["iou"]
    if table == "item":
        assert items["iou"].memory == "" and items["iou"].due.startswith("1970")
    assert inspect(result.moved_to).is_odd
    assert repair(study).status == "sound"


def test_a_locked_file_is_not_taken_for_a_damaged_one(study, home):
    with closing(sqlite3.connect(study, isolation_level=None)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            connect = sqlite3.connect
            patch.setattr(sqlite3, "connect", lambda *a, **o: connect(*a, **{**o, "timeout": 0.01}))
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                repair(study)


def test_a_restoring_that_fails_leaves_the_file_as_it_is(study, home, monkeypatch):
    damage(study)
    study.with_name("study.sqlite-wal").write_bytes(b"log")
    before = content(home)

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.store.repair.files.write", full)
    with pytest.raises(OSError, match="No space"):
        repair(study)
    assert content(home) == before
