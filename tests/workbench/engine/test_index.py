"""The index of runs: its rows, what it reads again, and what happens when its file can't be used."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.patience import PATIENCE
from workbench.engine import RunSpec, content_key, index, notes, run_row, runs
from workbench.engine.index import RunIndex
from workbench.errors import UserError

START = dict(event="start", run="x", seed=0, step=0, seconds=0.0, steps=40, model="mlp", task="digits", preset="mini")
START |= dict(params=9, device="cpu", time=1.7e9, monitor="accuracy", metrics={})
END = dict(event="end", step=40, steps=40, seconds=2.5, steps_per_second=16.0, status="done")
END |= dict(metrics={"loss": 0.5, "accuracy": 0.9})


def make_run(model="mlp", start=None, end=None, **options):
    """Create a run that has ended; `start` and `end` change its first and last event, or leave it out if False."""
    run = runs.create(RunSpec.create(model, **options))
    (run.folder / "worker.json").unlink()
    lines = [base | (change or {}) for base, change in ((START, start), (END, end)) if change is not False]
    (run.folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in lines))
    return run


@pytest.fixture
def reads(monkeypatch):
    """The ids of the runs that were read since the list was cleared."""
    ids, read = [], run_row.read

    def count(run):
        ids.append(run.id)
        return read(run)

    monkeypatch.setattr(run_row, "read", count)
    return ids


def rows_by_id(runs_index=None):
    return {row["run"]: row for row in (runs_index or RunIndex()).list()}


def test_a_row_is_the_summary_with_more():
    run = make_run(seed=3)
    notes.set_note(run, "the first")
    notes.add_tags(run, ["baseline"])
    content_key.write(run, "ab12")
    [row] = RunIndex().list()
    assert row == run.summary() | dict(
        **dict(created=datetime.fromtimestamp(1.7e9, UTC).isoformat(timespec="milliseconds"), duration=2.5),
        **dict(monitor="accuracy", value=0.9, tags=["baseline"], note="the first", key="ab12", origin=None),
        folder=str(run.folder),
    )
    assert row == json.loads(json.dumps(row))


def test_a_row_without_a_start_event_has_the_date_of_its_spec():
    run = make_run(start=False)
    os.utime(run.folder / "spec.json", (1.6e9, 1.6e9))
    [row] = RunIndex().list()
    assert row["created"] == "2020-09-13T12:26:40.000+00:00"
    assert (row["monitor"], row["value"], row["key"]) == ("accuracy", 0.9, None)
    [huge] = [run_row.read(make_run(start={"time": 1e300}))]
    assert datetime.fromisoformat(huge["created"]).year >= 2024


def test_a_running_or_crashed_run_has_a_row():
    running = runs.create(RunSpec.create("mlp"))
    crashed = make_run(end=False)
    rows = rows_by_id()
    assert rows[running.id]["status"] == "running" and rows[running.id]["duration"] is None
    assert rows[crashed.id]["status"] == "crashed" and rows[crashed.id]["reason"]


def test_an_ended_run_is_read_once_by_all_processes(reads):
    ids = {make_run(seed=seed).id for seed in range(5)}
    runs_index = RunIndex()
    assert {row["run"] for row in runs_index.list()} == ids == {*reads}
    reads.clear()
    before = runs_index.list()
    assert RunIndex().list() == before and len(before) == 5
    assert reads == []


def test_a_running_run_is_always_read(reads):
    run = runs.create(RunSpec.create("mlp"))
    runs_index = RunIndex()
    for _ in range(3):
        assert [row["status"] for row in runs_index.list()] == ["running"]
    assert reads == [run.id] * 3


def test_what_changes_by_hand_is_noticed_at_the_next_look(reads):
    one, two, three = (make_run(seed=seed) for seed in range(3))
    runs_index = RunIndex()
    runs_index.list()
    reads.clear()
    shutil.copytree(one.folder, runs.folder() / "copy")
    shutil.rmtree(two.folder)
    three.folder.rename(runs.folder() / "renamed")
    assert rows_by_id(runs_index).keys() == {one.id, "copy", "renamed"}
    assert sorted(reads) == ["copy", "renamed"]
    reads.clear()
    (one.folder / "notes.json").write_text('{"note": "by hand"}')
    spec = one.folder / "spec.json"
    times = spec.stat()
    spec.write_text(spec.read_text().replace('"seed": 0', '"seed": 7'))
    os.utime(spec, ns=(times.st_atime_ns, times.st_mtime_ns))  # as `Run.order` does
    with (runs.folder() / "copy" / "events.jsonl").open("a") as file:
        file.write(json.dumps(END | {"status": "stopped"}) + "\n")
    rows = rows_by_id(runs_index)
    assert (rows[one.id]["note"], rows[one.id]["seed"], rows["copy"]["status"]) == ("by hand", 7, "stopped")
    assert sorted(reads) == ["copy", one.id]
    assert rows == rows_by_id()


def test_a_run_that_is_resumed_is_running_before_its_first_event():
    run = make_run()
    runs_index = RunIndex()
    assert rows_by_id(runs_index)[run.id]["status"] == "done"
    run.beat(run.event_bytes())
    assert rows_by_id(runs_index)[run.id]["status"] == rows_by_id()[run.id]["status"] == "running"
    (run.folder / "worker.json").unlink()
    assert rows_by_id(runs_index)[run.id]["status"] == "done"


def test_a_damaged_folder_is_a_row_and_is_looked_at_again(reads):
    good, bad = make_run(), make_run(seed=1)
    (bad.folder / "spec.json").write_text("[" * 100_000)
    notes.set_note(bad, "why?")
    runs_index = RunIndex()
    rows = rows_by_id(runs_index)
    assert rows[good.id]["status"] == "done"
    assert (rows[bad.id]["status"], rows[bad.id]["note"]) == ("damaged", "why?") and "spec.json" in rows[bad.id][
        "reason"
    ]
    reads.clear()
    runs_index.list()
    assert reads == [bad.id]


@pytest.mark.parametrize("name", ["spec.json", "events.jsonl", "notes.json", "worker.json"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_a_file_that_is_no_file_is_not_waited_for(name, make):
    good, bad = make_run(), make_run(seed=1)
    (bad.folder / name).unlink(missing_ok=True)
    make(bad.folder / name)
    rows = rows_by_id()
    assert rows[good.id]["status"] == "done"
    assert rows[bad.id]["status"] == "damaged" and f"its {name} is not a file" in rows[bad.id]["reason"]


def test_an_error_that_nobody_thought_of_hides_no_other_run(monkeypatch):
    good, bad = make_run(), make_run(seed=1)
    summary = type(bad).summary
    monkeypatch.setattr(type(bad), "summary", lambda run: 1 / 0 if run.id == bad.id else summary(run))
    rows = rows_by_id()
    assert rows[good.id]["status"] == "done"
    assert rows[bad.id]["reason"] == "Its files can't be read (ZeroDivisionError)."


def test_an_index_without_runs_makes_no_file(home):
    assert RunIndex().list() == [] and not home.exists()


def damage_bytes(path):
    content = bytearray(path.read_bytes())
    for place in random.Random(0).sample(range(len(content)), len(content) // 4):
        content[place] ^= 0x55
    path.write_bytes(content)


def change_row(path):
    """Change a letter of a row, which SQLite doesn't notice."""
    content = path.read_bytes()
    assert b'"digits"' in content
    path.write_bytes(content.replace(b'"digits"', b'"digitz"', 1))


