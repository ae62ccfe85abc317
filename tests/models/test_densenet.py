"""DenseNet against Table 1 of its paper."""

import pytest
import torch

import models
from models.cost import summarize
from models.vision.densenet import DenseBlock
from workbench.errors import UserError

# Table 1: layers in the four blocks, whose maps are 56, 28, 14 and 7 pixels high; channels follow from k = 32 and
# from the transitions, which halve them.
TABLE = {
    "densenet121": ((6, 12, 24, 16), (256, 512, 1024, 1024)),
    "densenet169": ((6, 12, 32, 32), (256, 512, 1280, 1664)),
    "densenet201": ((6, 12, 48, 32), (256, 512, 1792, 1920)),
}


@pytest.mark.parametrize("name", TABLE)
def test_blocks_and_maps_are_those_of_table_1(name):
    layers = {layer.name.removeprefix("features."): layer for layer in summarize(name).network.walk()}
    depths, channels = TABLE[name]
    for k, (depth, count, size) in enumerate(zip(depths, channels, (56, 28, 14, 7), strict=True), 1):
        block = layers[f"denseblock{k}"]
        assert block.output_shape == [count, size, size]
        assert sum(layer.type == "DenseLayer" for layer in block.children) == depth
        if k < 4:
            assert layers[f"transition{k}"].output_shape == [count // 2, size // 2, size // 2]
    # The depth in the name counts convolutions and the dense layer.
    assert name == f"densenet{sum(layer.type in ('Conv2d', 'Linear') for layer in layers.values())}"


def test_every_layer_reads_all_before_it():
    torch.manual_seed(0)
    block = DenseBlock(5, depth=4, growth_rate=3).eval()
    x = torch.rand(2, 5, 6, 6)
    y = block(x)
    assert y.shape == (2, 5 + 4 * 3, 6, 6)
    assert torch.equal(y[:, :5], x)
    for k, layer in enumerate(block.children()):
        torch.testing.assert_close(y[:, 5 + 3 * k : 8 + 3 * k], layer(y[:, : 5 + 3 * k].clone()))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block_config": (1, 1, 1)}, "four numbers"),
        ({"block_config": (1, 0, 1, 1)}, "four numbers"),
        ({"image_size": 31}, "image_size must be"),
    ],
)
def test_invalid_arguments_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("densenet121", "mini", **options)
