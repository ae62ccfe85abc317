"""Interpretation: against the checkpoint's own tensors, forward passes by hand, and brute force."""

import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file
from torch import nn

from quizzes.question import Check
from tests.trained_runs import train_run
from workbench import data, tasks
from workbench.data.sources import Merged, Ragged, Resident
from workbench.engine import Run, ScriptError, Verifier, interpret, trained, worker
from workbench.engine.interpret import errors, feature_maps, filters, receptive_field
from workbench.errors import UserError
from workbench.tasks.base import Baseline, Task

CONV = Check("quizzes.content.cnn.convolution.checks", "conv_out_size", dict(n=224, f=3, p=0, s=1, d=1))
ENDLESS = Check("quizzes.content.optimization.batch_size.checks", "effective_batch", dict(B=1, k=10**6, G=10**6))


@pytest.fixture(scope="module")
def trained_runs(tmp_path_factory):
    """Runs that are trained once in this process: model or task -> its run."""
    home = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(home))
        return {
            "lenet5-modern": train_run("lenet5-modern", steps=45),
            "mlp": train_run("mlp", steps=45),
            "resnet18": train_run("resnet18", steps=2),
            "iris": train_run("mlp", steps=2, task="iris"),
            "diabetes": train_run("linear-regression", steps=2, task="diabetes"),
        }


@pytest.fixture
def copy_run(trained_runs, tmp_path):
    """A function that copies a run's folder, so that a test may damage it."""

    def copy(name: str) -> Run:
        folder = tmp_path / trained_runs[name].id
        shutil.copytree(trained_runs[name].folder, folder)
        return Run(folder)

    return copy


def compute(run, kind, layer=None, sample=None):
    result = interpret.compute(run, kind, layer, sample)
    return json.loads(json.dumps(result, allow_nan=False))  # it goes through a pipe


def weights(run: Run, name: str = "best") -> dict[str, np.ndarray]:
    return load_file(run.folder / f"{name}.safetensors")


def resized_images(run: Run) -> torch.Tensor:
    """Return the test digits as LeNet's mini reads them: standardized by the training set, enlarged to 20x20."""
    splits = data.load("digits", run.spec.seed)
    training = splits["train"][0]
    scaled = torch.from_numpy(((splits["test"][0] - training.mean()) / training.std()).astype(np.float32))
    return F.interpolate(scaled, size=(20, 20), mode="bilinear", antialias=True)


def by_hand(run: Run) -> dict[str, torch.Tensor]:
    """Return LeNet's forward pass, written with the checkpoint's tensors."""
    w = {name: torch.from_numpy(array) for name, array in weights(run).items()}
    outputs = {"image": resized_images(run)}
    outputs["c1"] = F.conv2d(outputs["image"], w["c1.weight"], w["c1.bias"])
    outputs["s2"] = F.avg_pool2d(outputs["c1"].tanh(), 2)
    outputs["c3"] = F.conv2d(outputs["s2"], w["c3.weight"], w["c3.bias"])
    x = F.avg_pool2d(outputs["c3"].tanh(), 2).flatten(1)
    for name in ("c5", "f6"):
        x = F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"]).tanh()
    outputs["logits"] = F.linear(x, w["output.weight"], w["output.bias"])
    return outputs


def test_filters_are_the_checkpoints_weights(trained_runs):
    result = compute(trained_runs["lenet5-modern"], "filters")
    assert (result["kind"], result["layer"], result["checkpoint"]) == ("filters", "c1", "best")
    assert result["shape"] == [6, 1, 5, 5]
    stored = weights(trained_runs["lenet5-modern"])["c1.weight"]
    assert np.array_equal(np.array(result["filters"], np.float32), stored[:, 0])


def test_filters_of_three_channels_are_colors(trained_runs):
    result = compute(trained_runs["resnet18"], "filters")
    stored = weights(trained_runs["resnet18"], result["checkpoint"])["conv1.weight"]
    assert np.array_equal(np.array(result["filters"], np.float32), stored.transpose(0, 2, 3, 1))


def test_a_first_dense_layer_is_shown_as_images(trained_runs):
    result = compute(trained_runs["mlp"], "filters")
    stored = weights(trained_runs["mlp"])["layers.0.weight"]
    assert (result["layer"], result["type"]) == ("layers.0", "Linear")
    assert np.array_equal(np.array(result["filters"], np.float32), stored.reshape(-1, 8, 8))


