"""A copy of the study file a day: five stay, a damaged file is never copied, and opening never fails by it."""

import sqlite3
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.workbench.store.test_store import STATE, attempt
from workbench.store import Store, backups


def read(path):
    with sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True) as connection:
        return connection.execute("SELECT count(*) FROM attempt").fetchone()[0]


@pytest.fixture
def today(monkeypatch):
    """A date that a test can move on."""

    class Today(date):
        day = date(2026, 3, 1)

        @classmethod
        def today(cls):
            return cls.day

    monkeypatch.setattr(backups, "date", Today)
    return Today


def test_the_file_is_copied_when_it_is_first_opened_on_a_day(home, today):
    with Store() as store:
        assert backups.copies(store.path) == []  # there is nothing in it yet
        store.save_attempt(attempt(), STATE)
    for count in (1, 2, 3):
        today.day += timedelta(days=1)
        with Store() as store:
            store.save_attempt(attempt())
        Store().close()  # again on that day
        newest, *older = backups.copies(home / "study.sqlite")
        assert newest.name == f"study-2026-03-{count + 1:02}.sqlite" and newest.parent == home / "backups"
        assert read(newest) == count and len(older) == count - 1
    assert {file.name for file in newest.parent.iterdir()} == {copy.name for copy in [newest, *older]}
    with Store(newest) as copied:
        assert copied.items() == {"iou": STATE}


def test_five_copies_stay(home, today):
    with Store() as store:
        store.save_attempt(attempt())
    for _ in range(8):
        today.day += timedelta(days=3)
        Store().close()
    names = [copy.name for copy in backups.copies(home / "study.sqlite")]
    assert names == [f"study-2026-03-{day:02}.sqlite" for day in (25, 22, 19, 16, 13)]


def test_a_copy_has_what_other_programs_wrote_and_did_not_close(home, today):
    with Store() as other:
        other.save_attempt(attempt())
        today.day += timedelta(days=1)
        Store().close()
        assert read(backups.copies(home / "study.sqlite")[0]) == 1


def test_a_damaged_file_is_not_copied(home, today):
    with Store() as store:
        for _ in range(300):
            store.save_attempt(attempt(answers="x" * 500))
    today.day += timedelta(days=1)
    Store().close()
    path = home / "study.sqlite"
    content = bytearray(path.read_bytes())
    content[-8192:] = b"\xaa" * 8192
    path.write_bytes(content)
    today.day += timedelta(days=1)
    Store().close()
    assert [copy.name for copy in backups.copies(path)] == ["study-2026-03-02.sqlite"]
    assert len([*(home / "backups").iterdir()]) == 1


@pytest.mark.parametrize("problem", ["a file in place of the folder", "no room", "locked"])
def test_a_copy_that_fails_does_not_keep_the_file_from_opening(home, today, monkeypatch, problem):
    with Store() as store:
        store.save_attempt(attempt())
    today.day += timedelta(days=1)
    if problem == "a file in place of the folder":
        (home / "backups").write_text("here")
    elif problem == "no room":

        def full(self, target):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(Path, "replace", full)
    else:

        def locked(*_):
            raise sqlite3.OperationalError("database is locked")

        monkeypatch.setattr(backups, "closing", locked)
    with Store() as store:
        assert store.attempts() == [attempt()]
    assert backups.copies(home / "study.sqlite") == []
    assert not list(home.rglob("*.partial"))
