"""Classification with localization: one box and one class per image, learned by two losses that are added."""

import pytest
import torch
import torch.nn.functional as F

import models
from models.cost import summarize
from models.detection.classification_localization import LocalizedClass


def build(**options):
    torch.manual_seed(0)
    return models.build("classification-localization", "mini", **options)


NETWORK = build()
BOXES = torch.tensor([[[8.0, 16, 40, 32], [0, 0, 64, 64]], [[0, 0, 0, 0], [20, 10, 30, 60]], [[0, 0, 0, 0]] * 2])
LABELS = torch.tensor([[1, 3], [0, 2], [0, 0]])
MASK = torch.tensor([[True, True], [False, True], [False, False]])
FIRST = torch.tensor([[8.0, 16, 40, 32], [20, 10, 30, 60]]), torch.tensor([1, 2])


def test_it_is_vgg16_with_four_more_outputs():
    vgg, table = summarize("vgg16", "paper").table(), summarize("classification-localization", "paper").table()
    assert table["params"] - vgg["params"] == 4 * 4096 + 4
    assert table["macs"] - vgg["macs"] == 4 * 4096


def test_the_losses_are_those_of_the_first_object():
    logits, box = torch.randn(3, 4), torch.rand(3, 4)
    terms = NETWORK.losses(LocalizedClass(logits, box), BOXES, LABELS, MASK)
    corners, labels = FIRST
    expected = F.cross_entropy(logits[:2], labels, reduction="sum") / 3
    assert terms["classes"].item() == pytest.approx(expected.item())
    squares = 0.0
    for (x1, y1, x2, y2), predicted in zip(corners.tolist(), box.tolist(), strict=False):
        target = [(x1 + x2) / 128, (y1 + y2) / 128, (x2 - x1) / 64, (y2 - y1) / 64]
        squares += sum((one - other) ** 2 for one, other in zip(predicted, target, strict=True))
    assert terms["boxes"].item() == pytest.approx(20 * squares / 3, rel=1e-5)


def test_perfect_outputs_are_detected_with_their_class():
    corners, labels = FIRST
    centers = torch.cat([corners[:, :2] + corners[:, 2:], 2 * (corners[:, 2:] - corners[:, :2])], dim=1) / 128
    logits = 20.0 * F.one_hot(labels, 4)
    for one, box, label in zip(NETWORK.detect(LocalizedClass(logits, centers)), corners, labels, strict=True):
        assert one.labels.tolist() == [label]
        torch.testing.assert_close(one.boxes[0], box)


def test_a_box_of_negative_size_or_outside_is_not_a_detection():
    boxes = torch.tensor([[0.5, 0.5, -0.2, 0.2], [2.0, 0.5, 0.2, 0.2], [float("nan")] * 4])
    outputs = LocalizedClass(torch.zeros(3, 4), boxes)
    assert [len(one.boxes) for one in NETWORK.detect(outputs)] == [0, 0, 0]


def test_a_batch_without_any_object_has_no_loss():
    terms = NETWORK.losses(LocalizedClass(torch.randn(3, 4), torch.rand(3, 4)), BOXES, LABELS, torch.zeros_like(MASK))
    assert all(term == 0 for term in terms.values())
    empty = BOXES[:, :0], LABELS[:, :0], MASK[:, :0]
    assert all(
        term == 0 for term in NETWORK.losses(LocalizedClass(torch.randn(3, 4), torch.rand(3, 4)), *empty).values()
    )
