"""A checkpoint is whole or isn't there; a damaged one is noticed, and the one before it is used."""

import os
from random import Random

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import models
from workbench.engine import checkpoints
from workbench.engine.checkpoint_files import RESUMABLE, DamagedError, first_readable, header
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


def write(path, step, **options):
    checkpoints.write(path, {"w": torch.full((3,), float(step))}, {"step": step}, **options)


def step_of(path):
    weights, about = checkpoints.load(path)
    assert weights["w"].tolist() == [about["step"]] * 3
    return about["step"]


def test_a_writer_that_is_killed_before_the_renaming_leaves_the_one_before(tmp_path, monkeypatch):
    path = tmp_path / "last.safetensors"
    write(path, 1)

    def killed(*_):
        raise KeyboardInterrupt

    for call in ("replace", "fsync"):
        with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
            patched.setattr(os, call, killed)
            write(path, 2)
        assert step_of(path) == 1


@pytest.mark.parametrize("has_links", [True, False])
def test_the_one_before_is_kept_and_both_are_whole_at_any_moment(tmp_path, monkeypatch, has_links):
    last, previous = tmp_path / "last.safetensors", tmp_path / "previous.safetensors"
    seen = []

    def look(call):
        original = getattr(os, call)

        def looking(*arguments, **options):
            seen.append((step_of(last), step_of(previous) if previous.exists() else 0))
            if call == "link" and not has_links:
                raise PermissionError(1, "no links here")
            return original(*arguments, **options)

        monkeypatch.setattr(os, call, looking)

    write(last, 1, previous=previous)
    assert not previous.exists()
    for call in ("link", "replace", "fsync"):
        look(call)
    for step in (2, 3):
        write(last, step, previous=previous)
        assert (step_of(last), step_of(previous)) == (step, step - 1)
    assert {(1, 0), (1, 1), (2, 1), (2, 2)} <= {*seen} and {*seen} <= {(1, 0), (1, 1), (2, 1), (2, 2), (3, 2)}
    assert {file.name for file in tmp_path.iterdir()} == {last.name, previous.name}


def test_a_writer_that_was_killed_between_the_two_renamings_leaves_nothing_behind(tmp_path):
    last, previous = tmp_path / "last.safetensors", tmp_path / "previous.safetensors"
    write(last, 1)
    os.link(last, previous)  # the first renaming was done, the second was not
    write(last, 2, previous=previous)
    assert (step_of(last), step_of(previous)) == (2, 1) and len([*tmp_path.iterdir()]) == 2


@pytest.mark.parametrize("content", [None, b"", b"junk" * 100, "cut"])
def test_a_missing_or_damaged_one_is_an_error(tmp_path, content):
    path = tmp_path / "last.safetensors"
    if content == "cut":
        write(path, 1)
        content = path.read_bytes()[:-4]
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="checkpoint"):
        checkpoints.load(path)


def test_every_flipped_bit_is_noticed_or_changes_nothing(tmp_path):
    path = tmp_path / "last.safetensors"
    about = {"step": 12, "model": "mlp", "note": '"checksum":"0"'}
    checkpoints.write(path, {"w": torch.arange(40.0)}, about, {"order": torch.arange(9)})
    content = path.read_bytes()
    expected = checkpoints.load_all(path)
    damaged = 0
    for place in range(len(content)):
        flipped = bytearray(content)
        flipped[place] ^= 1 << Random(place).randrange(8)
        path.write_bytes(flipped)
        try:
            weights, training, noted = checkpoints.load_all(path)
        except DamagedError as error:
            assert "\n" not in str(error)
            damaged += 1
            continue
        # Only a flip within the name of the checksum makes it a file without one, whose content is as it was.
        assert noted == expected[2] and torch.equal(weights["w"], expected[0]["w"])
        assert torch.equal(training["order"], expected[1]["order"])
    assert damaged >= len(content) - len("checksum")


def test_a_checkpoint_without_a_checksum_is_read_as_long_as_its_size_fits(tmp_path):
    path = tmp_path / "last.safetensors"
    save_file({"w": torch.ones(3)}, path, metadata={"about": '{"step": 7}'})
    weights, about = checkpoints.load(path)
    assert about == header(path) == {"step": 7} and weights["w"].sum() == 3
    path.write_bytes(path.read_bytes() + b"noise")
    for read in (header, checkpoints.load):
        with pytest.raises(DamagedError):
            read(path)


def test_others_read_the_file_as_safetensors(tmp_path):
    path = tmp_path / "last.safetensors"
    write(path, 5)
    assert load_file(path)["w"].tolist() == [5.0] * 3 and header(path) == {"step": 5}


DAMAGE = {
    "cut off": lambda content: content[:-5],
    "flipped": lambda content: content[:-9] + bytes([content[-9] ^ 64]) + content[-8:],
    "appended": lambda content: content + b"noise" * 80,
    "empty": lambda content: b"",
    "missing": None,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_the_previous_one_is_used_where_the_last_is_damaged_and_a_sentence_says_so(tmp_path, damage):
    last, previous = tmp_path / "last.safetensors", tmp_path / "previous.safetensors"
    write(last, 1)
    write(last, 2, previous=previous)
    name, (weights, about), reason = first_readable(tmp_path, RESUMABLE, checkpoints.load)
    assert (name, about["step"], reason) == ("last", 2, None)

    def spoil(path):
        path.unlink() if DAMAGE[damage] is None else path.write_bytes(DAMAGE[damage](path.read_bytes()))

    spoil(last)
    name, (weights, about), reason = first_readable(tmp_path, RESUMABLE, checkpoints.load)
    assert (name, about["step"], weights["w"].tolist()) == ("previous", 1, [1.0] * 3)
    assert reason.startswith("The last checkpoint can't be used (it") and reason.endswith(
        "previous checkpoint is used."
    )
    spoil(previous)
    with pytest.raises(UserError, match=r"last\.safetensors"):
        first_readable(tmp_path, RESUMABLE, checkpoints.load)
