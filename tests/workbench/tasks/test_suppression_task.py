"""Suppression of simulated detections: what a batch holds, perfect scores, the baseline, and what is rejected."""

import json

import numpy as np
import pytest
import torch

import models
from models.detection.learned_nms import Rescored, match
from models.layers.boxes import paired_iou
from workbench import data, tasks
from workbench.data import crowded_shapes
from workbench.data.raw_detections import simulate
from workbench.errors import UserError
from workbench.tasks.base import StepContext
from workbench.tasks.detection import Outputs

CONTEXT = StepContext()


@pytest.fixture(scope="module")
def splits():
    images, boxes, labels = crowded_shapes.draw_crowds(90, first_seed=0)
    parts = {"train": slice(0, 60), "validation": slice(60, 75), "test": slice(75, 90)}
    return {name: (images[part], boxes[part], labels[part]) for name, part in parts.items()}


@pytest.fixture
def task(splits, monkeypatch):
    monkeypatch.setattr(data, "load", lambda name, seed=0: splits)
    return tasks.get("crowded-detections")


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return models.build("learned-nms", "mini")


def test_detections_cover_their_objects_several_times_and_are_sorted(splits):
    _, objects, classes = splits["train"]
    boxes, scores, labels = simulate(objects, classes, 4, 64, np.random.default_rng(0))
    assert boxes.dtype == scores.dtype == np.float32 and labels.dtype == np.int64
    is_detection = labels >= 0
    assert (boxes[~is_detection] == 0).all() and (scores[~is_detection] == 0).all()
    assert (np.diff(scores, axis=1) <= 0).all() and scores[is_detection].min() > 0 and scores.max() < 1
    assert boxes.min() >= 0 and boxes.max() <= 64
    fits, values = [], []
    for k in range(len(boxes)):
        corners, own = torch.from_numpy(boxes[k][is_detection[k]]), torch.from_numpy(objects[k][classes[k] >= 0])
        iou = paired_iou(corners[:, None], own)
        same_class = torch.from_numpy(labels[k][is_detection[k]])[:, None] == torch.from_numpy(
            classes[k][classes[k] >= 0]
        )
        assert ((iou.masked_fill(~same_class, 0) > 0.3).sum(dim=0) >= 2).all()
        fits += iou.amax(dim=1).tolist()
        values += scores[k][is_detection[k]].tolist()
    assert 0.4 < np.corrcoef(fits, values)[0, 1] < 0.95
    again = simulate(objects, classes, 4, 64, np.random.default_rng(0))
    assert all(map(np.array_equal, again, (boxes, scores, labels)))


def test_perfect_scores_have_an_average_precision_of_nearly_1(task, network):
    batch = task.sources(network, seed=0)["validation"].batch(slice(0, 15))
    boxes, labels = batch["detections"], batch["detection_labels"]
    fits = Rescored(boxes, labels, paired_iou(boxes[:, :, None], batch["boxes"][:, None]).amax(dim=2))
    is_matched = match(fits, batch["boxes"], batch["labels"], batch["boxes_mask"])
    meter = task.meter()
    meter.update(Outputs(network, Rescored(boxes, labels, 20 * is_matched - 10.0), 1.0), batch)
    assert meter.compute()["ap50"] > 0.95
    meter = task.meter()
    meter.update(Outputs(network, Rescored(boxes, labels, -20 * is_matched + 10.0), 1.0), batch)
    assert meter.compute()["ap50"] < 0.5


def test_the_loss_is_that_of_the_network_and_evaluations_have_the_metrics(task, network):
    sources = task.sources(network, seed=0)
    assert task.check(network, sources["train"]) == ["scores"]
    metrics = task.evaluate(network, sources["test"])
    assert metrics.keys() == {"loss", "scores", "ap50", "ap"}


def test_the_baseline_is_greedy_nms_with_the_best_threshold(task):
    baseline = task.compute_baseline(seed=0)
    assert baseline.method.startswith("greedy NMS with the best threshold, 0.") and baseline.metric == "ap50"
    assert 0.8 < baseline.value < 1


def test_detections_are_visualized_in_their_images(task, network):
    visualizations = task.visualize(network, task.sources(network, seed=0)["test"])
    assert [one["kind"] for one in visualizations[:8]] == ["boxes"] * 8
    json.dumps(visualizations)


def test_images_augmentation_and_other_networks_are_rejected(task, network, tmp_path):
    with pytest.raises(UserError, match="can't be asked"):
        task.respond(network, {"image": "a.png"}, seed=0)
    with pytest.raises(UserError, match="can't read files"):
        task.predict_files(network, [tmp_path / "a.png"], seed=0)
    with pytest.raises(UserError, match="no augmentation"):
        task.augment({}, {"flip": 0.5})
    with pytest.raises(UserError, match="reads images: take learned-nms"):
        yolo = models.build("yolo-v1", "mini")
        task.check(yolo, task.sources(yolo, seed=0)["train"])


def test_a_few_steps_lower_the_loss(task, network):
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 32))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)

    def loss():
        return task.losses(task.forward(network, batch, CONTEXT), batch, CONTEXT)["loss"]

    before = loss().item()
    for _ in range(30):
        optimizer.zero_grad()
        loss().backward()
        optimizer.step()
    assert loss().item() < 0.8 * before
