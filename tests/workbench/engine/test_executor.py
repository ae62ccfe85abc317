"""Many runs at once: the numbers that each has alone, workers that die, and runs that are reused."""

import json
import os
import signal
import threading
import time
from dataclasses import replace

import pytest
import torch

from tests import scripted_worker
from tests.patience import PATIENCE
from workbench.engine import RunSpec, checkpoints, content_key, lock, runs
from workbench.engine.executor import RETRIES, Executor, Trial, processors
from workbench.engine.training.trainer import SeedRun, Trainer
from workbench.errors import UserError

SPEC = RunSpec.create("mlp", steps=40, device="cpu")
LONG = RunSpec.create("mlp", epochs=10**6, device="cpu")


def weights_alone(spec):
    """Return the weights after a run that nothing came before."""
    run = SeedRun(spec)
    for _ in Trainer([run]).run():
        pass
    return run.state.evaluated.state_dict()


def assert_equal(run, expected):
    weights, _ = checkpoints.load(run.folder / "last.safetensors")
    assert weights.keys() == expected.keys()
    for name, weight in expected.items():
        assert torch.equal(weight, weights[name]), name


def pid_of(run):
    return json.loads((run.folder / "worker.json").read_text())["pid"]


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(reached):
    deadline = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < deadline
        os.sched_yield()


def test_runs_at_once_have_the_numbers_of_runs_one_after_another():
    specs = [SPEC.with_options(seed=seed, dropout=0.3) for seed in (0, 1, 2)]
    streams: dict[str, list] = {}
    with Executor(2) as executor:
        trials = list(
            executor.map(specs, on_event=lambda trial, event: streams.setdefault(trial.run.id, []).append(event))
        )
    assert sorted(trial.spec.seed for trial in trials) == [0, 1, 2]
    for trial in trials:
        assert_equal(trial.run, weights_alone(trial.spec))
        assert trial.end["status"] == trial.run.status() == "done" and not trial.run.is_alive()
        assert streams[trial.run.id] == trial.run.reader().read(10**6)
        assert {(event["run"], event["seed"]) for event in streams[trial.run.id]} == {(trial.run.id, trial.spec.seed)}


@pytest.mark.full
def test_a_run_leaves_nothing_behind_that_changes_the_next_one():
    before = [
        RunSpec.create("lenet5-modern", steps=3, augment={"rotate": 5.0}, init="normal", device="cpu"),
        RunSpec.create("mlp", steps=3, bf16=True, ema=0.9, batch_norm=True, device="cpu"),
        RunSpec.create("lstm", steps=3, device="cpu"),
        RunSpec.create("mlp", steps=3, lr=1e30, optimizer="sgd", device="cpu"),
        RunSpec.create("yolo-v1", steps=2, device="cpu"),
    ]
    last = [
        SPEC.with_options(dropout=0.3),
        RunSpec.create("lenet5-modern", steps=5, augment={"shift": 1.0}, device="cpu"),
    ]
    with Executor(1) as executor:
        warm = list(executor.map([*before, *last]))[-2:]
    for spec, trial in zip(last, warm, strict=True):
        with Executor(1) as executor:
            [cold] = executor.map([spec])
        weights, _ = checkpoints.load(cold.run.folder / "last.safetensors")
        assert_equal(trial.run, weights)
        assert trial.end["metrics"] == cold.end["metrics"]


def kill_at_checkpoints(times):
    """Return a listener that kills the worker at the first checkpoints of its runs."""
    pids = []

    def listen(trial, event):
        if event.get("checkpoint") == "last" and len(pids) < times and (pid := pid_of(trial.run)) not in pids:
            pids.append(pid)
            os.kill(pid, signal.SIGKILL)

    return listen, pids


