"""`workbench sweep`: its output, its exit codes, and that it can be stopped and continued."""

import json
import re
import signal
import subprocess
import sys

import pytest

from tests import scripted_worker
from workbench.engine import runs

SPEED = dict(step=1, steps=1, seconds=1.0, steps_per_second=1.0)


@pytest.fixture
def scripted(monkeypatch):
    """Replace training by runs whose validation accuracy is their learning rate; those above 1 diverge."""

    def script(spec):
        status = "done" if spec.optimizer.lr <= 1 else "diverged"
        metrics = {"accuracy": 0.25} if status == "done" else {}
        validation = {"loss": 1.0, "accuracy": spec.optimizer.lr}
        return [dict(event="end", status=status, validation=validation, metrics=metrics, reason="It ended.", **SPEED)]

    return scripted_worker.install(monkeypatch, script)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Give the values of an option"),
        (["--grid", "lrr=1,2"], "Did you mean 'lr'"),
        (["--grid", "lr="], "has no values"),
        (["--grid", "lr=0.1,0.2", "--lr", "0.3"], "set and also varied"),
        (["--grid", "lr=0.1,0.2", "--halving", "3"], "3 or more"),
        (["--grid", "lr=0.1,0.2", "--seeds", "0..1", "--seed", "3"], "without --seed"),
        (["--grid", "lr=0.1,0.2", "--seeds", "4..0"], "0..4"),
        (["--range", "lr=0.1..0.2"], "--random N"),
        (["--random", "0", "--range", "lr=0.1..0.2"], "--random must be"),
        (["--random", "3", "--range", "lr=0.2..0.1"], "is empty"),
        (["--grid", "lr=0.1,0.2", "--optimizer", "adma"], "Did you mean 'adam"),
        (["--grid", "dropout=0.1,2"], "dropout"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_leaves_no_run(cli, words, message):
    code, out, err = cli("sweep", "mlp", *words, "--json")
    assert (code, err.count("\n")) == (2, 1) and message in err
    assert json.loads(out)["error"]["message"] in err
    assert runs.every() == []


def test_an_unknown_network_is_one_line_on_stderr(cli):
    code, _, err = cli("sweep", "mpl", "--grid", "lr=1,2")
    assert code == 2 and "mlp" in err


def test_json_streams_the_events_and_ends_with_the_result(cli, scripted):
    code, out, err = cli("sweep", "mlp", "--grid", "lr=0.1,0.5,2", "--epochs", "3", "--seeds", "0..1", "--json")
    *lines, last = map(json.loads, out.splitlines())
    assert (code, err) == (0, "") and [line.get("schema") for line in (*lines, last)] == [2, *[None] * 6]
    assert sorted((line["event"], line["seed"]) for line in lines) == [("end", 0)] * 3 + [("end", 1)] * 3
    assert last["event"] == "sweep" and last["best"]["options"] == {"lr": 0.5}
    assert [row["options"]["lr"] for row in last["configurations"]] == [0.5, 0.1, 2.0]
    ids = {run.id: run.spec for run in runs.every()}
    for row in last["configurations"]:
        assert [(ids[id].optimizer.lr, ids[id].seed, ids[id].length.epochs) for id in row["runs"]] == [
            (row["options"]["lr"], seed, 3) for seed in (0, 1)
        ]


def test_a_table_is_printed_with_the_command_that_trains_the_best(cli, scripted):
    code, out, _ = cli("sweep", "mlp", "--grid", "lr=0.1,0.5", "--epochs", "3")
    assert code == 0 and re.search(r"mlp-000[12] lr=0.1: Done after 1 steps", out)
    *_, heading, best, other, verdict, test, command = out.splitlines()
    assert heading.split() == ["lr", "epochs", "validation", "accuracy", "done"]
    assert best.split() == ["0.5", "3", "0.5000", "1", "of", "1"] and other.split()[0] == "0.1"
    assert verdict == "Best on the validation set: lr=0.5, accuracy 0.5000" and test.endswith("accuracy 0.2500")
    assert command == "Next: workbench train mlp --epochs 3 --lr 0.5"


def test_what_was_trained_before_is_reused_unless_again_is_given(cli, scripted):
    words = ("sweep", "mlp", "--random", "3", "--range", "lr=0.001..0.1:log", "--grid", "optimizer=sgd,adam")
    assert cli(*words)[0] == 0 and len(scripted) == 3
    assert cli(*words)[1].count("Trained before.") == 3 and len(scripted) == 3
    assert cli(*words, "--again")[0] == 0 and len(scripted) == 6
    cli(*words[:3], "4", *words[4:])
    assert len(scripted) == 7
    cli(*words, "--random-seed", "1")
    assert len(scripted) == 10


def test_it_fails_if_all_configurations_fail(cli, scripted):
    code, out, _ = cli("sweep", "mlp", "--grid", "lr=2,3")
    assert code == 1 and "All configurations failed." in out


def test_a_terminal_gets_the_table_too(cli, scripted):
    code, out, _ = cli("sweep", "mlp", "--grid", "lr=0.1,0.5", terminal=True)
    assert code == 0 and "Best on the validation set: lr=0.5" in out
    assert re.search(r"mlp-000[12] lr=0.5", out)  # two workers begin at the same time


@pytest.mark.full
def test_a_stopped_sweep_continues_with_the_same_command():
    words = ["sweep", "mlp", "--grid", "lr=0.001,0.01", "--steps", "2000", "--device", "cpu", "--json"]
    command = [sys.executable, "-m", "workbench.cli.main", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    lines = []
    for line in process.stdout:
        lines.append(json.loads(line))
        if lines[-1]["event"] == "checkpoint":
            process.send_signal(signal.SIGINT)
            break
    lines += map(json.loads, process.stdout)
    assert process.wait() == 130 and lines[-1]["event"] == "sweep"
    stopped = {run.id: run.status() for run in runs.every()}
    assert "stopped" in stopped.values()
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0 and lines[-1]["best"]["statuses"] == ["done"]
    assert len(runs.every()) == 2 and {run.status() for run in runs.every()} == {"done"}
    assert any(line.get("resumed") for line in lines if line["event"] == "start")
