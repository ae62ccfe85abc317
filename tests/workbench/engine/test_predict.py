"""Pictures as files are told as the same pictures are in the data that they come from."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import models
from workbench import data
from workbench.engine import RunSpec, Verifier, predict, runs, worker
from workbench.engine.loop import Fit
from workbench.errors import UserError


@pytest.fixture
def made(home):
    def make(model, **options):
        run = runs.create(RunSpec(model, device="cpu", **options))
        list(Fit(run.spec, folder=run.folder).run())
        return run

    return make


def drawn(pictures, folder):
    """Pictures (N, channels, h, w), uint8, as PNG files."""
    files = []
    for k, picture in enumerate(pictures):
        files.append(folder / f"{k}.png")
        Image.fromarray(picture.transpose(1, 2, 0) if len(picture) == 3 else picture[0]).save(files[-1])
    return files


def test_a_file_is_told_as_the_same_picture_of_the_test_part(made, tmp_path):
    run = made("vgg11", steps=30, seed=2)
    parts = data.load("shapes", 2)
    pictures, seen = parts["test"][0][:6], parts["train"][0]
    network = models.build("vgg11", "mini", num_classes=8).eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    scaled = torch.from_numpy(((pictures - seen.mean()) / seen.std()).astype(np.float32))
    small = torch.nn.functional.interpolate(scaled, size=(32, 32), mode="bilinear", antialias=True)
    with torch.no_grad():
        chances = network(small).double().softmax(dim=1).numpy()

    files = drawn(pictures, tmp_path)
    order = dict(job="predict", folder=str(run.folder), files=[str(file) for file in files])
    rows = worker.answer(json.dumps(order))["values"]["rows"]
    assert [[*row] for row in rows] == [[*data.info("shapes").classes]] * 6
    np.testing.assert_allclose([[*row.values()] for row in rows], chances, atol=1e-5)
    assert np.ptp(chances, axis=0).max() > 1e-3  # or all pictures would be told alike


def test_grey_levels_are_those_of_data_from_0_to_1(made, tmp_path):
    run = made("lenet5-modern", steps=60)
    pictures = data.load("digits", 0)["test"][0][:20]
    found = predict.made(run, drawn((pictures * 255).round().astype(np.uint8), tmp_path))["rows"]
    network, task = Fit(run.spec).network, Fit(run.spec).task
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    samples = task.splits(network.input_shape, 0)["test"]
    chances = task.outputs(network, tuple(column[:20] for column in samples)).softmax(dim=1).numpy()
    np.testing.assert_allclose([[*row.values()] for row in found], chances, atol=0.02)  # levels are rounded


def test_the_command_names_the_likeliest_class_and_refuses_what_is_no_picture(made, tmp_path, cli):
    run = made("lenet5-modern", steps=60)
    [file] = drawn((data.load("digits", 0)["test"][0][:1] * 255).astype(np.uint8), tmp_path)
    said = cli("predict", run.id, str(file), "--json")
    [told] = json.loads(said.out)["predictions"]
    chances = told["probabilities"]
    assert (said.code, said.err, told["file"]) == (0, "", str(file))
    assert chances[told["class"]] == told["probability"] == max(chances.values())
    assert sum(chances.values()) == pytest.approx(1)
    plain = cli("predict", run.id, str(file)).out
    assert f"{told['probability']:.3f}" in plain and run.id in plain

    (tmp_path / "notes.png").write_text("no picture")
    for path in (tmp_path / "notes.png", tmp_path / "nowhere.png"):
        said = cli("predict", run.id, str(path))
        assert (said.code, said.out, said.err.count("\n")) == (2, "", 1) and path.name in said.err


def test_a_run_on_rows_of_numbers_reads_no_pictures(made, tmp_path):
    run = made("mlp", task="iris", steps=2)
    with Verifier() as asked, pytest.raises(UserError, match="are no pictures"):
        predict.predictions(asked, run, [tmp_path / "a.png"])