@pytest.mark.parametrize("sample", [0, 7, 359])
def test_maps_are_the_outputs_of_the_layers(trained_runs, sample):
    run = trained_runs["lenet5-modern"]
    expected = by_hand(run)
    for layer in ("c1", "s2", "c3"):
        result = compute(run, "maps", layer, sample)
        [described] = result["layers"]
        own = expected[layer][sample].numpy()
        assert described["shape"] == list(own.shape)
        assert result["all_layers"] == ["c1", "tanh1", "s2", "c3", "tanh3", "s4"]
        assert [one["channel"] for one in described["maps"]] == np.abs(own).mean((1, 2)).argsort()[::-1].tolist()
        for one in described["maps"]:
            assert np.allclose(one["pixels"], own[one["channel"]], atol=1e-5)
            assert one["strength"] == pytest.approx(np.abs(own[one["channel"]]).mean(), rel=1e-4)
    probabilities = expected["logits"][sample].softmax(dim=0)
    assert np.allclose(result["pixels"], expected["image"][sample, 0], atol=1e-6)
    assert result["predicted"] == int(probabilities.argmax())
    assert result["probability"] == pytest.approx(float(probabilities.max()), abs=1e-5)
    assert result["target"] == data.load("digits", run.spec.seed)["test"][1][sample]
    assert result["classes"] == [*"0123456789"]


def test_without_a_layer_a_few_are_shown(trained_runs):
    result = compute(trained_runs["resnet18"], "maps")
    names = [layer["layer"] for layer in result["layers"]]
    convolutions = [
        name.removesuffix(".weight") for name, array in weights(trained_runs["resnet18"]).items() if array.ndim == 4
    ]
    assert len(names) == 4 and names[0] == "conv1" and names[-1] == "layer4.1.conv2" and set(names) <= set(convolutions)
    assert all(len(layer["maps"]) == 6 for layer in result["layers"])


def test_a_map_is_the_output_of_its_layer_before_it_is_changed_in_place():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(inplace=True))
    batch = torch.randn(1, 1, 6, 6)
    image, maps = feature_maps.record(network, lambda: network(batch))
    assert torch.equal(image, batch)
    assert torch.equal(maps["0"], network[0](batch)) and (maps["0"] < 0).any() and (maps["1"] >= 0).all()


def test_errors_are_the_most_confident_of_all(trained_runs):
    run = trained_runs["lenet5-modern"]
    logits = by_hand(run)["logits"].double().numpy()
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    targets = data.load("digits", run.spec.seed)["test"][1]
    wrong = [k for k in range(len(targets)) if probabilities[k].argmax() != targets[k]]
    result = compute(run, "errors")
    assert (result["tested"], result["wrong"]) == (len(targets), len(wrong)) and len(wrong) > 24
    expected = sorted(wrong, key=lambda k: -probabilities[k].max())[:24]
    assert [one["sample"] for one in result["errors"]] == expected
    images = resized_images(run)
    for one in result["errors"]:
        k = one["sample"]
        assert (one["target"], one["predicted"]) == (targets[k], probabilities[k].argmax())
        assert one["probability"] == pytest.approx(probabilities[k].max(), abs=1e-5)
        assert one["true_probability"] == pytest.approx(probabilities[k][targets[k]], abs=1e-5)
        assert np.allclose(one["pixels"], images[k, 0], atol=1e-3)


def test_errors_on_a_table_have_its_features(trained_runs):
    run = trained_runs["iris"]
    splits = data.load("iris", run.spec.seed)
    mean, deviation = splits["train"][0].mean(axis=0), splits["train"][0].std(axis=0)
    result = compute(run, "errors")
    assert result["tested"] == 30 and min(24, result["wrong"]) == len(result["errors"]) > 0
    for one in result["errors"]:
        k = one["sample"]
        assert one["target"] == splits["test"][1][k] != one["predicted"]
        assert np.allclose(one["values"], (splits["test"][0][k] - mean) / deviation, atol=1e-3)


def test_if_every_prediction_is_correct_there_are_no_errors(trained_runs):
    network = trained.load(trained_runs["mlp"])
    batch = network.source.batch(slice(None))
    predicted = network.task.probabilities(network.network, batch).argmax(dim=1)
    copy = replace(network)
    copy.__dict__["sources"] = {"test": Resident(**batch | {"target": predicted})}
    result = errors.compute(copy)
    assert (result["wrong"], result["errors"]) == (0, [])


