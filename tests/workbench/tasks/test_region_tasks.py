"""Tasks of two-stage detectors: detection among proposals, and proposals themselves."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.ops import box_iou

import models
from models.layers.boxes import Detections
from workbench import tasks
from workbench.data import region_scenes, selective_search, shape_scenes
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.region_proposals import RecallMeter, choose_boxes

CONTEXT = StepContext()
COUNT = 40


@pytest.fixture(scope="module")
def scenes():
    return shape_scenes.draw_scenes(shape_scenes.options(), COUNT, first_seed=0)


@pytest.fixture(scope="module")
def proposals(scenes):
    return selective_search.propose_all(scenes[0])


@pytest.fixture
def regions(scenes, proposals, monkeypatch):
    monkeypatch.setattr(region_scenes, "load", lambda: scenes)
    monkeypatch.setattr(selective_search, "scene_proposals", lambda: proposals)
    return tasks.get("shape-regions")


@pytest.fixture
def objects(scenes, monkeypatch):
    monkeypatch.setattr(shape_scenes, "load", lambda: scenes)
    return tasks.get("shape-proposals")


def build(name):
    torch.manual_seed(0)
    return models.build(name, "mini")


def test_each_image_has_its_own_proposals_in_every_split(regions, scenes, proposals):
    boxes_of = {
        tuple(boxes[labels >= 0].flatten()): k for k, (_, boxes, labels) in enumerate(zip(*scenes, strict=True))
    }
    sources = regions.sources(build("fast-rcnn"), seed=3)
    assert [len(source) for source in sources.values()] == [28, 4, 8]
    rows = set()
    for source in sources.values():
        batch = source.batch(slice(None))
        for boxes, mask, own, own_mask in zip(
            *(batch[name] for name in ("boxes", "boxes_mask", "proposals", "proposals_mask")), strict=True
        ):
            row = boxes_of[tuple(boxes[mask].flatten().tolist())]
            expected = proposals[row][proposals[row][:, 2] > 0]
            assert np.array_equal(own[own_mask].numpy(), expected)
            rows.add(row)
    assert len(rows) == COUNT


@pytest.mark.parametrize("name", ["fast-rcnn", "rcnn"])
def test_an_evaluation_and_its_visualizations(regions, name):
    network = build(name)
    source = regions.sources(network, seed=0)["validation"]
    metrics = regions.evaluate(network, source)
    assert metrics.keys() == {"loss", *regions.check(network, source), "ap50", "ap"}
    assert regions.evaluate(network, source) == metrics
    visualizations = regions.visualize(network, source)
    assert json.loads(json.dumps(visualizations)) == visualizations
    assert [one["kind"] for one in visualizations[: len(source)]] == ["boxes"] * len(source)
    assert predictions.draw(visualizations, "boxes", 80, 24)


def test_proposals_are_scaled_with_the_image(regions):
    network = build("fast-rcnn")  # reads 128x128
    batch = regions.sources(network, seed=0)["train"].batch(slice(0, 4))
    outputs = regions.forward(network.eval(), batch, CONTEXT)
    assert outputs.scale == 2.0
    torch.testing.assert_close(outputs.values.boxes, 2 * batch["proposals"])
    for one in outputs.detections(0.0):
        assert len(one.boxes) and (one.boxes >= 0).all() and (one.boxes <= 64).all()


def test_an_image_file_gets_its_proposals_when_it_is_read(regions, scenes, proposals, tmp_path):
    Image.fromarray(scenes[0][0].transpose(1, 2, 0)).save(tmp_path / "scene.png")
    file = tmp_path / "scene.png"
    batch, _ = regions.read_files([file], seed=0)
    assert np.array_equal(
        batch["proposals"][0][batch["proposals_mask"][0]].numpy(), proposals[0][proposals[0][:, 2] > 0]
    )
    answer = regions.respond(build("fast-rcnn"), {"image": str(file)}, seed=0)
    assert answer["kind"] == "boxes" and np.shape(answer["pixels"]) == (64, 64, 3)
    (prediction,) = regions.predict_files(build("rcnn"), [file], seed=0)
    assert (prediction["width"], prediction["height"]) == (64, 64) and prediction["detections"]


def test_networks_that_read_no_proposals_are_rejected(regions):
    for name in ("faster-rcnn", "yolo-v1"):
        with pytest.raises(UserError, match="reads no proposals: train it on shape-scenes"):
            regions.sources(build(name), seed=0)


def test_augmentation_is_rejected(regions):
    with pytest.raises(UserError, match="Leave augment out"):
        regions.augment({}, {"flip": 0.5})


def test_proposals_are_of_one_class(objects):
    network = build("rpn")
    sources = objects.sources(network, seed=0)
    assert not sources["train"].batch(slice(None))["labels"].any()
    metrics = objects.evaluate(network, sources["test"])
    assert metrics.keys() == {"loss", "objectness", "proposals", "recall_10"}
    visualizations = objects.visualize(network, sources["test"])
    assert visualizations[0]["classes"] == ["object"] and predictions.draw(visualizations, "boxes", 80, 24)


def test_the_recall_is_that_of_the_first_10_proposals(objects):
    rng = np.random.default_rng(0)

    class Outputs:
        def detections(self, score_threshold):
            first = rng.uniform(0, 30, (4, 25, 2))
            boxes = torch.from_numpy(np.concatenate([first, first + rng.uniform(5, 30, (4, 25, 2))], axis=2)).float()
            self.boxes = boxes
            zeros = torch.zeros(25)
            return [Detections(one, zeros, zeros.long()) for one in boxes]

    outputs, meter = Outputs(), objects.meter()
    assert isinstance(meter, RecallMeter) and meter.compute() == {}
    first = torch.from_numpy(rng.uniform(0, 30, (4, 3, 2))).float()
    targets, mask = torch.cat([first, first + 20], dim=2), torch.tensor([[True, True, False]] * 4)
    meter.update(outputs, {"boxes": targets, "boxes_mask": mask})
    count = sum(
        any(box_iou(target[None], box[None]) >= 0.5 for box in proposed[:10])
        for proposed, corners, present in zip(outputs.boxes, targets, mask, strict=True)
        for target in corners[present]
    )
    assert 0 < count < 8 and meter.compute() == {"recall_10": count / 8}
    meter.update(Outputs(), {"boxes": targets, "boxes_mask": torch.zeros_like(mask)})
    assert meter.compute() == {"recall_10": count / 8}


def test_the_baselines_boxes_each_recall_the_most_that_is_left(objects):
    baseline = objects.compute_baseline(0)
    assert baseline.metric == "recall_10" and 0 < baseline.value < 1
    squares = torch.tensor([[0.0, 0, 24, 24]] * 3 + [[40, 40, 64, 64]] * 2 + [[0, 40, 24, 64]])
    first, second, third = choose_boxes(squares, 64)[:3]
    overlaps = box_iou(torch.stack([first, second, third]), squares[[0, 3, 5]])
    assert (overlaps.diagonal() >= 0.5).all()
