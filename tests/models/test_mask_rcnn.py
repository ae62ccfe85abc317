"""Mask R-CNN: torchvision's network, with the same detections, masks and losses."""

import pytest
import torch
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import BackboneWithFPN, resnet_fpn_backbone
from torchvision.models.detection.roi_heads import paste_masks_in_image
from torchvision.models.detection.rpn import AnchorGenerator
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.ops.misc import FrozenBatchNorm2d

import models
from models.cost import summarize
from models.layers.instances import Instances, paste
from tests.models.test_faster_rcnn_fpn import ALL, CHANNELS, CLASSES, OBJECTS, PLAIN, SIZE, randomize, smooth_images
from workbench.errors import UserError


@pytest.fixture(scope="module")
def theirs():
    """Return torchvision's network, narrow and with two blocks in the third layer."""
    torch.manual_seed(0)
    resnet = ResNet(Bottleneck, [1, 1, 2, 1], norm_layer=FrozenBatchNorm2d)
    layers = {f"layer{k + 1}": str(k) for k in range(4)}
    backbone = BackboneWithFPN(resnet, layers, [256, 512, 1024, 2048], CHANNELS)
    anchors = AnchorGenerator(((16,), (32,), (48,), (64,), (96,)), ((0.5, 1.0, 2.0),) * 5)
    network = MaskRCNN(backbone, CLASSES + 1, rpn_anchor_generator=anchors, **PLAIN, **ALL)
    randomize(network)
    torch.nn.init.normal_(network.roi_heads.mask_predictor.mask_fcn_logits.weight, std=3.0)
    return network.eval()


@pytest.fixture(scope="module")
def ours(theirs):
    network = models.build(
        "mask-rcnn",
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


def object_masks():
    """Return a mask within each box of the objects: an ellipse."""
    masks = torch.zeros(2, 2, SIZE, SIZE, dtype=torch.bool)
    y, x = torch.meshgrid(torch.arange(SIZE), torch.arange(SIZE), indexing="ij")
    for image, number in OBJECTS["mask"].nonzero().tolist():
        x1, y1, x2, y2 = OBJECTS["boxes"][image, number].tolist()
        distance = ((x + 0.5 - (x1 + x2) / 2) / (x2 - x1)) ** 2 + ((y + 0.5 - (y1 + y2) / 2) / (y2 - y1)) ** 2
        masks[image, number] = distance <= 0.25
    return masks


@torch.no_grad()
def test_detections_and_masks_are_torchvisions(theirs, ours):
    images = smooth_images(2)
    expected = theirs(list(images))
    assert min(len(one["boxes"]) for one in expected) > 20
    outputs = ours(images)
    for one, detected, reference in zip(ours.segment(outputs), ours.detect(outputs), expected, strict=True):
        assert torch.equal(one.labels + 1, reference["labels"]) and torch.equal(one.boxes, detected.boxes)
        torch.testing.assert_close(one.boxes, reference["boxes"], rtol=1e-5, atol=1e-4)
        torch.testing.assert_close(one.scores, reference["scores"], rtol=1e-5, atol=1e-5)
        masks = paste(one, SIZE, SIZE)
        torch.testing.assert_close(masks, reference["masks"][:, 0], rtol=1e-4, atol=1e-4)
        assert one.masks.std() > 0.1


def test_the_losses_are_torchvisions(theirs, ours):
    images, masks = smooth_images(2), object_masks()
    rows = list(OBJECTS["mask"])
    targets = [
        dict(
            boxes=OBJECTS["boxes"][k][rows[k]],
            labels=OBJECTS["labels"][k][rows[k]] + 1,
            masks=masks[k][rows[k]].to(torch.uint8),
        )
        for k in range(2)
    ]
    try:
        expected = theirs.train()(list(images), targets)
        terms = ours.train().losses(ours(images), **OBJECTS, object_masks=masks)
    finally:
        theirs.eval(), ours.eval()
    names = dict(
        objectness="loss_objectness",
        proposals="loss_rpn_box_reg",
        classes="loss_classifier",
        boxes="loss_box_reg",
        mask="loss_mask",
    )
    assert terms.keys() == names.keys()
    for name, reference in names.items():
        torch.testing.assert_close(terms[name], expected[reference], rtol=1e-4, atol=1e-6)
        assert terms[name] > 0


@pytest.mark.parametrize("seed", range(3))
def test_masks_are_pasted_as_torchvision_does(seed):
    generator = torch.Generator().manual_seed(seed)
    first = torch.rand(20, 2, generator=generator) * 60 - 15  # some are not within the image
    boxes = torch.cat([first, first + torch.rand(20, 2, generator=generator) ** 2 * 60], dim=1)
    masks = torch.rand(20, 28, 28, generator=generator)
    instances = Instances(boxes, torch.ones(20), torch.zeros(20, dtype=torch.long), masks)
    inside = (boxes[:, 0] < 49) & (boxes[:, 1] < 39) & (boxes[:, 2:] > 0).all(dim=1)  # torchvision fails for others
    expected = paste_masks_in_image(masks[inside][:, None], boxes[inside], (40, 50))[:, 0]
    pasted = paste(instances, 40, 50)
    torch.testing.assert_close(pasted[inside], expected)
    assert pasted.shape == (20, 40, 50) and inside.sum() > 8


def test_images_without_objects_have_no_loss_of_masks(ours):
    nothing = dict(boxes=torch.zeros(2, 0, 4), labels=torch.zeros(2, 0, dtype=torch.long))
    mask, masks = torch.zeros(2, 0, dtype=torch.bool), torch.zeros(2, 0, SIZE, SIZE, dtype=torch.bool)
    terms = ours.losses(ours(smooth_images(2)), **nothing, mask=mask, object_masks=masks)
    assert terms["mask"] == 0 and terms["classes"] > 0


@torch.no_grad()
def test_images_without_detections_have_no_masks():
    network = models.build("mask-rcnn", "mini").eval()
    network.roi_heads["box_predictor"].cls_score.bias[0] = 100.0
    assert [len(one.masks) for one in network.segment(network(torch.randn(2, 3, 64, 64)))] == [0, 0]
    with pytest.raises(ValueError, match="call eval"):
        network.segment(network.train()(torch.randn(2, 3, 64, 64)))


def test_the_paper_preset_has_torchvisions_names_and_the_published_size():
    with torch.device("meta"):
        backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d)
        reference = MaskRCNN(backbone, 91)
        network = models.build("mask-rcnn")
    shapes = {name: weight.shape for name, weight in reference.state_dict().items()}
    assert {name: weight.shape for name, weight in network.state_dict().items()} == shapes
    assert models.reference_names("mask-rcnn") == list(network.state_dict())
    table = summarize("mask-rcnn", "paper").table()
    masks = 100 * (4 * 256 * 256 * 9 * 14**2 + 256 * 256 * 4 * 14**2 + 256 * 91 * 28**2)
    assert (table["params"], table["macs"]) == (44_401_393, 134_379_721_216 + masks)


def test_a_mask_head_without_layers_is_rejected():
    with pytest.raises(UserError, match="mask_channels must have one number or more"):
        models.build("mask-rcnn", "mini", mask_channels=())
