"""Anchors in the cells of grids: boxes from outputs and back, by formulas with loops."""

import math

import pytest
import torch

from models.layers.anchor_grid import AnchorGrid
from models.layers.boxes import convert_to_centers

SIZES = (((40, 30), (20, 50)), ((8, 8), (14, 20)))
STRIDES, IMAGE = (32, 16), 64
GRID = AnchorGrid(SIZES, STRIDES, IMAGE)


def boxes_in_order():
    """Return stride, row, column, width and height of each box, as the docstring orders them."""
    return [
        (stride, row, column, width, height)
        for sizes, stride in zip(SIZES, STRIDES, strict=True)
        for row in range(IMAGE // stride)
        for column in range(IMAGE // stride)
        for width, height in sizes
    ]


def random_boxes(count, seed):
    generator = torch.Generator().manual_seed(seed)
    first = 50 * torch.rand(count, 2, generator=generator)
    return torch.cat([first, first + 2 + (62 - first) * torch.rand(count, 2, generator=generator)], dim=1)


def test_there_is_a_box_per_anchor_cell_and_grid():
    assert GRID.count == len(boxes_in_order()) == 2 * 4 + 2 * 16
    yolo_v3 = AnchorGrid([[(1, 1)] * 3] * 3, (32, 16, 8), 416)
    assert yolo_v3.count == 10_647


def test_a_decoded_box_is_that_of_the_paper():
    t = torch.randn(GRID.count, 4, generator=torch.Generator().manual_seed(0))
    decoded = convert_to_centers(GRID.decode(t))
    for k, (stride, row, column, width, height) in enumerate(boxes_in_order()):
        x, y, w, h = t[k].tolist()
        expected = [
            (column + 1 / (1 + math.exp(-x))) * stride,
            (row + 1 / (1 + math.exp(-y))) * stride,
            width * math.exp(w),
            height * math.exp(h),
        ]
        assert decoded[k].tolist() == pytest.approx(expected, abs=1e-4)


def test_the_golden_box():
    grid = AnchorGrid([[(116, 90)]], [32], 416)
    t = torch.zeros(grid.count, 4)
    place = 4 * 13 + 6  # row 4, column 6
    t[place] = torch.tensor([0.2, -0.5, 0.1, 0.0])
    expected = [209.59, 140.08, 128.20, 90.00]
    assert convert_to_centers(grid.decode(t))[place].tolist() == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("seed", range(3))
def test_the_responsible_box_has_the_objects_center_in_its_cell_and_the_best_shape(seed):
    order = boxes_in_order()
    shapes = [size for sizes in SIZES for size in sizes]
    for box, place in zip(random_boxes(30, seed), GRID.find_places(random_boxes(30, seed)).tolist(), strict=True):
        x, y, w, h = convert_to_centers(box).tolist()
        stride, row, column, width, height = order[place]
        assert column * stride <= x < (column + 1) * stride
        assert row * stride <= y < (row + 1) * stride

        def iou(size, w=w, h=h):
            shared = min(size[0], w) * min(size[1], h)
            return shared / (size[0] * size[1] + w * h - shared)

        assert iou((width, height)) == max(iou(size) for size in shapes)


def test_decoding_encoded_values_returns_the_boxes():
    boxes = random_boxes(20, seed=3)
    places = GRID.find_places(boxes)
    values = GRID.encode(boxes, places)
    assert ((values[:, :2] >= 0) & (values[:, :2] <= 1)).all()
    for box, place, value in zip(boxes, places, values, strict=True):
        t = torch.zeros(GRID.count, 4)
        t[place] = torch.cat([value[:2].clamp(1e-6, 1 - 1e-6).logit(), value[2:]])
        torch.testing.assert_close(GRID.decode(t)[place], box, rtol=0, atol=1e-3)


def test_of_two_objects_with_the_same_box_the_first_is_the_target():
    same = torch.tensor([20.0, 20.0, 28.0, 28.0])
    boxes = torch.stack([torch.stack([same, same + 1, same]), torch.stack([same, same, same + 1])])
    labels = torch.tensor([[5, 6, 7], [8, 9, 10]])
    mask = torch.tensor([[True, True, True], [False, True, True]])
    targets = GRID.find_targets(boxes, labels, mask)
    assert targets.images.tolist() == [0, 1]
    assert targets.labels.tolist() == [5, 9]
    assert (targets.boxes == same).all()


def test_objects_at_the_border_are_in_the_last_cell():
    boxes = torch.tensor([[63.0, 63.0, 65.0, 65.0]])
    stride, row, column, *_ = boxes_in_order()[GRID.find_places(boxes)]
    assert (row, column) == (IMAGE // stride - 1, IMAGE // stride - 1)


def test_anchors_of_different_numbers_are_rejected():
    with pytest.raises(ValueError, match="as many for each grid"):
        AnchorGrid([[(1, 1)], [(1, 1), (2, 2)]], (32, 16), 64)
    with pytest.raises(ValueError, match="above 0"):
        AnchorGrid([[(1, 0)]], (32,), 64)
