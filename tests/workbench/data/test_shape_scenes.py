"""The scenes with boxes: each box encloses what is visible of its object, and no scene comes twice."""

from dataclasses import replace

import numpy as np

from workbench.data import shape_scenes
from workbench.data.scenes import draw, scene

OPTIONS = shape_scenes.options()


def test_boxes_enclose_the_visible_pixels_of_their_objects():
    images, boxes, labels = shape_scenes.draw_scenes(OPTIONS, 20, first_seed=5)
    for k in range(20):
        drawing = draw(scene(OPTIONS, 5 + k))
        assert np.array_equal(images[k], drawing.picture.transpose(2, 0, 1))
        assert [OPTIONS.kinds[label] for label in labels[k] if label >= 0] == list(drawing.labels)
        for mask, (x1, y1, x2, y2) in zip(drawing.masks, boxes[k].astype(int), strict=False):
            inside = np.zeros_like(mask)
            inside[y1:y2, x1:x2] = True
            assert not (mask & ~inside).any()
            edges = mask[y1, x1:x2], mask[y2 - 1, x1:x2], mask[y1:y2, x1], mask[y1:y2, x2 - 1]
            assert all(edge.any() for edge in edges)


def test_hidden_objects_are_left_out():
    crowded = replace(OPTIONS, objects=(12, 12), overlap=1.0, sizes=(0.3, 0.5))
    _, boxes, labels = shape_scenes.draw_scenes(crowded, 30, first_seed=0)
    is_object = labels >= 0
    hidden = [(~draw(scene(crowded, seed)).masks.any(axis=(1, 2))).sum() for seed in range(30)]
    assert sum(hidden) > 0 and (~is_object).sum(axis=1).tolist() == hidden
    assert (boxes[is_object][:, :2] < boxes[is_object][:, 2:]).all() and (boxes[~is_object] == 0).all()


def test_scenes_differ_and_depend_on_their_seed_alone():
    images, boxes, labels = shape_scenes.draw_scenes(OPTIONS, 50, first_seed=0)
    assert len({image.tobytes() for image in images}) == 50
    later = shape_scenes.draw_scenes(OPTIONS, 10, first_seed=40)
    for first, second in zip((images, boxes, labels), later, strict=True):
        assert np.array_equal(first[40:], second)


def test_the_declaration_says_what_is_drawn():
    declared = shape_scenes.SET
    assert declared["classes"] == OPTIONS.kinds and declared["shape"] == (3, OPTIONS.side, OPTIONS.side)
