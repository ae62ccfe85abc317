"""Every network has its published size and shapes and its reference's outputs, and its mini learns."""

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
from models.cost import tensors_in
from models.tracing import example_inputs
from tests.networks import by_tier
from workbench import tasks
from workbench.tasks.base import StepContext

NAMES = models.names()
TRAINED_FAST = {"linear-regression", "logistic-regression", "softmax-regression", "mlp", "lenet5"}
STEPS, BATCH, REPEATS = 20, 32, 4  # repeats average over dropout masks


@dataclass
class Reference:
    """Another library's network: its weights and its outputs for some inputs.

    Attributes:
        weights: Its state dict.
        inputs: Samples.
        outputs: Its outputs in double precision.
        single: Its outputs in single precision, because rounding errors grow with the depth of a network.
        preset: The preset of our network.
        options: Other arguments of our network.
        convert: Turns our outputs into the other library's.
    """

    weights: dict
    inputs: Tensor
    outputs: Tensor
    single: Tensor
    preset: str = "paper"
    options: dict = field(default_factory=dict)
    convert: Callable[[Tensor], Tensor] = lambda outputs: outputs


def scikit_learn_reference(name: str) -> Reference:
    """Return an estimator that was fitted for this network's task."""
    from sklearn import datasets
    from sklearn.linear_model import LinearRegression, LogisticRegression
    from sklearn.neural_network import MLPClassifier

    estimator, load, method, preset = {
        "linear-regression": (LinearRegression(), datasets.load_diabetes, "predict", "paper"),
        "logistic-regression": (LogisticRegression(), datasets.load_breast_cancer, "decision_function", "paper"),
        "softmax-regression": (LogisticRegression(), datasets.load_digits, "decision_function", "mini"),
        "mlp": (MLPClassifier((32,), max_iter=3, random_state=0), datasets.load_digits, "predict_proba", "mini"),
    }[name]
    x, y = load(return_X_y=True)
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # three iterations are not meant to converge
        estimator.fit(x, y)
    outputs = torch.as_tensor(getattr(estimator, method)(x[:50]))
    outputs = outputs if outputs.dim() == 2 else outputs[:, None]
    return Reference(
        weights=vars(estimator),
        inputs=torch.as_tensor(x[:50]),
        outputs=outputs,
        single=outputs.float(),
        preset=preset,
        convert=lambda ours: ours.softmax(dim=1) if method == "predict_proba" else ours,
    )


def torchvision_reference(name: str) -> Reference:
    """Return torchvision's network."""
    return narrow_reference(name) if name in IMAGE_SIZES else run_reference(torchvision_network(name))


def torchvision_network(name: str) -> nn.Module:
    """Build torchvision's network."""
    import torchvision

    options = {"init_weights": False} if name.startswith("googlenet") else {}  # it is slow
    return getattr(torchvision.models, name.removesuffix("-torchvision").replace("-", "_"))(weights=None, **options)


def narrow_reference(name: str) -> Reference:
    """Return torchvision's network with small dense layers on a 2x2 map. Its own take gigabytes and average to 7x7."""
    with torch.device("meta"):
        network = torchvision_network(name)
        *_, channels = (layer.out_channels for layer in network.features if isinstance(layer, nn.Conv2d))
        indices = [index for index, layer in enumerate(network.classifier) if isinstance(layer, nn.Linear)]
        for index, sizes in zip(indices, pairwise((4 * channels, 32, 32, 10)), strict=True):
            network.classifier[index] = nn.Linear(*sizes)
    network.avgpool = nn.Identity()
    network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    for weight in network.parameters():
        nn.init.normal_(weight, std=(2 / weight[0].numel()) ** 0.5 if weight.dim() > 1 else 0.1)
    reference = run_reference(network, IMAGE_SIZES[name])
    return replace(reference, options=dict(hidden_size=32, num_classes=10, image_size=IMAGE_SIZES[name]))


def timm_reference(name: str) -> Reference:
    """Return timm's network."""
    import timm

    reference = run_reference(timm.create_model({"mobilenet-v1": "mobilenetv1_100"}.get(name, name)))
    return replace(reference, options=dict(slope=0.01) if name == "darknet53" else {})


def run_reference(network: nn.Module, image_size: int = 64) -> Reference:
    """Give a network norms and scales as after training, because fresh ones hide which are mixed up, and run it."""
    network.double()
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(module.weight, 0.3, 0.7)
            nn.init.normal_(module.bias, std=0.1)
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # so that the statistics are those of the last batch
        if hasattr(module, "layer_scale"):
            nn.init.uniform_(module.layer_scale, 0.5, 1.5)
    # Smooth noise: for large receptive fields, images of independent pixels would all look the same.
    images = nn.functional.interpolate(torch.randn(10, 3, 8, 8).double(), size=image_size, mode="bilinear")
    network.train()(images[2:])
    single = deepcopy(network).eval().float()(images[:2].float())
    return Reference(network.state_dict(), images[:2], network.eval()(images[:2]), single)


