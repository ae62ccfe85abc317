"""A checkpoint is whole or isn't there."""

import os

import pytest
import torch
from torch import nn

import models
from workbench.engine import checkpoints
from workbench.errors import UserError


def test_weights_and_notes_come_back(tmp_path):
    network, other = models.build("mlp", "mini"), models.build("mlp", "mini")
    about = {"step": 3, "metrics": {"loss": 0.5}}
    checkpoints.write(tmp_path / "last.safetensors", checkpoints.snapshot(network), about)
    weights, noted = checkpoints.load(tmp_path / "last.safetensors")
    other.load_state_dict(weights)
    x = torch.randn(5, 64)
    assert noted == about and torch.equal(network(x), other(x))


def test_a_snapshot_is_left_alone_by_training():
    network = models.build("mlp", "mini")
    before = checkpoints.snapshot(network)
    with torch.no_grad():
        network.layers[0].weight.zero_()
    assert before["layers.0.weight"].abs().sum() > 0


def test_tied_and_transposed_weights_can_be_written(tmp_path):
    network = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    network[1].weight = network[0].weight
    network[0].bias = nn.Parameter(torch.randn(4, 4).t()[0])
    checkpoints.write(tmp_path / "c.safetensors", checkpoints.snapshot(network), {})
    weights, _ = checkpoints.load(tmp_path / "c.safetensors")
    assert torch.equal(weights["1.weight"], network[0].weight) and torch.equal(weights["0.bias"], network[0].bias)


def test_a_writer_that_is_killed_before_the_renaming_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "last.safetensors"
    checkpoints.write(path, {"w": torch.ones(3)}, {"step": 1})

    def killed(*_):
        raise KeyboardInterrupt

    for call in ("replace", "fsync"):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(os, call, killed)
            checkpoints.write(path, {"w": torch.zeros(3)}, {"step": 2})
        weights, about = checkpoints.load(path)
        assert about["step"] == 1 and weights["w"].sum() == 3


@pytest.mark.parametrize("content", [None, b"", b"junk" * 100, "cut"])
def test_a_missing_or_damaged_one_is_refused(tmp_path, content):
    path = tmp_path / "last.safetensors"
    if content == "cut":
        checkpoints.write(path, {"w": torch.ones(3)}, {})
        content = path.read_bytes()[:-4]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="checkpoint"):
        checkpoints.load(path)
