"""VGG against Table 1 of its paper."""

import pytest
import torch

import models
from models.cost import outline
from workbench.errors import UserError

# Table 1, columns A, B, D and E: the number behind conv3-, row by row.
TABLE = {
    "vgg11": "64 | 128 | 256 256 | 512 512 | 512 512",
    "vgg13": "64 64 | 128 128 | 256 256 | 512 512 | 512 512",
    "vgg16": "64 64 | 128 128 | 256 256 256 | 512 512 512 | 512 512 512",
    "vgg19": "64 64 | 128 128 | 256 256 256 256 | 512 512 512 512 | 512 512 512 512",
}


@pytest.mark.parametrize("norm", ["", "-bn"])
@pytest.mark.parametrize("name", TABLE)
def test_the_rows_are_those_of_table_1(name, norm):
    features, classifier = outline(name + norm).network.parts
    rows = [[]]
    for part in features.parts:
        if part.type == "Conv2d":
            assert part.detail == "3x3"
            rows[-1].append(part.output_shape)
        elif part.type == "MaxPool2d":
            rows.append([])
    assert rows.pop() == []
    expected = [
        [[int(width), side, side] for width in row.split()]
        for row, side in zip(TABLE[name].split("|"), (224, 112, 56, 28, 14), strict=True)
    ]
    assert rows == expected
    dense = [part.output_shape for part in classifier.parts if part.type == "Linear"]
    assert dense == [[4096], [4096], [1000]]
    # The depth in the name counts layers with weights, and no norms.
    assert name == f"vgg{sum(map(len, rows)) + len(dense)}"
    assert sum(part.type == "BatchNorm2d" for part in features.parts) == (sum(map(len, rows)) if norm else 0)


def test_most_parameters_are_in_the_dense_layers_and_most_work_in_the_filters():
    features, classifier = outline("vgg16").network.parts
    assert (features.total_params, classifier.total_params) == (14_714_688, 123_642_856)
    assert classifier.total_macs == 25_088 * 4_096 + 4_096 * 4_096 + 4_096 * 1_000
    assert features.total_macs > 100 * classifier.total_macs


def test_normalisation_scales_and_shifts_each_map():
    assert models.info("vgg16-bn").params - models.info("vgg16").params == 2 * (2 * 64 + 2 * 128 + 3 * 256 + 6 * 512)


def test_first_weights_keep_the_size_of_what_passes():
    torch.manual_seed(0)
    network = models.build("vgg11", hidden=100, side=32)
    for layer in network.features:
        if isinstance(layer, torch.nn.Conv2d):
            assert layer.weight.var().item() == pytest.approx(2 / (9 * layer.out_channels), rel=0.1)
            assert not layer.bias.any()
    assert network.classifier[0].weight.std().item() == pytest.approx(0.01, rel=0.05)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"depths": (1, 1, 1)}, "five numbers"), ({"side": 48}, "multiple of 32"), ({"side": 0}, "32")],
)
def test_what_cannot_be_built_is_refused(options, said):
    with pytest.raises(UserError, match=said):
        models.build("vgg11", "mini", **options)
