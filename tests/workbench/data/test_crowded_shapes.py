"""Crowds overlap, scenes of one shape have one, and both are scenes like `shape-scenes`."""

import numpy as np
import torch

from models.layers.boxes import paired_iou
from workbench.data import crowded_shapes, shape_scenes, single_shapes
from workbench.data.scenes import draw, scene


def overlaps(boxes, labels):
    """Return the largest IoU of each object with another one of its class, over all images."""
    largest = []
    for corners, classes in zip(torch.from_numpy(boxes), torch.from_numpy(labels), strict=True):
        corners, classes = corners[classes >= 0], classes[classes >= 0]
        iou = paired_iou(corners[:, None], corners).fill_diagonal_(0)
        largest += iou.masked_fill(classes[:, None] != classes, 0).amax(dim=1).tolist()
    return np.array(largest)


def test_objects_of_crowds_overlap_and_those_of_other_scenes_hardly_do():
    _, boxes, labels = crowded_shapes.draw_crowds(100, first_seed=0)
    assert labels.shape == (100, 8)
    crowded, others = overlaps(boxes, labels), overlaps(*shape_scenes.draw_scenes(shape_scenes.options(), 100, 0)[1:])
    assert np.mean(crowded > 0.3) > 0.5 and np.mean(crowded > 0.5) > 0.1
    assert np.mean(others > 0.3) < 0.02


def test_boxes_of_crowds_enclose_the_visible_pixels():
    images, boxes, labels = crowded_shapes.draw_crowds(20, first_seed=50)
    for k in range(20):
        drawing = draw(crowded_shapes.crowd(50 + k))
        visible = [k for k, mask in enumerate(drawing.masks) if mask.any()]
        assert np.array_equal(images[k], drawing.picture.transpose(2, 0, 1))
        assert [shape_scenes.KINDS[label] for label in labels[k] if label >= 0] == [drawing.labels[k] for k in visible]
        assert boxes[k][: len(visible)].tolist() == drawing.boxes[visible].tolist()
        assert (boxes[k] >= 0).all() and (boxes[k] <= 64).all()


def test_companions_are_added_to_the_scene_of_the_seed():
    plain, crowd = scene(crowded_shapes.options(), 3), crowded_shapes.crowd(3)
    assert set(plain.objects) <= set(crowd.objects) and len(plain.objects) < len(crowd.objects)
    assert crowd == crowded_shapes.crowd(3) != crowded_shapes.crowd(4)
    sizes = [one.size for one in crowd.objects]
    assert sizes == sorted(sizes, reverse=True)


def test_images_of_single_shapes_have_one_object():
    _, boxes, labels = shape_scenes.draw_scenes(single_shapes.options(), 30, first_seed=single_shapes.FIRST_SEED)
    assert labels.shape == (30, 1) and set(labels.ravel().tolist()) == {0, 1, 2, 3}
    assert (boxes[..., 2:] - boxes[..., :2]).min() > 8


def test_the_declarations_say_what_is_drawn():
    for module in (single_shapes, crowded_shapes):
        assert module.SET["classes"] == module.options().kinds
        assert module.SET["shape"] == (3, module.options().side, module.options().side)
