"""ResNet against Table 1 of its paper and against torchvision, and the effect of its options."""

from functools import partial

import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.feature_extraction import create_feature_extractor
from torchvision.ops import FrozenBatchNorm2d

import models
from models.tracing import hooked
from tests.networks import by_tier
from workbench.errors import UserError

# Table 1, as printed: for each of conv2_x to conv5_x, kernel size and channels of a block's layers, and the number of
# blocks.
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
    for layer, (convolutions, blocks), output, size in zip(layers, TABLE[name], maps, (56, 28, 14, 7), strict=True):
        assert output.shape == (1, convolutions[-1][1], size, size)
        assert len(layer) == blocks
        for block in layer:
            modules = [block.get_submodule(f"conv{k}") for k in range(1, len(convolutions) + 1)]
            assert [(conv.kernel_size[0], conv.out_channels) for conv in modules] == convolutions
    # The depth in the name counts convolutions and the dense layer, without shortcuts.
    depth = 1 + sum(len(convolutions) * blocks for convolutions, blocks in TABLE[name]) + 1
    assert name == f"resnet{depth}"


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_the_3x3_has_the_stride(name):
    with torch.device("meta"):
        network = models.build(name)
    strides = [
        (conv_name.rpartition(".")[2], conv.kernel_size[0])
        for conv_name, conv in network.named_modules()
        if getattr(conv, "stride", None) == (2, 2) and "downsample" not in conv_name and conv_name.startswith("layer")
    ]
    assert strides == [("conv1" if name == "resnet18" else "conv2", 3)] * 3


def test_a_block_that_adds_nothing_is_the_identity():
    torch.manual_seed(0)
    block = models.build("resnet50", "mini", layers=(2, 1, 1, 1)).layer1[1]
    nn.init.zeros_(block.bn3.weight)
    x = torch.rand(2, 32, 5, 5)  # not negative, so that the last ReLU does not change it
    torch.testing.assert_close(block(x), x)


def test_the_plain_network_has_the_same_convolutions_and_no_shortcuts():
    with torch.device("meta"):
        residual, plain = (models.build("resnet34", residual=residual) for residual in (True, False))
    shortcuts = {name for name in residual.state_dict() if "downsample" in name}
    assert shortcuts and set(residual.state_dict()) - shortcuts == set(plain.state_dict())
    block = models.build("resnet18", "mini", residual=False).layer1[0].eval()
    nn.init.zeros_(block.bn2.weight)
    assert block(torch.rand(2, 8, 5, 5)).abs().max() == 0


def test_group_norm_uses_one_sample_and_batch_norm_all():
    torch.manual_seed(0)
    x = torch.randn(4, 3, 64, 64)
    for norm_layer, is_per_sample in (("group", True), ("batch", False)):
        network = models.build("resnet18", "mini", norm_layer=norm_layer).train()
        assert torch.allclose(network(x)[:2], network(x[:2]), atol=1e-4) == is_per_sample


def test_without_norm_there_are_biases_instead():
    network = models.build("resnet18", "mini", norm_layer="none")
    assert all("bn" not in name for name in network.state_dict())
    assert "conv1.bias" in network.state_dict() and "conv1.bias" not in models.build("resnet18", "mini").state_dict()


def randomize_norms(network):
    """Give a network norms as after training: fresh ones would hide which of them are mixed up."""
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1)
            nn.init.normal_(module.bias, std=0.1)
            nn.init.normal_(module.running_mean, std=0.1)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return network.double().eval()


SMALL = partial(torchvision.models.ResNet, torchvision.models.resnet.Bottleneck, [2, 1, 2, 1])
OURS = dict(layers=[2, 1, 2, 1])
DILATED = [dict(replace_stride_with_dilation=dilate) for dilate in ([False, True, True], [True, True, False])]
GROUPS, WIDE = dict(groups=32, width_per_group=4), dict(width_per_group=128)
VARIANTS = {  # torchvision's network with its arguments, and our arguments for resnet50
    "small": (SMALL, {}, OURS),
    "small, dilated": (SMALL, DILATED[0], OURS | DILATED[0]),
    "small, dilated earlier": (SMALL, DILATED[1], OURS | DILATED[1]),
    "small, grouped, dilated": (SMALL, GROUPS | DILATED[0], OURS | GROUPS | DILATED[0]),
    "resnet50, dilated": (torchvision.models.resnet50, DILATED[0], DILATED[0]),
    "resnext50": (torchvision.models.resnext50_32x4d, {}, GROUPS),
    "wide resnet50": (torchvision.models.wide_resnet50_2, {}, WIDE),
}


@torch.no_grad()
@pytest.mark.parametrize("variant", by_tier(VARIANTS, fast=[name for name in VARIANTS if name.startswith("small")]))
def test_variants_have_torchvisions_outputs(variant):
    torch.manual_seed(0)
    make_reference, their_options, options = VARIANTS[variant]
    reference = randomize_norms(make_reference(num_classes=10, **their_options))
    network = models.build("resnet50", num_classes=10, **options).double().eval()
    network.load_reference(reference.state_dict())
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    expected = reference(x)
    assert (expected[0] - expected[1]).abs().max() > 1e-4
    torch.testing.assert_close(network(x), expected, rtol=0, atol=1e-10)


@torch.no_grad()
@pytest.mark.parametrize(("options", "strides"), [({}, (4, 8, 16, 32)), (DILATED[0], (4, 8, 8, 8))])
def test_features_are_those_of_torchvisions_extractor(options, strides):
    torch.manual_seed(0)
    reference = randomize_norms(SMALL(**options))
    network = models.build("resnet50", **OURS, **options).double().eval()
    network.load_reference(reference.state_dict())
    x = torch.randn(1, 3, 64, 96, dtype=torch.float64)
    maps, expected = network.features(x), create_feature_extractor(reference, [f"layer{k}" for k in range(1, 5)])(x)
    assert [m.shape[1] for m in maps] == list(network.feature_channels)
    assert [tuple(m.shape[2:]) for m in maps] == [(64 // stride, 96 // stride) for stride in strides]
    for k, m in enumerate(maps, 1):
        torch.testing.assert_close(m, expected[f"layer{k}"], rtol=0, atol=1e-10)


def test_every_relu_is_a_module_that_hooks_see():
    network, outputs = models.build("resnet18", "mini").eval(), []
    with hooked(network, after=lambda name, module, args, output: outputs.append((name, module, output))):
        network(torch.randn(2, 3, 64, 64))
    relus = [(name, output) for name, module, output in outputs if isinstance(module, nn.ReLU)]
    assert len(relus) == len({name for name, _ in relus}) == 1 + 2 * 8
    assert all(output.min() >= 0 for _, output in relus)


def test_a_norm_may_be_a_function():
    network = models.build("resnet18", "mini", norm_layer=FrozenBatchNorm2d)
    assert sum(isinstance(module, FrozenBatchNorm2d) for module in network.modules()) == 20
    assert not any(isinstance(module, nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize(
    "options",
    [
        {"block": "basics"},
        {"norm_layer": "layer"},
        {"layers": (1, 1, 1)},
        {"groups": 2},
        {"replace_stride_with_dilation": [False, True, True]},
        {"block": "bottleneck", "replace_stride_with_dilation": [True]},
    ],
)
def test_invalid_arguments_are_rejected(options):
    with pytest.raises(UserError, match="must be"):
        models.build("resnet18", "mini", **options)
