"""What leaves a run: CSV against its events, TensorBoard's files by TensorBoard's own reader; and runs side by side."""

import csv
import json
import subprocess
import sys
from statistics import mean, stdev

import pytest

from tests.trained_runs import train_run
from workbench.engine import RunSpec, events, export, runs
from workbench.engine.compare import compared, spread
from workbench.errors import UserError

CUT = 20  # the step of the checkpoint that the made-up run was taken up from


def told(first, last, **more):
    for step in range(first, last + 1, 10):
        at = dict(step=step, epoch=step / 10, seconds=step / 100)
        yield dict(event="metric", split="train", metrics={"loss": 1 / step, "lr": 0.1}, **at, **more)
        yield dict(event="eval", split="train", metrics={"loss": 2 / step}, **at)
        yield dict(event="eval", split="validation", metrics={"loss": 3 / step, "accuracy": None}, **at)


@pytest.fixture
def run():
    """A run of 50 steps that was killed at 30, and taken up from its checkpoint at 20."""
    run = runs.create(RunSpec.create("mlp"))
    writer = events.Writer(run.folder / "events.jsonl", run=run.id, seed=0)
    start = dict(event="start", epoch=0, steps=50, metrics={}, model="mlp", task="digits", preset="mini", params=9)
    start |= dict(device="cpu")
    again = start | dict(step=CUT, seconds=0.2, time=2000.0, resumed=True)
    for event in (start | dict(step=0, seconds=0.0, time=1000.0), *told(10, 30), again, *told(30, 50)):
        writer.write(event)
    writer.close()
    return run


def test_the_table_is_the_events_each_step_once(run, tmp_path):
    count = export.to_csv(run, tmp_path / "run.csv")
    with (tmp_path / "run.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count == 5 * 5
    losses = {(int(row["step"]), row["split"]): float(row["value"]) for row in rows if row["metric"] == "loss"}
    assert losses == {
        (step, split): share / step
        for step in range(10, 51, 10)
        for split, share in (("train", 1), ("train_eval", 2), ("validation", 3))
    }
    assert {row["value"] for row in rows if row["metric"] == "accuracy"} == {""}


def test_tensorboard_reads_what_was_written(run, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for _ in range(2):  # a second export takes the first one's place
        export.to_tensorboard(run, tmp_path)
    read = EventAccumulator(str(tmp_path / run.id / "train"))
    read.Reload()
    assert set(read.Tags()["scalars"]) == {"loss", "lr"}
    said = read.Scalars("loss")
    assert [one.step for one in said] == [10, 20, 30, 40, 50]
    assert [one.value for one in said] == pytest.approx([1 / step for step in range(10, 51, 10)])
    assert [one.wall_time for one in said] == pytest.approx([1000.1, 1000.2, 2000.1, 2000.2, 2000.3])
    other = EventAccumulator(str(tmp_path / run.id / "validation"))
    other.Reload()
    assert other.Tags()["scalars"] == ["loss"]  # what is no number has no point


def test_without_tensorboard_a_sentence_says_how_to_get_it(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboard.summary.writer.event_file_writer", None)
    with pytest.raises(UserError, match=r"workbench\[tensorboard\]"):
        export.to_tensorboard(run, tmp_path)


def test_a_place_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"missing/run\.csv can't be written"):
        export.to_csv(run, tmp_path / "missing" / "run.csv")
    with pytest.raises(UserError, match="file can't be written"):
        export.to_tensorboard(run, tmp_path / "file")


def test_a_run_that_told_nothing_has_nothing_to_export(tmp_path):
    with pytest.raises(UserError, match="reported no metrics"):
        export.to_csv(runs.create(RunSpec.create("mlp")), tmp_path / "run.csv")
    assert not (tmp_path / "run.csv").exists()


def test_exporting_needs_no_torch(run, tmp_path):
    code = (
        "import sys; from pathlib import Path; from workbench.engine import export, runs\n"
        f"export.to_csv(runs.get({run.id!r}), Path({str(tmp_path / 'a.csv')!r}))\n"
        f"export.to_tensorboard(runs.get({run.id!r}), Path({str(tmp_path)!r}))\n"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_spread_is_mean_and_sample_deviation_of_those_that_are_done():
    ends = [
        dict(run=f"mlp-{seed}", seed=seed, status="done", metrics={"accuracy": value})
        for seed, value in enumerate([0.9, 0.95, 0.85])
    ] + [dict(run="mlp-3", seed=3, status="diverged", metrics={"accuracy": 0.1})]
    found = spread(ends)
    assert (found["done"], found["seeds"]) == (3, [0, 1, 2, 3])
    accuracy = found["metrics"]["accuracy"]
    assert (accuracy["mean"], accuracy["sd"]) == (mean([0.9, 0.95, 0.85]), stdev([0.9, 0.95, 0.85]))
    assert spread(ends[:1])["metrics"]["accuracy"]["sd"] is None and spread([])["metrics"] == {}


def test_runs_are_compared_by_where_they_differ(run):
    other = runs.create(RunSpec.create("mlp", lr=0.5, options={"activation": "tanh"}))
    found = compared([run, other])
    assert found["differing"] == {"options": [{}, {"activation": "tanh"}], "lr": [0.003, 0.5]}
    assert [row["metrics"] for row in found["runs"]] == [{"loss": 3 / 50, "accuracy": None}, {}]
    assert {row["split"] for row in found["runs"]} == {"validation"}  # neither is done
    json.dumps(found)


def test_runs_that_differ_in_their_seed_alone_have_a_mean_and_a_deviation(cli):
    ids = [
        train_run("mlp", steps=2, seed=seed, lr=lr).id for lr, seed in ((0.003, 0), (0.003, 1), (0.003, 2), (0.5, 0))
    ]
    result = json.loads(cli("runs", "compare", *ids, "--json").out)
    values = [row["metrics"]["accuracy"] for row in result["runs"][:3]]
    [group] = result["over_seeds"]
    assert (group["options"], group["runs"], group["seeds"]) == ({"lr": 0.003}, ids[:3], [0, 1, 2])
    accuracy = group["metrics"]["accuracy"]
    assert (accuracy["mean"], accuracy["sd"]) == (pytest.approx(mean(values)), pytest.approx(stdev(values)))
    out = cli("runs", "compare", *ids).out
    assert f"accuracy {mean(values):.4f} ± {stdev(values):.4f}" in out and "3 seeds (0, 1, 2), lr=0.003:" in out