@pytest.mark.full
def test_the_run_of_a_killed_worker_continues_in_another_worker():
    spec = RunSpec.create("mlp", steps=6000, dropout=0.3, device="cpu")
    listen, pids = kill_at_checkpoints(RETRIES)
    with Executor(1) as executor:
        [trial] = executor.map([spec], on_event=listen)
    assert len(pids) == RETRIES and trial.end["status"] == "done"
    assert_equal(trial.run, weights_alone(spec))
    starts = [event for event in trial.run.reader().read(10**6) if event["event"] == "start"]
    assert [event.get("resumed", False) for event in starts] == [False, True, True]
    assert [run.id for run in runs.every()] == [trial.run.id]


@pytest.mark.full
def test_a_run_whose_workers_are_killed_again_and_again_has_crashed():
    listen, pids = kill_at_checkpoints(10)
    with Executor(1) as executor:
        [trial] = executor.map([LONG], on_event=listen)
    assert len(pids) == RETRIES + 1 and trial.run.status() == "crashed"
    assert (trial.end["status"], trial.end["run"], trial.end["seed"]) == ("crashed", trial.run.id, 0)
    assert (
        trial.end["reason"]
        == f"The worker was killed by SIGKILL {RETRIES + 1} times, by hand or because the memory was full."
    )


def test_a_run_that_ended_with_an_error_is_not_repeated(monkeypatch):
    end = dict(event="end", status="crashed", step=1, steps=1, seconds=1.0, steps_per_second=1.0, metrics={})
    jobs = scripted_worker.install(monkeypatch, lambda spec: [end | {"reason": "The memory was full."}])
    with Executor(1) as executor:
        [trial] = executor.map([SPEC])
    assert trial.end["reason"] == "The memory was full." and len(jobs) == 1


def test_a_run_that_cannot_begin_stops_the_others_and_leaves_no_folder():
    with Executor(2) as executor, pytest.raises(UserError, match="1257 training samples"):
        list(executor.map([LONG, LONG.with_options(batch_size=5000), *[LONG] * 20]))
    assert {run.status() for run in runs.every()} == {"stopped"} and len(runs.every()) < 10
    assert all(run.spec == LONG for run in runs.every())


def test_a_stop_writes_checkpoints_and_starts_no_further_run():
    def stop_all(trial, event):
        if event["event"] == "metric":
            executor.stop()

    with Executor(2) as executor:
        trials = list(executor.map([replace(LONG, seed=seed) for seed in range(5)], on_event=stop_all))
    assert {trial.end["status"] for trial in trials} == {"stopped"} and 1 <= len(trials) <= 2
    for trial in trials:
        assert checkpoints.load(trial.run.folder / "last.safetensors")[1]["step"] == trial.end["step"]
    assert [run.status() for run in runs.every()] == ["stopped"] * len(trials)


def test_an_executor_that_was_stopped_starts_nothing():
    with Executor(1) as executor:
        executor.stop()
        assert list(executor.map([SPEC, SPEC])) == []
    assert runs.every() == []


def test_a_run_that_another_worker_has_is_one_error():
    run = runs.create(SPEC)
    with lock.held(run.folder), Executor(1) as executor, pytest.raises(UserError, match="is running"):
        list(executor.completed([executor.submit(Trial(SPEC, run=run))]))


def test_a_run_is_stopped_before_its_worker_is_ready():
    with Executor(1) as executor:
        first = executor.submit(Trial(LONG, run=runs.create(LONG)))
        second = executor.submit(Trial(LONG, run=runs.create(LONG)))
        wait_until(lambda: first._worker)
        executor.stop()
        assert list(executor.completed([first, second])) == [first]
    assert runs.every() == [first.run] and second.run is None
    assert first.run.status() == "stopped" and not first.run.is_alive()


@pytest.mark.full
def test_leaving_the_trials_stops_the_runs_and_leaves_no_process():
    with Executor(2) as executor:
        iterator = executor.map([replace(LONG, seed=seed) for seed in range(3)] + [SPEC])
        executor.warm()
        wait_until(lambda: any(run.reader().read() for run in runs.every()))
        pids = {pid_of(run) for run in runs.every() if run.is_alive()}
        iterator.close()
    assert pids and not any(map(is_there, pids))
    assert "running" not in {run.status() for run in runs.every()}


