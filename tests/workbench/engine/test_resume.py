"""A resumed run ends as if it had never stopped: the same numbers, to the last bit."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest
import torch

from tests.patience import PATIENCE
from workbench import engine
from workbench.cli.run_progress import format_start
from workbench.engine import RunSpec, accepted, checkpoints, events, lock, resume, runs, start
from workbench.engine.resume import extend_spec, header
from workbench.engine.spec.sections import OPTIMIZERS, Adam, Constant
from workbench.engine.training.trainer import SeedRun, Trainer, train
from workbench.engine.watcher import follow
from workbench.errors import UserError

CPU = dict(device="cpu")
COMMON = ("gd", "momentum", "adam")
METHODS = [
    *({"optimizer": name} for name in COMMON),
    *(pytest.param({"optimizer": name}, marks=pytest.mark.full) for name in OPTIMIZERS if name not in COMMON),
    {"optimizer": "sgd", "weight_decay": 0.01, "batch_size": 1},
    pytest.param({"optimizer": "sgd", "batch_size": "full"}, marks=pytest.mark.full),
    {"dropout": 0.3, "batch_norm": True},
    {"schedule": "cosine", "warmup": 20, "clip_norm": 0.5, "l1": 1e-4, "l2": 1e-4},
    pytest.param({"schedule": "exponential", "clip_value": 0.05, "init": "he"}, marks=pytest.mark.full),
    {"model": "lenet5-modern", "augment": {"shift": 1.0, "rotate": 10.0, "noise": 0.1}},
    {"bf16": True},
    {"patience": 1, "lr": 0.05, "steps": 200},
    {"ema": 0.9, "schedule": "one-cycle", "batch_norm": True},
    {"batch_size": 8, "accumulate": 4, "dropout": 0.2},
    {"schedule": "plateau", "plateau_patience": 1, "lr": 0.1, "evaluate_every": 5, "decay": 0.5},
    {"optimizer": "adamw", "decay_on": "weights", "schedule": "linear", "label_smoothing": 0.1, "class_weights": True},
    {"monitor": "loss", "patience": 2, "evaluate_every": 10, "lr": 0.05, "ema": 0.8, "steps": 200},
]


def numbers(events):
    """Return what the events report of their steps, without clocks."""
    return [
        (event["event"], event["step"], event["epoch"], event.get("split"), event["metrics"])
        for event in events
        if event["event"] in ("metric", "eval", "end")
    ]


def train_until(step, spec, folder):
    """Train until a step, from the folder's checkpoint if there is one, and return the run with its events."""
    run = SeedRun(spec, folder=folder, resume=(folder / "last.safetensors").exists())
    return run, list(Trainer([run], lambda: run.step >= step).run())


@pytest.mark.parametrize("method", METHODS, ids=lambda method: "-".join(map(str, method.values())))
def test_stopped_anywhere_and_resumed_it_gives_the_same_numbers(method, tmp_path):
    spec = RunSpec.create(**{"model": "mlp", "steps": 95, "seed": 3, **CPU, **method})
    whole = SeedRun(spec)
    expected = numbers(Trainer([whole]).run())

    rows = []
    for step in (7, 39, 60, 10**9):  # in an epoch, at its end, in another, and up to the last
        torch.manual_seed(step)  # what a process drew before has no influence
        run, events = train_until(step, spec, tmp_path)
        rows += [row for row in numbers(events) if row[0] != "end" or step == 10**9]
    assert rows == expected
    for network in ("network", "evaluated"):
        resumed = getattr(run.state, network).state_dict()
        for name, weight in getattr(whole.state, network).state_dict().items():
            assert torch.equal(weight, resumed[name]), name


def test_the_best_so_far_is_remembered(tmp_path):
    spec = RunSpec.create("mlp", epochs=6, lr=0.05, **CPU)
    run, _ = train_until(150, spec, tmp_path)
    other = SeedRun(spec, folder=tmp_path, resume=True)
    assert other.best.to_json() == run.best.to_json() and run.best.step > 0
    assert other.validation == run.validation


