"""Histograms of weights and gradients, and dead units: against NumPy, gradients by hand, and units dead by design."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from torch import nn

import models
from tests.trained_runs import train_run
from workbench import data, tasks
from workbench.engine import interpret, trained
from workbench.engine.interpret import dead_units, gradients
from workbench.engine.interpret.histograms import BINS, histogram
from workbench.errors import UserError


def compute(run, kind):
    return json.loads(json.dumps(interpret.compute(run, kind), allow_nan=False))  # it goes through a pipe


def check_histogram(result, values):
    values = np.asarray(values, np.float64).ravel()
    counts, edges = np.histogram(values, bins=BINS)
    assert result["counts"] == counts.tolist() and sum(result["counts"]) == result["count"] == len(values)
    assert (result["low"], result["high"]) == (edges[0], edges[-1])
    assert result["mean"] == pytest.approx(values.mean(), abs=1e-12)
    assert result["sd"] == pytest.approx(values.std(), abs=1e-12)
    assert result["norm"] == pytest.approx(np.linalg.norm(values), abs=1e-12)
    assert result["zeros"] == pytest.approx((values == 0).mean()) and result["not_finite"] == 0


@pytest.mark.parametrize("model", ["mlp", "resnet18", "lstm"])
def test_weights_are_those_of_the_checkpoint(model):
    run = train_run(model, steps=2, batch_size=2)
    stored = load_file(run.folder / "best.safetensors")
    rows = compute(run, "weights")["parameters"]
    expected = [name for name, _ in models.build(model, "mini").named_parameters()]
    assert [row["parameter"] for row in rows] == expected
    for row in rows:
        assert row["shape"] == list(stored[row["parameter"]].shape)
        check_histogram(row, stored[row["parameter"]])


@given(st.lists(st.floats(-1e6, 1e6, width=32) | st.just(0.0), min_size=1, max_size=60))
def test_a_histogram_is_numpys(values):
    result = histogram(torch.tensor(values, dtype=torch.float32))
    counts, edges = np.histogram(np.array(values, np.float64), bins=BINS)
    assert sum(result["counts"]) == len(values)
    assert (result["low"], result["high"]) == (edges[0], edges[-1])
    # Values next to the edge of a bin may fall on either side of it, by rounding.
    assert np.abs(np.cumsum(result["counts"]) - np.cumsum(counts)).max() <= near_edges(values, edges)


def near_edges(values, edges):
    """Return the largest number of values that are within rounding error of one edge."""
    distance = np.abs(np.array(values, np.float64)[:, None] - edges)
    return int((distance <= 1e-9 * (edges[-1] - edges[0])).sum(axis=0).max())


def test_numbers_that_are_not_finite_are_counted():
    result = histogram(torch.tensor([1.0, 2.0, float("nan"), float("inf")]))
    assert (result["count"], result["not_finite"], sum(result["counts"]), result["mean"]) == (4, 2, 2, 1.5)
    assert histogram(torch.tensor([float("nan")]))["mean"] is None


def test_the_gradient_of_a_softmax_regression_is_the_one_by_hand():
    """dL/dW = (p - y)^T x / N: the mean over the batch of the outer products of error and input."""
    run = train_run("mlp", task="iris", steps=20, batch_size=16, seed=3, options={"hidden_sizes": []})
    splits = data.load("iris", 3)
    inputs, targets = splits["train"]
    x = ((inputs - inputs.mean(axis=0)) / inputs.std(axis=0))[:16]
    stored = {name: array.astype(np.float64) for name, array in load_file(run.folder / "best.safetensors").items()}
    logits = x @ stored["layers.0.weight"].T + stored["layers.0.bias"]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    error = probabilities - np.eye(3)[targets[:16]]
    result = compute(run, "gradients")
    assert result["samples"] == 16 and result["unused"] == []
    assert result["loss"] == pytest.approx(-np.log(probabilities[np.arange(16), targets[:16]]).mean(), rel=1e-5)
    for row, expected in zip(result["parameters"], (error.T @ x / 16, error.mean(axis=0)), strict=True):
        assert row["norm"] == pytest.approx(np.linalg.norm(expected), rel=1e-5)
        assert row["mean"] == pytest.approx(expected.mean(), abs=1e-7)
        assert (row["low"], row["high"]) == pytest.approx((expected.min(), expected.max()), rel=1e-4)
        assert row["weight_norm"] == pytest.approx(np.linalg.norm(stored[row["parameter"]]), rel=1e-6)


def test_gradients_change_neither_the_network_nor_the_rng():
    run = train_run("resnet18", steps=2, batch_size=8)
    network = trained.load(run)
    before = {name: tensor.clone() for name, tensor in network.network.state_dict().items()}
    state = torch.random.get_rng_state()
    first, second = gradients.compute(network), gradients.compute(network)
    assert first == second and torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(before[name], tensor) for name, tensor in network.network.state_dict().items())
    assert not network.network.training and all(weight.grad is None for weight in network.network.parameters())


def kill(run, units, name="layers.0.bias"):
    """Give units a bias that no input can outweigh."""
    for checkpoint in run.folder.glob("*.safetensors"):
        tensors = load_file(checkpoint)
        tensors[name] = tensors[name].copy()
        tensors[name][units] = -1e6
        save_file(tensors, checkpoint, metadata={"about": json.dumps({"step": 1})})


@pytest.mark.parametrize("units", [[], [0, 7, 31], [*range(32)]])
def test_units_with_a_huge_negative_bias_are_dead(units):
    run = train_run("mlp", steps=1, seed=1)  # after one step, no other unit is dead
    kill(run, units)
    result = compute(run, "dead")
    [layer] = result["layers"]
    assert (layer["layer"], layer["units"], layer["dead"]) == ("activations.0", 32, units)
    splits = data.load("digits", 1)
    images, training = splits["validation"][0], splits["train"][0]
    assert result["samples"] == len(images)
    stored = load_file(run.folder / "best.safetensors")
    x = ((images - training.mean()) / training.std()).reshape(len(images), -1)
    hidden = x @ stored["layers.0.weight"].T + stored["layers.0.bias"]
    assert layer["zeros"] == pytest.approx((hidden <= 0).mean(), abs=1e-3)


def test_channels_of_maps_are_units():
    run = train_run("resnet18", steps=2)
    kill(run, [2, 5], "layer1.0.bn1.bias")
    layers = {row["layer"]: row for row in compute(run, "dead")["layers"]}
    relus = [name for name, module in models.build("resnet18", "mini").named_modules() if isinstance(module, nn.ReLU)]
    assert list(layers) == relus
    assert layers["layer1.0.relu1"]["dead"] == [2, 5] and layers["layer1.0.relu1"]["units"] == 8


class Functional(nn.Module):
    """A network without a ReLU module: one function twice, and a ReLU6."""

    input_shape = (1, 2, 2)

    def __init__(self):
        super().__init__()
        self.conv, self.head = nn.Conv2d(1, 3, 1), nn.Linear(12, 10)
        self.clipped = nn.ReLU6()
        nn.init.ones_(self.conv.weight)  # all channels are positive for some pixel
        nn.init.constant_(self.conv.bias, 3.0)

    def forward(self, image):
        x = self.conv(image)
        x = self.clipped(torch.relu(x) - torch.tensor([0.0, 1e6, 0.0]).view(3, 1, 1))
        return self.head(torch.nn.functional.relu(x.flatten(1)))


def test_relus_are_found_in_functions_too():
    run = train_run("mlp", steps=1)
    network = trained.TrainedNetwork("x-0001", run.spec, Functional().eval(), tasks.get("digits"), "best", 1)
    layers = dead_units.compute(network)["layers"]
    assert [(row["layer"], row["units"]) for row in layers] == [
        ("the network", 3),
        ("clipped", 3),
        ("the network (2)", 12),
    ]
    assert layers[1]["dead"] == [1] and layers[2]["dead"][:1] == [4] and set(range(4, 8)) <= set(layers[2]["dead"])


def test_a_network_without_relu_is_an_error():
    run = train_run("mlp", steps=1, options={"activation": "tanh"})
    with pytest.raises(UserError, match="no ReLU"):
        interpret.compute(run, "dead")