def test_the_field_is_the_mean_gradient_of_the_unit_in_the_middle(trained_runs):
    run = trained_runs["lenet5-modern"]
    progress: list[float] = []
    result = interpret.compute(run, "field", None, 3, progress.append)
    assert (result["layer"], result["shape"], result["unit"]) == ("c3", [16, 4, 4], [2, 2])
    assert result["theoretical"] == {"size": [14, 14], "first": [4, 4]} and progress[-1] == 1.0
    w = {name: torch.from_numpy(array) for name, array in weights(run).items()}
    images = resized_images(run)[:32].requires_grad_()
    c1 = F.conv2d(images, w["c1.weight"], w["c1.bias"])
    c3 = F.conv2d(F.avg_pool2d(c1.tanh(), 2), w["c3.weight"], w["c3.bias"])
    c3[:, :, 2, 2].sum().backward()
    expected = images.grad.abs().mean(dim=0)[0].numpy()
    assert np.allclose(result["effective"]["gradients"], expected, atol=1e-6)
    assert result["effective"]["pixels"] == (expected >= 0.0455 * expected.max()).sum()
    is_outside = np.ones_like(expected, bool)
    is_outside[4:18, 4:18] = False
    assert (expected[is_outside] == 0).all()


class Segmenter(nn.Module):
    """A network whose output is a map, and that reads images of any size."""

    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(4, 2, 1)

    def example_inputs(self, batch_size: int = 1) -> tuple[torch.Tensor, ...]:
        return (torch.zeros(batch_size, 3, 12, 16),)

    def forward(self, image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"mask": self.last(self.first(image).relu())}


class Segmentation(Task):
    """A task on images without one class per sample, whose samples also have boxes."""

    def sources(self, network, seed):
        images = torch.rand(40, 3, 12, 16, generator=torch.Generator().manual_seed(seed))
        boxes = Ragged("boxes", torch.rand(40, 4), torch.arange(41))
        return {"test": Merged(Resident(image=images), boxes)}

    def losses(self, outputs, batch, context):
        return {"loss": outputs["mask"].mean()}

    def compute_baseline(self, seed):
        return Baseline("none", "loss", 0.0)

    def visualize(self, network, source):
        return []


def test_a_task_on_images_without_classes_has_filters_maps_and_fields(trained_runs):
    task = Segmentation(data="shapes", title="segment shapes", outputs={"mask": "float32[2, height, width]"})
    spec = trained_runs["resnet18"].spec
    network = trained.TrainedNetwork("unet-0001", spec, Segmenter(), task, "best", 1)
    image = network.source.batch(slice(5, 6))["image"]
    result = filters.compute(network)
    assert result["layer"] == "first" and np.array(result["filters"]).shape == (4, 3, 3, 3)
    maps = feature_maps.compute(network, "last", 5)
    expected = network.network(image)["mask"][0].detach()
    for one in maps["layers"][0]["maps"]:
        assert np.allclose(one["pixels"], expected[one["channel"]], atol=1e-6)
    assert np.allclose(maps["pixels"], image[0].permute(1, 2, 0)) and "predicted" not in maps
    field = receptive_field.compute(network)
    assert (field["layer"], field["unit"]) == ("last", [6, 8])
    assert field["theoretical"] == {"size": [3, 3], "first": [5, 7]} and "predicted" not in field
    assert np.argwhere(np.array(field["effective"]["gradients"]) > 0).min(axis=0).tolist() == [5, 7]
    with pytest.raises(UserError, match="segment shapes"):
        errors.compute(network)
    with pytest.raises(UserError, match="'segment shapes' can't read files"):
        task.predict_files(network.network, [], 0)


@pytest.mark.parametrize(
    ("name", "kind", "layer", "sample", "message"),
    [
        ("iris", "filters", None, None, "iris, which has no images"),
        ("diabetes", "errors", None, None, "diabetes, which has no classes"),
        ("mlp", "maps", None, None, "no convolution"),
        ("mlp", "field", None, None, "no convolution"),
        ("lenet5-modern", "map", None, None, "Did you mean 'maps"),
        ("lenet5-modern", "maps", "c2", None, "Did you mean"),
        ("lenet5-modern", "field", "f6", None, "Unknown layer with maps"),
        ("lenet5-modern", "maps", None, 360, "from 0 to 359"),
        ("lenet5-modern", "maps", None, -1, "from 0 to 359"),
        ("lenet5-modern", "filters", "c1", None, "not of one layer"),
        ("lenet5-modern", "errors", None, 0, "not of one sample"),
    ],
)
def test_what_is_impossible_is_an_error_in_one_sentence(trained_runs, name, kind, layer, sample, message):
    with pytest.raises(UserError, match=message) as error:
        interpret.compute(trained_runs[name], kind, layer, sample)
    assert "\n" not in str(error.value)


