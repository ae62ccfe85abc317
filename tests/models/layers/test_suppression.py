"""Suppression against torchvision's operators, the papers' pseudocode box by box, and the course's golden cases."""

import math

import numpy as np
import pytest
import torch
import torchvision.ops
from hypothesis import given
from hypothesis import strategies as st

from models.layers.suppression import adaptive_nms, class_nms, densities, nms, soft_nms


def random_objects(seed, count=60, classes=3):
    """Return boxes that overlap a lot, scores of which some are equal, and labels."""
    generator = torch.Generator().manual_seed(seed)
    first = 12 * torch.rand(count, 2, generator=generator)
    boxes = torch.cat([first, first + 1 + 9 * torch.rand(count, 2, generator=generator)], dim=1)
    scores = torch.randint(1, 40, (count,), generator=generator) / 40
    return boxes, scores, torch.randint(0, classes, (count,), generator=generator)


def iou(a, b):
    width, height = (max(0.0, min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in (0, 1))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.7, 1.0])
def test_nms_is_torchvisions(threshold):
    for seed in range(20):
        boxes, scores, labels = random_objects(seed)
        assert torch.equal(nms(boxes, scores, threshold), torchvision.ops.nms(boxes, scores, threshold))
        by_class = torchvision.ops.batched_nms(boxes, scores, labels, threshold)
        ours = nms(boxes, scores, threshold, labels)
        assert sorted(ours.tolist()) == sorted(by_class.tolist())
        assert torch.equal(scores[ours], scores[by_class])  # batched_nms orders equal scores in another way


def test_nms_of_no_boxes_and_of_boxes_without_area():
    assert nms(torch.zeros(0, 4), torch.zeros(0), 0.5).tolist() == []
    points = torch.tensor([[5.0, 5, 5, 5], [5, 5, 5, 5]])
    scores = torch.tensor([0.5, 0.9])
    assert nms(points, scores, 0.5).tolist() == torchvision.ops.nms(points, scores, 0.5).tolist() == [1, 0]


def test_class_nms_is_torchvisions_nms_of_each_class():
    thresholds = torch.tensor([0.2, 0.5, 0.8])
    for seed in range(20):
        boxes, scores, labels = random_objects(seed)
        expected = []
        for label, threshold in enumerate(thresholds.tolist()):
            rows = (labels == label).nonzero()[:, 0]
            expected += rows[torchvision.ops.nms(boxes[rows], scores[rows], threshold)].tolist()
        assert sorted(class_nms(boxes, scores, labels, thresholds).tolist()) == sorted(expected)


def adaptive_by_loop(boxes, scores, density, threshold):
    left, remaining = sorted(range(len(scores)), key=lambda k: -scores[k]), []
    while left:
        best, *left = left
        remaining.append(best)
        left = [k for k in left if iou(boxes[best], boxes[k]) <= max(threshold, density[best])]
    return remaining


def test_adaptive_nms_is_the_papers_box_by_box():
    differs = 0
    for seed in range(20):
        boxes, scores, _ = random_objects(seed)
        density = torch.rand(len(boxes), generator=torch.Generator().manual_seed(seed))
        ours = adaptive_nms(boxes.double(), scores.double(), density.double(), 0.4).tolist()
        assert ours == adaptive_by_loop(boxes.tolist(), scores.tolist(), density.tolist(), 0.4)
        differs += ours != nms(boxes, scores, 0.4).tolist()
    assert differs > 15


def test_the_density_of_the_box_that_is_kept_is_the_threshold():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 6]])  # IoU 0.6
    scores = torch.tensor([0.9, 0.8])
    assert adaptive_nms(boxes, scores, torch.tensor([0.7, 0.0]), 0.5).tolist() == [0, 1]
    assert adaptive_nms(boxes, scores, torch.tensor([0.0, 0.7]), 0.5).tolist() == [0]


