"""Faster R-CNN on a feature pyramid: torchvision's network, with the same detections and the same losses."""

import pytest
import torch
from torchvision.models.detection import FasterRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN, resnet_fpn_backbone
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops.misc import FrozenBatchNorm2d

import models
from models.cost import summarize
from workbench.errors import UserError

SIZE, CLASSES, CHANNELS = 128, 3, 16
# No transformation of images; all anchors and regions are sampled, so that no random number decides.
PLAIN = dict(min_size=SIZE, max_size=SIZE, image_mean=[0.0] * 3, image_std=[1.0] * 3)
ALL = dict(rpn_batch_size_per_image=10**6, box_batch_size_per_image=10**6, box_positive_fraction=0.5)


def randomize(network):
    """Give norms other statistics than fresh ones, and outputs that differ from region to region."""
    for module in network.modules():
        if isinstance(module, FrozenBatchNorm2d):
            module.weight.uniform_(0.5, 1.0)
            module.bias.normal_(std=0.1)
            module.running_mean.normal_(std=0.1)
            module.running_var.uniform_(0.5, 1.5)
    for layer, std in (
        (network.rpn.head.cls_logits, 0.1),
        (network.rpn.head.bbox_pred, 0.02),
        (network.roi_heads.box_predictor.cls_score, 1.0),
        (network.roi_heads.box_predictor.bbox_pred, 0.5),
    ):
        torch.nn.init.normal_(layer.weight, std=std)


@pytest.fixture(scope="module")
def theirs():
    """Return torchvision's network, narrow and with two blocks in the third layer."""
    torch.manual_seed(0)
    resnet = ResNet(Bottleneck, [1, 1, 2, 1], norm_layer=FrozenBatchNorm2d)
    layers = {f"layer{k + 1}": str(k) for k in range(4)}
    backbone = BackboneWithFPN(resnet, layers, [256, 512, 1024, 2048], CHANNELS)
    anchors = AnchorGenerator(((16,), (32,), (48,), (64,), (96,)), ((0.5, 1.0, 2.0),) * 5)
    network = FasterRCNN(backbone, CLASSES + 1, rpn_anchor_generator=anchors, **PLAIN, **ALL)
    randomize(network)
    return network.eval()


@pytest.fixture(scope="module")
def ours(theirs):
    network = models.build(
        "faster-rcnn-r50-fpn",
        layers=(1, 1, 2, 1),
        fpn_channels=CHANNELS,
        num_classes=CLASSES,
        image_size=SIZE,
        anchor_sizes=(16, 32, 48, 64, 96),
        anchors_per_image=2 * 10**6,
        regions_per_image=2 * 10**6,
    )
    network.positive_share = 0.5
    network.load_reference(theirs.state_dict())
    return network.eval()


def smooth_images(count):
    noise = torch.randn(count, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    return torch.nn.functional.interpolate(noise, size=SIZE, mode="bilinear")


OBJECTS = dict(
    boxes=torch.tensor([[[8.0, 10, 60, 70], [50, 40, 120, 110]], [[20, 20, 44, 50], [0, 0, 0, 0]]]),
    labels=torch.tensor([[0, 2], [1, 0]]),
    mask=torch.tensor([[True, True], [True, False]]),
)


@torch.no_grad()
def test_detections_are_torchvisions(theirs, ours):
    images = smooth_images(2)
    expected = theirs(list(images))
    assert min(len(one["boxes"]) for one in expected) > 20
    for one, reference in zip(ours.detect(ours(images)), expected, strict=True):
        assert torch.equal(one.labels + 1, reference["labels"])
        torch.testing.assert_close(one.boxes, reference["boxes"], rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(one.scores, reference["scores"], rtol=1e-5, atol=1e-5)


def test_the_losses_are_torchvisions(theirs, ours):
    images = smooth_images(2)
    present = [OBJECTS["mask"][k] for k in range(2)]
    targets = [
        dict(boxes=OBJECTS["boxes"][k][rows], labels=OBJECTS["labels"][k][rows] + 1) for k, rows in enumerate(present)
    ]
    try:
        expected = theirs.train()(list(images), targets)
        terms = ours.train().losses(ours(images), **OBJECTS)
    finally:
        theirs.eval(), ours.eval()
    names = dict(
        objectness="loss_objectness", proposals="loss_rpn_box_reg", classes="loss_classifier", boxes="loss_box_reg"
    )
    for name, reference in names.items():
        torch.testing.assert_close(terms[name], expected[reference], rtol=1e-4, atol=1e-6)
        assert terms[name] > 0


def test_images_without_objects_have_only_background(ours):
    nothing = dict(boxes=torch.zeros(2, 0, 4), labels=torch.zeros(2, 0, dtype=torch.long))
    terms = ours.losses(ours(smooth_images(2)), **nothing, mask=torch.zeros(2, 0, dtype=torch.bool))
    assert terms["objectness"] > 0 and terms["classes"] > 0
    assert terms["proposals"] == terms["boxes"] == 0


@torch.no_grad()
def test_an_evaluation_is_the_same_each_time_and_draws_no_random_number(ours):
    network = models.build("faster-rcnn-r50-fpn", "mini").eval()
    images, state = torch.randn(2, 3, 64, 64), torch.random.get_rng_state()
    objects = {**OBJECTS, "boxes": OBJECTS["boxes"] / 2}
    first, again = (network.losses(network(images), **objects) for _ in range(2))
    assert first == again and torch.equal(torch.random.get_rng_state(), state)


def test_the_paper_preset_has_torchvisions_names_and_the_published_size():
    with torch.device("meta"):
        backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d)
        reference = FasterRCNN(backbone, 91)
        network = models.build("faster-rcnn-r50-fpn")
    assert models.reference_names("faster-rcnn-r50-fpn") == list(network.state_dict())
    shapes = {name: weight.shape for name, weight in reference.state_dict().items()}
    assert {name: weight.shape for name, weight in network.state_dict().items()} == shapes
    table = summarize("faster-rcnn-r50-fpn", "paper").table()
    assert (table["params"], table["macs"]) == (41_755_286, 134_379_721_216)  # torchvision: 134.38 GFLOPS
    with torch.device("meta"):
        outputs = network.eval()(torch.zeros(1, 3, 800, 800))
    assert [tuple(level.shape[2:]) for level in outputs.features] == [(s, s) for s in (200, 100, 50, 25, 13)]
    assert outputs.rpn.objectness.shape == (1, 159_882) and outputs.boxes.shape == (1, 1000, 4)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(image_size=100), "image_size must be a multiple of 32, not 100"),
        (dict(norm_layer="layer"), "norm_layer must be frozen or batch"),
        (dict(anchor_sizes=(8, 16)), "anchor_sizes must be five numbers"),
        (dict(num_classes=0), "num_classes must be 1 or more"),
    ],
)
def test_options_that_fit_no_network_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("faster-rcnn-r50-fpn", "mini", **options)
