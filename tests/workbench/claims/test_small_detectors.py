"""Small detectors on scenes: their data, their training and their measure; boxes of claims about anchors."""

import pytest
import torch
from torch import nn

import models
from models.layers.boxes import Detections
from workbench.claims.chapters.one_stage_detectors import (
    BOXES_PER_MAP,
    KINDS,
    manual_sizes,
    matched_share,
    sample_sizes,
)
from workbench.claims.small_detectors import Scenes, ap50, draw, train
from workbench.data import shape_scenes


@pytest.fixture(scope="module")
def scenes():
    return draw(shape_scenes.options(), 40, seed=5)


def test_a_seed_fixes_the_scenes(scenes):
    same, other = (draw(shape_scenes.options(), 40, seed) for seed in (5, 6))
    assert all(torch.equal(a, b) for a, b in zip(scenes, same, strict=True))
    assert not any(torch.equal(image, another) for image in scenes.images for another in other.images)
    assert scenes.images.shape == (40, 3, 64, 64) and -1 <= scenes.images.min() < scenes.images.max() <= 1
    assert scenes.boxes.shape == (40, 3, 4) and scenes.labels.shape == (40, 3)


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


def test_training_lowers_the_loss(scenes):
    torch.manual_seed(0)
    network = models.build("ssd300", "mini")
    images, corners, labels = scenes

    def loss():
        with torch.no_grad():
            return sum(network.losses(network.train()(images), corners, labels, labels >= 0).values()).item()

    before = loss()
    train(network, scenes, seed=0, steps=10, lr=0.003)
    assert loss() < before


def test_all_maps_match_what_one_of_them_matches():
    share = matched_share(0, is_multiscale=True, smallest=20, largest=280)
    best = matched_share(0, is_multiscale=False, smallest=20, largest=280)
    assert 0 < best < share <= 100
    # The smallest default boxes have 21 pixels.
    assert matched_share(0, is_multiscale=True, smallest=10, largest=11) < 10
    with torch.device("meta"):
        assert len(models.build("ssd300").default_boxes) == sum(BOXES_PER_MAP)


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
