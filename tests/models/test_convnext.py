"""ConvNeXt against the figures of its paper, and its parts against torch, torchvision and timm."""

import pytest
import torch
import torch.nn.functional as F

import models
from models.cost import summarize
from models.layers.drop_path import DropPath
from models.layers.layer_norm_2d import LayerNorm2d
from models.vision.convnext import Block
from workbench.errors import UserError

# Table 1 of the paper: parameters in millions and MACs (which it calls FLOPs) in billions, as printed; section 3:
# channels and blocks of the stages.
PUBLISHED = {
    "convnext-tiny": (29, 4.5, (96, 192, 384, 768), (3, 3, 9, 3)),
    "convnext-small": (50, 8.7, (96, 192, 384, 768), (3, 3, 27, 3)),
    "convnext-base": (89, 15.4, (128, 256, 512, 1024), (3, 3, 27, 3)),
    "convnext-large": (198, 34.4, (192, 384, 768, 1536), (3, 3, 27, 3)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_size_stages_and_stochastic_depth_are_the_published(name):
    import torchvision
    from torchvision.ops import StochasticDepth

    params, macs, channels, depths = PUBLISHED[name]
    network = summarize(name).network
    assert (round(network.total_params / 1e6), round(network.total_macs / 1e9, 1)) == (params, macs)
    layers = {layer.name: layer for layer in network.walk()}
    for k, (count, depth, size) in enumerate(zip(channels, depths, (56, 28, 14, 7), strict=True)):
        assert layers[f"stages.{k}"].output_shape == [count, size, size]
        assert len(layers[f"stages.{k}.blocks"].children) == depth
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name.replace("-", "_"))(weights=None)
        ours = models.build(name)
    probs = [module.p for module in ours.modules() if isinstance(module, DropPath)]
    assert probs == pytest.approx([module.p for module in theirs.modules() if isinstance(module, StochasticDepth)])


def test_state_dict_keys_are_timms():
    import timm

    with torch.device("meta"):
        theirs, ours = timm.create_model("convnext_tiny"), models.build("convnext-tiny")
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in theirs.state_dict().items()
    }


def test_a_fresh_block_is_nearly_the_identity_and_a_scaled_one_adds():
    torch.manual_seed(0)
    x = torch.randn(2, 6, 9, 9)
    block = Block(6, stochastic_depth_prob=0, layer_scale=1e-6)
    torch.testing.assert_close(block(x), x, atol=1e-5, rtol=0)
    torch.nn.init.constant_(block.gamma, 2.0)
    y = F.layer_norm(block.conv_dw(x).movedim(1, -1), (6,), eps=1e-6)
    y = block.mlp.fc2(F.gelu(block.mlp.fc1(y)))
    torch.testing.assert_close(block(x), x + 2 * y.movedim(-1, 1))


def test_the_norm_sees_the_channels_of_one_pixel():
    x = torch.randn(2, 8, 4, 4, dtype=torch.float64)
    y = LayerNorm2d(8).double()(x)
    expected = (x - x.mean(dim=1, keepdim=True)) / (x.var(dim=1, keepdim=True, correction=0) + 1e-6).sqrt()
    torch.testing.assert_close(y, expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depths": (1, 1, 1)}, "four numbers"),
        ({"image_size": 31}, "image_size must be"),
        ({"stochastic_depth_prob": 1.5}, "below 1"),
    ],
)
def test_invalid_arguments_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("convnext-tiny", "mini", **options)