def execute(path, *statements):
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        connection.execute(statement)
    connection.close()


DAMAGES = {
    "garbage": lambda path: path.write_bytes(b"no database" * 1000),
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[:5000]),
    "bytes": damage_bytes,
    "row": change_row,
    "deleted": lambda path: path.unlink(),
    "version": lambda path: execute(path, "PRAGMA user_version = 5", "DROP TABLE run", "CREATE TABLE run (a)"),
    "table": lambda path: execute(path, "DROP TABLE run", "CREATE TABLE run (a, b)", "INSERT INTO run VALUES (1, 2)"),
    "types": lambda path: execute(path, "UPDATE run SET created = 5, checksum = 'x'"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_file_is_made_again(damage, home, reads):
    for seed in range(3):
        make_run(seed=seed)
    before = rows_by_id()
    damage(home / index.FILE)
    reads.clear()
    assert rows_by_id() == before and len(reads) == 3
    reads.clear()
    rows_by_id()  # the third look at the latest uses the new file
    reads.clear()
    assert rows_by_id() == before and reads == []


def test_without_a_file_the_rows_are_the_same(home, reads):
    make_run()
    (home / index.FILE).mkdir()
    runs_index = RunIndex()
    assert len(runs_index.list()) == len(runs_index.list()) == 1
    assert len(reads) == 1  # this process remembers
    assert len(RunIndex().list()) == 1


def test_a_locked_file_is_done_without(home):
    make_run()
    RunIndex().list()
    other = sqlite3.connect(home / index.FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    make_run(seed=1)
    assert len(RunIndex().list()) == 2
    other.execute("ROLLBACK")
    other.execute("PRAGMA journal_mode = DELETE")
    other.execute("BEGIN EXCLUSIVE")  # now reading is locked too
    assert len(RunIndex().list()) == 2
    other.close()


def test_several_processes_use_the_file_at_once(home):
    for seed in range(30):
        make_run(seed=seed)
    code = (
        "from workbench.engine.index import RunIndex\n"
        "for k in range(20): print(len(RunIndex().list()), end=' ', flush=True)"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for k in range(10):
        make_run(seed=100 + k)
        assert len(RunIndex().list()) == 31 + k
    for process in processes:
        out, err = process.communicate(timeout=PATIENCE)
        counts = [*map(int, out.split())]
        assert err == "" and len(counts) == 20 and counts == sorted(counts) and set(counts) <= {*range(30, 41)}
    assert len(RunIndex().list()) == 40


def test_rows_are_selected():
    one = make_run(start={"time": 1.7e9})
    two = make_run("lenet5-modern", start={"time": 1.8e9}, end={"status": "stopped"})
    three = make_run(task="iris", start={"time": 1.6e9})
    notes.add_tags(two, ["Baseline"])
    notes.set_note(three, "Twice the rate")
    runs_index = RunIndex()

    def ids(**query):
        return [row["run"] for row in runs_index.list(**query)]

    assert ids() == [two.id, one.id, three.id]
    assert ids(limit=2) == [two.id, one.id]
    assert (
        ids(status="stopped") == ids(model="lenet5-modern") == ids(tag="Baseline") == ids(tag="#Baseline") == [two.id]
    )
    assert ids(task="iris") == ids(text="TWICE rate") == ids(text="iris") == [three.id]
    assert ids(text="#baseline") == [two.id]
    assert ids(model="mlp", text="mlp") == [one.id, three.id]
    assert ids(text="nothing") == ids(model="nothing") == []
    with pytest.raises(UserError, match="running"):
        ids(status="runing")
    with pytest.raises(UserError, match="duration"):
        ids(sort="durations")


def test_rows_are_ordered():
    """The best value of a metric is first, whether it is the largest or the smallest."""
    values = {"digits": [0.7, 0.9, 0.8], "diabetes": [0.1, 0.5, 0.3]}
    for task, metrics in values.items():
        for number, value in enumerate(metrics):
            monitor = "accuracy" if task == "digits" else "mse"
            model = "mlp" if task == "digits" else "linear-regression"
            end = {"metrics": {monitor: value}, "seconds": 10.0 - number}
            make_run(model, task=task, start={"monitor": monitor, "time": 1.7e9 + number}, end=end)
    make_run(end={"metrics": {}})
    runs_index = RunIndex()
    by_metric = [row["value"] for row in runs_index.list(sort="metric")]
    assert by_metric == [0.1, 0.3, 0.5, 0.9, 0.8, 0.7, None]
    durations = [row["duration"] for row in runs_index.list(sort="duration")]
    assert durations == sorted(durations, reverse=True)
    (runs.folder() / "mlp-0001").rename(runs.folder() / "mlp-10000")
    names = [row["run"] for row in runs_index.list(sort="name") if row["model"] == "mlp"]
    assert names == ["mlp-0002", "mlp-0003", "mlp-0004", "mlp-10000"]


def test_runs_that_began_with_the_weights_of_another_are_known():
    donor, other = make_run(), make_run()
    one = make_run(origin=donor.id)
    two = make_run(origin=str(donor.folder / "best.safetensors"))
    assert RunIndex().continued_by([donor.id, other.id]) == {donor.id: sorted([one.id, two.id])}


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(max_size=8), values, max_size=3),
    max_leaves=8,
)
SPECS = st.fixed_dictionaries({"model": st.just("mlp") | ANY_JSON}, optional={"task": ANY_JSON, "epochs": ANY_JSON})
EVENTS = st.sampled_from([START, END]).flatmap(
    lambda event: st.dictionaries(st.sampled_from(sorted(event)), ANY_JSON, max_size=2).map(
        lambda change: event | change
    )
)


@given(
    spec=SPECS | ANY_JSON,
    events=st.lists(EVENTS | ANY_JSON, max_size=4),
    note=st.fixed_dictionaries({"note": ANY_JSON, "tags": ANY_JSON}) | ANY_JSON,
    worker=ANY_JSON,
)
def test_any_json_in_any_file_is_a_row(tmp_path_factory, spec, events, note, worker):
    folder = tmp_path_factory.mktemp("run")
    contents = {"spec.json": [spec], "events.jsonl": events, "notes.json": [note], "worker.json": [worker]}
    for name, values in contents.items():
        (folder / name).write_text("".join(json.dumps(value) + "\n" for value in values), encoding="utf-8")
    row = run_row.read(runs.Run(folder))
    assert (
        row["status"] in run_row.STATUSES and "can't be read (" not in row.get("reason", "").partition("spec.json")[0]
    )
    text = json.dumps(row, allow_nan=False, ensure_ascii=False)
    assert text.isprintable() and row == json.loads(text)
    for name in ("created", "tags", "note", "value", "duration"):
        assert name in row
    assert index.Query(text="mlp", sort="metric").select([row]) in ([row], [])
