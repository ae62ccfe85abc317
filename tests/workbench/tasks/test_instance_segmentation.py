"""Instance and panoptic segmentation: metrics of perfect and of empty outputs, masks of data, what files yield."""

import json

import numpy as np
import pytest
import torch
from pycocotools import mask as codes

import models
from models.layers.instances import Instances
from models.layers.panoptic_merge import Segments
from workbench import data, tasks
from workbench.data import panoptic_scenes, run_lengths, shape_instances, shape_scenes
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.detection import Outputs
from workbench.tasks.instance_masks import check_instances, object_masks
from workbench.tasks.instance_segmentation import mask_iou
from workbench.tasks.mask_average_precision import MaskAveragePrecision
from workbench.tasks.panoptic_segmentation import check_stuff, true_map

COUNT = 60
CONTEXT = StepContext()


@pytest.fixture(scope="module")
def columns():
    """Return the columns of few samples of both datasets."""
    scenes = shape_scenes.draw_scenes(shape_scenes.options(), COUNT, shape_scenes.FIRST_SEED)
    return scenes, shape_instances.draw_instances(COUNT), panoptic_scenes.draw_scenes(COUNT, panoptic_scenes.FIRST_SEED)


@pytest.fixture
def few(monkeypatch, columns):
    """Replace both datasets by few samples."""
    scenes, instances, panoptic = columns
    arrays = {"region-scenes": scenes, "panoptic-scenes": panoptic[:3]}
    monkeypatch.setattr(data, "load", lambda name, seed=0: data.deal({"train": arrays[name]}, seed))
    monkeypatch.setattr(shape_instances, "load", lambda: instances)
    monkeypatch.setattr(panoptic_scenes, "load_maps", lambda: panoptic[3:])


TASKS = {"shape-instances": "mask-rcnn", "panoptic-scenes": "panoptic-fpn"}


def build(name):
    torch.manual_seed(0)
    return models.build(TASKS[name], "mini").eval()


class Perfect:
    """A detector that finds all objects with their masks, except that it misses the first of each image."""

    input_shape = (3, 64, 64)

    def __init__(self, batch, missing=0):
        self.batch, self.missing = batch, missing

    def detect(self, outputs, score_threshold=0.05):
        return [Instances(*one)[:3] for one in self.segment(outputs)]

    def segment(self, outputs, score_threshold=0.05):
        detected = []
        for k, mask in enumerate(self.batch["boxes_mask"]):
            boxes, labels = (self.batch[name][k][mask][self.missing :] for name in ("boxes", "labels"))
            masks = object_masks(self.batch)[k][mask][self.missing :].float()
            detected.append((boxes, torch.linspace(0.9, 0.6, len(boxes)), labels, masks))
        return [Instances(*one) for one in detected]


@pytest.mark.parametrize("name", TASKS)
def test_an_evaluation_has_the_metrics_that_the_task_declares(few, name):
    task, network = tasks.get(name), build(name)
    metrics = task.evaluate(network, task.sources(network, seed=0)["test"])
    assert task.info.metrics.keys() - {"pq_things", "pq_stuff"} <= metrics.keys()
    assert {"mask", "boxes", "objectness"} <= metrics.keys() and ("semantic" in metrics) == ("pq" in metrics)


def random_masks(rng, count):
    masks = np.zeros((count, 24, 30), bool)
    for one in masks:
        y, x = rng.integers(0, 16), rng.integers(0, 20)
        one[y : y + rng.integers(3, 9), x : x + rng.integers(3, 11)] = True
        one &= rng.random(one.shape) < 0.9
    return masks


