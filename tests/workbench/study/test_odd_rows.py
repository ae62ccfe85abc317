"""A valid study file with invalid values in it: SQLite stores values of any type in any column."""

import io
import json
import sqlite3
import sys
from datetime import UTC, datetime
from itertools import product
from random import Random

import pytest

from quizzes import bank
from quizzes.selftest import answer_texts
from workbench import syllabus
from workbench.cli.quiz import quiz
from workbench.cli.review import review
from workbench.cli.topics import topics
from workbench.store import Attempt, Store
from workbench.store.schema import MIGRATIONS
from workbench.study import schedule
from workbench.study.session import Session, choose
from workbench.tui.screens.home import Home

NOW = datetime(2024, 3, 10, 12, tzinfo=UTC)
STATE = vars(schedule.review("iou", "iou", None, schedule.GOOD, 5.0, NOW))
ATTEMPT = vars(Attempt("iou", 7, "iou", "{}", "right", 1.0, "", False, 12.5, NOW.isoformat(), 3))
ODD = [
    *("", "soon", "2020-01-01T00:00:00", "2020-01-01", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
    *("[" * 100_000, "[]", "{}", "NaN", "[red]", "gone/drill", "9" * 5000, "\x00", b"\xff\xfe", b""),
    *(None, 0, 9, -1, 2**63 - 1, 1e308, float("inf")),
]
MEMORY = json.loads(STATE["memory"])
MEMORIES = [
    json.dumps(MEMORY | odd)
    for odd in (
        *({"last_review": "2024-03-10T12:00:00"}, {"last_review": None}, {"last_review": "once"}, {"last_review": 5}),
        *({"stability": value} for value in (-1, 0, None, "x", 1e308, float("nan"), float("inf"), 10**400)),
        *({"difficulty": value} for value in (-1, 0, None, "x", 1e308, float("nan"))),
        *({"state": value} for value in (1, 3, 99, "x", float("inf"))),
        *({"step": "x"}, {"card_id": float("inf")}, {"due": "soon"}),
    )
]


def insert(connection, table, row):
    names, marks = ", ".join(row), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(row.values()))


@pytest.fixture
def connection(home):
    """A connection to a study file whose columns may be NULL."""
    home.mkdir()
    connection = sqlite3.connect(home / "study.sqlite", isolation_level=None)
    for statement in MIGRATIONS[0].replace("NOT NULL", "").split(";"):
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    yield connection
    connection.close()


def run_at_prompt(monkeypatch, capsys, command, *args):
    monkeypatch.setattr(sys, "stdin", io.StringIO(".\nq\n"))
    command(*args)
    return capsys.readouterr().out


def test_studying_works_with_any_values_in_the_columns(connection, monkeypatch, capsys):
    everything = bank.all_drills_and_cards()
    ids = iter(everything)
    odd_values = [(name, odd) for name, odd in product(STATE, ODD) if name != "item"]
    odd_values += [("memory", memory) for memory in MEMORIES]
    states = [{**STATE, "item": next(ids), name: odd} for name, odd in odd_values]
    states += [{**STATE, "item": odd} for odd in ODD]
    # Of one item, so that all of them are read when it is rated; and of items that don't exist anymore.
    attempts = [{**ATTEMPT, "item": states[0]["item"], name: odd} for name, odd in product(ATTEMPT, ODD)]
    with connection:
        connection.execute("BEGIN")
        for state in states:
            insert(connection, "item", state)
        for attempt in attempts:
            insert(connection, "attempt", attempt)
    stored = connection.execute("SELECT * FROM attempt").fetchall()

    assert f"{len(odd_values)} due today" in run_at_prompt(monkeypatch, capsys, review)
    assert "Question 1" in run_at_prompt(monkeypatch, capsys, quiz, "", 3, 1)
    assert "Next: workbench quiz" in run_at_prompt(monkeypatch, capsys, topics)
    with Store() as store:
        page = Home()
        page.topics = {id: item.topic for id, item in everything.items()}
        due = {state.item for state in schedule.due(store.items().values(), schedule.now())} & everything.keys()
        assert str(len(due)) in str(page._next(store.items(), due).prompt)
        assert len(page._chapters(store.items(), due)) == len(syllabus.chapters()) + 1
        assert len(choose(store, list(everything), 500, NOW, Random(0))) == 500
        session = Session(store, sorted(due), Random(0))
        for _ in range(len(due)):
            question = session.next()
            assert session.answer(question, answer_texts(question), seconds=20).mark == "right"
        reviewed = store.items()
        assert all(reviewed[item].reviewed > STATE["reviewed"] for item in due)  # each is scheduled again
        assert all(0.9 < schedule.retrievability(reviewed[item], schedule.now()) <= 1 for item in due)
    assert connection.execute("SELECT * FROM attempt").fetchall()[: len(stored)] == stored


@pytest.mark.parametrize(
    ("column", "odd", "is_due", "is_remembered"),
    [
        ("due", "2024-03-10T12:00:00", True, True),  # UTC if there is no time zone
        ("due", "2024-03-12T12:00:00", False, True),
        ("due", "2024-03-12T01:00:00+02:00", False, True),
        ("due", "soon", True, False),
        ("reviewed", "2024-03-10T12:00:00", False, True),
        ("reviewed", "once", True, False),
        ("memory", "[" * 100_000, False, False),
        ("memory", STATE["memory"].replace("12:00:00+00:00", "12:00:00"), False, True),
    ],
)
def test_the_schedule_of_an_item_with_an_odd_value(connection, column, odd, is_due, is_remembered):
    insert(connection, "item", STATE | {"due": "2024-03-15T12:00:00+00:00", column: odd})
    with Store() as store:
        (state,) = store.items().values()
    assert schedule.due([state], NOW) == ([state] if is_due else [])
    assert (schedule.retrievability(state, NOW) > 0) == is_remembered
    assert schedule.was_reviewed_today(state, NOW) == (odd not in ("soon", "once"))


def test_invalid_times_are_ignored_in_the_median(connection):
    for seconds in [10, 10, 10, 10, 10, *["x"] * 9, *[b"\x00"] * 9]:
        insert(connection, "attempt", ATTEMPT | {"seconds": seconds})
    question = bank.draw("iou", 1)
    with Store() as store:
        state = STATE | {"due": "soon"}
        insert(connection, "item", state)
        session = Session(store, [], Random(0))
        session.answer(question, answer_texts(question), seconds=21)
        assert store.attempts("iou")[-1].rating == schedule.HARD