def test_a_run_of_a_frozen_backbone_is_resumed(tmp_path):
    donor, folder = tmp_path / "donor", tmp_path / "frozen"
    donor.mkdir(), folder.mkdir()
    train_until(10**9, RunSpec.create("mlp", steps=20, dropout=0.3, **CPU), donor)
    options = dict(origin=str(donor / "best.safetensors"), freeze="backbone", dropout=0.3, seed=2)
    spec = RunSpec.create("mlp", steps=60, **options, **CPU)
    whole = SeedRun(spec)
    expected = [row for row in numbers(Trainer([whole]).run()) if row[0] != "end"]
    rows = [row for step in (25, 10**9) for row in numbers(train_until(step, spec, folder)[1]) if row[0] != "end"]
    assert rows == expected


def finished(run):
    """Wait for the event that a run ends with."""
    deadline, last = time.monotonic() + PATIENCE, {}
    for event in follow(run):
        last = event
        assert time.monotonic() < deadline
    return last


def until(run, step, since=0):
    """Wait until the events of a run after a byte of them are past a step."""
    deadline = time.monotonic() + PATIENCE
    for event in follow(run, since):
        if event["step"] >= step:
            return
        assert event["event"] != "end" and time.monotonic() < deadline, event


@pytest.mark.full
def test_killed_at_random_steps_and_resumed_nothing_differs():
    spec = RunSpec.create("lenet5-modern", steps=400, augment={"shift": 1.0}, seed=5, schedule="cosine", **CPU)
    expected = numbers(train([spec]))
    run, since = start(spec), 0
    for step in sorted(random.Random(2).sample(range(20, 300), 2)):
        until(run, step, since)
        run.kill()
        run.join(PATIENCE)
        assert run.status() == "crashed"
        assert header(run.folder / "last.safetensors")["step"] <= run.last_event()["step"]
        since = resume(run)
        assert run.status() == "running"
    end = finished(run)
    assert (end["status"], end["step"]) == ("done", 400)

    events = run.reader().read(10**6)
    starts = [event["step"] for event in events if event["event"] == "start"]
    assert starts[0] == 0 and len(starts) == 3 and starts == sorted(starts)
    assert all(event.get("resumed", False) == (event["step"] > 0) for event in events if event["event"] == "start")
    by_step = {row[:4]: row for row in numbers(events)}
    assert [by_step[row[:4]] for row in expected] == expected
    assert len(by_step) == len(expected)  # and what was reported twice was the same
    assert all(by_step[row[:4]] == row for row in numbers(events))


def test_a_done_run_can_be_extended():
    spec = RunSpec.create("mlp", epochs=2, seed=1, **CPU)
    run = start(spec)
    assert finished(run)["steps"] == 78
    with pytest.raises(UserError, match="is done"):
        resume(run)
    with pytest.raises(UserError, match="is in epochs"):
        resume(run, steps=10)
    since = resume(run, epochs=1)
    first, *_, end = accepted(run, since)
    assert (first["resumed"], first["step"], first["steps"]) == (True, 78, 117)
    assert (end["status"], end["steps"]) == ("done", 117)
    assert run.spec.length.epochs == 3 and run.status() == "done"
    expected = [
        row for row in numbers(train([RunSpec.create("mlp", epochs=3, seed=1, **CPU)])) if row[3] == "validation"
    ]
    assert [row for row in numbers(follow(run)) if row[3] == "validation"] == expected
    tested = [row[1] for row in numbers(follow(run)) if row[3] == "test"]
    assert tested == [78, 117]  # at each of its ends
    assert [event["event"] for event in follow(run)].count("end") == 1  # one run, and one end
    run.join(PATIENCE)


def test_a_running_run_and_an_early_stopped_one_cannot_be_resumed():
    run = start(RunSpec.create("mlp", epochs=10**6, **CPU))
    with pytest.raises(UserError, match="is running"):
        resume(run)
    run.kill()
    run.join(PATIENCE)
    stopped = runs.create(RunSpec.create("mlp"))
    ends = (({"early_stopping": {}}, "larger patience"), ({"status": "diverged"}, "smaller learning rate"))
    for end, message in ends:
        writer = events.Writer(stopped.folder / "events.jsonl", run=stopped.id)
        sound = dict(event="end", step=3, steps=3, seconds=1.0, steps_per_second=3.0, status="done", metrics={})
        writer.write(sound | end)
        writer.close()
        with pytest.raises(UserError, match=message):
            extend_spec(stopped)