REFERENCES = {"scikit-learn": scikit_learn_reference, "torchvision": torchvision_reference, "timm": timm_reference}
# Networks that differ only in numbers from one whose outputs are compared: only their layers are compared.
LARGER = {
    *("densenet169", "densenet201"),
    *(f"efficientnet-b{phi}" for phi in range(1, 8)),
    *("convnext-small", "convnext-base", "convnext-large"),
    *("vgg13", "vgg13-bn", "vgg16", "vgg11-bn", "vgg19", "vgg19-bn"),
}
IMAGE_SIZES = {"alexnet-torchvision": 96, "vgg11": 64, "vgg16-bn": 64}  # for which the last map is 2x2
LAYERS = (nn.Conv2d, nn.BatchNorm2d, nn.LayerNorm, nn.Linear, nn.Dropout)


@pytest.mark.parametrize("preset", ["paper", "mini"])
@pytest.mark.parametrize("name", by_tier(NAMES))
def test_the_shapes_and_the_size_of_the_paper_are_the_declared_ones(name, preset):
    architecture = models.info(name).resolve(preset)
    with torch.device("meta"):
        network = models.build(name, preset).eval()
        inputs = example_inputs(network, 2)
        outputs = network(*inputs)
    tensors = [*inputs, *tensors_in(outputs)]
    for tensor, spec in zip(tensors, [*architecture.inputs.values(), *architecture.outputs.values()], strict=True):
        assert str(tensor.dtype) == f"torch.{spec.dtype}" and len(tensor) == 2
        # Dimensions that differ from batch to batch are names.
        assert [
            size if isinstance(dim, int) else dim for size, dim in zip(tensor.shape[1:], spec.dims, strict=True)
        ] == [*spec.dims]
    if architecture.params is not None and preset == "paper":
        assert sum(weight.numel() for weight in network.parameters()) == architecture.params


# Torch's own layers are a part of a network, whose tests compare them.
# So are those of vision transformers, which read images of one size only.
TRANSFORMERS = {name for name in NAMES if models.info(name).family in ("vit", "swin")}
# So are detectors, of which torchvision's return detections, and networks for segmentation, which return maps.
DETECTORS = {name for name in NAMES if ".detection." in models.info(name).module}
SEGMENTERS = {name for name in NAMES if ".segmentation." in models.info(name).module}
APART = LARGER | TRANSFORMERS | DETECTORS | SEGMENTERS
COMPARED = [name for name in NAMES if models.info(name).reference in REFERENCES and name not in APART]


@pytest.mark.parametrize("name", by_tier(COMPARED))
@torch.no_grad()
def test_with_the_references_weights_outputs_are_the_references(name):
    torch.manual_seed(0)
    theirs = REFERENCES[models.info(name).reference](name)
    network = models.build(name, theirs.preset, **theirs.options).double().eval()
    assert (theirs.outputs[0] - theirs.outputs[1]).abs().max() > 1e-3  # or any network would agree
    assert not torch.allclose(theirs.convert(network(theirs.inputs)), theirs.outputs, rtol=0, atol=1e-2)
    network.load_reference(theirs.weights)
    torch.testing.assert_close(theirs.convert(network(theirs.inputs)), theirs.outputs, rtol=0, atol=1e-8)
    single = theirs.convert(network.float()(theirs.inputs.float()))
    torch.testing.assert_close(single, theirs.single, rtol=1e-6, atol=1e-4)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted({*LARGER, *IMAGE_SIZES}))
def test_larger_networks_have_the_references_layers_and_load_its_weights(name):
    def layers(network):
        words = ("stride", "padding", "dilation", "groups", "eps", "momentum", "p")
        modules = [module for module in network.modules() if isinstance(module, LAYERS)]
        return [[getattr(module, word, None) for word in words] for module in modules]

    with torch.device("meta"):
        theirs = torchvision_network(name)
        network = models.build(name)
    network.load_reference(theirs.state_dict())
    assert layers(network) == layers(theirs)


def test_networks_that_load_weights_name_their_reference():
    loading = {name for name in NAMES if hasattr(models.build(name, "mini"), "load_reference")}
    assert loading == {name for name in NAMES if models.info(name).reference}


@pytest.mark.parametrize(
    "name", by_tier((name for name in NAMES if models.info(name).task in tasks.names()), fast=TRAINED_FAST)
)
def test_a_few_steps_lower_the_loss_of_the_mini(name):
    task = tasks.get(models.info(name).task)
    torch.manual_seed(0)
    network = models.build(name, preset="mini")
    # The same few samples in every step: progress on them shows at once, however hard the task is.
    batch = task.sources(network, seed=0)["train"].batch(slice(0, BATCH))
    context = StepContext(is_training=True)

    def compute_loss():
        return task.losses(task.forward(network, batch, context), batch, context)["loss"]

    def loss():
        # In training mode, because running statistics of norms lag behind the weights of twenty steps.
        with torch.no_grad():
            return compute_loss().item()

    before = np.mean([loss() for _ in range(REPEATS)])
    optimizer = torch.optim.Adam(network.parameters(), lr=models.info(name).recipe.get("lr", 3e-3))
    for _ in range(STEPS):
        optimizer.zero_grad()
        compute_loss().backward()
        optimizer.step()
    assert np.mean([loss() for _ in range(REPEATS)]) < before
