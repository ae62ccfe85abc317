"""YOLO v1: its grid goes to boxes and back, and its loss is the paper's, term by term."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import models
from models.cost import summarize
from workbench.errors import UserError

SIZE, CELLS, CLASSES = 64, 4, 3  # of the image, of the grid, and of the labels


def build(**options):
    torch.manual_seed(0)
    return models.build("yolo-v1", "mini", image_size=SIZE, num_classes=CLASSES, hidden_size=8, **options)


NETWORK = build()


def random_objects(generator, count=5, most=4):
    """Return boxes (count, most, 4), labels and a mask that leaves some out, as arrays."""
    first = generator.uniform(0, SIZE - 8, (count, most, 2))
    last = first + generator.uniform(2, SIZE - first)
    boxes = np.concatenate([first, np.minimum(last, SIZE)], axis=2)
    return boxes, generator.integers(0, CLASSES, (count, most)), generator.random((count, most)) < 0.7


def tensors(boxes, labels, mask):
    return torch.from_numpy(boxes), torch.from_numpy(labels), torch.from_numpy(mask)


def test_the_paper_preset_has_the_published_layers_and_cost():
    table = summarize("yolo-v1", "paper").table()
    assert (table["params"], table["macs"]) == (271_703_550, 20_285_153_280)
    kinds = [row["type"] for row in table["layers"]]
    assert (kinds.count("Conv2d"), kinds.count("Linear"), kinds.count("MaxPool2d")) == (24, 2, 4)
    assert kinds.count("LeakyReLU") == 25  # after all but the last layer
    with torch.device("meta"):
        network = models.build("yolo-v1")
    assert network.dropout.p == 0.5 and network.activation.negative_slope == 0.1
    assert network.grid_size**2 * network.boxes_per_cell == 98
    pretrained = [module for module in network.backbone.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(pretrained) == 20


def brute_force_iou(a, b):
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height
    return width * height / union if union > 0 else 0.0


def brute_force_losses(grid, boxes, labels, mask):
    """Compute equation 3 of the paper with loops over images, cells and boxes."""
    terms = dict.fromkeys(("coordinates", "sizes", "objectness", "no_object", "classes"), 0.0)
    for image in range(len(grid)):
        for row in range(CELLS):
            for column in range(CELLS):
                cell = grid[image, row, column]
                predicted = [cell[5 * k : 5 * k + 5] for k in range(2)]
                target = None
                for (x1, y1, x2, y2), label, is_object in zip(boxes[image], labels[image], mask[image], strict=True):
                    x, y = (x1 + x2) / 2 / SIZE * CELLS, (y1 + y2) / 2 / SIZE * CELLS
                    if is_object and target is None and (int(x), int(y)) == (column, row):
                        width, height = (x2 - x1) / SIZE, (y2 - y1) / SIZE
                        target = (x - column, y - row, width, height), (x1, y1, x2, y2), label
                if target is None:
                    terms["no_object"] += 0.5 * sum(box[4] ** 2 for box in predicted)
                    continue
                (x, y, width, height), corners, label = target
                overlaps = []
                for bx, by, bw, bh, _ in predicted:
                    center_x, center_y = (column + bx) / CELLS * SIZE, (row + by) / CELLS * SIZE
                    half_w, half_h = bw**2 * SIZE / 2, bh**2 * SIZE / 2
                    ends = center_x - half_w, center_y - half_h, center_x + half_w, center_y + half_h
                    overlaps.append(brute_force_iou(ends, corners))
                best = 0 if overlaps[0] >= overlaps[1] else 1
                bx, by, bw, bh, confidence = predicted[best]
                terms["coordinates"] += 5 * ((bx - x) ** 2 + (by - y) ** 2)
                terms["sizes"] += 5 * ((bw - math.sqrt(width)) ** 2 + (bh - math.sqrt(height)) ** 2)
                terms["objectness"] += (confidence - overlaps[best]) ** 2
                terms["no_object"] += 0.5 * predicted[1 - best][4] ** 2
                terms["classes"] += sum((cell[10 + c] - (c == label)) ** 2 for c in range(CLASSES))
    return {name: value / len(grid) for name, value in terms.items()}


@pytest.mark.parametrize("seed", range(4))
def test_the_loss_is_the_papers_by_brute_force(seed):
    generator = np.random.default_rng(seed)
    grid = generator.normal(0.4, 0.5, (5, CELLS, CELLS, 10 + CLASSES))
    objects = random_objects(generator)
    terms = NETWORK.losses(torch.from_numpy(grid).float(), *tensors(*objects))
    expected = brute_force_losses(grid, *objects)
    assert {name: term.item() for name, term in terms.items()} == pytest.approx(expected, rel=1e-4)
    assert min(expected.values()) > 0


def test_the_target_of_confidence_is_a_constant():
    grid = torch.rand(2, CELLS, CELLS, 10 + CLASSES).requires_grad_()
    objects = tensors(*random_objects(np.random.default_rng(0), count=2))
    (gradient,) = torch.autograd.grad(NETWORK.losses(grid, *objects)["objectness"], grid)
    boxes, confidence = gradient[..., :10].unflatten(-1, (2, 5)).split([4, 1], dim=-1)
    assert (boxes == 0).all() and (confidence != 0).any()


def test_images_without_objects_have_only_the_no_object_term():
    grid = torch.rand(2, CELLS, CELLS, 10 + CLASSES)
    empty = torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.long), torch.zeros(2, 0, dtype=torch.bool)
    terms = NETWORK.losses(grid, *empty)
    assert {name for name, term in terms.items() if term > 0} == {"no_object"}


@st.composite
def objects_in_different_cells(draw):
    """Return boxes, as tuples of integers, and labels, with centers in different cells."""
    spans = st.tuples(st.integers(0, SIZE - 1), st.integers(1, SIZE)).map(lambda s: (s[0], min(SIZE, s[0] + s[1])))
    boxes = draw(
        st.lists(
            st.builds(lambda x, y: (x[0], y[0], x[1], y[1]), spans, spans),
            max_size=5,
            unique_by=lambda box: ((box[0] + box[2]) * CELLS // (2 * SIZE), (box[1] + box[3]) * CELLS // (2 * SIZE)),
        )
    )
    return boxes, draw(st.lists(st.integers(0, CLASSES - 1), min_size=len(boxes), max_size=len(boxes)))


@given(objects_in_different_cells())
def test_decoding_an_encoded_grid_returns_the_objects(objects):
    boxes, labels = torch.tensor(objects[0]).float().view(1, -1, 4), torch.tensor(objects[1], dtype=torch.long)[None]
    targets = NETWORK.encode(boxes, labels, torch.ones_like(labels, dtype=torch.bool))
    grid = torch.zeros(1, CELLS, CELLS, 10 + CLASSES)
    grid[..., 5:9] = targets.boxes  # the second box of each cell
    grid[..., 9] = targets.is_object.float()
    grid[..., 10:] = torch.nn.functional.one_hot(targets.labels, CLASSES)
    (detections,) = NETWORK.detect(grid, iou_threshold=1.0)
    decoded = sorted(zip(detections.labels.tolist(), detections.boxes.tolist(), strict=True))
    expected = sorted(zip(labels[0].tolist(), boxes[0].tolist(), strict=True))
    assert [label for label, _ in decoded] == [label for label, _ in expected]
    for (_, ours), (_, theirs) in zip(decoded, expected, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-3)
    assert detections.scores.tolist() == pytest.approx([1.0] * len(expected))


def test_two_negative_outputs_are_not_a_detection():
    grid = -torch.ones(1, CELLS, CELLS, 10 + CLASSES)
    assert len(NETWORK.detect(grid)[0].boxes) == 0


def test_an_image_smaller_than_the_grid_is_rejected():
    for size in (8, 50, 0):
        with pytest.raises(UserError, match=f"image_size must be a multiple of 16, the size of a cell, not {size}"):
            models.build("yolo-v1", "mini", image_size=size)
    with pytest.raises(UserError, match="1 or more"):
        models.build("yolo-v1", "mini", boxes_per_cell=0)


def test_the_options_change_what_they_name():
    network = build(batch_norm=False, dropout=0.25, boxes_per_cell=3)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())
    assert network(torch.zeros(2, 3, SIZE, SIZE)).shape == (2, CELLS, CELLS, 15 + CLASSES)
    assert network.dropout.p == 0.25