def test_the_average_precision_of_masks_is_that_of_brute_force():
    rng, meter, images = np.random.default_rng(0), MaskAveragePrecision(1), []
    for _ in range(20):
        objects = random_masks(rng, 3)
        noise = rng.random((3, 24, 30)) < rng.uniform(0, 0.04, (3, 1, 1))
        detected = np.concatenate([np.where(noise, ~objects, objects), random_masks(rng, 1)])
        scores = rng.random(4)
        meter.update(detected, np.zeros(4, int), scores, objects, np.zeros(3, int))
        images.append((detected, scores, objects))
    expected = []
    for threshold in np.linspace(0.5, 0.95, 10):
        rows = []
        for detected, scores, objects in images:
            free = set(range(len(objects)))
            for k in np.argsort(-scores):
                ious = {j: (detected[k] & objects[j]).sum() / (detected[k] | objects[j]).sum() for j in free}
                best = max(ious, key=ious.get, default=None)
                is_correct = best is not None and ious[best] >= threshold
                if is_correct:
                    free.remove(best)
                rows.append((scores[k], is_correct))
        hits = np.cumsum([is_correct for _, is_correct in sorted(rows, reverse=True)])
        precision, recall = hits / np.arange(1, len(hits) + 1), hits / 60
        curve = [max(precision[recall >= r], default=0) for r in np.linspace(0, 1, 101)]
        expected.append(np.mean(curve))
    metrics = meter.compute()
    assert metrics["mask_ap50"] == pytest.approx(expected[0], abs=1e-6) and 0.3 < expected[0] < 1
    assert metrics["mask_ap"] == pytest.approx(np.mean(expected), abs=1e-6)


def test_masks_without_detections_have_an_average_precision_of_0_and_without_objects_none():
    meter, nothing = MaskAveragePrecision(2), np.zeros((0, 8, 8), bool)
    meter.update(nothing, np.zeros(0, int), np.zeros(0), nothing, np.zeros(0, int))
    assert meter.compute() == {}
    meter.update(nothing, np.zeros(0, int), np.zeros(0), np.ones((1, 8, 8), bool), np.ones(1, int))
    assert meter.compute() == {"mask_ap50": 0.0, "mask_ap": 0.0}


def test_the_mean_iou_counts_missed_objects_as_0(few, monkeypatch):
    task = tasks.get("shape-instances")
    batch = task.sources(build("shape-instances"), seed=0)["train"].batch(slice(None))
    monkeypatch.setattr(
        "workbench.tasks.instance_segmentation.paste", lambda one, height, width: one.masks
    )  # masks of whole images
    for missing in (0, 1):
        meter, detector = task.meter(), Perfect(batch, missing)
        monkeypatch.setattr(meter.average_precision, "update", lambda *arguments: None)
        meter.update(Outputs(detector, torch.zeros(1), 1.0), batch)
        objects = int(batch["boxes_mask"].sum())
        metrics = meter.compute()
        expected = 1 - missing * len(batch["boxes_mask"]) / objects
        assert metrics["mask_iou"] == pytest.approx(expected, abs=0.05 * missing)
        assert missing or metrics["mask_ap"] == pytest.approx(1)


def test_the_iou_of_masks():
    a, b = torch.zeros(2, 2, 2, dtype=torch.bool), torch.zeros(1, 2, 2, dtype=torch.bool)
    a[0, 0], b[0, :, 0] = True, True
    assert mask_iou(a, b).tolist() == [[pytest.approx(1 / 3)], [0.0]]


def test_true_maps_merged_by_the_network_have_a_quality_of_1(few, monkeypatch):
    task, network = tasks.get("panoptic-scenes"), build("panoptic-scenes")
    batch = task.sources(network, seed=0)["test"].batch(slice(None))
    segments = []
    for k, stuff in enumerate(batch["stuff"].numpy()):
        labels = batch["labels"][k][batch["labels_mask"][k]].numpy()
        one = true_map(batch["instances"][k].numpy(), stuff, labels, 4)
        ids = np.zeros_like(one.ids)
        for number, old in enumerate(one.classes, start=1):
            ids[one.ids == old] = number
        ids[one.ids == 0] = 1  # what is predicted of void pixels doesn't matter
        things = torch.zeros(len(labels))
        segments.append(Segments(torch.from_numpy(ids), torch.tensor(list(one.classes.values())), things))
    monkeypatch.setattr(network, "merge", lambda values, crops, sizes: segments, raising=False)
    meter = task.meter()
    meter.update(Outputs(network, task.predict(network, batch).values, 1.0), batch)
    metrics = meter.compute()
    assert metrics["pq"] == metrics["pq_things"] == metrics["pq_stuff"] == metrics["sq"] == 1


