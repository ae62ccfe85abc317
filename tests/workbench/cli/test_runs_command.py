"""`workbench runs`: show, compare, export, resume and inspect."""

import csv
import json
import re

import pytest

from tests.trained_runs import train_run
from workbench.engine import RunSpec, run_job, runs
from workbench.engine.training.trainer import SeedRun, Trainer
from workbench.render.metrics import format_metric


def test_show_has_the_spec_metrics_curves_and_predictions(cli):
    run = train_run(steps=60, schedule="cosine")
    code, out, _ = cli("runs", "show", run.id, "--json")
    details = json.loads(out)
    last = run.last_event()
    assert (code, details["status"], details["step"], details["steps"]) == (0, "done", 60, 60)
    assert details["spec"]["schedule"] == "cosine" and details["metrics"]["test"] == last["metrics"]
    assert details["checkpoints"]["last"]["step"] == 60 and details["checkpoints"]["best"]["step"] in (39, 60)
    assert details["visualizations"][0]["pixels"]
    _, out, _ = cli("runs", "show", run.id)
    assert "schedule=cosine" in out and max(out) > "⠀" and "validation" in out and "lr" in out
    assert max(map(len, out.splitlines())) <= 80 and "@" in out


def test_runs_are_compared_in_a_table_and_a_chart_per_metric(cli):
    first, second = train_run(steps=60, seed=1), train_run(steps=60, lr=0.01, seed=1)
    details = json.loads(cli("runs", "compare", first.id, second.id, "--json")[1])
    assert details["differing"] == {"lr": [0.003, 0.01]}
    assert [row["metrics"] for row in details["runs"]] == [run.last_event()["metrics"] for run in (first, second)]
    _, out, _ = cli("runs", "compare", first.id, second.id)
    assert out.count(f"{first.id} ") >= 3 and "validation loss" in out and "0.01" in out
    assert re.search(rf"{first.id} +done +60 +0.003 +test ", out) and "validation accuracy" in out
    code, _, err = cli("runs", "compare", first.id, first.id)
    assert code == 2 and "two or more different runs" in err


def test_a_run_that_is_not_done_is_compared_by_its_validation_metrics(cli):
    done, stopped = train_run(steps=60), train_run(steps=60, stopped_at=45)
    rows = json.loads(cli("runs", "compare", done.id, stopped.id, "--json")[1])["runs"]
    assert [row["split"] for row in rows] == ["test", "validation"]
    assert rows[1]["metrics"] == stopped.last_event()["validation"] and stopped.last_event()["metrics"] == {}
    listed = {row["run"]: row for row in json.loads(cli("runs", "list", "--json")[1])}
    assert (listed[stopped.id]["split"], listed[stopped.id]["metrics"]) == ("validation", rows[1]["metrics"])
    assert (listed[done.id]["split"], listed[done.id]["metrics"]) == ("test", done.last_event()["metrics"])


def test_the_list_shows_the_metric_or_the_reason_of_a_damage(cli):
    run, damaged = train_run(steps=60), runs.create(RunSpec.create("mlp"))
    (damaged.folder / "spec.json").write_text("{")
    crashed = train_run(steps=2)
    path = crashed.folder / "events.jsonl"
    path.write_text(path.read_text().replace('"status": "done"', '"status": "crashed", "reason": "It broke."'))
    out = " ".join(cli("runs", "list")[1].split())
    assert f"test accuracy {format_metric('accuracy', run.last_event()['metrics']['accuracy'])}" in out
    assert "is damaged" in out and "It broke." in out


