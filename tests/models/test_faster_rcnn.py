"""R-CNN, Fast and Faster R-CNN: published sizes, the same regions from the same proposals, and their losses."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import box_iou

import models
from models.cost import summarize
from models.detection.rcnn import hinge
from models.layers.region_detector import RegionOutputs, Regions, unlist
from models.layers.roi_pooling import roi_pool
from workbench.errors import UserError

BOXES = torch.tensor([[[10.0, 20, 60, 70], [70, 64, 120, 116]], [[30, 30, 90, 80], [0, 0, 0, 0]]])
LABELS = torch.tensor([[0, 2], [3, 0]])
MASK = torch.tensor([[True, True], [True, False]])
PROPOSALS = torch.tensor(
    [
        [[12.0, 20, 60, 75], [64, 64, 127, 127], [0, 0, 127, 127], [5, 90, 40, 120]],
        [[28, 28, 92, 84], [0, 0, 30, 40], [0, 0, 0, 0], [0, 0, 0, 0]],
    ]
)
PROPOSED = PROPOSALS[..., 2] > 0


def build(name, **options):
    torch.manual_seed(0)
    return models.build(name, "mini", **options)


@pytest.mark.parametrize(
    ("name", "params", "macs"),
    [
        ("fast-rcnn", 134_690_729, None),
        ("faster-rcnn", 137_078_239, None),
        ("rpn", 14_714_688 + 2_359_808 + 9_234 + 18_468, None),
        # Without the SVMs and the box regression, and with the 21 classes that only training needs.
        ("rcnn", 56_954_261 + 81_940 + 737_360, 720_396_832 - 4096 * 21 + 4096 * 20 + 9216 * 80),
    ],
)
def test_the_paper_presets_have_their_published_sizes(name, params, macs):
    table = summarize(name, "paper").table()
    assert table["params"] == params
    assert macs is None or table["macs"] == macs


def test_an_image_of_600x1000_has_about_20000_anchors_in_the_middle_of_their_cells():
    with torch.device("meta"):
        network = models.build("faster-rcnn")
    (anchors,) = network.rpn.anchors([torch.zeros(1, 1, 37, 62)], 600, 1000)
    assert len(anchors) == 37 * 62 * 9 == 20_646
    assert ((anchors[:9, :2] + anchors[:9, 2:]) / 2 == 8).all()  # half of the stride
    sizes = anchors[:9, 2:] - anchors[:9, :2]
    assert sizes.prod(dim=1).sqrt().tolist() == pytest.approx([128, 256, 512] * 3, rel=0.01)
    assert (sizes[:, 1] / sizes[:, 0]).tolist() == pytest.approx([0.5] * 3 + [1] * 3 + [2] * 3, rel=0.02)


def test_two_logits_per_anchor_are_a_softmax_over_background_and_object():
    network = build("faster-rcnn").eval()
    with torch.no_grad():
        outputs = network.rpn([torch.randn(2, 64, 8, 8)], 128, 128)
        features = torch.randn(2, 64, 8, 8)
        objectness, _ = network.rpn.head(features)
        logits = network.rpn.head.cls_logits(network.rpn.head.conv(features))
    pairs = logits.permute(0, 2, 3, 1).reshape(2, -1, 2)
    torch.testing.assert_close(objectness.sigmoid(), pairs.softmax(dim=2)[..., 1])
    assert outputs.boxes.shape[2] == 4 and outputs.mask.dtype == torch.bool


def test_proposals_are_ranked_within_the_image_and_overlap_little():
    network = build("faster-rcnn", proposals=(50, 20)).eval()
    torch.nn.init.normal_(network.rpn.head.cls_logits.weight, std=0.5)
    with torch.no_grad():
        outputs = network(torch.randn(2, 3, 128, 128)).rpn
    for boxes, scores, mask in zip(outputs.boxes, outputs.scores, outputs.mask, strict=True):
        assert 1 < mask.sum() <= 20
        assert (boxes[mask] >= 0).all() and (boxes[mask] <= 128).all()
        assert (scores[mask].diff() <= 0).all()
        assert (box_iou(boxes[mask], boxes[mask]) - torch.eye(int(mask.sum())) <= 0.7).all()


def test_anchors_that_cross_the_border_are_left_out_of_the_loss_if_the_paper_says_so():
    network = build("rpn", inside_only=True, anchors_per_image=10**6).eval()
    outputs = network(torch.randn(2, 3, 128, 128))
    (gradient,) = torch.autograd.grad(network.losses(outputs, BOXES, LABELS, MASK)["objectness"], outputs.objectness)
    anchors = outputs.anchors[0]
    is_outside = ((anchors < 0) | (anchors > 128)).any(dim=1)
    assert is_outside.any() and (gradient[:, is_outside] == 0).all() and (gradient[:, ~is_outside] != 0).any()


def test_fast_rcnn_finds_in_its_proposals_what_faster_rcnn_finds_in_the_same_ones():
    faster, fast = build("faster-rcnn").eval(), build("fast-rcnn").eval()
    shared = {name: weight for name, weight in faster.state_dict().items() if not name.startswith("rpn.")}
    fast.load_state_dict(shared)
    with torch.no_grad():
        images = torch.randn(2, 3, 128, 128)
        theirs = faster(images)
        ours = fast(images, theirs.boxes, theirs.mask)
    torch.testing.assert_close(ours.logits, theirs.logits)
    for one, other in zip(fast.detect(ours, 0.0), faster.detect(theirs, 0.0), strict=True):
        assert len(one.boxes) and torch.equal(one.boxes, other.boxes)


def test_regions_are_pooled_as_by_hand():
    network = build("fast-rcnn").eval()
    with torch.no_grad():
        outputs = network(torch.randn(2, 3, 128, 128), PROPOSALS, PROPOSED)
        pooled = roi_pool(
            outputs.features[0], [one[mask] for one, mask in zip(PROPOSALS, PROPOSED, strict=True)], 7, 1 / 16
        )
        logits = network.cls_score(network.classifier(pooled.flatten(1)))
    torch.testing.assert_close(unlist(logits, PROPOSED), outputs.logits)
    assert (outputs.logits[~PROPOSED] == 0).all()


def test_sampled_regions_have_the_class_and_the_offsets_of_their_object():
    network = build("fast-rcnn", regions_per_image=100)
    network.positive_share = 1.0
    regions = network.sample_regions(RegionOutputs((), PROPOSALS, PROPOSED), BOXES, LABELS, MASK)
    for (number, *corners), label, offsets, iou, index in zip(*regions, strict=True):
        image, region = int(number), torch.stack(corners)
        overlaps = box_iou(region[None], BOXES[image][MASK[image]])[0]
        assert iou == overlaps.max()
        if overlaps.max() < 0.5:
            assert label == index == 0 and not offsets.any()
            continue
        match = overlaps.argmax()
        assert label == LABELS[image, match] + 1 and index == match
        (x1, y1, x2, y2), (a1, b1, a2, b2) = region.tolist(), BOXES[image, match].tolist()
        expected = [
            10 * ((a1 + a2) - (x1 + x2)) / 2 / (x2 - x1),
            10 * ((b1 + b2) - (y1 + y2)) / 2 / (y2 - y1),
            5 * np.log((a2 - a1) / (x2 - x1)),
            5 * np.log((b2 - b1) / (y2 - y1)),
        ]
        assert offsets.tolist() == pytest.approx(expected, abs=1e-4)
    own = regions.rois[regions.iou > 0.999, 1:]
    assert own.tolist() == [*BOXES[0].tolist(), BOXES[1, 0].tolist()]  # of training alone
    evaluated = network.eval().sample_regions(RegionOutputs((), PROPOSALS, PROPOSED), BOXES, LABELS, MASK)
    assert (evaluated.iou < 0.999).all() and len(evaluated.iou) == PROPOSED.sum()


@pytest.mark.parametrize("name", ["fast-rcnn", "rcnn"])
def test_an_image_without_proposals_has_no_detections(name):
    network = build(name, image_size=128).eval()
    nothing = torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.bool)
    outputs = network(torch.randn(2, 3, 128, 128), *nothing)
    assert [len(one.boxes) for one in network.detect(outputs)] == [0, 0]
    assert all(term == 0 for term in network.losses(outputs, BOXES, LABELS, MASK).values())


def test_a_region_is_warped_with_its_context_and_without_the_image_it_is_0():
    network = build("rcnn")
    image = F.interpolate(torch.randn(1, 3, 8, 8), size=64, mode="bilinear")
    size, context = 67, 5
    region = torch.tensor([[0.0, 16, 20, 16 + 57 / 2, 20 + 57 / 2]])  # warped by a factor of 2
    crop = network.warp(image, region)
    # Twice as large, the region begins at x = 32, y = 40, its context 5 pixels before.
    larger = F.interpolate(image, scale_factor=2, mode="bilinear")
    start = 40 - context, 32 - context
    expected = larger[:, :, start[0] : start[0] + size, start[1] : start[1] + size]
    torch.testing.assert_close(crop, expected, rtol=0, atol=1e-4)
    corner = network.warp(torch.ones(1, 3, 64, 64), torch.tensor([[0.0, 0, 0, 40, 40]]))
    assert (corner[..., 0, :] == 0).all()
    torch.testing.assert_close(corner[..., 10:, 10:], torch.ones(1, 3, 57, 57))


def test_svms_and_box_regression_have_no_gradient_in_alexnet():
    network = build("rcnn", image_size=128)
    terms = network.losses(network(torch.randn(2, 3, 128, 128), PROPOSALS, PROPOSED), BOXES, LABELS, MASK)
    weight = network.alexnet.conv1.weight
    assert torch.autograd.grad(terms["classes"], weight, retain_graph=True)[0].any()
    for name in ("svm", "boxes"):
        assert torch.autograd.grad(terms[name], weight, retain_graph=True, allow_unused=True) == (None,)
        assert terms[name] > 0


def test_the_hinge_loss_is_that_of_one_svm_per_class():
    rng = np.random.default_rng(0)
    scores, labels, iou = rng.normal(size=(40, 3)), rng.integers(0, 4, 40), rng.uniform(size=40)
    iou[labels > 0] = np.where(rng.random((labels > 0).sum()) < 0.5, 1.0, 0.7)
    expected = 0.0
    for row in range(40):
        for label in range(1, 4):
            is_own_box = labels[row] > 0 and iou[row] == 1.0
            if is_own_box and labels[row] == label:
                expected += max(0.0, 1 - scores[row, label - 1])
            elif is_own_box or iou[row] < 0.3:
                expected += max(0.0, 1 + scores[row, label - 1])
    indices = torch.zeros(40, dtype=torch.int64)
    regions = Regions(torch.zeros(40, 5), torch.from_numpy(labels), torch.zeros(40, 4), torch.from_numpy(iou), indices)
    assert hinge(torch.from_numpy(scores), regions).item() == pytest.approx(expected)


def test_a_network_in_training_mode_has_no_detections():
    network = build("faster-rcnn")
    with pytest.raises(ValueError, match=r"call eval\(\) first"):
        network.detect(network(torch.randn(1, 3, 128, 128)))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("fast-rcnn", dict(image_size=16), "image_size must be 32 or more"),
        ("faster-rcnn", dict(num_classes=0), "num_classes must be 1 or more"),
        ("rcnn", dict(context=40), "context must be 0 or more, and less than half of crop_size"),
        ("rpn", dict(image_size=8), "image_size must be 32 or more"),
    ],
)
def test_options_that_fit_no_network_are_rejected(name, options, message):
    with pytest.raises(UserError, match=message):
        models.build(name, "mini", **options)
