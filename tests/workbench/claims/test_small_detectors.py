"""Small detectors on scenes: their data, their training, their measure, and an SSD with one map."""

import pytest
import torch
from torch import nn

import models
from models.layers.boxes import Detections
from workbench.claims.chapters.one_stage_detectors import KINDS, SCALES, manual_sizes, move_to_one_map, sample_sizes
from workbench.claims.small_detectors import Scenes, ap50, draw, train
from workbench.data.scenes import Options

OPTIONS = Options(side=64, kinds=KINDS, sizes=(0.25, 0.45), objects=(1, 3))


@pytest.fixture(scope="module")
def scenes():
    return draw(OPTIONS, 40, seed=5)


def test_a_seed_fixes_the_scenes(scenes):
    same, other = draw(OPTIONS, 40, seed=5), draw(OPTIONS, 40, seed=6)
    assert all(torch.equal(a, b) for a, b in zip(scenes, same, strict=True))
    assert not any(torch.equal(image, another) for image in scenes.images for another in other.images)
    assert scenes.images.shape == (40, 3, 64, 64) and -1 <= scenes.images.min() < scenes.images.max() <= 1


class Oracle(nn.Module):
    """A detector that returns the first objects of every image.

    Args:
        scenes: The scenes that it is asked about.
        most: Largest number of objects per image.
    """

    def __init__(self, scenes: Scenes, most: int):
        super().__init__()
        self.scenes, self.most = scenes, most

    def forward(self, images):
        return images

    def detect(self, images):
        detections = []
        for image in images:
            index = next(k for k, other in enumerate(self.scenes.images) if torch.equal(image, other))
            mask = self.scenes.labels[index] >= 0
            boxes, labels = self.scenes.boxes[index][mask][: self.most], self.scenes.labels[index][mask][: self.most]
            detections.append(Detections(boxes, torch.ones(len(boxes)), labels))
        return detections


def test_the_objects_themselves_have_100_points_and_nothing_has_none(scenes):
    assert ap50(Oracle(scenes, most=3), scenes, len(KINDS)) == pytest.approx(100)
    assert ap50(Oracle(scenes, most=0), scenes, len(KINDS)) == 0
    assert 10 < ap50(Oracle(scenes, most=1), scenes, len(KINDS)) < 90


def test_an_ssd_with_one_map_has_the_same_default_boxes_in_16_places_and_learns(scenes):
    torch.manual_seed(0)
    network = models.build("ssd300", "mini", scales=SCALES)
    shapes = {tuple(size) for size in (network.default_boxes[:, 2:] - network.default_boxes[:, :2]).round().tolist()}
    move_to_one_map(network)
    boxes = network.default_boxes
    assert {tuple(size) for size in (boxes[:, 2:] - boxes[:, :2]).round().tolist()} == shapes
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    assert len(centers.round().unique(dim=0)) == 16
    images, corners, labels = scenes

    def loss():
        with torch.no_grad():
            return sum(network.losses(network.train()(images), corners, labels, labels >= 0).values()).item()

    before = loss()
    train(network, scenes, seed=0, steps=10, lr=0.003)
    assert loss() < before
    assert network(images)["logits"].shape == (40, len(boxes), 1 + len(KINDS))


def test_sizes_of_boxes_are_of_the_named_kind():
    import numpy as np

    sizes = sample_sizes(np.random.default_rng(0), "spread", "train", 0)
    assert sizes.shape == (2000, 2) and (sizes > 0).all()
    assert sizes.prod(dim=1).sqrt().log().std().item() == pytest.approx(0.8, rel=0.1)
    assert sizes.prod(dim=1).sqrt().median().item() == pytest.approx(40, rel=0.1)
    ratios = manual_sizes()[:, 1] / manual_sizes()[:, 0]
    assert sorted(set(ratios.round(6))) == [0.5, 1, 2]
    noisy = sample_sizes(np.random.default_rng(0), "manual", "train", 0).numpy()
    distance = np.abs(np.log(noisy[:, None] / manual_sizes())).max(axis=2).min(axis=1)
    assert distance.max() < 0.25 and distance.mean() > 0.02
