"""What holds of every network in the registry: published size and shapes, its reference, and that its mini learns."""

import warnings
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import models
from tests.networks import by_tier
from workbench import tasks

NAMES = models.names()
SOON_TRAINED = {"linear-regression", "logistic-regression", "softmax-regression", "mlp", "lenet5"}
STEPS, BATCH, DRAWS = 20, 32, 4  # draws of what dropout leaves out


@dataclass
class Reference:
    """Another library's network: its weights, and what it says of some inputs.

    Attributes:
        outputs: What it says, in double precision.
        single: What it says in single precision: a deep network's rounding grows with its depth.
        options: What ours is built with, beside the preset.
        read: What our outputs go through to be its outputs.
    """

    weights: dict
    inputs: Tensor
    outputs: Tensor
    single: Tensor
    preset: str = "paper"
    options: dict = field(default_factory=dict)
    read: Callable[[Tensor], Tensor] = lambda outputs: outputs


def scikit_learns(name: str) -> Reference:
    from sklearn import datasets
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.neural_network import MLPClassifier

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
    outputs = outputs if outputs.dim() == 2 else outputs[:, None]
    return Reference(
        weights=vars(estimator),
        inputs=torch.as_tensor(x[:50]),
        outputs=outputs,
        single=outputs.float(),
        preset=preset,
        read=lambda ours: ours.softmax(dim=1) if said == "predict_proba" else ours,
    )


def torchvisions(name: str) -> Reference:
    return narrowed(name) if name in SIDES else made_different(torchvision_network(name))


def torchvision_network(name: str) -> nn.Module:
    import torchvision

    options = {"init_weights": False} if name.startswith("googlenet") else {}  # theirs takes its time
    return getattr(torchvision.models, name.removesuffix("-torchvision").replace("-", "_"))(weights=None, **options)


def narrowed(name: str) -> Reference:
    """torchvision's network with small dense layers on a map of 2x2: their own are gigabytes, and average it to 7x7."""
    with torch.device("meta"):
        network = torchvision_network(name)
        *_, channels = (layer.out_channels for layer in network.features if isinstance(layer, nn.Conv2d))
        places = [place for place, layer in enumerate(network.classifier) if isinstance(layer, nn.Linear)]
        for place, sizes in zip(places, pairwise((4 * channels, 32, 32, 10)), strict=True):
            network.classifier[place] = nn.Linear(*sizes)
    network.avgpool = nn.Identity()
    network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    for weight in network.parameters():
        nn.init.normal_(weight, std=(2 / weight[0].numel()) ** 0.5 if weight.dim() > 1 else 0.1)
    reference = made_different(network, side=SIDES[name])
    return replace(reference, options=dict(hidden=32, classes=10, side=SIDES[name]))


def timms(name: str) -> Reference:
    import timm

    return made_different(timm.create_model({"mobilenet-v1": "mobilenetv1_100"}[name]))


def made_different(network: nn.Module, side: int = 64) -> Reference:
    """A network as training leaves it: fresh norms and layer scales would hide what mixes them up."""
    network.double()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.3, 0.7)
            nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # what it has seen is then the last batch
        if hasattr(module, "layer_scale"):
            nn.init.uniform_(module.layer_scale, 0.5, 1.5)
    # Noise of single pixels looks the same everywhere to what sees far; these pictures differ from one another.
    pictures = nn.functional.interpolate(torch.randn(10, 3, 8, 8).double(), size=side, mode="bilinear")
    network.train()(pictures[2:])
    single = deepcopy(network).eval().float()(pictures[:2].float())
    return Reference(network.state_dict(), pictures[:2], network.eval()(pictures[:2]), single)


REFERENCES = {"scikit-learn": scikit_learns, "torchvision": torchvisions, "timm": timms}
# What differs in numbers alone from one that is compared: its layers are compared, and not what it computes.
LARGER = {
    *("densenet169", "densenet201"),
    *(f"efficientnet-b{phi}" for phi in range(1, 8)),
    *("convnext-small", "convnext-base", "convnext-large"),
    *("vgg13", "vgg13-bn", "vgg16", "vgg11-bn", "vgg19", "vgg19-bn"),
}
SIDES = {"alexnet-torchvision": 96, "vgg11": 64, "vgg16-bn": 64}  # that leave a map of 2x2 to dense layers
LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.LayerNorm, nn.Linear, nn.Dropout)


@pytest.mark.parametrize("name", by_tier(NAMES))
def test_the_paper_preset_has_the_published_size_and_shapes(name):
    known = models.info(name)
    with torch.device("meta"):
        network = models.build(name).eval()
        outputs = network(torch.zeros(2, *known.input))
    assert network.input_shape == known.input
    assert outputs.shape == (2, *known.output)
    if known.params is not None:
        assert sum(weight.numel() for weight in network.parameters()) == known.params


@pytest.mark.parametrize("name", by_tier(name for name in NAMES if models.info(name).reference and name not in LARGER))
@torch.no_grad()
def test_with_its_references_weights_it_says_what_the_reference_says(name):
    torch.manual_seed(0)
    theirs = REFERENCES[models.info(name).reference](name)
    network = models.build(name, theirs.preset, **theirs.options).double().eval()
    assert (theirs.outputs[0] - theirs.outputs[1]).abs().max() > 1e-3  # or all networks would say the same
    assert not torch.allclose(theirs.read(network(theirs.inputs)), theirs.outputs, rtol=0, atol=1e-2)
    network.load_reference(theirs.weights)
    torch.testing.assert_close(theirs.read(network(theirs.inputs)), theirs.outputs, rtol=0, atol=1e-8)
    single = theirs.read(network.float()(theirs.inputs.float()))
    torch.testing.assert_close(single, theirs.single, rtol=1e-6, atol=1e-4)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted({*LARGER, *SIDES}))
def test_a_larger_one_has_its_references_layers_and_takes_their_weights(name):
    def layers(network):
        words = ("stride", "padding", "dilation", "groups", "eps", "momentum", "p")
        parts = [part for part in network.modules() if isinstance(part, LAYERS)]
        return [[getattr(part, word, None) for word in words] for part in parts]

    with torch.device("meta"):
        theirs = torchvision_network(name)
        network = models.build(name)
    network.load_reference(theirs.state_dict())
    assert layers(network) == layers(theirs)


def test_every_network_that_takes_weights_says_whose():
    takes = {name for name in NAMES if hasattr(models.build(name, "mini"), "load_reference")}
    assert takes == {name for name in NAMES if models.info(name).reference}


@pytest.mark.parametrize(
    "name", by_tier((name for name in NAMES if models.info(name).task in tasks.names()), fast=SOON_TRAINED)
)
def test_a_few_steps_lower_the_loss_of_the_mini(name):
    task = tasks.get(models.info(name).task)
    torch.manual_seed(0)
    network = models.build(name, preset="mini")
    # The same few samples again and again: whatever is learnt of them shows at once, however hard the task is.
    batch = tuple(column[:BATCH] for column in task.splits(network.input_shape, seed=0)["train"])

    def loss():
        # In training mode, since running means of a norm lag behind twenty steps of the weights.
        with torch.no_grad():
            return task.loss(task.forward(network, batch), batch).item()

    before = np.mean([loss() for _ in range(DRAWS)])
    optimizer = torch.optim.Adam(network.parameters(), lr=models.info(name).lr or 3e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        task.loss(task.forward(network, batch), batch).backward()
        optimizer.step()
    assert np.mean([loss() for _ in range(DRAWS)]) < before
