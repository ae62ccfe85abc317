"""Predictions for image files are those for the same images in the data that they come from."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import models
from tests.trained_runs import train_run
from workbench import data, tasks
from workbench.engine import Verifier, networks, predict, worker
from workbench.errors import UserError


def save_images(images, folder):
    """Save images (N, channels, height, width), uint8, as PNG files, and return these."""
    files = []
    for k, image in enumerate(images):
        files.append(folder / f"{k}.png")
        Image.fromarray(image.transpose(1, 2, 0) if len(image) == 3 else image[0]).save(files[-1])
    return files


def test_a_file_is_predicted_like_the_same_image_of_the_test_set(tmp_path):
    run = train_run("vgg11", steps=30, seed=2)
    splits = data.load("shapes", 2)
    images, training = splits["test"][0][:6], splits["train"][0]
    network = models.build("vgg11", "mini", num_classes=8).eval()
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    scaled = torch.from_numpy(((images - training.mean()) / training.std()).astype(np.float32))
    small = torch.nn.functional.interpolate(scaled, size=(32, 32), mode="bilinear", antialias=True)
    with torch.no_grad():
        probabilities = network(small).double().softmax(dim=1).numpy()

    files = save_images(images, tmp_path)
    job = dict(job="predict", folder=str(run.folder), files=[str(file) for file in files])
    rows = worker.answer(json.dumps(job))["values"]["rows"]
    assert [[*row["probabilities"]] for row in rows] == [[*data.info("shapes").classes]] * 6
    np.testing.assert_allclose([[*row["probabilities"].values()] for row in rows], probabilities, atol=1e-5)
    assert [row["class"] for row in rows] == [data.info("shapes").classes[k] for k in probabilities.argmax(axis=1)]
    assert [row["probability"] for row in rows] == [max(row["probabilities"].values()) for row in rows]
    assert np.ptp(probabilities, axis=0).max() > 1e-3  # otherwise all images would have the same prediction


def test_gray_levels_are_those_of_data_from_0_to_1(tmp_path):
    run = train_run("lenet5-modern", steps=60)
    images = data.load("digits", 0)["test"][0][:20]
    rows = predict.compute(run, save_images((images * 255).round().astype(np.uint8), tmp_path))["rows"]
    network, task = networks.build(run.spec), tasks.get("digits")
    network.load_state_dict(load_file(run.folder / "best.safetensors"))
    batch = task.sources(network, 0)["test"].batch(slice(0, 20))
    with torch.no_grad():
        probabilities = network.eval()(batch["image"]).softmax(dim=1).numpy()
    # Levels are rounded to 1/255.
    np.testing.assert_allclose([[*row["probabilities"].values()] for row in rows], probabilities, atol=0.02)


def test_many_files_are_predicted_like_single_ones(tmp_path, monkeypatch):
    run = train_run("lenet5-modern", steps=20)
    files = save_images((data.load("digits", 0)["test"][0][:5] * 255).astype(np.uint8), tmp_path)
    expected = [predict.compute(run, [file])["rows"][0]["probabilities"] for file in files]
    monkeypatch.setattr("workbench.tasks.base.EVAL_BATCH", 2)
    for row, probabilities in zip(predict.compute(run, files)["rows"], expected, strict=True):
        assert row["probabilities"] == pytest.approx(probabilities, abs=1e-5)


def test_the_command_names_the_most_probable_class_and_rejects_what_is_not_an_image(tmp_path, cli):
    run = train_run("lenet5-modern", steps=60)
    [file] = save_images((data.load("digits", 0)["test"][0][:1] * 255).astype(np.uint8), tmp_path)
    result = cli("predict", run.id, str(file), "--json")
    [prediction] = json.loads(result.out)["predictions"]
    probabilities = prediction["probabilities"]
    assert (result.code, result.err, prediction["file"]) == (0, "", str(file))
    assert probabilities[prediction["class"]] == prediction["probability"] == max(probabilities.values())
    assert sum(probabilities.values()) == pytest.approx(1)
    plain = cli("predict", run.id, str(file)).out
    assert f"{prediction['probability']:.3f}" in plain and run.id in plain

    (tmp_path / "notes.png").write_text("text")
    for path in (tmp_path / "notes.png", tmp_path / "nowhere.png"):
        result = cli("predict", run.id, str(path))
        assert (result.code, result.out, result.err.count("\n")) == (2, "", 1) and path.name in result.err


def test_a_run_on_a_table_reads_no_files(tmp_path):
    run = train_run("mlp", task="iris", steps=2)
    with Verifier() as verifier, pytest.raises(UserError, match="can't read files"):
        predict.predict(verifier, run, [tmp_path / "a.png"])
