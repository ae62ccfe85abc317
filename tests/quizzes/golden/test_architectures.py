"""Architectures: published values, values computed by hand, and torchvision's blocks."""

from fractions import Fraction

import pytest

from quizzes import bank
from quizzes.formulas import get
from workbench.errors import UserError

LENET = dict(n=32, c=1, f1=5, c1=6, f2=5, c2=16, u1=120, u2=84, K=10)
VGG16 = dict(stages=[2, 2, 3, 3, 3])
INCEPTION_3A = dict(C_in=192, n1=64, r3=96, n3=128, r5=16, n5=32, n_p=32)

GOLDEN = [
    (
        "lenet-trace",
        LENET,
        {"n1": 28, "m1": 14, "n2": 10, "m2": 5, "v": 400, "P1": 156, "P2": 2_416, "P3": 48_120, "P4": 10_164}
        | {"P5": 850, "P": 61_706},
    ),
    ("vgg-layer", dict(stage=1, i=1, **VGG16), {"S": [224, 224, 64], "P": 1_792, "D": 102_764_544}),
    ("vgg-layer", dict(stage=3, i=1, **VGG16), {"S": [56, 56, 256], "P": 295_168}),
    (
        "inception-bottleneck",
        dict(n=28, f=5, C_in=192, r=16, C_out=32),
        {"A": 120_422_400, "B": 12_443_648, "q": pytest.approx(9.6774, abs=1e-4)},
    ),
    ("inception-concat", INCEPTION_3A, {"C": 256, "W": 163_328}),
    ("resnet-block", dict(n=56, C_in=64, C_out=128, s=2), {"S": [28, 28, 128], "P": 8_192, "W": 221_184}),
    ("resnet-block", dict(n=56, C_in=64, C_out=64), {"S": [56, 56, 64], "P": 0, "W": 73_728}),
    ("resnet-bottleneck", dict(C=256, c=64), {"B": 69_632, "A": 1_179_648}),
    ("residual-gradient", dict(x=0.4, a=0.5, b=0), {"g1": pytest.approx(1.4), "g": pytest.approx(1.4)}),
    ("residual-depth", dict(d=[0.4]), {"R": pytest.approx(1.4), "Q": pytest.approx(0.4)}),
    ("densenet-channels", dict(k0=64, k=32, L=6, l=4), {"I": 160, "B": 256, "T": 128}),
    (
        "depthwise-separable",
        dict(n=56, f=3, C_in=64, C_out=128),
        {"W": 8_768, "A": 73_728, "M": 8_768 * 56 * 56, "q": pytest.approx(0.1189, abs=5e-5)},
    ),
    ("mobilenetv2-block", dict(C=24, D=24, t=6), {"E": 144, "W": 8_208, "r": 1}),
    ("se-block", dict(C=256, r=16), {"W": 8_192, "P": 8_464}),
    (
        "compound-scaling",
        dict(phi=2),
        {key: pytest.approx(v, abs=5e-4) for key, v in {"D": 1.44, "W": 1.21, "R": 1.3225, "M": 3.687}.items()},
    ),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {
        key: float(values[key]) if isinstance(values[key], Fraction) else values[key] for key in expected
    } == expected


MISTAKES = [  # drill, mistake, inputs, part, resulting answer
    ("trace-architecture", "pooling-with-parameters", LENET, "P", 61_750),
    ("trace-architecture", "no-input-channels", LENET, "P2", 416),
    ("trace-architecture", "flattened-before-pooling", LENET, "v", 1_600),
    ("trace-architecture:vgg", "own-depth-comes-in", dict(stage=3, i=1, **VGG16), "P", 590_080),
    ("trace-architecture:vgg", "padding-ignored", dict(stage=2, i=1, **VGG16), "S", [108, 108, 128]),
    ("trace-architecture:vgg", "no-positions", dict(stage=1, i=1, **VGG16), "D", 2_101_248),
    ("inception-bottleneck", "reduction-for-free", dict(n=28, f=5, C_in=192, r=16, C_out=32), "B", 10_035_200),
    ("inception-concat", "pool-projection-forgotten", INCEPTION_3A, "C", 224),
    ("inception-concat", "reductions-counted", INCEPTION_3A, "C", 368),
    ("resnet-shapes", "concatenated", dict(n=56, C_in=64, C_out=128, s=2), "S", [28, 28, 192]),
    ("resnet-shapes", "shortcut-bias", dict(n=56, C_in=64, C_out=128, s=2), "P", 8_320),
    ("resnet-bottleneck-params", "no-expansion", dict(C=256, c=64), "B", 53_248),
    ("densenet-channels", "layer-counted-itself", dict(k0=64, k=32, L=6, l=4), "I", 192),
    ("densenet-channels", "block-input-forgotten", dict(k0=64, k=32, L=6, l=4), "B", 192),
    ("depthwise-separable", "depthwise-times-outputs", dict(n=1, f=3, C_in=64, C_out=128), "W", 81_920),
    ("mobilenetv2-block", "depthwise-times-outputs", dict(C=24, D=32, t=6), "W", 49_536),
    ("mobilenetv2-block", "shortcut-in-every-block", dict(C=24, D=24, t=6, s=2), "r", 1),
    ("se-block-params", "one-layer", dict(C=256, r=16), "W", 4_096),
    ("residual-gradient:depth", "one-added-once", dict(d=[0.5, 0.5]), "R", 1.25),
]


@pytest.mark.parametrize(("drill", "mistake", "inputs", "part", "expected"), MISTAKES)
def test_mistakes_give_their_answers(drill, mistake, inputs, part, expected):
    declared = bank.get_drill(drill)
    values = declared.formula.evaluate(declared.formula.complete(inputs))
    rule = next(rule for rule in declared.mistake_rules if rule.name == mistake)
    assert declared.formula.evaluate_with_mistake(rule.replaced, values, declared.asks)[part] == expected


def test_vgg_parameters_add_up_to_those_of_torchvision():
    models = pytest.importorskip("torchvision").models
    import torch

    with torch.device("meta"):
        nets = [models.vgg11(), models.vgg13(), models.vgg16(), models.vgg19()]
    plans = ([1, 1, 2, 2, 2], [2, 2, 2, 2, 2], [2, 2, 3, 3, 3], [2, 2, 4, 4, 4])
    for net, stages in zip(nets, plans, strict=True):
        total = sum(
            get("vgg-layer").solve(stages=stages, stage=stage, i=i)["P"]
            for stage, count in enumerate(stages, 1)
            for i in range(1, count + 1)
        )
        assert total == sum(p.numel() for p in net.features.parameters())


def test_densenet121_channels_match_the_paper():
    # arXiv:1608.06993, table 1: blocks of 6, 12, 24 and 16 layers, growth rate 32, compression 0.5
    in_channels, out_channels = 64, []
    for L in (6, 12, 24, 16):
        block = get("densenet-channels").solve(k0=in_channels, k=32, L=L, l=1)
        assert block["I"] == in_channels
        out_channels.append(block["B"])
        in_channels = block["T"]
    assert out_channels == [256, 512, 1024, 1024]


def test_mobilenet_v2_blocks_match_torchvision():
    models = pytest.importorskip("torchvision").models
    import torch
    from torchvision.models.mobilenetv2 import InvertedResidual

    with torch.device("meta"):
        blocks = [block for block in models.mobilenet_v2().features if isinstance(block, InvertedResidual)]
    for block in blocks[1:]:  # the first has no expansion
        layers = [layer for layer in block.modules() if isinstance(layer, torch.nn.Conv2d)]
        C, E, D = layers[0].in_channels, layers[1].out_channels, layers[2].out_channels
        weights = sum(layer.weight.numel() for layer in layers)
        values = get("mobilenetv2-block").solve(C=C, D=D, t=E // C, s=block.stride)
        assert values == {"E": E, "W": weights, "r": int(block.use_res_connect)}
    assert len(blocks) == 17


def test_resnet50_bottlenecks_match_torchvision():
    models = pytest.importorskip("torchvision").models
    import torch

    with torch.device("meta"):
        net = models.resnet50()
    for stage in (net.layer1, net.layer2, net.layer3, net.layer4):
        for block in list(stage)[1:]:
            C, c = block.conv1.in_channels, block.conv1.out_channels
            weights = sum(layer.weight.numel() for layer in (block.conv1, block.conv2, block.conv3))
            assert get("resnet-bottleneck").solve(C=C, c=c)["B"] == weights


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("vgg-layer", dict(stages=[2, 2, 3], stage=1, i=1), "five integers"),
        ("vgg-layer", dict(stage=1, i=3, **VGG16), "at most 2, the number of convolutions in stage 1"),
        ("se-block", dict(C=100, r=16), "^C/r "),
        ("mobilenetv2-block", dict(C=24, D=24, s=3), "from 1 to 2"),
    ],
)
def test_invalid_inputs_raise_an_error(name, inputs, message):
    with pytest.raises(UserError, match=message):
        get(name).solve(**inputs)
