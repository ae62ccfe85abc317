"""Boxes against torchvision, the step-by-step procedures of the course, and hand-made cases."""

from fractions import Fraction

import pytest
import torch
import torchvision.ops
from hypothesis import given
from hypothesis import strategies as st

from models.layers.boxes import (
    check_boxes,
    ciou,
    convert_to_centers,
    convert_to_corners,
    diou,
    giou,
    paired_iou,
    select,
)
from quizzes.content.object_detection import overlaps
from quizzes.content.object_detection.nms import formulas
from workbench.errors import UserError

SPANS = st.tuples(st.integers(0, 30), st.integers(1, 20))
BOXES = st.builds(lambda x, y: (x[0], y[0], x[0] + x[1], y[0] + y[1]), SPANS, SPANS)


def random_corners(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    first = 40 * torch.rand(count, 2, generator=generator)
    return torch.cat([first, first + 1 + 30 * torch.rand(count, 2, generator=generator)], dim=1)


def test_conversions_are_torchvisions_and_inverse():
    corners = random_corners(50)
    centers = convert_to_centers(corners)
    torch.testing.assert_close(centers, torchvision.ops.box_convert(corners, "xyxy", "cxcywh"))
    torch.testing.assert_close(convert_to_corners(centers), corners)


def test_iou_is_torchvisions_pair_by_pair():
    a, b = random_corners(40, seed=1), random_corners(40, seed=2)
    matrix = torchvision.ops.box_iou(a, b)
    torch.testing.assert_close(paired_iou(a, b), matrix.diagonal())
    torch.testing.assert_close(paired_iou(a[:, None], b), matrix)
    assert matrix.max() > 0.3 and matrix.min() == 0


@pytest.mark.parametrize("ours", [giou, diou, ciou])
def test_overlaps_for_losses_and_their_gradients_are_torchvisions(ours):
    names = {giou: "generalized_box_iou_loss", diou: "distance_box_iou_loss", ciou: "complete_box_iou_loss"}
    a, b = random_corners(60, seed=3).double(), random_corners(60, seed=4).double()
    b[:5] = a[:5]  # the same boxes
    mine, theirs = a.clone().requires_grad_(), a.clone().requires_grad_()
    values = ours(mine, b)
    losses = getattr(torchvision.ops, names[ours])(theirs, b)
    torch.testing.assert_close(1 - values, losses, atol=1e-6, rtol=0)  # it adds 1e-7 to what it divides by
    assert values.min() < 0 < values.max() <= 1 + 1e-12
    values.sum().backward()
    (-losses.sum()).backward()
    torch.testing.assert_close(mine.grad[5:], theirs.grad[5:], atol=1e-6, rtol=0)


@given(BOXES, BOXES)
def test_iou_is_the_exact_one_of_the_course(a, b):
    ours = paired_iou(torch.tensor(a).double(), torch.tensor(b).double()).item()
    assert ours == pytest.approx(float(overlaps.overlap(a, b)), abs=1e-12)


def test_boxes_without_area_have_no_overlap():
    empty, box = torch.tensor([5.0, 5, 5, 5]), torch.tensor([0.0, 0, 9, 9])
    assert paired_iou(empty, box) == 0 and paired_iou(empty, empty) == 0


@given(
    st.lists(BOXES, min_size=1, max_size=12, unique=True),
    st.integers(2, 8),
    st.randoms(use_true_random=False),
)
def test_nms_keeps_what_the_course_keeps_step_by_step(boxes, tenths, random):
    scores = random.sample(range(1, 100), len(boxes))  # all different
    # No IoU is equal to the threshold, where rounding would decide.
    threshold = Fraction(tenths, 10) + Fraction(1, 10_007)
    expected = formulas.suppress(boxes, [Fraction(score, 100) for score in scores], threshold)["keep"]
    detections = select(
        torch.tensor(boxes).float(), torch.tensor(scores)[:, None] / 100, 0.0, iou_threshold=float(threshold)
    )
    assert [list(map(int, box)) for box in detections.boxes] == [list(boxes[ord(name) - 65]) for name in expected]


def test_classes_do_not_suppress_each_other_and_small_scores_are_left_out():
    box = torch.tensor([[0.0, 0, 10, 10], [0, 0, 10, 9]])
    scores = torch.tensor([[0.9, 0.3, 0.05], [0.8, 0.4, 0.0]])
    detections = select(box, scores, score_threshold=0.1, iou_threshold=0.5)
    assert detections.labels.tolist() == [0, 1]
    assert detections.scores.tolist() == pytest.approx([0.9, 0.4])
    assert detections.boxes.tolist() == [[0, 0, 10, 10], [0, 0, 10, 9]]


def test_the_best_detections_remain_and_an_image_may_have_none():
    corners = torch.arange(8.0)[:, None] * 20 + torch.tensor([0.0, 0, 10, 10])
    scores = torch.linspace(0.1, 0.8, 8)[:, None]
    detections = select(corners, scores, 0.15, 0.5, max_detections=3)
    assert detections.scores.tolist() == pytest.approx([0.8, 0.7, 0.6])
    assert [len(column) for column in select(corners, scores, 0.9, 0.5)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("box", "label", "message"),
    [
        ((-1, 0, 5, 5), 0, r"\(-1, 0, 5, 5\) is not within its image of 64x64 pixels"),
        ((60, 0, 65, 5), 0, "not within"),
        ((float("nan"), 0, 5, 5), 0, "not within"),
        ((5, 0, 5, 5), 0, "no area"),
        ((5, 9, 7, 5), 0, "no area"),
        ((0, 0, 5, 5), 3, "label 3 is not a class: use 0 to 2"),
        ((0, 0, 5, 5), -1, "label -1"),
    ],
)
def test_impossible_objects_are_rejected_with_a_sentence(box, label, message):
    boxes, labels = torch.tensor([(0, 0, 64, 64), box]).float(), torch.tensor([2, label])
    check_boxes(boxes[:1], labels[:1], image_size=64, num_classes=3)
    with pytest.raises(UserError, match=message):
        check_boxes(boxes, labels, image_size=64, num_classes=3)
