"""ResNet against Table 1 of its paper, and what its options change."""

import pytest
import torch

import models
from workbench.errors import UserError

# Table 1, as printed: for each of conv2_x to conv5_x, kernel and channels of a block's layers, and how many blocks.
TABLE = {
    "resnet18": [([(3, 64)] * 2, 2), ([(3, 128)] * 2, 2), ([(3, 256)] * 2, 2), ([(3, 512)] * 2, 2)],
    "resnet34": [([(3, 64)] * 2, 3), ([(3, 128)] * 2, 4), ([(3, 256)] * 2, 6), ([(3, 512)] * 2, 3)],
} | {
    name: [([(1, n), (3, n), (1, 4 * n)], blocks) for n, blocks in zip((64, 128, 256, 512), counts, strict=True)]
    for name, counts in {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3), "resnet152": (3, 8, 36, 3)}.items()
}


@pytest.mark.parametrize("name", TABLE)
def test_blocks_and_maps_are_those_of_table_1(name):
    with torch.device("meta"):
        network = models.build(name)
        x = torch.zeros(1, 3, 224, 224)
        assert network.conv1(x).shape == (1, 64, 112, 112)
        assert network.maxpool(network.conv1(x)).shape == (1, 64, 56, 56)
        maps = network.features(x)
    layers = [network.layer1, network.layer2, network.layer3, network.layer4]
    for layer, (convolutions, blocks), output, side in zip(layers, TABLE[name], maps, (56, 28, 14, 7), strict=True):
        assert output.shape == (1, convolutions[-1][1], side, side)
        assert len(layer) == blocks
        for block in layer:
            own = [block.get_submodule(f"conv{k}") for k in range(1, len(convolutions) + 1)]
            assert [(conv.kernel_size[0], conv.out_channels) for conv in own] == convolutions
    # The depth in the name counts convolutions and the dense layer, and no shortcuts.
    depth = 1 + sum(len(convolutions) * blocks for convolutions, blocks in TABLE[name]) + 1
    assert name == f"resnet{depth}"


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_3x3_halves_the_map(name):
    with torch.device("meta"):
        network = models.build(name)
    strides = [
        (conv_name.rpartition(".")[2], conv.kernel_size[0])
        for conv_name, conv in network.named_modules()
        if getattr(conv, "stride", None) == (2, 2) and "downsample" not in conv_name and conv_name.startswith("layer")
    ]
    assert strides == [("conv1" if name == "resnet18" else "conv2", 3)] * 3


def test_a_block_that_adds_nothing_passes_on_its_input():
    torch.manual_seed(0)
    block = models.build("resnet50", "mini", depths=(2, 1, 1, 1)).layer1[1]
    torch.nn.init.zeros_(block.bn3.weight)
    x = torch.rand(2, 32, 5, 5)  # not negative: the last ReLU lets it through
    torch.testing.assert_close(block(x), x)


def test_the_plain_network_has_the_same_convolutions_and_no_shortcuts():
    with torch.device("meta"):
        residual, plain = (models.build("resnet34", residual=wanted) for wanted in (True, False))
    shortcuts = {name for name in residual.state_dict() if "downsample" in name}
    assert shortcuts and set(residual.state_dict()) - shortcuts == set(plain.state_dict())
    block = models.build("resnet18", "mini", residual=False).layer1[0].eval()
    torch.nn.init.zeros_(block.bn2.weight)
    assert block(torch.rand(2, 8, 5, 5)).abs().max() == 0


def test_group_norm_looks_at_one_sample_and_batch_norm_at_all():
    torch.manual_seed(0)
    x = torch.randn(4, 3, 64, 64)
    for norm, alone in (("group", True), ("batch", False)):
        network = models.build("resnet18", "mini", norm=norm).train()
        assert torch.allclose(network(x)[:2], network(x[:2]), atol=1e-4) == alone


def test_without_norm_there_are_biases_instead():
    network = models.build("resnet18", "mini", norm="none")
    assert all("bn" not in name for name in network.state_dict())
    assert "conv1.bias" in network.state_dict() and "conv1.bias" not in models.build("resnet18", "mini").state_dict()


@pytest.mark.parametrize("options", [{"block": "basics"}, {"norm": "layer"}, {"depths": (1, 1, 1)}])
def test_what_cannot_be_built_is_refused(options):
    with pytest.raises(UserError, match="must be"):
        models.build("resnet18", "mini", **options)
