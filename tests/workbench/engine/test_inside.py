"""What is inside a trained network: against the checkpoint's own tensors, forward passes by hand, and brute force."""

import json
import shutil
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.numpy import load_file, save_file

from quizzes.question import Check
from workbench import data
from workbench.engine import Run, RunSpec, ScriptError, Verifier, inside, runs, worker
from workbench.engine.inside import errors, trained
from workbench.engine.loop import Fit
from workbench.errors import UserError

CONV = Check("quizzes.content.cnn.convolution.checks", "conv_out_size", dict(n=224, f=3, p=0, s=1, d=1))
ENDLESS = Check("quizzes.content.optimization.batch_size.checks", "effective_batch", dict(B=1, k=10**6, G=10**6))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Runs that were made in this process, once: model -> its run."""
    home = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBENCH_HOME", str(home))
        found = {}
        for model, steps, task in (("lenet5-modern", 45, ""), ("mlp", 45, ""), ("resnet18", 2, ""), ("mlp", 2, "iris")):
            run = runs.create(RunSpec(model, steps=steps, device="cpu", **({"task": task} if task else {})))
            for _ in Fit(run.spec, folder=run.folder).run():
                pass
            found[task or model] = run
    return found


@pytest.fixture
def copied(made, tmp_path):
    """A run's folder that a test may damage."""

    def copy(model: str) -> Run:
        folder = tmp_path / made[model].id
        shutil.copytree(made[model].folder, folder)
        return Run(folder)

    return copy


def look(run, kind, layer=None, sample=None):
    found = inside.made(run, kind, layer, sample)
    return json.loads(json.dumps(found, allow_nan=False))  # it goes through a pipe


def weights(run: Run, name: str = "best") -> dict[str, np.ndarray]:
    return load_file(run.folder / f"{name}.safetensors")


def pictures_read(run: Run) -> torch.Tensor:
    """The test part of the digits as LeNet's mini reads it: standardised by the training part, enlarged to 20x20."""
    parts = data.load("digits", run.spec.seed)
    seen = parts["train"][0]
    scaled = torch.from_numpy(((parts["test"][0] - seen.mean()) / seen.std()).astype(np.float32))
    return F.interpolate(scaled, size=(20, 20), mode="bilinear", antialias=True)


def by_hand(run: Run) -> dict[str, torch.Tensor]:
    """LeNet's forward pass, written out over the checkpoint's tensors."""
    w = {name: torch.from_numpy(array) for name, array in weights(run).items()}
    made = {"read": pictures_read(run)}
    made["c1"] = F.conv2d(made["read"], w["c1.weight"], w["c1.bias"])
    made["s2"] = F.avg_pool2d(made["c1"].tanh(), 2)
    made["c3"] = F.conv2d(made["s2"], w["c3.weight"], w["c3.bias"])
    x = F.avg_pool2d(made["c3"].tanh(), 2).flatten(1)
    for name in ("c5", "f6"):
        x = F.linear(x, w[f"{name}.weight"], w[f"{name}.bias"]).tanh()
    made["scores"] = F.linear(x, w["output.weight"], w["output.bias"])
    return made


def test_filters_are_the_checkpoints_weights(made):
    found = look(made["lenet5-modern"], "filters")
    assert (found["layer"], found["checkpoint"], found["shape"]) == ("c1", "best", [6, 1, 5, 5])
    assert np.array_equal(np.array(found["filters"], np.float32), weights(made["lenet5-modern"])["c1.weight"][:, 0])


def test_filters_of_three_channels_are_colours(made):
    found = look(made["resnet18"], "filters")
    stored = weights(made["resnet18"], found["checkpoint"])["conv1.weight"]
    assert np.array_equal(np.array(found["filters"], np.float32), stored.transpose(0, 2, 3, 1))


def test_a_first_dense_layer_is_shown_as_pictures(made):
    found = look(made["mlp"], "filters")
    stored = weights(made["mlp"])["layers.0.weight"]
    assert (found["layer"], found["type"]) == ("layers.0", "Linear")
    assert np.array_equal(np.array(found["filters"], np.float32), stored.reshape(-1, 8, 8))


@pytest.mark.parametrize("sample", [0, 7, 359])
def test_maps_are_what_the_layers_make(made, sample):
    run = made["lenet5-modern"]
    expected = by_hand(run)
    for layer in ("c1", "s2", "c3"):
        found = look(run, "maps", layer, sample)
        [shown] = found["layers"]
        own = expected[layer][sample].numpy()
        assert shown["shape"] == list(own.shape) and found["all_layers"] == ["c1", "tanh1", "s2", "c3", "tanh3", "s4"]
        assert [one["channel"] for one in shown["maps"]] == np.abs(own).mean((1, 2)).argsort()[::-1].tolist()
        for one in shown["maps"]:
            assert np.allclose(one["pixels"], own[one["channel"]], atol=1e-5)
            assert one["strength"] == pytest.approx(np.abs(own[one["channel"]]).mean(), rel=1e-4)
    assert np.allclose(found["pixels"], expected["read"][sample, 0], atol=1e-6)
    assert found["predicted"] == int(expected["scores"][sample].argmax())


