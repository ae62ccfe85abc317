"""Run folders: how they are named, and what is derived from them."""

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from workbench.engine import RunSpec, events, heartbeat, runs
from workbench.engine.lock import held
from workbench.engine.run import Run
from workbench.engine.watcher import follow
from workbench.errors import UserError

SPEC = RunSpec.create("mlp")
START = dict(event="start", step=0, seconds=0.0, steps=40, model="mlp", task="digits", preset="mini", params=9)
START |= dict(device="cpu")
METRIC = dict(event="metric", step=8, epoch=0.2, seconds=2.0, split="train", metrics={"loss": 1.0})
END = dict(event="end", step=40, steps=40, seconds=1.0, steps_per_second=40.0, status="done", metrics={})


def say(run, *said):
    writer = events.Writer(run.folder / "events.jsonl", run=run.id, seed=0)
    for event in said:
        writer.write(event)
    writer.close()


def leave_beat(run, **changed):
    """A heartbeat of this very process, with what is changed."""
    run.beat()
    path = run.folder / "worker.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


@pytest.fixture
def dead():
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_numbers_go_on_from_the_highest():
    first, second = runs.create(SPEC), runs.create(SPEC)
    assert (first.id, second.id) == ("mlp-0001", "mlp-0002")
    second.folder.rename(runs.folder() / "mlp-0041")
    assert runs.create(SPEC).id == "mlp-0042"
    assert runs.create(RunSpec.create("lenet5-modern")).id == "lenet5-modern-0001"


def test_processes_that_create_at_once_get_a_folder_each(home):
    code = (
        "from workbench.engine import RunSpec, runs\n"
        "print(*(runs.create(RunSpec.create('mlp', seed=s)).id for s in range(40)))"
    )
    started = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    ids = [run for process in started for run in process.communicate()[0].split()]
    assert sorted(ids) == [f"mlp-{number:04d}" for number in range(1, 121)]
    assert sorted(run.spec.seed for run in runs.every()) == sorted(list(range(40)) * 3)
    assert not [left for left in (home / "runs").iterdir() if left.name.startswith(".")]


@pytest.mark.parametrize("in_the_way", ["runs", "."])
def test_a_place_that_cannot_be_written_is_refused_with_what_to_do(home, in_the_way):
    home.parent.mkdir(exist_ok=True)
    (home if in_the_way == "." else home.mkdir() or home / in_the_way).write_text("a file, no folder")
    with pytest.raises(UserError, match="WORKBENCH_HOME"):
        runs.create(SPEC)
    assert runs.every() == []


def test_a_full_disk_is_refused_and_nothing_is_left(home, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match="No space left"):
        runs.create(SPEC)
    assert list((home / "runs").iterdir()) == []


def test_status_follows_worker_and_events(dead):
    run = runs.create(SPEC)
    assert run.status() == "running"  # by whoever created it
    leave_beat(run, pid=dead)
    assert run.status() == "crashed"
    for status in ("done", "stopped", "diverged", "crashed"):
        say(run, END | {"status": status})
        assert run.status() == status


def test_a_resumed_run_whose_worker_writes_its_first_event_meanwhile_is_running(monkeypatch):
    """The end of the worker before must not count, whatever is written between the two reads of `status`."""
    run = runs.create(SPEC)
    say(run, END | {"status": "done"})
    run.beat(run.event_bytes())
    read_last = events.last

    def last_and_write(path):
        event = read_last(path)
        say(run, START | {"step": 10})
        return event

    monkeypatch.setattr(events, "last", last_and_write)
    assert run.status() == "running"


@pytest.mark.parametrize(
    ("changed", "alive"),
    [
        ({}, True),
        ({"uptime": time.monotonic() - 2 * heartbeat.SILENCE}, False),  # its process id is another's by now
        ({"uptime": time.monotonic() + 1000.0}, False),  # from before the machine was started anew
        ({"host": "elsewhere"}, True),  # on a shared disk, beating
        ({"host": "elsewhere", "time": time.time() - 2 * heartbeat.SILENCE}, False),  # copied from there
        ({"pid": 0}, False),
        ({"pid": -1}, False),
        ({"pid": 10**30}, False),
        ({"pid": "1"}, False),
        ({"extra": 1}, False),
    ],
)
def test_a_worker_lives_while_its_clock_and_process_do(changed, alive):
    run = runs.create(SPEC)
    leave_beat(run, **changed)
    assert run.is_alive() is alive


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
def test_a_worker_that_ended_unnoticed_by_its_parent_is_dead():
    run = runs.create(SPEC)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    leave_beat(run, pid=child.pid)
    assert run.is_alive()
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and stays to be asked for
    assert not run.is_alive()
    child.communicate()


@pytest.mark.parametrize("junk", [b"", b"[]", b"null", b"\xff", b'{"pid": 1}'])
def test_a_damaged_heartbeat_is_none(junk):
    run = runs.create(SPEC)
    (run.folder / "worker.json").write_bytes(junk)
    assert not run.is_alive()


def test_only_what_runs_here_can_be_stopped():
    run = runs.create(SPEC)
    leave_beat(run, host="elsewhere")
    with pytest.raises(UserError, match="elsewhere"):
        run.stop()
    say(run, END)
    with pytest.raises(UserError, match="it is done"):
        run.stop()


