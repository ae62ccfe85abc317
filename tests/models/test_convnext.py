"""ConvNeXt against the figures of its paper, and its parts against torch, torchvision and timm."""

import pytest
import torch
import torch.nn.functional as F

import models
from models.cost import outline
from models.layers.drop_path import DropPath
from models.vision.convnext import Block, ChannelNorm
from workbench.errors import UserError

# Table 1 of the paper: millions of parameters and billions of FLOPs (multiply-accumulates), as printed; section 3:
# channels and blocks of the stages.
PUBLISHED = {
    "convnext-tiny": (29, 4.5, (96, 192, 384, 768), (3, 3, 9, 3)),
    "convnext-small": (50, 8.7, (96, 192, 384, 768), (3, 3, 27, 3)),
    "convnext-base": (89, 15.4, (128, 256, 512, 1024), (3, 3, 27, 3)),
    "convnext-large": (198, 34.4, (192, 384, 768, 1536), (3, 3, 27, 3)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_size_stages_and_skips_are_the_published(name):
    import torchvision
    from torchvision.ops import StochasticDepth

    params, macs, widths, depths = PUBLISHED[name]
    whole = outline(name)
    assert (round(whole.network.total_params / 1e6), round(whole.network.total_macs / 1e9, 1)) == (params, macs)
    found = {layer.name: layer for layer in whole.network.walk()}
    for k, (width, depth, side) in enumerate(zip(widths, depths, (56, 28, 14, 7), strict=True)):
        assert found[f"stages.{k}"].output_shape == [width, side, side]
        assert len(found[f"stages.{k}.blocks"].parts) == depth
    with torch.device("meta"):
        theirs = getattr(torchvision.models, name.replace("-", "_"))(weights=None)
        ours = models.build(name)
    chances = [part.p for part in ours.modules() if isinstance(part, DropPath)]
    assert chances == pytest.approx([part.p for part in theirs.modules() if isinstance(part, StochasticDepth)])


def test_the_names_of_the_weights_are_timms():
    import timm

    with torch.device("meta"):
        theirs, ours = timm.create_model("convnext_tiny"), models.build("convnext-tiny")
    assert {name: value.shape for name, value in ours.state_dict().items()} == {
        name: value.shape for name, value in theirs.state_dict().items()
    }


def test_a_fresh_block_passes_on_its_input_and_a_scaled_one_adds():
    torch.manual_seed(0)
    x = torch.randn(2, 6, 9, 9)
    block = Block(6, drop_path=0, layer_scale=1e-6)
    torch.testing.assert_close(block(x), x, atol=1e-5, rtol=0)
    torch.nn.init.constant_(block.gamma, 2.0)
    y = F.layer_norm(block.conv_dw(x).movedim(1, -1), (6,), eps=1e-6)
    y = block.mlp.fc2(F.gelu(block.mlp.fc1(y)))
    torch.testing.assert_close(block(x), x + 2 * y.movedim(-1, 1))


def test_the_norm_sees_the_channels_of_one_pixel():
    x = torch.randn(2, 8, 4, 4, dtype=torch.float64)
    y = ChannelNorm(8).double()(x)
    expected = (x - x.mean(dim=1, keepdim=True)) / (x.var(dim=1, keepdim=True, correction=0) + 1e-6).sqrt()
    torch.testing.assert_close(y, expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"depths": (1, 1, 1)}, "four numbers"), ({"side": 31}, "side must be"), ({"drop_path": 1.5}, "below 1")],
)
def test_what_cannot_be_built_is_refused(options, said):
    with pytest.raises(UserError, match=said):
        models.build("convnext-tiny", "mini", **options)
