"""`workbench train`: its options, its exit codes, its output, and that it leaves no process behind."""

import json
import signal
import subprocess
import sys

import pytest

from tests import scripted_worker
from workbench import engine
from workbench.engine import RunSpec, events, runs
from workbench.engine.executor import processors
from workbench.engine.spec.options import OPTIONS

COMMAND = [sys.executable, "-m", "workbench.cli.main"]
START = {
    **{"event": "start", "step": 0, "epoch": 0, "seconds": 0.0, "steps": 40, "metrics": {}, "model": "mlp"},
    **{"task": "digits", "preset": "mini", "params": 2410, "device": "cpu", "epochs": 1, "monitor": "accuracy"},
    "baseline": {"method": "logistic regression", "metric": "accuracy", "value": 0.9528},
}


def metric(step, loss, accuracy):
    metrics = {"loss": loss, "accuracy": accuracy}
    at = {"step": step, "epoch": step / 40, "seconds": step / 20}
    return {"event": "metric", **at, "split": "train", "metrics": metrics}


def evaluation(step, loss, accuracy, split="test"):
    event = metric(step, loss, accuracy) | {"event": "eval", "split": split}
    event["metrics"]["f1"] = accuracy / 2
    return event


VALIDATION = evaluation(40, 0.5, 0.875, "validation")


def end(status, **more):
    """Return the last event; a run that isn't done was not tested."""
    metrics = {"loss": 0.25, "accuracy": 0.975} if status == "done" else {}
    speed = dict(steps=40, seconds=2.0, steps_per_second=20.0)
    return dict(event="end", step=40, status=status, metrics=metrics, validation=VALIDATION["metrics"], **speed) | more


REPORTS = [metric(step, 2 - step / 20, step / 40) for step in range(1, 41)]
EVENTS = [START, *REPORTS, VALIDATION, evaluation(40, 0.3, 0.9, "train"), evaluation(40, 0.25, 0.975)]


