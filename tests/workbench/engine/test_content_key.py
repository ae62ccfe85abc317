"""Content keys: what they depend on, and that runs with the same key have the same numbers."""

import os
import subprocess
import sys

import pytest
import torch

from tests.trained_runs import train_run
from workbench.engine import RunSpec, checkpoints, content_key, runs
from workbench.engine.content_key import Keys, can_extend
from workbench.engine.training.trainer import SeedRun, Trainer
from workbench.errors import UserError

SPEC = RunSpec.create("mlp", steps=20, seed=3)
KEY = content_key.content_key


def test_the_key_is_the_same_in_every_process():
    code = """if True:
        from workbench.engine import RunSpec
        from workbench.engine.content_key import content_key
        print(content_key(RunSpec.create("mlp", steps=20, seed=3), "cpu"))
    """
    for seed in ("1", "2"):  # of Python's hashes of texts
        run = subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True
        )
        assert run.stdout.strip() == KEY(SPEC, "cpu")


def test_the_key_is_the_same_however_the_device_is_named():
    assert KEY(SPEC.with_options(device="cuda:1"), "cuda") == KEY(SPEC.with_options(device="auto"), "cuda")


@pytest.mark.parametrize(
    "options",
    [{"seed": 4}, {"steps": 21}, {"lr": 0.01}, {"bf16": True}, {"options": {"hidden_sizes": [8]}}, {"task": "iris"}],
    ids=str,
)
def test_the_key_changes_with_every_option(options):
    assert KEY(SPEC.with_options(**options), "cpu") != KEY(SPEC, "cpu")


def test_the_key_changes_with_the_device_and_with_torch(monkeypatch):
    keys = {KEY(SPEC, "cpu"), KEY(SPEC, "cuda"), KEY(SPEC, "mps")}
    monkeypatch.setattr(content_key, "version", lambda package: "0.0.1")
    assert len(keys | {KEY(SPEC, "cpu")}) == 4


def test_a_change_of_the_numbers_of_runs_must_raise_the_version_of_the_results(monkeypatch):
    before = KEY(SPEC, "cpu")
    monkeypatch.setattr(content_key, "RESULTS_VERSION", content_key.RESULTS_VERSION + 1)
    assert KEY(SPEC, "cpu") != before


def test_the_key_changes_with_the_data(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text("x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(20)))
    spec = RunSpec.create("mlp", task=f"csv:{table}", steps=5)
    before = KEY(spec, "cpu")
    table.write_text("x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(20, 40)))
    os.utime(table, (1, 1))
    assert KEY(spec, "cpu") != before


def test_the_key_changes_with_the_initial_weights():
    donor = train_run(steps=5)
    by_id, by_path = (
        RunSpec.create("mlp", steps=5, origin=str(source)) for source in (donor.id, donor.folder / "best.safetensors")
    )
    before = KEY(by_id, "cpu"), KEY(by_path, "cpu")
    path = donor.folder / "best.safetensors"
    weights, metadata = checkpoints.load(path)
    checkpoints.write(path, {name: weight + 1 for name, weight in weights.items()}, metadata)
    assert KEY(by_id, "cpu") != before[0] and KEY(by_path, "cpu") != before[1]
    path.unlink()
    with pytest.raises(UserError, match="can't be read"):
        KEY(by_path, "cpu")


def weights_after(run):
    """Train a run to its end and return its weights."""
    for _ in Trainer([run]).run():
        pass
    return run.state.network.state_dict()


@pytest.mark.parametrize(
    ("options", "is_extensible"),
    [
        ({}, True),
        ({"warmup": 60}, True),
        ({"schedule": "step", "decay_every": 30}, True),
        ({"schedule": "step"}, False),
        ({"schedule": "exponential"}, False),
        ({"schedule": "exponential", "decay_every": 20}, True),
        ({"schedule": "warmup"}, False),
        ({"schedule": "warmup", "warmup": 5}, True),
        ({"schedule": "cosine"}, False),
        ({"schedule": "linear"}, False),
        ({"schedule": "one-cycle"}, False),
        ({"schedule": "plateau", "plateau_patience": 1, "evaluate_every": "3 epochs", "lr": 0.2}, False),
        ({"dropout": 0.3, "ema": 0.9, "batch_norm": True}, True),
    ],
    ids=str,
)
def test_a_run_that_can_be_extended_ends_like_one_that_was_longer_from_the_start(options, is_extensible, tmp_path):
    spec = RunSpec.create("mlp", epochs=2, device="cpu", **options)
    longer = spec.with_options(epochs=3)
    assert can_extend(spec) == is_extensible
    weights_after(SeedRun(spec, tmp_path))
    weights = weights_after(SeedRun(longer, tmp_path, resume=True))
    expected = weights_after(SeedRun(longer))
    is_equal = all(torch.equal(weights[name], expected[name]) for name in expected)
    assert is_equal or not is_extensible
    if "cosine" in options.values():
        assert not is_equal


@pytest.fixture
def run():
    run = runs.create(SPEC)
    content_key.record(run, SPEC, "cpu")
    return run


def test_a_run_keeps_its_key_when_it_continues_and_gets_another_when_it_is_extended(run):
    assert content_key.read(run) == KEY(SPEC, "cpu")
    content_key.record(run, SPEC, "cpu", SPEC)
    assert content_key.read(run) == KEY(SPEC, "cpu")
    longer = SPEC.with_options(steps=30)
    content_key.record(run, longer, "cpu", SPEC)
    assert content_key.read(run) == KEY(longer, "cpu")


def test_a_run_whose_numbers_are_mixed_has_no_key(run, monkeypatch):
    content_key.record(run, SPEC, "cuda", SPEC)  # it began on a CPU
    assert content_key.read(run) is None
    content_key.record(run, SPEC, "cpu", SPEC)  # without a key it never gets one
    assert content_key.read(run) is None
    cosine = RunSpec.create("mlp", steps=20, schedule="cosine")
    content_key.record(run, cosine, "cpu")
    assert content_key.read(run) == KEY(cosine, "cpu")
    content_key.record(run, cosine.with_options(steps=30), "cpu", cosine)
    assert content_key.read(run) is None
    content_key.record(run, SPEC, "cpu")
    monkeypatch.setattr(content_key, "version", lambda package: "0.0.1")  # another torch
    content_key.record(run, SPEC, "cpu", SPEC)
    assert content_key.read(run) is None


def test_runs_are_found_by_their_keys(run):
    keys, key = Keys(), KEY(SPEC, "cpu")
    assert keys.find(key) == [run] and keys.find("0" * 64) == []
    other = runs.create(SPEC)
    assert keys.find(key) == [run]  # a run of before has no key
    new = runs.create(SPEC)
    content_key.write(new, key)
    assert keys.find(key) == [run, new] and other not in keys.find(key)
    content_key.write(run, "1" * 64)
    assert keys.find(key) == [new]
    (new.folder / "key").write_bytes(b"\xff" * 64)
    assert keys.find(key) == []


def test_a_run_that_is_being_extended_is_found_by_the_key_that_it_will_have(run):
    keys, next_key = Keys(), "1" * 64
    content_key.write(run, KEY(SPEC, "cpu"), next_key)
    assert run.status() == "running" and keys.find(next_key) == [run]
    (run.folder / "worker.json").unlink()
    assert keys.find(next_key) == [] and keys.find(KEY(SPEC, "cpu")) == [run]
