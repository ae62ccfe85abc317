"""DenseNet against Table 1 of its paper."""

import pytest
import torch

import models
from models.cost import outline
from models.vision.densenet import DenseBlock
from workbench.errors import UserError

# Table 1: layers of the four blocks. Its sides are 56, 28, 14, 7; channels follow from k = 32 and halving in between.
TABLE = {
    "densenet121": ((6, 12, 24, 16), (256, 512, 1024, 1024)),
    "densenet169": ((6, 12, 32, 32), (256, 512, 1280, 1664)),
    "densenet201": ((6, 12, 48, 32), (256, 512, 1792, 1920)),
}


@pytest.mark.parametrize("name", TABLE)
def test_blocks_and_maps_are_those_of_table_1(name):
    parts = {part.name.removeprefix("features."): part for part in outline(name).network.walk()}
    depths, widths = TABLE[name]
    for k, (depth, width, side) in enumerate(zip(depths, widths, (56, 28, 14, 7), strict=True), 1):
        block = parts[f"denseblock{k}"]
        assert block.output_shape == [width, side, side]
        assert sum(part.type == "DenseLayer" for part in block.parts) == depth
        if k < 4:
            assert parts[f"transition{k}"].output_shape == [width // 2, side // 2, side // 2]
    # The depth in the name counts convolutions and the dense layer.
    assert name == f"densenet{sum(part.type in ('Conv2d', 'Linear') for part in parts.values())}"


def test_every_layer_reads_all_before_it():
    torch.manual_seed(0)
    block = DenseBlock(5, depth=4, growth=3).eval()
    x = torch.rand(2, 5, 6, 6)
    y = block(x)
    assert y.shape == (2, 5 + 4 * 3, 6, 6)
    assert torch.equal(y[:, :5], x)
    for k, layer in enumerate(block.children()):
        torch.testing.assert_close(y[:, 5 + 3 * k : 8 + 3 * k], layer(y[:, : 5 + 3 * k].clone()))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"depths": (1, 1, 1)}, "four numbers"),
        ({"depths": (1, 0, 1, 1)}, "four numbers"),
        ({"side": 31}, "side must be"),
    ],
)
def test_what_cannot_be_built_is_refused(options, said):
    with pytest.raises(UserError, match=said):
        models.build("densenet121", "mini", **options)