@pytest.fixture
def stopped():
    """A run that was stopped at its tenth step, trained in this process."""
    run = runs.create(RunSpec.create("mlp", steps=100, **CPU))
    writer = events.Writer(run.folder / "events.jsonl", run=run.id)
    for event in train_until(10, run.spec, run.folder)[1]:
        writer.write(event)
    writer.close()
    (run.folder / "worker.json").unlink()
    return run


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "grown", "junk", "weights alone"])
def test_a_damaged_checkpoint_is_an_error_of_one_sentence_and_stays_as_it_is(stopped, damage):
    path = stopped.folder / "last.safetensors"
    (stopped.folder / "previous.safetensors").unlink()
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    elif damage == "weights alone":
        checkpoints.write(path, checkpoints.load(path)[0], {"step": 10})
    else:
        content = {"empty": b"", "cut": whole[:-7], "grown": whole + b"x", "junk": bytes(range(256)) * 8}[damage]
        path.write_bytes(content)
    before = path.read_bytes() if path.exists() else None
    with pytest.raises(UserError, match="Train from the beginning") as error:
        resume(stopped)
    assert "\n" not in str(error.value)
    assert stopped.status() == "stopped" and (path.read_bytes() if path.exists() else None) == before


def spoil(path):
    content = bytearray(path.read_bytes())
    content[-20] ^= 4
    path.write_bytes(content)


def test_a_run_whose_last_checkpoint_is_damaged_is_resumed_from_the_one_before(tmp_path):
    spec = RunSpec.create("mlp", steps=90, dropout=0.3, seed=3, **CPU)
    expected = numbers(Trainer([SeedRun(spec)]).run())
    last, previous = tmp_path / "last.safetensors", tmp_path / "previous.safetensors"
    rows = []
    for step in (25, 55):
        _, told = train_until(step, spec, tmp_path)
        rows += [row for row in numbers(told) if row[0] != "end"]
    assert (header(previous)["step"], header(last)["step"]) == (26, 55)  # a resumed run is saved after its first step
    spoil(last)
    partial = tmp_path / ".last.safetensors.1-2.partial"
    partial.write_bytes(b"of a worker that was killed as it wrote")

    run = SeedRun(spec, folder=tmp_path, resume=True)
    assert not partial.exists()
    told, saved = [], []
    for event in Trainer([run], lambda: run.step == 40).run():
        told.append(event)
        if event["event"] == "checkpoint" and event["checkpoint"] == "last":
            saved.append((header(previous)["step"], header(last)["step"]))
    # The damaged one has not taken the place of the sound one.
    assert saved == [(26, 27), (27, 40)]
    assert (told[0]["step"], told[0]["checkpoint"]) == (26, "previous")
    assert "The last checkpoint can't be used (its checksum is wrong)" in told[0]["reason"]
    rows = [row for row in rows if row[1] <= 26] + [row for row in numbers(told) if row[0] != "end"]
    _, told = train_until(10**9, spec, tmp_path)
    assert "checkpoint" not in told[0] and rows + numbers(told) == expected


def test_the_worker_resumes_from_the_one_before_and_says_so(stopped):
    since = resume(stopped)
    list(accepted(stopped, since))
    stopped.join(PATIENCE)
    spoil(stopped.folder / "last.safetensors")
    since = resume(stopped, steps=5)
    told = list(accepted(stopped, since))
    stopped.join(PATIENCE)
    assert told[0]["checkpoint"] == "previous" and told[0]["step"] < 100 and told[-1]["step"] == 105
    assert "(its checksum is wrong), so the previous checkpoint is used." in format_start(told[0])


def test_early_stopping_keeps_the_last_weights_where_the_best_checkpoint_is_damaged(tmp_path):
    spec = RunSpec.create("mlp", patience=1, lr=0.05, steps=2000, **CPU)
    train_until(40, spec, tmp_path)  # after the first evaluation
    spoil(tmp_path / "best.safetensors")
    run = SeedRun(spec, folder=tmp_path, resume=True)
    run.best.score = (2.0, 0.0)  # nothing is better
    *_, end = Trainer([run]).run()
    assert (end["status"], end["early_stopping"]) == ("done", {"restored_step": end["step"]})
    assert "the last weights remain, as the best checkpoint is damaged" in end["reason"]


