"""`workbench doctor --repair` in sentences and in JSON."""

import json
import sqlite3
from contextlib import closing

import pytest

from tests.workbench.store.test_repair import damage, study
from workbench.store import Store, backups

__all__ = ["study"]


def test_a_sound_file_is_said_to_be_sound(cli, study):
    result = cli("doctor", "--repair")
    assert result.code == 0 and "is sound: 300 attempts. Nothing was changed." in result.out
    report = json.loads(cli("doctor", "--repair", "--json").out)
    assert (report["status"], report["attempts"], report["lost_attempts"], report["moved_to"]) == (
        "sound",
        300,
        0,
        None,
    )


def test_doctor_points_to_the_repair(cli, study):
    damage(study)
    result = cli("doctor", "--json")
    report = json.loads(result.out)
    assert result.code == 1
    assert any("is damaged" in problem and "workbench doctor --repair" in problem for problem in report["problems"])
    study.write_bytes(b"junk" * 5000)
    result = cli("review")
    assert result.code == 2 and "workbench doctor --repair" in result.err


def test_what_is_restored_and_lost_is_said(cli, study):
    damage(study)
    result = cli("doctor", "--repair")
    assert result.code == 0
    for text in (
        "was damaged (",
        "study-2026-03-03.sqlite: 100 attempts, the last at 2026-01-02",
        "Lost: ",
        "after that",
    ):
        assert text in result.out
    [moved] = study.parent.glob("study-damaged-*.sqlite")
    assert str(moved) in result.out.replace("\n", "")
    with Store() as store:
        assert len(store.attempts()) == 100


def test_the_json_says_the_same(cli, study):
    damage(study)
    report = json.loads(cli("doctor", "--repair", "--json").out)
    assert (report["status"], report["attempts"], report["schema"]) == ("restored", 100, 2)
    assert report["copy"]["file"].endswith("study-2026-03-03.sqlite") and report["copy"]["attempts"] == 100
    assert report["damage"] and report["moved_to"]


def test_without_a_sound_backup_the_answer_is_no(cli, study):
    for path in (study, *backups.copies(study)):
        damage(path)
    result = cli("doctor", "--repair")
    assert result.code == 1 and "there is no sound backup" in result.out and "Nothing was changed." in result.out


def test_odd_rows_are_named(cli, study):
    with closing(sqlite3.connect(study)) as connection, connection:
        connection.execute("UPDATE item SET due = ?", ("soon\x1b[2J",))
        connection.execute("UPDATE attempt SET at = 'once' WHERE id < 3")
    assert "has rows that can't be read" in cli("doctor").out
    result = cli("doctor", "--repair")
    assert result.code == 0 and "\x1b" not in result.out
    assert "2 attempts removed." in result.out and "iou: 'soon?[2J' can't be read. It is due now" in result.out
    assert "is sound: 298 attempts" in cli("doctor", "--repair").out


@pytest.mark.parametrize("name", ["--repair", "--json"])
def test_without_a_study_file_nothing_fails(cli, name):
    assert cli("doctor", name).code in (0, 1)