def set_nan(path):
    tensors = load_file(path)
    next(iter(tensors.values())).flat[0] = np.nan
    save_file(tensors, path, metadata={"about": json.dumps({"step": 1})})


DAMAGE = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "cut short": lambda path: path.write_bytes(path.read_bytes()[:-100]),
    "no checkpoint": lambda path: path.write_text("hello, world, and all who live in it"),
    "another network": lambda path: save_file({"a": np.zeros(3)}, path, metadata={"about": '{"step": 1}'}),
    "no step": lambda path: save_file(load_file(path), path, metadata={"about": "[]"}),
    "not finite": set_nan,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_and_then_an_error(copy_run, damage):
    run = copy_run("mlp")
    damage(run.folder / "best.safetensors")
    result = interpret.compute(run, "filters")
    assert (result["checkpoint"], result["step"]) == ("last", 45)
    is_there = (run.folder / "best.safetensors").exists()
    assert ("best checkpoint can't be used" in result.get("reason", "")) == is_there
    assert np.array_equal(
        np.array(result["filters"], np.float32), weights(run, "last")["layers.0.weight"].reshape(-1, 8, 8)
    )
    damage(run.folder / "last.safetensors")
    (run.folder / "previous.safetensors").unlink(missing_ok=True)
    with pytest.raises(UserError, match=r"(no checkpoint yet|can't be used).*train again\.$") as error:
        interpret.compute(run, "filters")
    assert "\n" not in str(error.value)


def test_the_worker_reports_errors_and_progress(trained_runs):
    progress: list[float] = []
    job = dict(job="interpret", folder=str(trained_runs["mlp"].folder), kind="errors", layer=None, sample=None)
    assert worker.answer(json.dumps(job), progress.append)["values"]["tested"] == 360
    assert progress == sorted(progress) and progress[-1] == 1.0
    job |= dict(folder=str(trained_runs["iris"].folder), kind="maps")
    assert "no images" in worker.answer(json.dumps(job))["refused"]


def test_a_worker_process_computes_them_and_can_be_interrupted(trained_runs):
    with Verifier() as verifier:
        progress: list[float] = []
        result = interpret.visualize(verifier, trained_runs["mlp"], "errors", on_progress=progress.append)
        assert result["tested"] == 360 and progress[-1] == 1.0
        has_started, messages = threading.Event(), []

        def wait() -> None:
            has_started.set()
            try:
                verifier.values(ENDLESS, ["E"])
            except ScriptError as error:
                messages.append(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        has_started.wait()
        while thread.is_alive():  # it may not have asked yet
            verifier.interrupt()
            thread.join(0.05)
        assert messages == ["It was interrupted."]
        assert verifier.values(CONV, ["o"]) == {"o": 222}


def test_a_network_is_loaded_once_until_its_checkpoint_or_its_spec_changes(copy_run, monkeypatch):
    run = copy_run("mlp")
    first = trained.load(run)
    with monkeypatch.context() as patch:
        patch.setattr(trained.checkpoints, "load", None)
        assert trained.load(Run(run.folder)) is first and first.sources is first.sources
    stored = weights(run)
    stored["layers.0.weight"] += 1
    save_file(stored, run.folder / "best.safetensors", metadata={"about": '{"step": 46}'})
    second = trained.load(run)
    assert second.step == 46 and not second.network.training
    assert torch.equal(second.network.state_dict()["layers.0.weight"], torch.from_numpy(stored["layers.0.weight"]))
    (run.folder / "spec.json").write_text(replace(run.spec, seed=7).to_json())
    third = trained.load(run)
    assert third is not second and third.spec.seed == 7
    expected = tasks.get("digits").sources(third.network, 7)["test"].batch(slice(None))
    assert torch.equal(third.source.batch(slice(None))["image"], expected["image"])


def test_the_cache_holds_the_last_few_networks(trained_runs, monkeypatch):
    monkeypatch.setattr(trained, "_cache", type(trained._cache)())
    monkeypatch.setattr(trained, "MAX_NETWORKS", 2)
    first, second = trained.load(trained_runs["mlp"]), trained.load(trained_runs["iris"])
    assert trained.load(trained_runs["mlp"]) is first
    trained.load(trained_runs["lenet5-modern"])
    assert trained.load(trained_runs["mlp"]) is first and trained.load(trained_runs["iris"]) is not second
    monkeypatch.setattr(trained, "MAX_BYTES", 1)
    trained.load(trained_runs["lenet5-modern"])
    trained.load(trained_runs["diabetes"])
    assert [network.run for network in trained._cache.values()] == [trained_runs["diabetes"].id]
