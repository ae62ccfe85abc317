"""SSD: its outputs, detections and loss are torchvision's."""

import pytest
import torch
from torchvision.models.detection import ssd300_vgg16
from torchvision.models.detection.image_list import ImageList
from torchvision.ops import box_iou

import models
from models.cost import summarize
from models.layers.anchors import BACKGROUND, encode_boxes
from workbench.errors import UserError

SIZE, CLASSES = 64, 4
EMPTY = torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, dtype=torch.bool)


def mini(**options):
    torch.manual_seed(0)
    return models.build("ssd300", "mini", **options)


@pytest.fixture(scope="module")
def pair():
    """Return torchvision's network and ours, with the same weights."""
    torch.manual_seed(0)
    theirs = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=21).eval()
    ours = models.build("ssd300").eval()
    ours.load_reference(theirs.state_dict())
    return theirs, ours


@pytest.fixture(scope="module")
def images():
    """Return smooth images of 300x300 with values from 0 to 1, so that not all look the same to large filters."""
    torch.manual_seed(1)
    noise = torch.randn(2, 3, 12, 12)
    return torch.nn.functional.interpolate(noise, size=300, mode="bilinear").sigmoid()


def test_the_paper_preset_has_the_published_boxes_and_cost():
    table = summarize("ssd300", "paper").table()
    assert (table["params"], table["macs"]) == (26_285_486, 31_373_537_792)
    # torchvision documents 35,641,826 parameters and 34.858 GMACs for COCO's 91 classes, the background included.
    coco = summarize("ssd300", "paper", num_classes=90).table()
    assert (coco["params"], coco["macs"]) == (35_641_826, 34_858_153_472)
    with torch.device("meta"):
        network = models.build("ssd300")
        maps = network.backbone(torch.zeros(1, 3, 300, 300))
    assert [tuple(x.shape[1:]) for x in maps] == [
        (512, 38, 38),
        (1024, 19, 19),
        (512, 10, 10),
        (256, 5, 5),
        (256, 3, 3),
        (256, 1, 1),
    ]
    assert len(network.default_boxes) == 5776 + 2166 + 600 + 150 + 36 + 4 == 8732


def test_keys_and_initial_weights_are_torchvisions(pair):
    theirs, ours = pair
    assert list(ours.state_dict()) == list(theirs.state_dict()) == models.reference_names("ssd300")
    fresh = models.build("ssd300")
    for (name, own), other in zip(fresh.named_parameters(), theirs.parameters(), strict=True):
        if own.numel() > 10_000:
            assert own.std().item() == pytest.approx(other.std().item(), rel=0.05), name
    assert (fresh.backbone.scale_weight == 20).all()


def test_default_boxes_are_torchvisions(pair):
    theirs, ours = pair
    batch = ImageList(torch.zeros(1, 3, 300, 300), [(300, 300)])
    maps = [torch.zeros(1, 1, size, size) for size in (38, 19, 10, 5, 3, 1)]
    (boxes,) = theirs.anchor_generator(batch, maps)
    torch.testing.assert_close(ours.default_boxes, boxes, rtol=0, atol=1e-4)


@torch.no_grad()
def test_outputs_and_detections_are_torchvisions(pair, images):
    theirs, ours = pair
    batch, _ = theirs.transform(list(images))
    outputs = ours(batch.tensors)
    expected = theirs.head(list(theirs.backbone(batch.tensors).values()))
    assert (expected["cls_logits"][0] - expected["cls_logits"][1]).abs().max() > 1e-3  # or any network would agree
    torch.testing.assert_close(outputs["logits"], expected["cls_logits"], rtol=0, atol=1e-4)
    torch.testing.assert_close(outputs["offsets"], expected["bbox_regression"], rtol=0, atol=1e-4)
    # Random weights leave all scores alike. Larger logits make few boxes stand out, as after training.
    for name, scale in (("cls_logits", 2.0), ("bbox_regression", 2.0)):
        expected[name] = scale * torch.randn_like(expected[name])
    boxes = theirs.anchor_generator(batch, [torch.zeros(2, 1, size, size) for size in (38, 19, 10, 5, 3, 1)])
    detections = ours.detect({"logits": expected["cls_logits"], "offsets": expected["bbox_regression"]})
    for own, other in zip(detections, theirs.postprocess_detections(expected, boxes, batch.image_sizes), strict=True):
        assert len(own.boxes) == 200
        torch.testing.assert_close(own.scores, other["scores"], rtol=0, atol=1e-6)
        torch.testing.assert_close(own.boxes, other["boxes"], rtol=0, atol=1e-3)
        assert (own.labels + 1).tolist() == other["labels"].tolist()


