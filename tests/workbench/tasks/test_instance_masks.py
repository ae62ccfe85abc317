"""Masks of objects: those of the scenes, their losses, their IoU, and what is drawn of them."""

import json

import numpy as np
import pytest
import torch

import models
from workbench import data, tasks
from workbench.data import shape_instances, shape_scenes
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.detection import Outputs
from workbench.tasks.instance_masks import object_masks

CONTEXT = StepContext()


@pytest.fixture
def task(monkeypatch):
    count = 60
    arrays = shape_scenes.draw_scenes(shape_scenes.options(), count, shape_scenes.FIRST_SEED)
    instances = shape_instances.draw_instances(count)
    monkeypatch.setattr(data, "load", lambda name, seed=0: data.deal({"train": arrays}, seed))
    monkeypatch.setattr(shape_instances, "load", lambda: instances)
    return tasks.get("shape-masks")


def build():
    torch.manual_seed(0)
    return models.build("detr-mask-head", "mini").eval()


def perfect_outputs(network, batch):
    """Return the outputs of a detector whose queries find the objects in their order, with their masks."""
    objects = batch["boxes_mask"].shape[1]
    logits = torch.zeros(len(batch["labels"]), network.query_embed.num_embeddings, 5)
    logits[..., 4] = 20.0
    logits[:, :objects] += torch.where(
        batch["boxes_mask"][..., None], torch.nn.functional.one_hot(batch["labels"].clamp(min=0), 5) * 40.0, 0.0
    )
    boxes = torch.full((*logits.shape[:2], 4), 0.5)
    boxes[:, :objects] = network.to_targets(batch["boxes"])
    masks = torch.full((*logits.shape[:2], 64, 64), -30.0)
    masks[:, :objects][object_masks(batch)] = 30.0
    return Outputs(network, dict(logits=logits, boxes=boxes, masks=masks), 1.0)


def test_every_box_encloses_its_mask(task):
    for source in task.sources(build(), seed=0).values():
        batch = source.batch(slice(None))
        masks = object_masks(batch)[batch["boxes_mask"]].numpy()
        for mask, box in zip(masks, batch["boxes"][batch["boxes_mask"]].tolist(), strict=True):
            rows, columns = mask.any(axis=1).nonzero()[0], mask.any(axis=0).nonzero()[0]
            assert box == [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]


def test_perfect_outputs_have_an_iou_and_an_average_precision_of_1(task):
    network = build()
    batch = task.sources(network, seed=0)["train"].batch(slice(None))
    outputs, meter = perfect_outputs(network, batch), task.meter()
    meter.update(outputs, batch)
    metrics = meter.compute()
    assert metrics["mask_iou"] == 1 and metrics["ap50"] == pytest.approx(1)
    losses = task.losses(outputs, batch, CONTEXT)
    assert losses["mask"] < 1e-6 and losses["dice"] < 1e-6
    worse = outputs.values | {"masks": -outputs.values["masks"]}
    assert task.losses(Outputs(network, worse, 1.0), batch, CONTEXT)["dice"] > 0.9


def test_an_evaluation_has_the_metrics_that_the_task_declares(task):
    network = build()
    metrics = task.evaluate(network, task.sources(network, seed=0)["test"])
    assert task.info.metrics.keys() <= metrics.keys() and {"mask", "dice", "l1"} <= metrics.keys()


def test_filled_boxes_are_the_baseline(task):
    baseline = task.compute_baseline(seed=0)
    assert baseline.metric == "mask_iou" and 0.5 < baseline.value < 0.95
    batch = task.sources(build(), seed=0)["test"].batch(slice(None))
    masks, boxes = object_masks(batch)[batch["boxes_mask"]], batch["boxes"][batch["boxes_mask"]]
    areas = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    assert baseline.value == pytest.approx(float((masks.sum(dim=(1, 2)) / areas).mean()))


def test_masks_are_drawn(task, monkeypatch):
    network = build()
    source = task.sources(network, seed=0)["validation"]
    monkeypatch.setattr(type(task), "predict", lambda self, network, batch: perfect_outputs(network, batch))
    visualization = json.loads(json.dumps(task.visualize(network, source)))
    assert predictions.kinds(visualization)[0] == "masks" and predictions.draw(visualization, "masks", 100, 30)
    images = np.array(visualization[0]["images"])
    np.testing.assert_array_equal(images[0::2], images[1::2])  # predicted and true


def test_networks_without_masks_are_rejected(task):
    with pytest.raises(UserError, match="predicts no masks: take detr-mask-head"):
        task.sources(models.build("detr", "mini"), seed=0)