def test_densities_are_the_largest_iou_with_another_object():
    boxes, _, _ = random_objects(0, count=12)
    corners = boxes.double().tolist()
    expected = [max(iou(a, b) for k, b in enumerate(corners) if k != j) for j, a in enumerate(corners)]
    assert densities(boxes.double()).tolist() == pytest.approx(expected)
    assert densities(boxes[:1]).tolist() == [0] and densities(boxes[:0]).shape == (0,)


def soft_by_loop(boxes, scores, decay, smallest):
    """Run the pseudocode of Soft-NMS, figure 3 of the paper."""
    scores, left, picks = list(scores), list(range(len(scores))), []
    while left:
        left = [k for k in left if scores[k] >= smallest]
        if not left:
            break
        best = max(left, key=lambda k: scores[k])
        left.remove(best)
        picks.append((best, scores[best]))
        for k in left:
            scores[k] *= decay(iou(boxes[best], boxes[k]))
    return picks


DECAYS = {
    "linear": (dict(method="linear", iou_threshold=0.3), lambda overlap: 1 - overlap if overlap >= 0.3 else 1.0),
    "gaussian": (dict(method="gaussian", sigma=0.4), lambda overlap: math.exp(-(overlap**2) / 0.4)),
}


@pytest.mark.parametrize("method", DECAYS)
def test_soft_nms_is_the_papers_box_by_box(method):
    options, decay = DECAYS[method]
    dropped = 0
    for seed in range(20):
        boxes, scores, _ = random_objects(seed, count=25)
        scores = (scores + torch.linspace(0, 0.01, 25)).double()  # none are equal
        indices, decayed = soft_nms(boxes.double(), scores, score_threshold=0.2, **options)
        expected = soft_by_loop(boxes.double().tolist(), scores.tolist(), decay, 0.2)
        assert indices.tolist() == [best for best, _ in expected]
        dropped += 25 - len(expected)
        assert decayed.tolist() == pytest.approx([score for _, score in expected])
    assert dropped > 20


def test_soft_nms_of_the_golden_case():
    boxes, scores = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11]]), torch.tensor([0.9, 0.8])
    for options, expected in ((dict(method="linear"), 0.2555), (dict(method="gaussian", sigma=0.5), 0.3167)):
        indices, decayed = soft_nms(boxes, scores, **options)
        assert indices.tolist() == [0, 1]
        assert decayed.tolist() == pytest.approx([0.9, expected], abs=5e-5)
    assert scores.tolist() == pytest.approx([0.9, 0.8])  # the argument is unchanged


def test_decays_compound():
    boxes = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9], [2.5, 0, 12.5, 10]])
    _, decayed = soft_nms(boxes, torch.tensor([0.9, 0.85, 0.8]), "linear", iou_threshold=0.5)
    assert decayed.tolist() == pytest.approx([0.9, 0.32, 0.85 * 0.1 * (1 - 67.5 / 122.5)], abs=1e-4)


@given(st.integers(0, 10**6), st.floats(0.05, 2.0), st.sampled_from(["linear", "gaussian"]))
def test_scores_only_decrease_and_the_picks_are_in_their_order(seed, sigma, method):
    boxes, scores, _ = random_objects(seed, count=15)
    indices, decayed = soft_nms(boxes, scores, method, sigma=sigma)
    assert indices[0] == scores.argmax() and decayed[0] == scores.max()
    assert (decayed <= scores[indices]).all() and (np.diff(decayed) <= 0).all()
    assert len(set(indices.tolist())) == len(indices)


def test_soft_nms_of_no_boxes_and_of_an_unknown_method():
    indices, decayed = soft_nms(torch.zeros(0, 4), torch.zeros(0))
    assert indices.shape == decayed.shape == (0,) and indices.dtype == torch.int64
    with pytest.raises(ValueError, match="linear or gaussian, not hard"):
        soft_nms(torch.zeros(0, 4), torch.zeros(0), "hard")
