"""Baselines are stored by task, data and seed: what was computed once is not computed again."""

import json

import pytest

from workbench import tasks
from workbench.engine import RunSpec
from workbench.engine.training.trainer import SeedRun
from workbench.paths import cache_dir
from workbench.tasks.base import Baseline
from workbench.tasks.baselines import baseline
from workbench.tasks.classification import Classification


@pytest.fixture
def computed(monkeypatch):
    """The seeds that baselines were computed for."""
    seeds = []
    compute = Classification.compute_baseline

    def counted(self, seed):
        seeds.append(seed)
        return compute(self, seed)

    monkeypatch.setattr(Classification, "compute_baseline", counted)
    return seeds


def test_a_baseline_is_computed_once_for_each_seed_and_dataset(computed):
    iris, wine = tasks.get("iris"), tasks.get("wine")
    first = baseline(iris, 0)
    assert first == baseline(iris, 0) == iris.compute_baseline(0) and computed == [0, 0]
    assert baseline(iris, 1) == baseline(iris, 1) and computed == [0, 0, 1]
    assert baseline(wine, 1) == baseline(wine, 1) != first and computed == [0, 0, 1, 1]


def test_options_of_the_loss_do_not_change_it_but_another_declaration_may(computed):
    iris = tasks.get("iris")
    baseline(iris, 0)
    baseline(iris.configure(label_smoothing=0.1, class_weights=True), 0)
    assert computed == [0]
    baseline(Classification(data="iris", title="the same", metrics={"f1": "max"}), 0)
    assert computed == [0, 0]


def test_a_table_that_changed_has_another_baseline(computed, tmp_path):
    file = tmp_path / "own.csv"
    for rows in (60, 80):
        file.write_text("a,b,c\n" + "".join(f"{k},{k % 7},{'x' if k % 3 else 'y'}\n" for k in range(rows)))
        task = tasks.get(f"csv:{file}")
        assert baseline(task, 0) == baseline(task, 0)
    assert computed == [0, 0]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"method": "m"}', '{"method": "m", "metric": "x", "value": NaN}'])
def test_a_damaged_file_is_written_again(computed, content):
    task = tasks.get("iris")
    first = baseline(task, 0)
    [file] = (cache_dir() / "baselines").iterdir()
    file.write_text(content)
    assert baseline(task, 0) == first and computed == [0, 0]
    assert Baseline(**json.loads(file.read_text())) == first


def test_without_a_cache_it_is_computed_each_time(computed):
    cache_dir().parent.mkdir()
    cache_dir().write_text("not a folder")
    task = tasks.get("iris")
    assert baseline(task, 0) == baseline(task, 0) and computed == [0, 0]


def test_runs_of_a_seed_share_it(computed):
    spec = RunSpec.create("mlp", task="iris", steps=1, device="cpu")
    starts = [SeedRun(spec).start() for _ in range(2)]
    assert starts[0]["baseline"] == starts[1]["baseline"] and computed == [0]