def test_a_checkpoint_of_another_network_is_rejected_by_the_worker_and_the_run_is_as_it_was(stopped):
    path, spec = stopped.folder / "last.safetensors", stopped.spec
    _, tensors, metadata = checkpoints.load_all(path)
    checkpoints.write(path, {"layers.0.weight": torch.zeros(3, 3)}, metadata, tensors)
    before = path.read_bytes()
    since = resume(stopped, steps=50)
    with pytest.raises(UserError, match="is not of this mlp"):
        list(accepted(stopped, since))
    stopped.join(PATIENCE)
    assert stopped.status() == "stopped" and stopped.spec == spec and path.read_bytes() == before
    assert stopped.last_event()["step"] == 10


def test_the_header_is_read_as_safetensors_reads_it(stopped):
    path = stopped.folder / "last.safetensors"
    assert header(path) == checkpoints.load(path)[1]


def test_a_line_that_was_cut_off_does_not_damage_the_next(tmp_path):
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"event": "checkpoint", "step": 0, "checkpoint": "last"}\n{"event": "met')
    writer = events.Writer(path)
    writer.write({"event": "checkpoint", "step": 5, "checkpoint": "last"})
    writer.close()
    tail = events.Reader(path)
    assert [event["step"] for event in tail.read()] == [0, 5] and tail.damaged == 1


def test_a_checkpoint_from_before_there_was_anything_to_resume_still_loads_its_spec():
    old = {"model": "mlp", "task": "digits", "preset": "mini", "epochs": 20, "steps": None, "batch_size": 32}
    old |= {"lr": 0.003, "optimizer": "adam", "seed": 0, "device": "cpu"}
    spec = RunSpec.from_json(json.dumps(old))
    assert (spec.optimizer, spec.schedule, spec.data.augment) == (Adam(lr=0.003), Constant(), {})


def test_the_worker_dies_with_the_signal_that_killed_it():
    run = start(RunSpec.create("mlp", epochs=10**6, **CPU))
    until(run, 1)
    os.kill(json.loads((run.folder / "worker.json").read_text())["pid"], signal.SIGKILL)
    assert "SIGKILL" in finished(run)["reason"]


def test_a_locked_run_is_not_resumed(stopped, monkeypatch):
    monkeypatch.setattr(engine, "ENDING", 0.0)
    with lock.held(stopped.folder):
        before = {file: file.read_bytes() for file in stopped.folder.iterdir()}
        with pytest.raises(UserError, match="is running"):
            resume(stopped)
        assert {file: file.read_bytes() for file in stopped.folder.iterdir()} == before


@pytest.mark.full
def test_of_two_processes_that_resume_a_run_at_once_one_is_rejected(stopped):
    """Ten pairs of processes start at the same moment."""
    code = f"""if True:
        from workbench.errors import UserError
        from workbench.engine import resume, runs
        run = runs.get({stopped.id!r})
        print("ready", flush=True)
        input()
        try:
            resume(run, steps=10)
        except UserError as error:
            print(error)
        else:
            print(run.wait({PATIENCE}))
    """
    for _ in range(10):
        since = stopped.event_bytes()
        pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        both = [subprocess.Popen([sys.executable, "-c", code], **pipes) for _ in range(2)]
        for process in both:
            assert process.stdout.readline() == "ready\n"
        for process in both:
            process.stdin.write("go\n")
            process.stdin.flush()
        outputs = sorted(process.communicate()[0].strip() for process in both)
        assert outputs[0].startswith("The run mlp-0001 is running") and outputs[1] == "done"
        kinds = [event["event"] for event in stopped.reader(since).read(10**6)]
        assert (kinds.count("start"), kinds.count("end")) == (1, 1)


@pytest.mark.full
def test_killed_at_its_first_checkpoint_a_run_still_has_every_row(monkeypatch):
    spec = RunSpec.create("mlp", steps=60, seed=3, **CPU)
    expected = [row for row in numbers(train([spec])) if row[0] != "end"]
    for _ in range(2):
        run = start(spec)
        while not (run.folder / "last.safetensors").exists():
            assert run.is_alive()
            os.sched_yield()
        run.kill()
        run.join(PATIENCE)
        if run.status() != "done":  # the machine was slow to kill it
            resume(run)
        assert finished(run)["status"] == "done"
        by_step = {row[:4]: row for row in numbers(run.reader().read(10**6)) if row[0] != "end"}
        assert list(by_step.values()) == expected
        run.join(PATIENCE)
