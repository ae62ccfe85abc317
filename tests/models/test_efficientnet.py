"""EfficientNet against Table 1 of its paper, and its parts against torchvision's."""

from itertools import pairwise

import pytest
import torch

import models
from models.cost import outline
from models.layers.by_position import load_by_position
from models.layers.drop_path import DropPath
from models.vision.efficientnet import SqueezeExcite
from workbench.errors import UserError

# Table 1: side that comes out, expansion and kernel, channels and layers of each stage of MBConv.
STAGES = [
    *((112, 1, 3, 16, 1), (56, 6, 3, 24, 2), (28, 6, 5, 40, 2), (14, 6, 3, 80, 3)),
    *((14, 6, 5, 112, 3), (7, 6, 5, 192, 4), (7, 6, 3, 320, 1)),
]
NAMES = [f"efficientnet-b{phi}" for phi in range(8)]


def test_b0_has_the_stages_of_table_1():
    with torch.device("meta"):
        network = models.build("efficientnet-b0")
    shapes = {layer.name: layer.output_shape for layer in outline("efficientnet-b0").network.walk()}
    assert shapes["stem"] == [32, 112, 112]
    before = 32
    for k, (side, expansion, kernel, channels, depth) in enumerate(STAGES):
        assert shapes[f"stages.{k}"] == [channels, side, side]
        assert len(network.stages[k]) == depth
        for block in network.stages[k]:
            assert block.depthwise.conv.kernel_size == (kernel, kernel)
            assert block.depthwise.conv.groups == block.project.conv.in_channels == expansion * before
            assert block.gate.reduce.out_channels == before // 4
            before = channels
    assert shapes["head"] == [1280, 7, 7]


@pytest.mark.parametrize("name", ["efficientnet-b0", "efficientnet-b4"])
def test_samples_skip_blocks_as_often_as_torchvisions_do(name):
    import torchvision
    from torchvision.ops import StochasticDepth

    with torch.device("meta"):
        theirs = getattr(torchvision.models, name.replace("-", "_"))(weights=None)
        ours = models.build(name)
    chances = [part.p for part in ours.modules() if isinstance(part, DropPath)]
    assert chances == pytest.approx([part.p for part in theirs.modules() if isinstance(part, StochasticDepth)])
    assert chances[0] == 0 < chances[-1] < 0.2


def test_depth_and_width_grow_with_the_coefficients():
    widths, depths = zip(
        *[(models.info(name).presets["paper"]["width"], models.info(name).presets["paper"]["depth"]) for name in NAMES],
        strict=True,
    )
    assert list(widths) == sorted(widths) and list(depths) == sorted(depths)
    for name in NAMES:
        paper, mini = (models.info(name).presets[preset] for preset in ("paper", "mini"))
        assert (10 * mini["width"], 10 * mini["depth"]) == pytest.approx((paper["width"], paper["depth"]))


def test_every_mini_costs_more_than_the_one_before():
    costs = [outline(name, "mini").network.total_macs for name in NAMES]
    assert all(less < more for less, more in pairwise(costs))


def test_gates_are_torchvisions():
    from torchvision.ops import SqueezeExcitation

    torch.manual_seed(0)
    theirs = SqueezeExcitation(12, 3, activation=torch.nn.SiLU)
    ours = SqueezeExcite(12, 3)
    load_by_position(ours, theirs.state_dict())
    x = torch.randn(2, 12, 5, 5)
    torch.testing.assert_close(ours(x), theirs(x))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"width": 0}, "above 0"),
        ({"depth": -1}, "above 0"),
        ({"side": 31}, "side must be"),
        ({"drop_path": 6}, "below 1"),
    ],
)
def test_what_cannot_be_built_is_refused(options, said):
    with pytest.raises(UserError, match=said):
        models.build("efficientnet-b0", "mini", **options)
