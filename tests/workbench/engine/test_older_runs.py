"""Runs that were saved before fields, files and tensors had their present names."""

import json

import pytest
import torch

from tests.trained_runs import train_run
from workbench.engine import RunSpec, checkpoints, compare, runs
from workbench.engine.overview import overview
from workbench.engine.training.trainer import SeedRun, Trainer

SINCE_THEN = ("part", "monitor", "evaluate_every", "accumulate", "plateau_patience", "decay_on", "label_smoothing")
SINCE_THEN += ("class_weights", "ema")
OLD_METRICS = {"loss": 0.5, "accuracy": 0.75}


@pytest.fixture
def old_run():
    """A run that was stopped at its 50th step, in the files that it had before."""
    run = train_run(steps=95, stopped_at=50, dropout=0.3, seed=3)
    folder = run.folder
    rows = []
    for event in run.reader().read(10**6):
        event.pop("validation", None), event.pop("monitor", None)
        if event["event"] == "start":
            event["floor"] = event.pop("baseline")
        if event["event"] == "end":
            event["metrics"] = OLD_METRICS
        rows.append(event)
        if event["event"] == "eval":  # the test set was evaluated as often as the validation set
            rows.append(event | {"split": "test", "metrics": OLD_METRICS})
    (folder / "events.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    visualizations = json.loads((folder / "visualizations.json").read_text())
    pictures = [{"picture": row.pop("kind"), **row} for row in visualizations]
    (folder / "visualizations.json").unlink()
    (folder / "pictures.json").write_text(json.dumps(pictures))

    record = json.loads((folder / "spec.json").read_text())
    (folder / "spec.json").write_text(json.dumps({key: record[key] for key in record if key not in SINCE_THEN}))

    weights, tensors, metadata = checkpoints.load_all(folder / "last.safetensors")
    old_tensors = {name.replace("rng.", "chance."): value for name, value in tensors.items() if name != "generator"}
    assert {"chance.cpu", "order", "optimizer.0.exp_avg"} < old_tensors.keys()
    training = {key: metadata["training"][key] for key in ("seconds", "window", "best", "total")}
    checkpoints.write(folder / "last.safetensors", weights, metadata | {"training": training}, old_tensors)
    return run


def test_it_is_shown_with_its_baseline_and_visualizations(old_run, cli):
    details = overview(old_run)
    assert details["baseline"]["method"] == "logistic regression" and details["baseline"]["value"] > 0.9
    assert (details["status"], details["step"], details["metrics"]["test"]) == ("stopped", 50, OLD_METRICS)
    assert [row["kind"] for row in details["visualizations"]] == ["sample"] * 12 + ["confusion"]
    code, out, _ = cli("runs", "show", old_run.id)
    assert code == 0 and "baseline" in out and "test loss 0.5000" in out and "@" in out
    assert json.loads(cli("runs", "show", old_run.id, "--json")[1])["visualizations"][0]["pixels"]
    state = old_run.state()
    assert state.start["baseline"]["metric"] == "accuracy"
    assert {"train", "validation", "test"} <= set(state.splits("loss"))


def test_its_last_metrics_are_those_of_the_test_set(old_run):
    summary = old_run.summary()
    assert (summary["split"], summary["metrics"]) == ("test", OLD_METRICS)
    assert compare.latest_metrics(old_run) == ("test", OLD_METRICS)


def test_its_spec_is_filled_in_as_it_was_meant(old_run):
    assert old_run.spec == RunSpec.create("mlp", steps=95, dropout=0.3, seed=3, device="cpu")


def test_it_is_resumed_to_the_same_weights(old_run):
    resumed = SeedRun(old_run.spec, folder=old_run.folder, resume=True)
    *_, end = Trainer([resumed]).run()
    whole = SeedRun(old_run.spec)
    *_, expected = Trainer([whole]).run()
    assert (end["status"], end["metrics"]) == ("done", expected["metrics"])
    for name, weight in whole.state.network.state_dict().items():
        assert torch.equal(weight, resumed.state.network.state_dict()[name])


def test_its_weights_are_those_of_another_run(old_run):
    run = train_run(steps=3, origin=old_run.id, dropout=0.3)
    assert overview(run)["initial_weights"]["loaded"] == 4
    assert {each.id for each in runs.every()} == {run.id, old_run.id}