@pytest.mark.parametrize("content", [None, b"{", b"\xff\xfe", b'{"model": "gone"}', b'{"model": "mlp", "epochs": 0}'])
def test_a_damaged_folder_is_listed_as_such_and_hides_no_other(content):
    good, damaged = runs.create(SPEC), runs.create(SPEC)
    (damaged.folder / "spec.json").unlink()
    if content is not None:
        (damaged.folder / "spec.json").write_bytes(content)
    rows = {row["run"]: row for row in (run.summary() for run in runs.every())}
    assert rows[good.id]["status"] == "running"
    assert rows[damaged.id]["status"] == "damaged" and damaged.id in rows[damaged.id]["reason"]
    with pytest.raises(UserError, match=r"spec\.json"):
        _ = damaged.spec


def test_a_summary_is_json_and_says_how_far_it_is(dead):
    run = runs.create(SPEC)
    say(run, METRIC | {"step": 5, "metrics": {"loss": 1.5}})
    row = run.summary()
    assert (row["step"], row["metrics"], row["status"]) == (5, {"loss": 1.5}, "running")
    leave_beat(run, pid=dead)
    (run.folder / "stderr.txt").write_text("Traceback\nValueError: no\n\n")
    row = run.summary()
    assert (row["step"], row["status"], row["reason"]) == (5, "crashed", "ValueError: no")
    json.dumps(row)


def test_following_a_run_that_died_without_a_word_ends_with_its_last_words(dead):
    run = runs.create(SPEC)
    say(run, START, METRIC)
    leave_beat(run, pid=dead)
    (run.folder / "stderr.txt").write_text("Killed")
    *_, end = follow(run)
    assert end == {
        **{"event": "end", "run": run.id, "seed": 0, "step": 8, "status": "crashed", "metrics": {"loss": 1.0}},
        **{"steps": 8, "seconds": 2.0, "steps_per_second": 4.0, "reason": "Killed"},
    }


def test_a_worker_that_found_the_disk_full_could_not_say_so(dead, monkeypatch):
    run = runs.create(SPEC)
    leave_beat(run, pid=dead)
    assert run.summary()["reason"] == "The worker ended without a message."
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 4096}))
    assert "disk is full" in run.summary()["reason"]


def test_an_unknown_run_is_met_with_its_neighbours():
    runs.create(SPEC)
    for name in ("mlp-0002", "../mlp-0001", ""):
        with pytest.raises(UserError, match=re.escape(f"Unknown run {name!r}")):
            runs.get(name)
    assert runs.get("mlp-0001") == Run(runs.folder() / "mlp-0001")


def test_a_run_is_looked_up_without_reading_the_others(monkeypatch):
    run, other = runs.create(SPEC), runs.create(SPEC)
    with monkeypatch.context() as patch:
        patch.setattr(runs, "every", None)
        patch.setattr(runs, "names", None)
        assert runs.get(run.id) == run and runs.find(other.id) == other
    (runs.folder() / "file").write_text("")
    (runs.folder() / ".hidden").mkdir()
    for name in ("", ".", "..", ".hidden", "file", "mlp-0001/", "../runs/mlp-0001", str(run.folder), "a\0b", "x" * 300):
        assert runs.find(name) is None, name


def test_a_deleted_run_is_gone_with_all_its_files(dead, home):
    run, other = runs.create(SPEC), runs.create(SPEC)
    with pytest.raises(UserError, match=f"is running. Stop it first: workbench runs stop {run.id}"):
        runs.delete(run)
    leave_beat(run, pid=dead)
    (run.folder / "more").mkdir()
    (run.folder / "more" / "file").write_text("x")
    runs.delete(run)
    assert [path.name for path in (home / "runs").iterdir()] == [other.id]


def test_a_run_that_a_worker_is_about_to_resume_is_not_deleted(dead):
    run = runs.create(SPEC)
    leave_beat(run, pid=dead)
    for change in (lambda: runs.delete(run), lambda: runs.rename(run, "new")):
        with held(run.folder), pytest.raises(UserError, match="is running"):
            change()
    assert [r.id for r in runs.every()] == [run.id]


def test_of_a_linked_folder_only_the_link_is_deleted(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("x")
    runs.folder().mkdir(parents=True)
    (runs.folder() / "link").symlink_to(elsewhere)
    runs.delete(runs.get("link"))
    assert runs.names() == [] and (elsewhere / "file").exists()
    assert not list(runs.folder().iterdir())


def test_what_a_killed_process_left_is_deleted_after_a_day(home):
    runs.create(SPEC)
    old, new = runs.folder() / ".deleted-old", runs.folder() / ".new-new"
    for folder in (old, new):
        folder.mkdir()
        (folder / "file").write_text("x")
    os.utime(old, (time.time() - 90_000,) * 2)
    runs.create(SPEC)
    assert new.exists() and not old.exists()


def test_a_run_is_renamed(dead):
    run, other = runs.create(SPEC), runs.create(SPEC)
    with pytest.raises(UserError, match="is running"):
        runs.rename(run, "new")
    for each in (run, other):
        leave_beat(each, pid=dead)
    say(run, END)
    assert runs.rename(run, "my-Best_1") == runs.get("my-Best_1")
    assert runs.get("my-Best_1").status() == "done" and sorted(runs.names()) == [other.id, "my-Best_1"]
    with pytest.raises(UserError, match=f"The name {other.id} is taken"):
        runs.rename(runs.get("my-Best_1"), other.id)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", ".x", "-x", "a b", "a.b", "x" * 81, "a\0", "é", "a\n"]
)
def test_a_name_that_is_no_safe_folder_is_rejected(name, dead):
    run = runs.create(SPEC)
    leave_beat(run, pid=dead)
    with pytest.raises(UserError, match="name has at most 80 letters"):
        runs.rename(run, name)
    assert runs.names() == [run.id]
