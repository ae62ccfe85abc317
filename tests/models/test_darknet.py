"""Darknet-19 and Darknet-53: published layers and costs; timm's Darknet-53 has the same outputs."""

import pytest
import torch

import models
from models.cost import summarize
from workbench.errors import UserError


@pytest.mark.parametrize(
    ("name", "image_size", "params", "macs"),
    [
        ("darknet19", 224, 20_842_376, 2_790_989_824),  # 5.58 billion operations in the paper's Table 6
        ("darknet19", 256, 20_842_376, 3_645_374_464),
        ("darknet53", 256, 41_609_928, 9_285_115_904),  # 18.7 billion operations, paper's Table 2, with the norms
    ],
)
def test_parameters_and_macs_are_those_of_the_authors_configurations(name, image_size, params, macs):
    table = summarize(name, "paper", image_size=image_size).table()
    assert (table["params"], table["macs"]) == (params, macs)


def test_darknet19_has_the_rows_of_table_6():
    rows = summarize("darknet19").table()["layers"]
    convolutions = [tuple(row["output_shape"][:2]) for row in rows if row["type"] == "Conv2d"]
    table = "32/224 64/112 128 64 128/56 256 128 256/28 512 256 512 256 512/14 1024 512 1024 512 1024/7 1000/7"
    expected, size = [], None
    for entry in reversed(table.split()):
        channels, _, new_size = entry.partition("/")
        size = int(new_size) if new_size else size
        expected.insert(0, (int(channels), size))
    assert convolutions == expected and len(convolutions) == 19
    assert sum(row["type"] == "MaxPool2d" for row in rows) == 5
    with torch.device("meta"):
        modules = models.build("darknet19").modules()
    has_bias = [module.bias is not None for module in modules if isinstance(module, torch.nn.Conv2d)]
    assert has_bias == [False] * 18 + [True]


def test_darknet53_has_52_convolutions_and_23_shortcuts():
    rows = summarize("darknet53").table()["layers"]
    kinds = [row["type"] for row in rows]
    assert kinds.count("Conv2d") == kinds.count("BatchNorm2d") == 52
    assert kinds.count("Linear") == 1 and kinds.count("MaxPool2d") == 0
    with torch.device("meta"):
        network = models.build("darknet53")
    assert [len(stage) - 1 for stage in network.backbone.stages] == [1, 2, 8, 8, 4]


def test_the_names_of_timms_weights():
    import timm

    with torch.device("meta"):
        theirs = timm.create_model("darknet53")
    assert models.reference_names("darknet53") == list(theirs.state_dict())
    assert models.reference_names("darknet19") == []


@torch.no_grad()
def test_with_timms_weights_and_slope_outputs_are_timms():
    import timm

    torch.manual_seed(0)
    theirs = timm.create_model("darknet53")
    for module in theirs.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(module.weight, 0.3, 0.7)
            torch.nn.init.normal_(module.bias, std=0.1)
            module.momentum = 1.0  # so that the statistics are those of the next batch
    images = torch.nn.functional.interpolate(torch.randn(6, 3, 8, 8), size=64, mode="bilinear")
    theirs.train()(images)
    theirs.eval()
    ours = models.build("darknet53", slope=0.01).eval()
    ours.load_reference(theirs.state_dict())
    expected = theirs(images)
    assert (expected[0] - expected[1]).abs().max() > 1e-3  # or any network would agree
    torch.testing.assert_close(ours(images), expected, rtol=1e-5, atol=1e-4)
    maps = theirs.forward_intermediates(images, intermediates_only=True)[-4:]
    for own, other in zip(ours.features(images), maps, strict=True):
        torch.testing.assert_close(own, other, rtol=1e-5, atol=1e-4)


def test_yolo_v2_begins_with_the_backbone_of_darknet19_and_yolo_v3_with_that_of_darknet53():
    for detector, classifier in (("yolo-v2", "darknet19"), ("yolo-v3", "darknet53")):
        for preset in ("paper", "mini"):
            with torch.device("meta"):
                states = [models.build(name, preset).state_dict() for name in (detector, classifier)]
            shapes = [
                {name: value.shape for name, value in state.items() if name.startswith("backbone.")} for state in states
            ]
            assert shapes[0] == shapes[1] and len(shapes[0]) > 10


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("darknet19", {"image_size": 40}, "multiple of 16"),
        ("darknet19", {"layers": ((3, 8), (3, 8))}, "must have a max pooling"),
        ("darknet53", {"image_size": 0}, "multiple of 32"),
        ("darknet53", {"depths": (1, 1)}, "five numbers"),
    ],
)
def test_invalid_arguments_are_rejected(name, options, message):
    with pytest.raises(UserError, match=message):
        models.build(name, "mini", **options)
