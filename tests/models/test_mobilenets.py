"""MobileNet v1 and v2 against the tables of their papers, and v2's widths against torchvision."""

import pytest
import torch
from torch import nn

import models
from models.cost import outline
from models.vision.mobilenet_v2 import InvertedResidual
from workbench.errors import UserError

# v1, Table 1: side and channels that come out of each depthwise separable block.
SEPARABLE = [(112, 64), *[(56, 128)] * 2, *[(28, 256)] * 2, *[(14, 512)] * 6, *[(7, 1024)] * 2]
# v2, Table 2 and figure 4: side, channels and blocks of each stage.
STAGES = [(112, 16, 1), (56, 24, 2), (28, 32, 3), (14, 64, 4), (14, 96, 3), (7, 160, 3), (7, 320, 1)]


def layers(name, **options):
    return {layer.name: layer for layer in outline(name, **options).network.walk()}


def test_v1_has_the_maps_of_table_1():
    found = layers("mobilenet-v1")
    assert found["stem"].output_shape == [32, 112, 112]
    for k, (side, channels) in enumerate(SEPARABLE):
        assert found[f"blocks.{k}"].output_shape == [channels, side, side]
    assert f"blocks.{len(SEPARABLE)}" not in found


def test_v1_spends_where_table_2_says():
    """Table 2: percentages of multiply-adds and parameters by kind of layer."""
    convolutions = [layer for layer in layers("mobilenet-v1").values() if layer.type in ("Conv2d", "Linear")]
    kinds = {
        "1x1": [layer for layer in convolutions if layer.detail.startswith("1x1")],
        "depthwise": [layer for layer in convolutions if "groups" in layer.detail],
        "3x3": [layer for layer in convolutions if layer.name == "stem.conv"],
        "dense": [layer for layer in convolutions if layer.type == "Linear"],
    }
    assert sum(map(len, kinds.values())) == len(convolutions) == 1 + 2 * 13 + 1
    macs = sum(layer.macs for layer in convolutions)
    shares = {kind: 100 * sum(layer.macs for layer in found) / macs for kind, found in kinds.items()}
    # It prints 1.19 for 3x3, with which the four don't add up to 100: two digits are swapped.
    assert shares == pytest.approx({"1x1": 94.86, "depthwise": 3.06, "3x3": 1.91, "dense": 0.18}, abs=0.01)
    params = sum(layer.params for layer in convolutions)
    shares = {kind: 100 * sum(layer.params for layer in found) / params for kind, found in kinds.items()}
    assert shares == pytest.approx({"1x1": 74.59, "depthwise": 1.06, "3x3": 0.02, "dense": 24.33}, abs=0.1)


@pytest.mark.parametrize(
    ("options", "macs", "params"),
    [  # tables 6 and 7: millions
        (dict(width=0.75), 325, 2.6),
        (dict(width=0.5), 149, 1.3),
        (dict(width=0.25), 41, 0.5),
        (dict(side=192), 418, 4.2),
        (dict(side=160), 290, 4.2),
        (dict(side=128), 186, 4.2),
    ],
)
def test_v1_costs_with_other_widths_and_sides_what_tables_6_and_7_say(options, macs, params):
    table = outline("mobilenet-v1", **options).table()
    assert table["macs"] / 1e6 == pytest.approx(macs, abs=1)
    assert table["params"] / 1e6 == pytest.approx(params, abs=0.06)


def test_a_separable_convolution_costs_what_section_3_1_says():
    block = layers("mobilenet-v1")["blocks.7"]  # 512 -> 512 on 14x14
    assert block.total_macs / (9 * 512 * 512 * 14 * 14) == pytest.approx(1 / 512 + 1 / 9)


def test_v2_has_the_maps_of_table_2():
    found = layers("mobilenet-v2")
    for k, (side, channels, blocks) in enumerate(STAGES):
        assert found[f"stages.{k}"].output_shape == [channels, side, side]
        assert sum(part.type == "InvertedResidual" for part in found[f"stages.{k}"].parts) == blocks
    assert found["head"].output_shape == [1280, 7, 7]
    assert sum(layer.type == "add" for layer in found.values()) == sum(blocks - 1 for *_, blocks in STAGES)


@pytest.mark.parametrize("width", [0.35, 0.5, 0.75, 1.4])
def test_v2_has_at_other_widths_the_shapes_of_torchvisions(width):
    import torchvision

    with torch.device("meta"):
        theirs = torchvision.models.mobilenet_v2(weights=None, width_mult=width)
        network = models.build("mobilenet-v2", width=width)
    network.load_reference(theirs.state_dict())


def test_what_v2_hands_on_is_not_bent():
    torch.manual_seed(0)
    block = InvertedResidual(8, 8, 6, stride=1).eval()
    x = torch.randn(2, 8, 5, 5)
    assert (block(x) < 0).any() and isinstance(list(block.project.children())[-1], nn.BatchNorm2d)
    nn.init.zeros_(block.project.norm.weight)
    torch.testing.assert_close(block(x), x)  # negative values too
    assert not InvertedResidual(8, 8, 6, stride=2).residual and not InvertedResidual(8, 16, 6, stride=1).residual


@pytest.mark.parametrize("name", ["mobilenet-v1", "mobilenet-v2"])
@pytest.mark.parametrize(("options", "said"), [({"width": 0}, "must be above 0"), ({"side": 31}, "side must be")])
def test_what_cannot_be_built_is_refused(name, options, said):
    with pytest.raises(UserError, match=said):
        models.build(name, "mini", **options)