def test_a_run_is_exported(cli, tmp_path):
    run = train_run(steps=60)
    code, out, _ = cli("runs", "export", run.id, "--csv", tmp_path / "run.csv", "--json")
    result = json.loads(out)
    with (tmp_path / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert code == 0 and result["values"] == len(rows)
    values = {
        (event["step"], event["split"], name): value
        for event in run.reader().read(10**6)
        if event["event"] == "metric"
        for name, value in event["metrics"].items()
    }
    assert values == {
        (int(row["step"]), row["split"], row["metric"]): float(row["value"]) for row in rows if row["split"] == "train"
    }
    assert cli("runs", "export", run.id, "--tensorboard", tmp_path / "board")[0] == 0
    assert list((tmp_path / "board").glob("*/train/events.out.tfevents.*"))
    for words in ([], ["--csv", tmp_path / "a", "--tensorboard", tmp_path / "b"]):
        code, _, err = cli("runs", "export", run.id, *words)
        assert code == 2 and "Give one of --csv FILE, --tensorboard DIR" in err
    code, _, err = cli("runs", "export", run.id, "--csv", tmp_path / "missing" / "run.csv")
    assert code == 2 and err.count("\n") == 1 and "can't be written" in err


def test_a_stopped_run_is_resumed_in_its_folder(cli):
    run = train_run(steps=60, stopped_at=20)
    code, out, _ = cli("runs", "resume", run.id, "--steps", "10", "--json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and (events[0]["step"], events[0]["resumed"], events[-1]["steps"]) == (20, True, 70)
    assert run.spec.length.steps == 70 and run.status() == "done"
    code, out, err = cli("runs", "resume", run.id)
    assert (code, out, err.count("\n")) == (2, "", 1) and "is done" in err
    for words in (["--steps", "0"], ["--epochs", "2"]):
        code, _, err = cli("runs", "resume", run.id, *words)
        assert code == 2 and err.count("\n") == 1


def test_show_tells_where_weights_come_from_and_who_continues_with_them(cli):
    donor = train_run(steps=2)
    run = train_run(steps=2, origin=donor.id, part="backbone")
    assert (
        f"Initial weights from the part backbone of {donor.id}: 2 tensors; not taken over: layers.1.bias"
        in " ".join(cli("runs", "show", run.id)[1].split())
    )
    assert f"Its weights are the initial weights of {run.id}." in cli("runs", "show", donor.id)[1]
    details = json.loads(cli("runs", "show", donor.id, "--json")[1])
    assert (details["continued_by"], details["initial_weights"], details["monitor"]) == ([run.id], None, "accuracy")


@pytest.mark.parametrize("command", ["show", "watch", "resume", "export --csv a.csv", "stop", "compare mlp-9"])
def test_an_unknown_or_damaged_run_is_one_line(cli, command):
    noun, *words = command.split()
    code, out, err = cli("runs", noun, "mlp-0007", *words)
    assert (code, out, err.count("\n")) == (2, "", 1) and "mlp-0007" in err
    run = runs.create(RunSpec.create("mlp"))
    (run.folder / "spec.json").write_text("{")
    if noun in ("show", "resume"):
        code, out, err = cli("runs", noun, run.id, *words)
        assert (code, out, err.count("\n")) == (2, "", 1) and "damaged" in err


def test_a_full_disk_ends_the_run_with_a_message_and_keeps_the_last_checkpoint(monkeypatch):
    """The second checkpoint can't be written, as on a full disk."""
    run = runs.create(RunSpec.create("mlp", steps=30, device="cpu"))
    fsync, calls = run_job.files.os.fsync, []

    def full(file):
        calls.append(file)
        if len(calls) > 4:  # the events, the first checkpoint and its folder, and the events again
            raise OSError(28, "No space left on device")
        fsync(file)

    monkeypatch.setattr(run_job.files.os, "fsync", full)
    assert run_job.make_run(run.folder) == 1
    monkeypatch.undo()
    end = run.last_event()
    assert end["status"] == "crashed" and "disk is full" in end["reason"] and "resume" in end["reason"]
    assert not list(run.folder.glob(".*.partial"))
    (run.folder / "worker.json").unlink(missing_ok=True)
    seed_run = SeedRun(run.spec, run.folder, resume=True)
    assert seed_run.step == 1
    assert [event["status"] for event in Trainer([seed_run]).run() if event["event"] == "end"] == ["done"]


@pytest.mark.parametrize("noun", ["list", "show", "watch", "stop", "resume", "compare", "export"])
def test_every_command_shows_an_example(cli, noun):
    code, out, _ = cli("runs", noun, "--help")
    assert code == 0 and f"Example: workbench runs {noun}" in " ".join(out.split())


def test_a_network_is_inspected_as_text_and_as_json(cli):
    run = train_run(steps=60)
    code, out, _ = cli("runs", "inspect", run.id, "filters", "--json")
    details = json.loads(out)
    assert (code, details["kind"], details["run"], details["shape"]) == (0, "filters", run.id, [32, 1, 8, 8])
    code, out, _ = cli("runs", "inspect", run.id, "errors")
    assert code == 0 and "test samples" in out
    assert max(map(len, out.splitlines())) <= 80 and "\x1b" not in out
    for words, message in [
        ([run.id, "maps"], "no convolution"),
        ([run.id, "filter"], "Did you mean"),
        (["mlp-0009", "maps"], "mlp-0001"),
        ([run.id, "errors", "--sample", "3"], "not of one sample"),
    ]:
        code, out, err = cli("runs", "inspect", *words, "--json")
        assert (code, err.count("\n")) == (2, 1) and message in err and json.loads(out)["error"]


def test_inspecting_a_run_without_images_is_an_error_before_torch_starts(cli, monkeypatch):
    run = train_run(steps=2, task="iris")
    monkeypatch.setattr("subprocess.Popen", None)
    code, _, err = cli("runs", "inspect", run.id, "filters")
    assert code == 2 and "iris, which has no images" in err


def test_a_training_step_is_profiled_as_text_and_as_json(cli):
    run = runs.create(RunSpec.create("mlp", device="cpu"))
    code, out, _ = cli("runs", "profile", run.id, "--json")
    details = json.loads(out)
    assert (code, details["schema"], details["run"], details["batch_size"]) == (0, 2, run.id, 32)
    assert [row["layer"] for row in details["layers"]][:1] == ["layers.0"]
    code, out, _ = cli("runs", "profile", run.id)
    assert code == 0 and "layers.0" in out and "(optimizer)" in out and "aten::addmm" in out
    assert max(map(len, out.splitlines())) <= 80 and "\x1b" not in out
    code, out, err = cli("runs", "profile", "mlp-0009")
    assert (code, out, err.count("\n")) == (2, "", 1)
