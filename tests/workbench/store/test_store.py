"""The study file: what was kept stays, and what goes wrong with the file ends in one sentence."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from workbench.errors import UserError
from workbench.store import Attempt, ItemState, Store, file
from workbench.store.schema import MIGRATIONS


def attempt(item="iou", **more):
    row = dict(
        item=item, seed=7, topic="iou", answers='{"I": "400"}', mark="right", score=1.0, mistakes="", hinted=False,
        seconds=12.5, at="2026-01-02T03:04:05+00:00", rating=3,
    )  # fmt: skip
    return Attempt(**{**row, **more})


STATE = ItemState("iou", "iou", "{}", "2026-01-05T03:04:05+00:00", "2026-01-02T03:04:05+00:00")


def test_what_is_kept_is_there_for_the_next(home):
    with Store() as store:
        assert store.attempts() == [] and store.items() == {}
        store.keep(attempt(), STATE)
        store.keep(attempt("conv-out-size", mark="wrong", mistakes="no-plus-one,rounded-up", rating=None))
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


def test_an_attempt_and_its_review_are_written_together_or_not_at_all():
    with Store() as store:
        broken = ItemState("iou", "iou", None, "", "")  # NOT NULL
        with pytest.raises(UserError):
            store.keep(attempt(), broken)
        assert store.attempts() == [] and store.items() == {}
        store.keep(attempt())
        assert len(store.attempts()) == 1


def test_answers_of_any_text_are_kept():
    answers = '{"a": "√2 · \\u0000 \' OR 1=1; --"}'
    with Store() as store:
        store.keep(attempt(answers=answers))
        assert store.attempts()[0].answers == answers


def test_a_newer_file_is_left_alone(home):
    with Store() as store:
        store.keep(attempt())
    with sqlite3.connect(home / "study.sqlite") as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(UserError, match="newer workbench: update this one"):
        Store()
    with sqlite3.connect(home / "study.sqlite") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (999,)
        assert connection.execute("SELECT count(*) FROM attempt").fetchone() == (1,)


@pytest.mark.parametrize(
    "content", [b"no database at all, but a text of some length\n" * 20, b"SQLite format 3\x00" + b"\xff" * 5000]
)
def test_a_damaged_file_is_said_to_be_and_left_as_it_was(home, content):
    home.mkdir()
    (home / "study.sqlite").write_bytes(content)
    with pytest.raises(UserError, match=r"study.sqlite is damaged .*: move it away"):
        Store()
    assert (home / "study.sqlite").read_bytes() == content


def test_a_file_damaged_within_is_said_to_be(home):
    with Store() as store:
        for _ in range(300):
            store.keep(attempt(answers="x" * 500))
    path = home / "study.sqlite"
    content = bytearray(path.read_bytes())
    content[8192 : len(content) - 4096] = b"\xaa" * (len(content) - 12288)
    path.write_bytes(content)
    with pytest.raises(UserError, match="is damaged"), Store() as store:
        store.attempts()


@pytest.mark.parametrize("where", ["file", "home", "above"])
def test_what_stands_in_the_way_is_named(home, where):
    blocking = {"file": home / "study.sqlite" / "x", "home": home, "above": home.parent / "home"}[where]
    if where == "file":
        blocking.mkdir(parents=True)
    else:
        blocking.write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(UserError, match="WORKBENCH_HOME"):
        Store()


def test_a_home_of_nobody_is_named(monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", "~nobody-of-that-name/study")
    with pytest.raises(UserError, match="Give the full path"):
        Store()


def test_another_writer_is_waited_for_and_then_named(home, monkeypatch):
    monkeypatch.setattr(file, "PATIENCE", 0.05)
    with Store() as store:
        other = sqlite3.connect(home / "study.sqlite", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UserError, match="Another program is writing"):
            store.keep(attempt())
        assert store.attempts() == []  # reading goes on
        other.execute("ROLLBACK")
        other.close()
        store.keep(attempt())
        assert len(store.attempts()) == 1


def test_a_full_disk_loses_nothing_that_was_kept():
    with Store() as store:
        store.keep(attempt())
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
        with pytest.raises(UserError, match="takes no more: make room"):
            for _ in range(200):
                store.keep(attempt(answers="x" * 1000), STATE)
        kept = len(store.attempts())
    with Store() as store:
        assert len(store.attempts()) == kept >= 1


def test_a_file_that_may_only_be_read_is_said_to_be(home, monkeypatch):
    with Store() as store:
        store.keep(attempt())
    connect = sqlite3.connect
    monkeypatch.setattr(
        file.sqlite3,
        "connect",
        lambda path, **more: connect(f"{Path(path).as_uri()}?immutable=1&mode=ro", uri=True, **more),
    )
    with Store() as store:
        assert store.attempts() == [attempt()]
        with pytest.raises(UserError, match="can't be written: allow writing"):
            store.keep(attempt())


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("lock", ["BEGIN; SELECT * FROM sqlite_master", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_opening_waits_for_whoever_holds_the_file(home, monkeypatch, lock, journal):
    home.mkdir()
    other = sqlite3.connect(home / "study.sqlite", isolation_level=None)
    other.execute(f"PRAGMA journal_mode = {journal}")
    for statement in ("CREATE TABLE other (a)", *lock.split(";")):
        other.execute(statement).fetchall()
    if journal == "delete" or "SELECT" not in lock:  # whoever only reads keeps nobody from a write-ahead log
        with monkeypatch.context() as impatient:
            impatient.setattr(file, "OPENING", 0.0)
            with pytest.raises(UserError, match="Another program is writing"):
                Store()
    monkeypatch.setattr(file, "sleep", lambda seconds: other.in_transaction and other.execute("ROLLBACK"))
    with Store() as store:  # waits once, while the other lets go
        store.keep(attempt())
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


def test_programs_may_make_the_file_at_once(tmp_path):
    together = [
        subprocess.Popen([sys.executable, "-c", OPEN], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for turn in range(10):
        path = tmp_path / str(turn) / "study.sqlite"
        for program in together:
            program.stdin.write(f"{path}\n")
            program.stdin.flush()
        assert [program.stdout.readline() for program in together] == ["0\n"] * len(together)
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)
    for program in together:
        program.communicate()
        assert program.returncode == 0


def test_a_migration_that_fails_changes_nothing(home, monkeypatch):
    with Store() as store:
        store.keep(attempt())
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
