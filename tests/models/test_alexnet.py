"""AlexNet of 2012 and of 2014, against the paper's formula, its figure and counts by hand."""

import numpy as np
import pytest
import torch

import models
from models.cost import outline
from models.vision import alexnet
from workbench.errors import UserError

# Figure 2 of the paper gives sides and maps, its text the filters: weights and biases of each layer, by hand.
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
# The table of the file in one column.
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


def test_every_layer_of_2012_has_its_maps_and_parameters():
    parts = {part.name: part for part in outline("alexnet").network.parts}
    assert {name: (parts[name].output_shape, parts[name].params) for name in LAYERS} == LAYERS
    assert [parts[name].output_shape[1] for name in ("pool1", "pool2", "pool5")] == [27, 13, 6]
    assert sum(params for _, params in LAYERS.values()) == 60_965_224


def test_every_layer_of_2014_has_its_maps():
    [features] = [part for part in outline("alexnet-torchvision").network.parts if part.name == "features"]
    shapes = {part.name.partition(".")[2]: part.output_shape for part in features.parts}
    assert {place: shapes[place] for place in TORCHVISION} == TORCHVISION


def test_response_normalisation_is_the_papers_formula():
    torch.manual_seed(0)
    x = 30 * torch.randn(2, 12, 3, 4, dtype=torch.float64)  # large, or the sum of squares would do nothing
    a = x.numpy()
    expected = np.empty_like(a)
    for i in range(12):
        near = a[:, max(0, i - 2) : min(11, i + 2) + 1]
        expected[:, i] = a[:, i] / (2 + 1e-4 * (near**2).sum(axis=1)) ** 0.75
    assert np.abs(expected - a / 2**0.75).max() > 0.1
    np.testing.assert_allclose(alexnet.response_norm()(x).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize(("layer", "columns"), [("conv1", 1), ("conv2", 2), ("conv3", 1), ("conv4", 2), ("conv5", 2)])
@torch.no_grad()
def test_a_column_sees_only_itself_but_for_conv3(layer, columns):
    torch.manual_seed(0)
    convolution = models.build("alexnet", "mini").get_submodule(layer)
    x = torch.randn(1, convolution.in_channels, 15, 15)
    changed = x.clone()
    changed[:, 0] += 1
    moved = (convolution(changed) - convolution(x)).abs().amax(dim=(0, 2, 3)) > 1e-6
    half = len(moved) // 2
    assert moved[:half].all() and moved[half:].all() == (columns == 1) == moved[half:].any()


def test_first_weights_are_the_papers():
    torch.manual_seed(0)
    network = models.build("alexnet", hidden=64, classes=50)
    biases = {name: set(getattr(network, name).bias.tolist()) for name in LAYERS}
    ones = {"conv2", "conv4", "conv5", "fc6", "fc7"}
    assert biases == {name: {1.0} if name in ones else {0.0} for name in LAYERS}
    for name in LAYERS:
        assert getattr(network, name).weight.std().item() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(("name", "least"), [("alexnet", 67), ("alexnet-torchvision", 63)])
def test_the_smallest_picture_leaves_a_pixel_and_a_smaller_none(name, least):
    network = models.build(name, "mini", side=least)
    assert network(torch.zeros(1, 3, least, least)).shape == (1, 8)
    with pytest.raises(UserError, match=f"side must be {least}"):
        models.build(name, "mini", side=least - 1)


@pytest.mark.parametrize(("name", "widths"), [("alexnet", (16, 47, 64, 64, 48)), ("alexnet", (16,) * 4)])
def test_what_cannot_be_two_columns_is_refused(name, widths):
    with pytest.raises(UserError, match="five even numbers"):
        models.build(name, "mini", widths=widths)


def test_five_widths_are_needed_in_one_column_too():
    with pytest.raises(UserError, match="five numbers"):
        models.build("alexnet-torchvision", "mini", widths=(16, 0, 64, 64, 48))