@pytest.fixture
def write_events(monkeypatch):
    """Replace training by a run that has written all its events already."""

    def start(*run_events):
        def write_run(spec):
            run = runs.create(spec)
            writer = events.Writer(run.folder / "events.jsonl", run=run.id, seed=spec.seed)
            for event in run_events:
                writer.write(event)
            writer.close()
            return run

        monkeypatch.setattr(engine, "start", write_run)
        scripted_worker.install(monkeypatch, lambda spec: list(run_events))

    return start


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lenet5-moden"], "lenet5-modern"),
        (["mlp", "--task", "digit"], "Did you mean 'digits"),
        (["mlp", "--epochs", "0"], "epochs"),
        (["mlp", "--epochs", "-2"], "epochs"),
        (["mlp", "--epochs", "two"], "epochs"),
        (["mlp", "--lr", "nan"], "lr"),
        (["mlp", "--lr", "-1"], "lr"),
        (["mlp", "--device", "gpu"], "cuda"),
        (["mlp", "--steps", "1", "--epochs", "1"], "not both"),
        ([], "NAME"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_leaves_no_run(cli, words, message):
    code, out, err = cli("train", *words, "--json")
    assert (code, err.count("\n")) == (2, 1) and message in err
    assert json.loads(out)["error"]["message"] in err
    assert runs.every() == []


def test_an_error_of_the_worker_is_bad_input_too(cli, write_events):
    write_events(end("crashed", reason="A batch of 5000 is larger than the 1257 training samples.", refused=True))
    code, out, err = cli("train", "mlp", "--batch-size", "5000")
    assert (code, out) == (2, "") and "1257" in err
    assert runs.every() == []


@pytest.mark.parametrize(("status", "code"), [("done", 0), ("diverged", 1), ("crashed", 1)])
def test_the_exit_code_says_how_it_ended(cli, write_events, status, code):
    write_events(*EVENTS, end(status, **({} if status == "done" else {"reason": "It was too fast."})))
    got, out, _ = cli("train", "mlp")
    assert got == code
    assert status.capitalize() in out.splitlines()[-1]
    assert ("too fast" in out) == (status != "done")


def test_a_pipe_gets_plain_lines(cli, write_events):
    write_events(*EVENTS, end("done"))
    _, out, _ = cli("train", "mlp")
    first, epoch, last = out.splitlines()
    assert "mlp-0001" in first and "2,410" in first
    assert epoch == "epoch 1  step 40  train loss 0.0000  accuracy 1.0000  validation loss 0.5000  accuracy 0.8750"
    assert "test loss 0.2500  accuracy 0.9750; baseline (logistic regression): accuracy 0.9528" in last
    assert out.isascii()


def test_a_stopped_run_ends_with_its_validation_metrics(cli, write_events):
    write_events(START, *REPORTS, VALIDATION, end("stopped"))
    code, out, _ = cli("train", "mlp")
    last = out.splitlines()[-1]
    assert code == 1 and last.startswith("Stopped after 40 steps in 2.0 s (20 steps/s): validation loss 0.5000")
    assert "test" not in last and "baseline" not in last


def test_initial_weights_are_described(cli, write_events):
    names = [f"layers.{k}" for k in range(5)]
    weights = dict(source="mlp-0007", part="backbone", loaded=12, missing=["fc.bias"], left_over=names)
    write_events(START | {"initial_weights": weights}, *EVENTS[1:], end("done"))
    line = cli("train", "mlp")[1].splitlines()[1]
    assert line == (
        "Initial weights from the part backbone of mlp-0007: 12 tensors; fresh, since missing there: fc.bias; "
        "not taken over: layers.0, layers.1, layers.2 and 2 more."
    )
    assert "12 tensors" in cli("train", "mlp", terminal=True)[1]


def test_json_is_one_event_per_line_and_nothing_else(cli, write_events):
    write_events(*EVENTS, end("done"))
    _, out, err = cli("train", "mlp", "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line.get("schema") for line in lines] == [2, *[None] * 44]
    assert err == "" and [event["event"] for event in lines] == ["start", *["metric"] * 40, *["eval"] * 3, "end"]


def test_a_terminal_gets_the_curves_and_the_baseline(cli, write_events):
    write_events(*EVENTS, end("done"))
    _, out, _ = cli("train", "mlp", terminal=True)
    assert any("\u2800" < character <= "\u28ff" for character in out)
    for words in ("loss", "accuracy", "test 0.25", "0.9528", "Done after 40 steps"):
        assert words in out


@pytest.mark.full
def test_ctrl_c_writes_a_checkpoint_and_leaves_no_process(home):
    command = subprocess.Popen(
        [*COMMAND, "train", "mlp", "--epochs", "1000000", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in command.stdout:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "eval":
            command.send_signal(signal.SIGINT)
            break
    lines += map(json.loads, command.stdout)  # communicate would skip what the file has read ahead
    err = command.stderr.read()
    command.wait()
    assert command.returncode == 130
    assert (lines[-1]["event"], lines[-1]["status"]) == ("end", "stopped")
    [run] = runs.every()
    assert str(run.folder / "last.safetensors") in err
    assert not run.is_alive()


@pytest.mark.full
def test_a_run_can_be_detached_watched_and_stopped(cli, monkeypatch):
    detached = subprocess.run(
        [*COMMAND, "train", "mlp", "--epochs", "1000000", "--detach"], capture_output=True, text=True
    )
    run = detached.stdout.strip()
    assert (detached.returncode, run) == (0, "mlp-0001")
    assert json.loads(cli("runs", "list", "--json")[1])[0]["status"] == "running"
    code, out, _ = cli("runs", "stop", run, "--json")
    assert (code, json.loads(out)) == (0, {"schema": 2, "run": run, "status": "stopped"})
    code, out, _ = cli("runs", "watch", run, "--json")
    lines = [json.loads(line) for line in out.splitlines()]
    assert code == 1 and lines[0]["event"] == "start" and lines[-1]["status"] == "stopped"
    code, _, err = cli("runs", "stop", run)
    assert code == 2 and "it is stopped" in err


def test_damaged_runs_are_listed_too(cli):
    assert "workbench train" in cli("runs", "list")[1]
    runs.create(RunSpec.create("mlp", seed=3))
    (runs.create(RunSpec.create("mlp")).folder / "spec.json").write_text("{")
    rows = json.loads(cli("runs", "list", "--json")[1])
    assert sorted(row["status"] for row in rows) == ["damaged", "running"]
    code, out, _ = cli("runs", "list")
    assert code == 0 and "mlp-0001" in out and "damaged" in out


def test_models_are_listed_with_where_they_come_from(cli):
    rows = {row["name"]: row for row in json.loads(cli("models", "list", "--json")[1])}
    lenet = rows["lenet5-modern"]
    assert set(lenet) == {"name", "family", "year", "paper", "topic", "task", "presets", "contribution", "params"}
    assert (lenet["family"], lenet["year"], sorted(lenet["presets"])) == ("lenet5", 1998, ["mini", "paper"])
    assert "lenet5-modern" in cli("models", "list")[1]


@pytest.mark.parametrize("words", ["models list", "train", "runs list", "runs watch", "runs stop"])
def test_every_command_shows_an_example(cli, words):
    code, out, _ = cli(*words.split(), "--help")
    assert code == 0 and f"Example: workbench {words}" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--optimizer", "adma"], "Did you mean 'adam"),
        (["--lr", "inf"], "lr"),
        (["--batch-size", "many"], "or full"),
        (["--augment", "shift,rotte=3"], "Did you mean 'rotate"),
        (["--augment", "shift=far"], "shift=1"),
        (["--option", "tanh"], "name=value"),
        (["--seeds", "4..0"], "0..4"),
        (["--seeds", "1,1"], "twice"),
        (["--seeds", "0..1", "--detach"], "--seeds without"),
        (["--clip-norm", "-1"], "clip_norm"),
    ],
)
def test_bad_methods_are_one_line_on_stderr(cli, words, message):
    code, out, err = cli("train", "mlp", *words)
    assert (code, out, err.count("\n")) == (2, "", 1) and message in err
    assert runs.every() == []


def test_options_become_the_spec(cli, write_events):
    write_events(*EVENTS, end("done"))
    words = "--optimizer nesterov --momentum 0.8 --batch-size full --schedule step --decay 0.5 --batch-norm"
    cli("train", "mlp", *words.split(), "--option", "hidden_sizes=[8]")
    cli("train", "lenet5", "--augment", "shift,noise=0.2")
    run, augmented = runs.every()
    assert augmented.spec == RunSpec.create("lenet5", augment={"shift": 1.0, "noise": 0.2})
    assert run.spec == RunSpec.create(
        "mlp",
        optimizer="nesterov",
        momentum=0.8,
        batch_size="full",
        schedule="step",
        decay=0.5,
        batch_norm=True,
        options={"hidden_sizes": [8]},
    )


def test_the_help_has_every_field_under_its_heading(cli):
    _, out, _ = cli("train", "--help")
    words = {"options": "option", "origin": "from"}
    for name in OPTIONS:
        assert (f"--{words.get(name, name.replace('_', '-'))} " in out) == (name != "model")
    for heading in ("Updates:", "Learning rate:", "Regularization:"):
        assert heading in out


def test_each_seed_is_a_run_and_their_spread_is_printed(cli, write_events):
    write_events(*EVENTS, end("done"))
    code, out, _ = cli("train", "mlp", "--seeds", "0..2", "--json")
    *lines, last = map(json.loads, out.splitlines())
    assert code == 0 and sorted(event["seed"] for event in lines if event["event"] == "end") == [0, 1, 2]
    assert [line.get("schema") for line in (*lines, last)] == [2, *[None] * len(lines)]
    ids = {run.id: run for run in runs.every()}
    for id, run in ids.items():
        stream = [line for line in lines if line["run"] == id]
        assert {line["seed"] for line in stream} == {run.spec.seed}
        assert [line["event"] for line in stream] == [event["event"] for event in (*EVENTS, end("done"))]
    assert last["metrics"]["accuracy"] == {"mean": 0.975, "sd": 0.0, "values": [0.975] * 3}
    assert last["seeds"] == [0, 1, 2] and [ids[id].spec.seed for id in last["runs"]] == [0, 1, 2]


def test_seeds_in_a_pipe_are_lines_with_the_run(cli, write_events):
    write_events(*EVENTS, end("done"))
    _, out, _ = cli("train", "mlp", "--seeds", "0..2")
    *lines, last = out.splitlines()
    assert "3 of 3 seeds done: test loss 0.2500 ± 0.0000" in last and len(lines) == 9
    for run in runs.every():
        first, epoch, done = (line for line in lines if line.startswith(f"{run.id}: "))
        assert f"seed {run.spec.seed}" in first
        assert epoch.endswith("train loss 0.0000  accuracy 1.0000  validation loss 0.5000  accuracy 0.8750")
        assert "Done after 40 steps" in done and "baseline" in done


def test_seeds_on_a_terminal_end_with_their_curves(cli, write_events):
    write_events(*EVENTS, end("done"))
    code, out, _ = cli("train", "mlp", "--seeds", "0,1", terminal=True)
    assert code == 0 and any("\u2800" < character <= "\u28ff" for character in out)
    for words in ("mlp-0001", "mlp-0002", "Done after 40 steps", "2 of 2 seeds done"):
        assert words in out


def test_seeds_that_failed_are_not_counted_as_done(cli, write_events):
    write_events(*EVENTS, end("diverged", reason="It was too fast."))
    code, out, _ = cli("train", "mlp", "--seeds", "3,5")
    assert code == 1 and "0 of 2 seeds done" in out


def test_seeds_that_cannot_be_trained_are_one_error(cli, write_events):
    write_events(end("crashed", reason="A batch of 5000 is larger than the 1257 training samples.", refused=True))
    code, out, err = cli("train", "mlp", "--batch-size", "5000", "--seeds", "0..3", "--json")
    assert code == 2 and "1257" in err and set(json.loads(out)) == {"schema", "error"}
    assert runs.every() == []


@pytest.mark.full
def test_ctrl_c_stops_all_seeds_with_checkpoints_and_leaves_no_process():
    command = subprocess.Popen(
        [*COMMAND, "train", "mlp", "--epochs", "1000000", "--seeds", "0..5", "--json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = []
    for line in command.stdout:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "eval":
            command.send_signal(signal.SIGINT)
            break
    lines += map(json.loads, command.stdout)
    assert command.wait() == 130
    assert lines[-1]["event"] == "seeds" and lines[-1]["done"] == 0
    assert 1 <= len(runs.every()) <= processors()
    for run in runs.every():
        assert run.status() == "stopped" and not run.is_alive() and (run.folder / "last.safetensors").exists()