def test_where_no_layer_is_named_a_few_are_shown(made):
    found = look(made["resnet18"], "maps")
    names = [layer["layer"] for layer in found["layers"]]
    convolutions = [
        name.removesuffix(".weight") for name, array in weights(made["resnet18"]).items() if array.ndim == 4
    ]
    assert len(names) == 4 and names[0] == "conv1" and names[-1] == "layer4.1.conv2" and set(names) <= set(convolutions)
    assert all(len(layer["maps"]) == 6 for layer in found["layers"])


def test_a_map_is_told_as_its_layer_made_it_and_not_as_it_was_changed_in_place():
    network = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(inplace=True))
    batch = torch.randn(1, 1, 6, 6)
    found = trained.maps(network, batch)
    assert torch.equal(found["0"], network[0](batch)) and (found["0"] < 0).any() and (found["1"] >= 0).all()


def test_errors_are_the_surest_of_all_mistakes(made):
    run = made["lenet5-modern"]
    scores = by_hand(run)["scores"].double().numpy()
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    true = data.load("digits", run.spec.seed)["test"][1]
    wrong = [k for k in range(len(true)) if chances[k].argmax() != true[k]]
    found = look(run, "errors")
    assert (found["tested"], found["wrong"]) == (len(true), len(wrong)) and len(wrong) > 24
    surest = sorted(wrong, key=lambda k: -chances[k].max())[:24]
    assert [one["sample"] for one in found["errors"]] == surest
    for one in found["errors"]:
        k = one["sample"]
        assert (one["target"], one["predicted"]) == (true[k], chances[k].argmax())
        assert one["probability"] == pytest.approx(chances[k].max(), abs=1e-5)
        assert one["true_probability"] == pytest.approx(chances[k][true[k]], abs=1e-5)


def test_where_nothing_is_wrong_there_are_no_errors(made):
    network = trained.load(made["mlp"])
    told = network.task.scores(network.task.outputs(network.network, network.samples)).argmax(dim=1)
    found = errors.look(replace(network, samples=(network.samples[0], told)))
    assert (found["wrong"], found["errors"]) == (0, [])


def test_the_field_is_the_mean_gradient_of_the_unit_in_the_middle(made):
    run = made["lenet5-modern"]
    shares: list[float] = []
    found = inside.made(run, "field", None, 3, shares.append)
    assert (found["layer"], found["shape"], found["unit"]) == ("c3", [16, 4, 4], [2, 2])
    assert found["theoretical"] == {"size": [14, 14], "first": [4, 4]} and shares[-1] == 1.0
    w = {name: torch.from_numpy(array) for name, array in weights(run).items()}
    read = pictures_read(run)[:32].requires_grad_()
    c1 = F.conv2d(read, w["c1.weight"], w["c1.bias"])
    c3 = F.conv2d(F.avg_pool2d(c1.tanh(), 2), w["c3.weight"], w["c3.bias"])
    c3[:, :, 2, 2].sum().backward()
    expected = read.grad.abs().mean(dim=0)[0].numpy()
    assert np.allclose(found["effective"]["gradients"], expected, atol=1e-6)
    assert found["effective"]["pixels"] == (expected >= 0.0455 * expected.max()).sum()
    outside = np.ones_like(expected, bool)
    outside[4:18, 4:18] = False
    assert (expected[outside] == 0).all()


@pytest.mark.parametrize(
    ("model", "kind", "layer", "sample", "said"),
    [
        ("iris", "filters", None, None, "iris, which are no pictures"),
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
def test_what_cannot_be_shown_is_said_in_a_sentence(made, model, kind, layer, sample, said):
    with pytest.raises(UserError, match=said):
        inside.made(made[model], kind, layer, sample)


def spoilt(path):
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
    "not finite": spoilt,
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_checkpoint_is_passed_over_and_then_said(copied, damage):
    run = copied("mlp")
    damage(run.folder / "best.safetensors")
    found = inside.made(run, "filters", None, None)
    assert (found["checkpoint"], found["step"]) == ("last", 45)
    assert np.array_equal(
        np.array(found["filters"], np.float32), weights(run, "last")["layers.0.weight"].reshape(-1, 8, 8)
    )
    damage(run.folder / "last.safetensors")
    with pytest.raises(UserError, match=r"(no checkpoint yet|can't be used).*train anew\.$") as refused:
        inside.made(run, "filters", None, None)
    assert "\n" not in str(refused.value)


def test_the_worker_refuses_and_tells_how_far_it_is(made):
    told: list[float] = []
    order = dict(job="pictures", folder=str(made["mlp"].folder), kind="errors", layer=None, sample=None)
    assert worker.answer(json.dumps(order), told.append)["values"]["tested"] == 360
    assert told == sorted(told) and told[-1] == 1.0
    order["folder"] = str(made["iris"].folder)
    assert "no pictures" in worker.answer(json.dumps(order))["refused"]


def test_a_worker_process_makes_them_and_can_be_interrupted(made):
    with Verifier() as asked:
        told: list[float] = []
        assert inside.pictures(asked, made["mlp"], "errors", told=told.append)["tested"] == 360
        assert told[-1] == 1.0
        started, said = threading.Event(), []

        def wait() -> None:
            started.set()
            try:
                asked.values(ENDLESS, ["E"])
            except ScriptError as error:
                said.append(str(error))

        thread = threading.Thread(target=wait)
        thread.start()
        started.wait()
        while thread.is_alive():  # it may not have asked yet
            asked.interrupt()
            thread.join(0.05)
        assert said == ["It was interrupted."]
        assert asked.values(CONV, ["o"]) == {"o": 222}
