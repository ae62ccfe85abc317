"""Real workers: what they write, how they are stopped, and what is seen when they die."""

import json
import os
import subprocess
import sys
import time

import pytest
import torch

from tests.patience import PATIENCE
from workbench.engine import RunSpec, checkpoints, events, lock, run_job, runs, start, train
from workbench.engine.watcher import follow
from workbench.errors import UserError

LONG = RunSpec.create("mlp", epochs=10**6)


def until_saved(run):
    """Read a run's events up to the first checkpoint of where it is."""
    deadline = time.monotonic() + PATIENCE
    for event in follow(run):
        assert event["event"] != "end" and time.monotonic() < deadline, event
        if event.get("checkpoint") == "last":
            return


def test_the_engine_is_imported_without_torch():
    heavy = "{'torch', 'numpy', 'textual'} & set(sys.modules)"
    code = f"import sys, workbench.engine, workbench.render.chart; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.full
@pytest.mark.usefixtures("real_workers")
def test_training_tells_all_and_keeps_it(tmp_path, monkeypatch):
    (tmp_path / "models.py").write_text("raise SystemExit('this is somebody else\\'s')")
    monkeypatch.chdir(tmp_path)
    told = list(train(RunSpec.create("lenet5-modern", epochs=1, seed=2)))
    assert [told[0]["event"], told[-1]["event"], told[-1]["status"]] == ["start", "end", "done"]
    assert all((event["run"], event["seed"]) == ("lenet5-modern-0001", 2) for event in told)
    run = runs.get("lenet5-modern-0001")
    assert run.reader().read(10**6) == told
    assert run.status() == "done" and not run.is_alive()
    checkpoints.load(run.folder / "best.safetensors")
    assert {"pixels", "target", "predicted"} <= set(json.loads((run.folder / "visualizations.json").read_text())[0])


@pytest.mark.full
@pytest.mark.usefixtures("real_workers")
def test_a_killed_worker_is_shown_as_crashed_and_its_checkpoint_is_whole():
    run = start(LONG)
    until_saved(run)
    assert run.status() == "running"
    run.kill()
    *_, end = follow(run)
    assert (end["event"], end["status"]) == ("end", "crashed") and "SIGKILL" in end["reason"]
    assert run.status() == "crashed" and run.summary()["status"] == "crashed"
    weights, about = checkpoints.load(run.folder / "last.safetensors")
    assert about["step"] <= end["steps"] and weights["layers.0.weight"].shape == (32, 64)


def test_a_stop_writes_a_checkpoint_and_says_so():
    run = start(LONG)
    until_saved(run)
    # As another process would do it, which knows the worker by its heartbeat alone.
    code = f"from workbench.engine import runs; runs.get({run.id!r}).stop()"
    subprocess.run([sys.executable, "-c", code], check=True)
    assert run.wait(PATIENCE) == "stopped"
    *_, saved, end = follow(run)
    assert saved["event"] == "checkpoint" and end["status"] == "stopped"
    assert checkpoints.load(run.folder / "last.safetensors")[1]["step"] == end["step"] > 0
    run.join(PATIENCE)


def test_an_order_that_cannot_be_run_here_leaves_no_run():
    with pytest.raises(UserError, match="1257 training samples"):
        list(train(RunSpec.create("mlp", batch_size=5000)))
    assert runs.every() == []


def test_leaving_the_events_stops_the_run():
    events = train(LONG)
    next(events)
    events.close()
    [run] = runs.every()
    assert run.status() == "stopped" and not run.is_alive()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), "mlp (mini) and a batch_size of 32"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"), "a smaller batch_size"),
        (OSError(28, "No space left on device", "x.safetensors"), "No space left"),
        (ZeroDivisionError("division by zero\nand more"), "ZeroDivisionError: division by zero"),
    ],
)
def test_an_error_in_the_worker_ends_the_run_with_a_sentence(error, said, monkeypatch):
    def failing(*_, **options):
        raise error

    run = runs.create(RunSpec.create("mlp", steps=3))
    monkeypatch.setattr(checkpoints, "write", failing)
    assert run_job.make_run(run.folder) == 1
    *_, end = follow(run)
    assert end["status"] == run.status() == "crashed" and said in end["reason"] and "\n" not in end["reason"]
    assert end["step"] == 1


def test_a_heartbeat_is_left_while_a_step_takes_long(monkeypatch):
    monkeypatch.setattr(run_job.heartbeat, "EVERY", 0.01)
    run = runs.create(RunSpec.create("mlp"))
    path, flushed = run.folder / "worker.json", []
    with run_job.beating(run) as every_beat:
        every_beat.append(lambda: flushed.append(1))
        first, deadline = path.read_text(), time.monotonic() + PATIENCE
        while (path.read_text() == first or not flushed) and time.monotonic() < deadline:
            os.sched_yield()
    assert path.read_text() != first and flushed


@pytest.mark.parametrize("ask", [lambda: torch.empty(1 << 55), lambda: bytearray(1 << 60)], ids=["torch", "python"])
def test_a_full_memory_is_told_with_what_helps(ask):
    with pytest.raises((RuntimeError, MemoryError)) as full:
        ask()
    spec = RunSpec.create("vgg16", preset="paper", batch_size=256)
    told = run_job.why(full.value, spec)
    assert "memory was full with vgg16 (paper)" in told and "smaller batch_size, or the mini preset" in told
    assert "smaller batch_size." in run_job.why(full.value, RunSpec.create("vgg16", batch_size=256))


def test_what_was_told_before_a_checkpoint_is_on_the_disk_when_it_is_put_in_place(monkeypatch):
    """Whoever kills the worker right then loses no row: the run goes on from there, and doesn't tell it again."""
    monkeypatch.setattr(events.log, "FLUSH_EVERY", 10**9)  # nothing gets there by chance
    monkeypatch.setattr(run_job.heartbeat, "EVERY", 10**9)
    monkeypatch.setattr("workbench.engine.training.trainer.SAVE_EVERY", 0.0)
    monkeypatch.setattr("workbench.engine.training.trainer.SAVE_SHARE", 1.0)
    run = runs.create(RunSpec.create("mlp", steps=120, device="cpu"))
    path, write, sync, on_disk, synced = run.folder / "events.jsonl", checkpoints.write, os.fsync, [], []

    def watched(place, weights, about, *more, **options):
        assert synced[-1] == path.stat().st_size  # and not only with the system, which a power cut takes along
        on_disk.append((place.stem, about["step"], run.reader().read(10**6)))
        write(place, weights, about, *more, **options)

    def measured(file):
        synced.append(os.fstat(file).st_size)
        sync(file)

    monkeypatch.setattr(checkpoints, "write", watched)
    monkeypatch.setattr(os, "fsync", measured)
    assert run_job.make_run(run.folder) == 0
    whole = run.reader().read(10**6)
    assert {"last", "best"} == {name for name, _, _ in on_disk} and len(on_disk) > 5
    for name, step, there in on_disk:
        rows = [event for event in whole if event["event"] in ("start", "metric", "eval") and event["step"] <= step]
        assert [event for event in there if event in rows] == rows, (name, step)


def test_a_second_worker_is_refused_and_writes_nothing(capsys):
    run = runs.create(RunSpec.create("mlp", steps=3, device="cpu"))
    with lock.held(run.folder):
        before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in run.folder.iterdir()}
        assert run_job.make_run(run.folder) == 2
        assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in run.folder.iterdir()} == before
    assert capsys.readouterr().err == f"Another worker is training {run.id}.\n"
    assert run_job.make_run(run.folder) == 0  # it is free again