def test_the_loss_is_torchvisions(pair):
    theirs, ours = pair
    generator = torch.Generator().manual_seed(2)
    first = 200 * torch.rand(2, 3, 2, generator=generator)
    boxes = torch.cat([first, first + 5 + 90 * torch.rand(2, 3, 2, generator=generator)], dim=2)
    labels = torch.randint(0, 20, (2, 3), generator=generator)
    mask = torch.tensor([[True, True, True], [True, False, False]])
    outputs = {
        "logits": torch.randn(2, 8732, 21, generator=generator),
        "offsets": torch.randn(2, 8732, 4, generator=generator),
    }
    targets = [dict(boxes=b[m], labels=c[m] + 1) for b, c, m in zip(boxes, labels, mask, strict=True)]
    matches = [theirs.proposal_matcher(box_iou(target["boxes"], ours.default_boxes)) for target in targets]
    expected = theirs.compute_loss(
        targets,
        {"cls_logits": outputs["logits"], "bbox_regression": outputs["offsets"]},
        [ours.default_boxes] * 2,
        matches,
    )
    assert torch.equal(ours.match(boxes, mask), torch.stack(matches))
    terms = ours.losses(outputs, boxes, labels, mask)
    assert terms["boxes"].item() == pytest.approx(expected["bbox_regression"].item(), rel=1e-4)
    assert terms["classes"].item() == pytest.approx(expected["classification"].item(), rel=1e-4)


def test_each_object_has_a_default_box_even_if_none_overlaps_it_by_half():
    network = mini()
    tiny = torch.tensor([[31.0, 31.0, 33.0, 33.0], [0.0, 0.0, 64.0, 3.0]])
    (assignment,) = network.match(tiny[None], torch.ones(1, 2, dtype=torch.bool))
    assert {*assignment.tolist()} == {BACKGROUND, 0, 1}


def test_images_without_objects_have_no_loss():
    network = mini()
    outputs = network(torch.rand(2, 3, SIZE, SIZE))
    assert {name: term.item() for name, term in network.losses(outputs, *EMPTY).items()} == {"boxes": 0, "classes": 0}


def test_perfect_outputs_are_the_objects():
    network = mini()
    boxes = torch.tensor([[3.0, 5.0, 30.0, 33.0], [20.0, 22.0, 60.0, 62.0]])
    labels = torch.tensor([2, 0])
    (assignment,) = network.match(boxes[None], torch.ones(1, 2, dtype=torch.bool))
    matched = assignment >= 0
    logits = torch.zeros(1, len(network.default_boxes), 1 + CLASSES)
    logits[0, :, 0] = 20
    logits[0, matched, 0] = 0
    logits[0, matched, labels[assignment[matched]] + 1] = 20
    offsets = torch.zeros(1, len(network.default_boxes), 4)
    offsets[0, matched] = encode_boxes(boxes[assignment[matched]], network.default_boxes[matched], (10, 10, 5, 5))
    (detections,) = network.detect({"logits": logits, "offsets": offsets}, score_threshold=0.5)
    order = detections.labels.argsort()
    assert detections.labels[order].tolist() == [0, 2]
    torch.testing.assert_close(detections.boxes[order], boxes[[1, 0]], rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"ratios": ((2,),)}, "two more than extras"), ({"image_size": 0}, "image_size must be larger than 0")],
)
def test_invalid_arguments_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        mini(**options)
