"""Learned NMS: its matching is the evaluation's, only neighbors affect a score, and it learns to suppress."""

import pytest
import torch
from torchvision.ops import box_iou

import models
from models.detection.learned_nms import NEIGHBOR_IOU, Rescored, match
from models.layers.boxes import Detections
from workbench.errors import UserError
from workbench.tasks import detection


def build(**options):
    torch.manual_seed(0)
    return models.build("learned-nms", "mini", **options).eval()


def random_images(seed, count=6, most=12, classes=2):
    """Return boxes, scores and labels of detections, of which each image has another number."""
    generator = torch.Generator().manual_seed(seed)
    first = 30 * torch.rand(count, most, 2, generator=generator)
    boxes = torch.cat([first, first + 5 + 25 * torch.rand(count, most, 2, generator=generator)], dim=2)
    scores, labels = torch.rand(count, most, generator=generator), torch.randint(0, classes, (count, most))
    labels[torch.arange(most) >= torch.arange(most - count, most)[:, None]] = -1
    is_padding = labels < 0
    return boxes.masked_fill(is_padding[..., None], 0), scores.masked_fill(is_padding, 0), labels


def test_the_paper_preset_has_16_blocks_of_128_features():
    network = models.build("learned-nms")
    assert len(network.blocks) == 16 and network.channels == 128
    assert network.blocks[0].reduce.out_features == 32
    assert sum(weight.numel() for weight in network.parameters()) == (
        (8 + 1) * 32 + 2 * (32 + 1) * 32 + 16 * (129 * 32 + 97 * 32 + 33 * 32 + 33 * 128) + 2 * 129 * 128 + 129
    )


def test_a_score_depends_on_the_neighbors_and_their_neighbors_alone():
    network, (boxes, scores, labels) = build(), random_images(1, count=1, most=14, classes=2)
    size = int((labels[0] >= 0).sum())
    overlap = box_iou(boxes[0], boxes[0])[:size, :size]
    is_neighbor = (overlap > NEIGHBOR_IOU) & (labels[0, :size, None] == labels[0, :size])
    reach = torch.linalg.matrix_power(is_neighbor.float(), len(network.blocks)) > 0
    assert 0 < is_neighbor.float().mean() < reach.float().mean() < 1
    scores.requires_grad_()
    logits = network(boxes, scores, labels)[0]
    for k in range(size):
        (gradient,) = torch.autograd.grad(logits[k], scores, retain_graph=True)
        assert not gradient[0, :size][~reach[k]].any()
        assert gradient[0, k] != 0


def test_padding_and_other_images_change_nothing():
    network, (boxes, scores, labels) = build(), random_images(2)
    with torch.no_grad():
        together = network(boxes, scores, labels)
        for k, number in enumerate((labels >= 0).sum(dim=1).tolist()):
            alone = network(boxes[k : k + 1, :number], scores[k : k + 1, :number], labels[k : k + 1, :number])
            torch.testing.assert_close(together[k, :number], alone[0])


def test_the_order_of_the_detections_does_not_matter():
    network, (boxes, scores, labels) = build(), random_images(3)
    order = torch.randperm(boxes.shape[1])
    with torch.no_grad():
        shuffled = network(boxes[:, order], scores[:, order], labels[:, order])
        torch.testing.assert_close(shuffled, network(boxes, scores, labels)[:, order])


@pytest.mark.parametrize("seed", range(5))
def test_matched_detections_are_those_of_the_evaluation(seed):
    boxes, _, labels = random_images(seed)
    generator = torch.Generator().manual_seed(seed + 100)
    objects = boxes[:, :5] + 3 * torch.randn(boxes[:, :5].shape, generator=generator)
    classes, mask = labels[:, :5].clamp(min=0), torch.rand(len(boxes), 5, generator=generator) < 0.8
    logits = torch.randn(labels.shape, generator=generator)
    is_matched = match(Rescored(boxes, labels, logits), objects, classes, mask)
    assert is_matched.any() and not is_matched[labels < 0].any()
    for k in range(len(boxes)):
        rows = (labels[k] >= 0).nonzero()[:, 0]
        rows = rows[logits[k, rows].argsort(descending=True)]
        detected = Detections(boxes[k, rows], logits[k, rows], labels[k, rows])
        is_correct, _ = detection.match(detected, objects[k][mask[k]], classes[k][mask[k]])
        assert is_matched[k, rows].tolist() == is_correct.tolist()


def test_images_without_objects_and_without_detections():
    network, (boxes, scores, labels) = build(), random_images(0)
    nothing = torch.zeros(len(boxes), 0, 4), torch.zeros(len(boxes), 0).long(), torch.zeros(len(boxes), 0).bool()
    outputs = Rescored(boxes, labels, network(boxes, scores, labels))
    assert network.losses(outputs, *nothing)["scores"].item() > 0
    empty = Rescored(
        torch.zeros(1, 0, 4), torch.zeros(1, 0).long(), network(*(c[:1, :0] for c in (boxes, scores, labels)))
    )
    (detected,) = network.detect(empty)
    assert len(detected.boxes) == 0


def test_detections_are_sorted_and_filtered_by_the_new_score():
    boxes, _, labels = random_images(4)
    logits = torch.randn(labels.shape)
    for k, detected in enumerate(build().detect(Rescored(boxes, labels, logits), score_threshold=0.5)):
        expected = (logits[k] >= 0) & (labels[k] >= 0)
        assert len(detected.scores) == expected.sum() and (detected.scores.diff() <= 0).all()
        assert detected.scores.min() >= 0.5 if len(detected.scores) else True


def test_it_learns_to_suppress_the_duplicates_of_a_box():
    network = build().train()
    generator = torch.Generator().manual_seed(0)
    first = 60 * torch.rand(32, 1, 2, generator=generator)
    objects = torch.cat([first, first + 20], dim=2)
    boxes = objects + 1.5 * torch.randn(32, 4, 4, generator=generator)
    scores, labels = torch.rand(32, 4, generator=generator), torch.zeros(32, 4, dtype=torch.long)
    targets = torch.zeros(32, 1, dtype=torch.long), torch.ones(32, 1, dtype=torch.bool)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.003)
    for _ in range(120):
        optimizer.zero_grad()
        outputs = Rescored(boxes, labels, network(boxes, scores, labels))
        network.losses(outputs, objects, *targets)["scores"].backward()
        optimizer.step()
    new_scores = outputs.logits.sigmoid().sort(dim=1).values
    assert (new_scores[:, -1] > 0.5).float().mean() > 0.7 and (new_scores[:, :-1] < 0.5).float().mean() > 0.9


def test_impossible_sizes_are_rejected():
    with pytest.raises(UserError, match="num_blocks must be 1 or more"):
        models.build("learned-nms", "mini", num_blocks=0)
