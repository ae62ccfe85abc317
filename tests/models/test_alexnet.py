"""AlexNet (2012) and its ungrouped form (2014) against the paper's formula and figure, and counts by hand."""

import numpy as np
import pytest
import torch

import models
from models.cost import summarize
from models.vision import alexnet
from workbench.errors import UserError

# Figure 2 of the paper has the shapes of maps, its text the filters; weights and biases are counted by hand.
LAYERS = {
    "conv1": ([96, 55, 55], 96 * (11 * 11 * 3 + 1)),
    "conv2": ([256, 27, 27], 256 * (5 * 5 * 48 + 1)),
    "conv3": ([384, 13, 13], 384 * (3 * 3 * 256 + 1)),
    "conv4": ([384, 13, 13], 384 * (3 * 3 * 192 + 1)),
    "conv5": ([256, 13, 13], 256 * (3 * 3 * 192 + 1)),
    "fc6": ([4096], 4096 * (6 * 6 * 256 + 1)),
    "fc7": ([4096], 4096 * (4096 + 1)),
    "fc8": ([1000], 1000 * (4096 + 1)),
}
# The ungrouped network, as in the table of its file.
TORCHVISION = {
    "0": [64, 55, 55],
    "2": [64, 27, 27],
    "3": [192, 27, 27],
    "5": [192, 13, 13],
    "6": [384, 13, 13],
    "8": [256, 13, 13],
    "10": [256, 13, 13],
    "12": [256, 6, 6],
}


def test_layers_have_the_papers_maps_and_parameters():
    layers = {layer.name: layer for layer in summarize("alexnet").network.children}
    assert {name: (layers[name].output_shape, layers[name].params) for name in LAYERS} == LAYERS
    assert [layers[name].output_shape[1] for name in ("pool1", "pool2", "pool5")] == [27, 13, 6]
    assert sum(params for _, params in LAYERS.values()) == 60_965_224


def test_layers_of_the_ungrouped_network_have_their_maps():
    features, _ = summarize("alexnet-torchvision").network.children
    shapes = {layer.name.partition(".")[2]: layer.output_shape for layer in features.children}
    assert {index: shapes[index] for index in TORCHVISION} == TORCHVISION


def test_response_normalization_is_the_papers_formula():
    torch.manual_seed(0)
    x = 30 * torch.randn(2, 12, 3, 4, dtype=torch.float64)  # large, or the sum of squares would have no effect
    a = x.numpy()
    expected = np.empty_like(a)
    for i in range(12):
        adjacent = a[:, max(0, i - 2) : min(11, i + 2) + 1]
        expected[:, i] = a[:, i] / (2 + 1e-4 * (adjacent**2).sum(axis=1)) ** 0.75
    assert np.abs(expected - a / 2**0.75).max() > 0.1
    np.testing.assert_allclose(alexnet.response_norm()(x).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("layer", "groups"), [("conv1", 1), ("conv2", 2), ("conv3", 1), ("conv4", 2), ("conv5", 2)])
@torch.no_grad()
def test_filters_of_a_group_see_only_its_maps(layer, groups):
    torch.manual_seed(0)
    convolution = models.build("alexnet", "mini").get_submodule(layer)
    x = torch.randn(1, convolution.in_channels, 15, 15)
    changed = x.clone()
    changed[:, 0] += 1
    has_changed = (convolution(changed) - convolution(x)).abs().amax(dim=(0, 2, 3)) > 1e-6
    half = len(has_changed) // 2
    assert has_changed[:half].all() and has_changed[half:].all() == (groups == 1) == has_changed[half:].any()


def test_initial_weights_are_the_papers():
    torch.manual_seed(0)
    network = models.build("alexnet", hidden_size=64, num_classes=50)
    biases = {name: set(getattr(network, name).bias.tolist()) for name in LAYERS}
    ones = {"conv2", "conv4", "conv5", "fc6", "fc7"}
    assert biases == {name: {1.0} if name in ones else {0.0} for name in LAYERS}
    for name in LAYERS:
        assert getattr(network, name).weight.std().item() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(("name", "smallest"), [("alexnet", 67), ("alexnet-torchvision", 63)])
def test_the_smallest_image_leaves_a_pixel_and_a_smaller_one_none(name, smallest):
    network = models.build(name, "mini", image_size=smallest)
    assert network(torch.zeros(1, 3, smallest, smallest)).shape == (1, 8)
    with pytest.raises(UserError, match=f"image_size must be {smallest}"):
        models.build(name, "mini", image_size=smallest - 1)


@pytest.mark.parametrize(("name", "channels"), [("alexnet", (16, 47, 64, 64, 48)), ("alexnet", (16,) * 4)])
def test_channels_that_cannot_have_two_groups_are_rejected(name, channels):
    with pytest.raises(UserError, match="five even numbers"):
        models.build(name, "mini", channels=channels)


def test_the_ungrouped_network_needs_five_numbers_of_channels():
    with pytest.raises(UserError, match="five numbers"):
        models.build("alexnet-torchvision", "mini", channels=(16, 0, 64, 64, 48))
