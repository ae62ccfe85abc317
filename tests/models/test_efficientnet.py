"""EfficientNet against Table 1 of its paper, and its parts against torchvision's."""

from itertools import pairwise

import pytest
import torch

import models
from models.cost import summarize
from models.layers.by_position import load_by_position
from models.layers.drop_path import DropPath
from models.vision.efficientnet import SqueezeExcitation
from workbench.errors import UserError

# Table 1: output size, expansion, kernel size, channels and blocks of each stage of MBConv.
STAGES = [
    *((112, 1, 3, 16, 1), (56, 6, 3, 24, 2), (28, 6, 5, 40, 2), (14, 6, 3, 80, 3)),
    *((14, 6, 5, 112, 3), (7, 6, 5, 192, 4), (7, 6, 3, 320, 1)),
]
NAMES = [f"efficientnet-b{phi}" for phi in range(8)]


def test_b0_has_the_stages_of_table_1():
    with torch.device("meta"):
        network = models.build("efficientnet-b0")
    shapes = {layer.name: layer.output_shape for layer in summarize("efficientnet-b0").network.walk()}
    assert shapes["stem"] == [32, 112, 112]
    before = 32
    for k, (size, expansion, kernel, channels, depth) in enumerate(STAGES):
        assert shapes[f"stages.{k}"] == [channels, size, size]
        assert len(network.stages[k]) == depth
        for block in network.stages[k]:
            assert block.depthwise.conv.kernel_size == (kernel, kernel)
            assert block.depthwise.conv.groups == block.project.conv.in_channels == expansion * before
            assert block.gate.reduce.out_channels == before // 4
            before = channels
    assert shapes["head"] == [1280, 7, 7]


@pytest.mark.parametrize("name", ["efficientnet-b0", "efficientnet-b4"])
def test_stochastic_depth_is_torchvisions(name):
    import torchvision
    from torchvision.ops import StochasticDepth

    with torch.device("meta"):
        theirs = getattr(torchvision.models, name.replace("-", "_"))(weights=None)
        ours = models.build(name)
    probs = [module.p for module in ours.modules() if isinstance(module, DropPath)]
    assert probs == pytest.approx([module.p for module in theirs.modules() if isinstance(module, StochasticDepth)])
    assert probs[0] == 0 < probs[-1] < 0.2


def test_depth_and_width_grow_with_the_coefficients():
    papers = [models.info(name).presets["paper"] for name in NAMES]
    minis = [models.info(name).presets["mini"] for name in NAMES]
    for key in ("width_mult", "depth_mult"):
        factors = [paper[key] for paper in papers]
        assert factors == sorted(factors)
        assert [10 * mini[key] for mini in minis] == pytest.approx(factors)


def test_every_mini_costs_more_than_the_one_before():
    costs = [summarize(name, "mini").network.total_macs for name in NAMES]
    assert all(less < more for less, more in pairwise(costs))


def test_squeeze_and_excitation_is_torchvisions():
    import torchvision

    torch.manual_seed(0)
    theirs = torchvision.ops.SqueezeExcitation(12, 3, activation=torch.nn.SiLU)
    ours = SqueezeExcitation(12, 3)
    load_by_position(ours, theirs.state_dict())
    x = torch.randn(2, 12, 5, 5)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width_mult": 0}, "above 0"),
        ({"depth_mult": -1}, "above 0"),
        ({"image_size": 31}, "image_size must be"),
        ({"stochastic_depth_prob": 6}, "below 1"),
    ],
)
def test_invalid_arguments_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("efficientnet-b0", "mini", **options)
