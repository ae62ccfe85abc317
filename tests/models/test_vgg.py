"""VGG against Table 1 of its paper."""

import pytest
import torch

import models
from models.cost import summarize
from workbench.errors import UserError

# Table 1, columns A, B, D and E: the number after conv3-, row by row.
TABLE = {
    "vgg11": "64 | 128 | 256 256 | 512 512 | 512 512",
    "vgg13": "64 64 | 128 128 | 256 256 | 512 512 | 512 512",
    "vgg16": "64 64 | 128 128 | 256 256 256 | 512 512 512 | 512 512 512",
    "vgg19": "64 64 | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512",
}


@pytest.mark.parametrize("norm", ["", "-bn"])
@pytest.mark.parametrize("name", TABLE)
def test_the_rows_are_those_of_table_1(name, norm):
    features, classifier = summarize(name + norm).network.children
    rows = [[]]
    for layer in features.children:
        if layer.type == "Conv2d":
            assert layer.detail == "3x3"
            rows[-1].append(layer.output_shape)
        elif layer.type == "MaxPool2d":
            rows.append([])
    assert rows.pop() == []
    expected = [
        [[int(channels), size, size] for channels in row.split()]
        for row, size in zip(TABLE[name].split("|"), (224, 112, 56, 28, 14), strict=True)
    ]
    assert rows == expected
    dense = [layer.output_shape for layer in classifier.children if layer.type == "Linear"]
    assert dense == [[4096], [4096], [1000]]
    # The depth in the name counts layers with weights, except norms.
    assert name == f"vgg{sum(map(len, rows)) + len(dense)}"
    assert sum(layer.type == "BatchNorm2d" for layer in features.children) == (sum(map(len, rows)) if norm else 0)


def test_most_parameters_are_in_the_dense_layers_and_most_macs_in_the_convolutions():
    features, classifier = summarize("vgg16").network.children
    assert (features.total_params, classifier.total_params) == (14_714_688, 123_642_856)
    assert classifier.total_macs == 25_088 * 4_096 + 4_096 * 4_096 + 4_096 * 1_000
    assert features.total_macs > 100 * classifier.total_macs


def test_batch_norm_has_two_parameters_per_channel():
    assert models.info("vgg16-bn").params - models.info("vgg16").params == 2 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512)


def test_initial_weights_keep_the_variance_of_activations():
    torch.manual_seed(0)
    network = models.build("vgg11", hidden_size=100, image_size=32)
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            assert layer.weight.var().item() == pytest.approx(2 / (9 * layer.out_channels), rel=0.1)
            assert not layer.bias.any()
    assert network.classifier[0].weight.std().item() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"depths": (1, 1, 1)}, "five numbers"), ({"image_size": 48}, "multiple of 32"), ({"image_size": 0}, "32")],
)
def test_invalid_arguments_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("vgg11", "mini", **options)
