"""Layers of detectors compute what the course computes step by step, exactly."""

import pytest
import torch

from models.layers.kmeans_anchors import size_iou
from models.layers.matching import match
from models.layers.roi_pooling import roi_pool
from models.layers.suppression import adaptive_nms, class_nms, soft_nms
from quizzes import formulas


def random_boxes(generator, count=7):
    """Return boxes with integer corners, and scores that all differ."""
    first = torch.randint(0, 12, (count, 2), generator=generator)
    boxes = torch.cat([first, first + torch.randint(4, 12, (count, 2), generator=generator)], dim=1)
    return boxes, torch.randperm(count, generator=generator) / 10 + 0.1


def letters(indices):
    return [chr(65 + index) for index in indices.tolist()]


@pytest.mark.parametrize("seed", range(5))
def test_suppression(seed):
    generator = torch.Generator().manual_seed(seed)
    boxes, scores = random_boxes(generator)
    table = dict(boxes=boxes.tolist(), scores=[round(score, 1) for score in scores.tolist()])
    corners, values = boxes.double(), torch.tensor(table["scores"], dtype=torch.float64)
    for name, decay in (
        ("soft-nms", dict(method="linear", iou_threshold=0.31)),
        ("soft-nms-gaussian", dict(sigma=0.6)),
    ):
        options = {"N_t": 0.31} if name == "soft-nms" else {"sigma": 0.6}
        expected = formulas.get(name).solve(**table, **options)
        picks, decayed = soft_nms(corners, values, score_threshold=0.0, **decay)
        assert letters(picks) == expected["order"]
        in_order = torch.zeros_like(decayed).scatter(0, picks, decayed)
        assert in_order.tolist() == pytest.approx([float(score) for score in expected["final"]], abs=1e-6)
    density = (torch.randint(0, 9, (7,), generator=generator) / 10).double()
    expected = formulas.get("adaptive-nms").solve(**table, density=[round(d, 1) for d in density.tolist()], N_t=0.33)
    assert letters(adaptive_nms(corners, values, density + 1e-9, 0.33)) == expected["keep"]
    labels = torch.randint(0, 2, (7,), generator=generator)
    expected = formulas.get("nms-per-class").solve(**table, classes=labels.tolist(), taus=[0.21, 0.43])
    thresholds = torch.tensor([0.21, 0.43], dtype=torch.float64)
    assert letters(class_nms(corners, values, labels, thresholds)) == expected["keep"]


@pytest.mark.parametrize("seed", range(5))
def test_roi_pooling(seed):
    generator = torch.Generator().manual_seed(seed)
    fmap = torch.randint(0, 50, (6, 7), generator=generator)
    x1, y1 = torch.randint(0, 30, (2,), generator=generator).tolist()
    x2, y2 = x1 + int(torch.randint(8, 60, (1,), generator=generator)), y1 + 25
    for size in (1, 2, 3):
        expected = formulas.get("roi-pool").solve(X=fmap.tolist(), roi=[x1, y1, x2, y2], s=8, k=size)["O"]
        pooled = roi_pool(fmap.double()[None, None], [torch.tensor([[x1, y1, x2, y2]]).double()], size, 1 / 8)
        assert pooled[0, 0].tolist() == [[float(value) for value in row] for row in expected]


@pytest.mark.parametrize("seed", range(5))
def test_matching(seed):
    cost = torch.randint(0, 20, (4, 6), generator=torch.Generator().manual_seed(seed))
    expected = formulas.get("hungarian-assign").solve(cost=cost.tolist())
    assert cost[match(cost)].sum().item() == expected["total"]


def test_anchors():
    sizes = torch.tensor([[10.0, 10], [20, 20], [40, 10], [12, 30]])
    anchors = torch.tensor([[12.0, 12], [30, 30]])
    overlap = size_iou(sizes, anchors)
    expected = formulas.get("kmeans-anchors").solve(boxes=sizes.tolist(), anchors=anchors.tolist(), steps=1)
    assert letters(overlap.argmax(dim=1)) == expected["clusters"]
    assert overlap.amax(dim=1).mean().item() == pytest.approx(float(expected["mean_iou"]))
