"""What holds of every network in the registry: published size and shapes, its reference, and that its mini learns."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
import torch
import torchvision
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neural_network import MLPClassifier
from torch import Tensor, nn

import models
from workbench import tasks

NAMES = models.names()
STEPS = 20


@dataclass
class Reference:
    """Another library's network: its weights, and what it says of some inputs.

    Attributes:
        read: What our outputs go through to be its outputs.
    """

    weights: dict
    inputs: Tensor
    outputs: Tensor
    preset: str = "paper"
    read: Callable[[Tensor], Tensor] = lambda outputs: outputs


def scikit_learns(name: str) -> Reference:
    estimator, load, said, preset = {
        "linear-regression": (LinearRegression(), datasets.load_diabetes, "predict", "paper"),
        "logistic-regression": (LogisticRegression(), datasets.load_breast_cancer, "decision_function", "paper"),
        "softmax-regression": (LogisticRegression(), datasets.load_digits, "decision_function", "mini"),
        "mlp": (MLPClassifier((32,), max_iter=3, random_state=0), datasets.load_digits, "predict_proba", "mini"),
    }[name]
    x, y = load(return_X_y=True)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three iterations don't converge, and needn't
        estimator.fit(x, y)
    outputs = torch.as_tensor(getattr(estimator, said)(x[:50]))
    return Reference(
        weights=vars(estimator),
        inputs=torch.as_tensor(x[:50]),
        outputs=outputs if outputs.dim() == 2 else outputs[:, None],
        preset=preset,
        read=lambda ours: ours.softmax(dim=1) if said == "predict_proba" else ours,
    )


def torchvisions(name: str) -> Reference:
    network = getattr(torchvision.models, name)(weights=None).double().eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # fresh statistics are 0 and 1, and would hide what mixes them up
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
            nn.init.uniform_(module.weight, 0.3, 0.7)
            nn.init.normal_(module.bias, std=0.1)
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    return Reference(network.state_dict(), x, network(x))


REFERENCES = {"scikit-learn": scikit_learns, "torchvision": torchvisions}


@pytest.mark.parametrize("name", NAMES)
def test_the_paper_preset_has_the_published_size_and_shapes(name):
    known = models.info(name)
    with torch.device("meta"):
        network = models.build(name)
        outputs = network(torch.zeros(2, *known.input))
    assert network.input_shape == known.input
    assert outputs.shape == (2, *known.output)
    if known.params is not None:
        assert sum(weight.numel() for weight in network.parameters()) == known.params


@pytest.mark.parametrize("name", [name for name in NAMES if models.info(name).reference])
@torch.no_grad()
def test_with_its_references_weights_it_says_what_the_reference_says(name):
    torch.manual_seed(0)
    theirs = REFERENCES[models.info(name).reference](name)
    network = models.build(name, theirs.preset).double().eval()
    assert not torch.allclose(theirs.read(network(theirs.inputs)), theirs.outputs, rtol=0, atol=1e-2)
    network.load_reference(theirs.weights)
    torch.testing.assert_close(theirs.read(network(theirs.inputs)), theirs.outputs, rtol=0, atol=1e-8)
    single = theirs.read(network.float()(theirs.inputs.float())).double()
    torch.testing.assert_close(single, theirs.outputs, rtol=1e-6, atol=1e-4)


def test_every_network_that_takes_weights_says_whose():
    takes = {name for name in NAMES if hasattr(models.build(name, "mini"), "load_reference")}
    assert takes == {name for name in NAMES if models.info(name).reference}


@pytest.mark.parametrize("name", [name for name in NAMES if models.info(name).task in tasks.names()])
def test_a_few_steps_lower_the_loss_of_the_mini(name):
    task = tasks.get(models.info(name).task)
    torch.manual_seed(0)
    network = models.build(name, preset="mini")
    samples = task.splits(network.input_shape, seed=0)["train"]

    def batch(step):
        rows = np.arange(32 * step, 32 * (step + 1)) % len(samples[0])
        return tuple(column[rows] for column in samples)

    def loss():
        # In training mode, since running means of a norm lag behind twenty steps of the weights.
        with torch.no_grad():
            return np.mean([task.loss(task.forward(network, batch(step)), batch(step)).item() for step in range(8)])

    before = loss()
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(STEPS):
        optimizer.zero_grad()
        task.loss(task.forward(network, batch(step)), batch(step)).backward()
        optimizer.step()
    assert loss() < before