@pytest.mark.full
def test_a_run_outlives_its_executor_and_its_worker_ends_after_it():
    executor = Executor(1)
    spec = RunSpec.create("mlp", steps=3000, device="cpu")
    trial = executor.submit(Trial(spec))
    executor.submit(Trial(replace(spec, seed=1)))
    wait_until(lambda: trial.run and trial.run.reader().read())
    worker = executor._clients[0]._worker
    executor.close()
    assert trial.run.wait(PATIENCE) == "done"
    worker.wait(PATIENCE)
    assert [run.id for run in runs.every()] == [trial.run.id]  # the other one was not begun


def train(spec, reuse=True, **options):
    with Executor(1) as executor:
        [trial] = executor.map([spec], reuse=reuse, **options)
    return trial


def test_an_ended_run_with_the_same_key_is_reused_only_if_that_is_wanted():
    first = train(SPEC, reuse=False)
    stream = []
    again = train(SPEC.with_options(device="auto"), on_event=lambda trial, event: stream.append(event))
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        assert again.run == first.run and again.is_reused and again.end == first.end == stream[-1]
    other = train(SPEC.with_options(lr=0.01))
    anew = train(SPEC, reuse=False)
    assert not other.is_reused and not anew.is_reused
    assert len({first.run.id, other.run.id, anew.run.id}) == 3
    (first.run.folder / "key").unlink(), (anew.run.folder / "key").unlink()  # as runs of before
    assert not train(SPEC).is_reused


@pytest.mark.parametrize("signals", ["SIGTERM", "SIGKILL"])
@pytest.mark.full
def test_an_interrupted_run_with_the_same_key_continues(signals):
    spec = RunSpec.create("mlp", steps=1500, device="cpu")

    def interrupt(trial, event):
        if event.get("checkpoint") == "last":
            trial.cancel() if signals == "SIGTERM" else trial.kill()

    first = train(spec, on_event=interrupt)
    assert first.run.status() == ("stopped" if signals == "SIGTERM" else "crashed")
    second = train(spec)
    assert second.run == first.run and not second.is_reused and second.end["status"] == "done"
    assert_equal(second.run, weights_alone(spec))
    assert train(spec).is_reused


def test_two_executors_do_not_train_the_same_key_at_once():
    specs = [replace(SPEC, seed=seed) for seed in (0, 1)]
    trials = []

    def run():
        with Executor(2) as executor:
            trials.extend(executor.map([*specs, specs[0]], reuse=True))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(trials) == 6 and len(runs.every()) == 2
    assert {trial.end["status"] for trial in trials} == {"done"}
    assert all(trial.run.spec.seed == trial.spec.seed for trial in trials)


@pytest.mark.full
def test_a_run_is_extended_and_found_by_its_new_key():
    spec, longer = RunSpec.create("mlp", epochs=1, device="cpu"), RunSpec.create("mlp", epochs=2, device="cpu")
    first = train(spec)
    with Executor(1) as executor:
        trial = executor.submit(Trial(longer, is_reusing=True, run=first.run, is_extending=True))
        assert list(executor.completed([trial])) == [trial]
    assert trial.run == first.run and trial.run.spec == longer and trial.end["steps"] == 78
    assert_equal(trial.run, weights_alone(longer))
    assert content_key.read(trial.run) == content_key.content_key(longer, "cpu")
    assert train(longer).is_reused and not train(spec).is_reused


def test_runs_that_cannot_be_written_are_one_error(home):
    home.mkdir()
    (home / "runs").write_text("a file")
    for reuse in (False, True):
        with pytest.raises(UserError, match="can't be written"):
            train(SPEC, reuse=reuse)


def test_there_are_as_many_workers_as_processors():
    assert Executor()._size == processors() and 1 <= processors() <= os.cpu_count()