def test_every_pixel_of_the_panoptic_scenes_is_a_thing_stuff_or_void(columns):
    images, boxes, labels, instances, stuff = columns[2]
    check_instances(images, instances, labels)
    check_stuff(instances, stuff, 4)
    assert set(np.unique(stuff).tolist()) == {0, 1, 2, 3, 4, 255}
    assert ((stuff == 0) == (instances > 0)).all()
    assert 0.01 < (stuff == 255).mean() < 0.06
    assert all(len(set(np.unique(one).tolist()) - {0, 255}) + (255 not in one) >= 2 for one in stuff)
    for k, (x1, y1, x2, y2) in ((k, box) for k, of_image in enumerate(boxes.astype(int)) for box in of_image[:1]):
        rows, detected = np.nonzero(instances[k] == 1)
        assert [x1, y1, x2, y2] == [detected.min(), rows.min(), detected.max() + 1, rows.max() + 1]
    again = panoptic_scenes.draw_scenes(2, panoptic_scenes.FIRST_SEED)
    assert all((one == other[:2]).all() for one, other in zip(again, columns[2], strict=True))


IMAGES, LABELS = np.zeros((1, 3, 4, 4), np.uint8), np.array([[0, 1, -1]])
MAP = np.array([[[1, 1, 0, 0], [0, 0, 2, 2], [0] * 4, [0] * 4]], np.uint8)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        (lambda: check_instances(IMAGES, MAP[:, :2], LABELS), "masks have 2x4 pixels, and their images 4x4"),
        (lambda: check_instances(IMAGES, MAP * 4, LABELS), "number of an object that it doesn't have"),
        (lambda: check_instances(IMAGES, np.where(MAP == 2, 3, MAP), LABELS), "object that it doesn't have"),
        (lambda: check_instances(IMAGES, np.where(MAP == 2, 0, MAP), LABELS), "Object 1 of image 0 has an empty mask"),
        (lambda: check_stuff(MAP, MAP[:, :2] * 0, 4), "stuff have the shape 1x2x4"),
        (lambda: check_stuff(MAP * 0, MAP * 0 + 9, 4), "class of stuff 9: use 0 for things, 1 to 4, or 255"),
        (lambda: check_stuff(MAP, MAP * 0 + 2, 4), "belongs to a thing and to stuff"),
    ],
)
def test_maps_that_do_not_fit_are_rejected(check, message):
    with pytest.raises(UserError, match=message):
        check()
    check_instances(IMAGES, MAP, LABELS)


@pytest.mark.parametrize(
    ("task", "network", "message"),
    [
        ("shape-instances", "faster-rcnn-r50-fpn", "predicts no masks of detections: take mask-rcnn"),
        ("shape-instances", "panoptic-fpn", "predicts no masks of detections: take mask-rcnn"),
        ("panoptic-scenes", "mask-rcnn", "predicts no segments of stuff: take panoptic-fpn"),
    ],
)
def test_networks_of_other_outputs_are_rejected(few, task, network, message):
    with pytest.raises(UserError, match=message):
        tasks.get(task).sources(models.build(network, "mini"), seed=0)


@pytest.mark.parametrize("seed", range(5))
def test_run_lengths_are_those_of_pycocotools(seed):
    mask = np.random.default_rng(seed).random((7, 5)) < (0.0, 0.2, 0.5, 0.9, 1.0)[seed]
    code = run_lengths.encode(mask)
    assert (run_lengths.decode(code) == mask).all() and json.loads(json.dumps(code)) == code
    theirs = codes.frPyObjects(dict(code), *mask.shape)
    assert (codes.decode([theirs])[:, :, 0] == mask).all()
    assert theirs["counts"] == codes.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("color", [True, False])
def test_segments_are_drawn(few, name, color):
    task, network = tasks.get(name), build(name)
    visualizations = json.loads(json.dumps(task.visualize(network, task.sources(network, seed=0)["validation"])))
    assert predictions.kinds(visualizations)[0] == "segments"
    rows = predictions.draw(visualizations, "segments", 150, 40, color)
    text = "\n".join("".join(segment.text for segment in row) for row in rows)
    true = next(one for one in visualizations if one["caption"] == "true")
    assert all(segment["class"] in text for segment in true["segments"]) and "true" in text
    assert max(sum(segment.cell_length for segment in row) for row in rows) <= 150
