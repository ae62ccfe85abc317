"""The study file: saved rows are durable, and every problem with the file is a user error."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import UserError
from workbench.store import Attempt, ItemState, Store, file
from workbench.store.schema import MIGRATIONS


def attempt(item="iou", **changes):
    row = dict(
        item=item, seed=7, topic="iou", answers='{"I": "400"}', mark="right", score=1.0, mistakes="", hinted=False,
        seconds=12.5, at="2026-01-02T03:04:05+00:00", rating=3,
    )  # fmt: skip
    return Attempt(**{**row, **changes})


STATE = ItemState("iou", "iou", "{}", "2026-01-05T03:04:05+00:00", "2026-01-02T03:04:05+00:00")


def test_saved_rows_are_read_by_the_next_store(home):
    with Store() as store:
        assert store.attempts() == [] and store.items() == {}
        store.save_attempt(attempt(), STATE)
        store.save_attempt(attempt("conv-out-size", mark="wrong", mistakes="no-plus-one,rounded-up", rating=None))
    assert (home / "study.sqlite").exists()
    with Store() as store:
        assert store.attempts() == [
            attempt(),
            attempt("conv-out-size", mark="wrong", mistakes="no-plus-one,rounded-up", rating=None),
        ]
        assert store.attempts("iou") == [attempt()]
        assert store.items() == {"iou": STATE}
        assert store.mistake_count("conv-out-size", "rounded-up") == 1
        assert store.mistake_count("conv-out-size", "rounded") == 0
        assert store.mistake_count("iou", "rounded-up") == 0


def test_an_attempt_and_its_review_are_one_transaction():
    with Store() as store:
        broken = ItemState("iou", "iou", None, "", "")  # NOT NULL
        with pytest.raises(UserError):
            store.save_attempt(attempt(), broken)
        assert store.attempts() == [] and store.items() == {}
        store.save_attempt(attempt())
        assert len(store.attempts()) == 1


def test_answers_may_be_any_text():
    answers = '{"a": "√2 · \\u0000 \' OR 1=1; --"}'
    with Store() as store:
        store.save_attempt(attempt(answers=answers))
        assert store.attempts()[0].answers == answers


def test_a_newer_file_is_an_error_and_unchanged(home):
    with Store() as store:
        store.save_attempt(attempt())
    with sqlite3.connect(home / "study.sqlite") as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(UserError, match=r"newer workbench\. Update this one"):
        Store()
    with sqlite3.connect(home / "study.sqlite") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (999,)
        assert connection.execute("SELECT count(*) FROM attempt").fetchone() == (1,)


@pytest.mark.parametrize(
    "content", [b"no database at all, but a text of some length\n" * 20, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_damaged_file_is_an_error_and_unchanged(home, content):
    home.mkdir()
    (home / "study.sqlite").write_bytes(content)
    with pytest.raises(UserError, match=r"study.sqlite is damaged .*\. Run 'workbench doctor --repair'"):
        Store()
    assert (home / "study.sqlite").read_bytes() == content


def test_a_file_with_damaged_pages_is_an_error(home):
    with Store() as store:
        for _ in range(300):
            store.save_attempt(attempt(answers="x" * 500))
    path = home / "study.sqlite"
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 4096] = b"\xaa" * (len(content) - 12288)
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"), Store() as store:
        store.attempts()


@pytest.mark.parametrize("where", ["file", "home", "above"])
def test_a_file_in_place_of_a_folder_is_an_error(home, where):
    blocking = {"file": home / "study.sqlite" / "x", "home": home, "above": home.parent / "home"}[where]
    if where == "file":
        blocking.mkdir(parents=True)
    else:
        blocking.write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(UserError, match="WORKBENCH_HOME"):
        Store()


def test_the_home_of_an_unknown_user_is_an_error(monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", "~nobody-of-that-name/study")
    with pytest.raises(UserError, match="Give the full path"):
        Store()


def test_a_lock_that_lasts_is_an_error(home, monkeypatch):
    monkeypatch.setattr(file, "WRITE_TIMEOUT", 0.05)
    with Store() as store:
        other = sqlite3.connect(home / "study.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UserError, match="Another program is writing"):
            store.save_attempt(attempt())
        assert store.attempts() == []  # reading is possible
        other.execute("ROLLBACK")
        other.close()
        store.save_attempt(attempt())
        assert len(store.attempts()) == 1


def test_a_full_disk_loses_no_saved_rows():
    with Store() as store:
        store.save_attempt(attempt())
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(UserError, match=r"is full\. Make room"):
            for _ in range(200):
                store.save_attempt(attempt(answers="x" * 1000), STATE)
        count = len(store.attempts())
    with Store() as store:
        assert len(store.attempts()) == count >= 1


def test_a_read_only_file_can_be_read_but_not_written(home, monkeypatch):
    with Store() as store:
        store.save_attempt(attempt())
    connect = sqlite3.connect
    monkeypatch.setattr(
        file.sqlite3,
        "connect",
        lambda path, **options: connect(f"{Path(path).as_uri()}?immutable=1&mode=ro", uri=True, **options),
    )
    with Store() as store:
        assert store.attempts() == [attempt()]
        with pytest.raises(UserError, match=r"can't be written\. Allow writing"):
            store.save_attempt(attempt())


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("lock", ["BEGIN; SELECT * FROM sqlite_master", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_opening_waits_for_a_lock(home, monkeypatch, lock, journal):
    home.mkdir()
    other = sqlite3.connect(home / "study.sqlite", isolation_level=None)
    other.execute(f"PRAGMA journal_mode = {journal}")
    for statement in ("CREATE TABLE other (a)", *lock.split(";")):
        other.execute(statement).fetchall()
    if journal == "delete" or "SELECT" not in lock:  # a reader does not lock a write-ahead log
        with monkeypatch.context() as impatient:
            impatient.setattr(file, "OPEN_TIMEOUT", 0.0)
            with pytest.raises(UserError, match="Another program is writing"):
                Store()
    monkeypatch.setattr(file, "sleep", lambda seconds: other.in_transaction and other.execute("ROLLBACK"))
    with Store() as store:  # waits once, during which the other connection releases its lock
        store.save_attempt(attempt())
        assert store.attempts() == [attempt()]
    other.close()


OPEN = """
import sys
from pathlib import Path
from workbench.store import Store
for path in sys.stdin:
    with Store(Path(path.strip())) as store:
        print(len(store.attempts()), flush=True)
"""


def test_several_programs_can_create_the_file_at_once(tmp_path):
    programs = [
        subprocess.Popen([sys.executable, "-c", OPEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for turn in range(10):
        path = tmp_path / str(turn) / "study.sqlite"
        for program in programs:
            program.stdin.write(f"{path}\n")
            program.stdin.flush()
        assert [program.stdout.readline() for program in programs] == ["0\n"] * len(programs)
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    for program in programs:
        program.communicate()
        assert program.returncode == 0


def test_a_failed_migration_changes_nothing(home, monkeypatch):
    with Store() as store:
        store.save_attempt(attempt())
    from workbench.store import schema

    monkeypatch.setattr(
        schema, "MIGRATIONS", [*MIGRATIONS, "ALTER TABLE attempt ADD COLUMN mood TEXT; CREATE TABLE attempt (a)"]
    )
    with pytest.raises(UserError):
        Store()
    monkeypatch.undo()
    monkeypatch.setenv("WORKBENCH_HOME", str(home))
    with Store() as store:
        assert store.attempts() == [attempt()]
