"""Detection: batches with boxes, average precision of a detector's outputs, and its visualizations."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import models
from models.layers.boxes import Detections
from workbench import data, tasks
from workbench.data import shape_scenes
from workbench.errors import UserError
from workbench.render import predictions
from workbench.tasks.base import StepContext
from workbench.tasks.detection import Outputs, match

CONTEXT = StepContext()


@pytest.fixture(scope="module")
def splits():
    images, boxes, labels = shape_scenes.draw_scenes(shape_scenes.options(), 90, first_seed=0)
    parts = {"train": slice(0, 60), "validation": slice(60, 75), "test": slice(75, 90)}
    return {name: (images[part], boxes[part], labels[part]) for name, part in parts.items()}


@pytest.fixture
def task(splits, monkeypatch):
    monkeypatch.setattr(data, "load", lambda name, seed=0: splits)
    return tasks.get("shape-scenes")


def build(image_size=64):
    torch.manual_seed(0)
    return models.build("yolo-v1", "mini", image_size=image_size)


def perfect_outputs(network, batch, scale=1.0):
    """Return the outputs of a detector that is always right."""
    targets = network.encode(batch["boxes"] * scale, batch["labels"], batch["boxes_mask"])
    classes = torch.nn.functional.one_hot(targets.labels, network.num_classes)
    box = torch.cat([targets.boxes, targets.is_object[..., None]], dim=-1)
    return Outputs(network, torch.cat([box, torch.zeros_like(box), classes], dim=-1), scale)


def all_cells_differ(network, batch):
    """Return which images have no two objects in one cell, of which the grid could hold only one."""
    targets = network.encode(batch["boxes"], batch["labels"], batch["boxes_mask"])
    return targets.is_object.flatten(1).sum(dim=1) == batch["boxes_mask"].sum(dim=1)


def test_a_batch_has_standardized_images_and_the_objects_of_each(task, splits):
    source = task.sources(build(), seed=0)["train"]
    assert len(source) == 60
    batch = source.batch(torch.tensor([7, 3]))
    images, boxes, labels = splits["train"]
    for k, row in enumerate((7, 3)):
        pixels = batch["image"][k] * float(images.std()) + float(images.mean())
        torch.testing.assert_close(pixels, torch.from_numpy(images[row]).float(), rtol=0, atol=0.01)
        mask = batch["boxes_mask"][k]
        assert batch["boxes"][k][mask].tolist() == boxes[row][labels[row] >= 0].tolist()
        assert batch["labels"][k][mask].tolist() == labels[row][labels[row] >= 0].tolist()
    assert torch.equal(batch["boxes_mask"], batch["labels_mask"])


def test_the_loss_is_the_sum_of_its_terms(task):
    network = build()
    assert task.check(network, task.sources(network, seed=0)["train"]) == [
        *("coordinates", "sizes", "objectness", "no_object", "classes")
    ]
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 8))
    losses = task.losses(task.forward(network, batch, CONTEXT), batch, CONTEXT)
    assert losses["loss"].item() == pytest.approx(sum(value.item() for name, value in losses.items() if name != "loss"))
    assert losses["loss"].requires_grad


@pytest.mark.parametrize("image_size", [64, 128])
def test_perfect_outputs_have_an_average_precision_of_1(task, image_size):
    network = build(image_size)
    batch = task.sources(network, seed=0)["validation"].batch(slice(0, 15))
    assert task.forward(network, batch, CONTEXT).scale == image_size / 64
    outputs, meter = perfect_outputs(network, batch, image_size / 64), task.meter()
    rows = all_cells_differ(build(), batch)
    selection = {name: column[rows] for name, column in batch.items()}
    meter.update(Outputs(network, outputs.values[rows], outputs.scale), selection)
    assert rows.sum() > 5 and meter.compute() == pytest.approx({"ap50": 1.0, "ap": 1.0})


def test_an_evaluation_has_the_losses_and_the_metrics_that_the_task_declares(task):
    network = build()
    metrics = task.evaluate(network, task.sources(network, seed=0)["test"])
    assert metrics.keys() == {"loss", *task.info.metrics, *task.check(network, task.sources(network, seed=0)["test"])}
    assert list(task.info.metrics) == ["ap50", "ap"] and task.info.mode("ap50") == "max"


def test_a_flip_mirrors_images_with_their_boxes(task):
    batch = task.sources(build(), seed=0)["train"].batch(slice(0, 60))
    flipped = task.augment(batch, {"flip": 1.0})
    for image, other, boxes, mirrored, mask in zip(
        batch["image"], flipped["image"], batch["boxes"], flipped["boxes"], batch["boxes_mask"], strict=True
    ):
        for box, there in zip(boxes[mask].long().tolist(), mirrored[mask].long().tolist(), strict=True):
            inside, inside_there = (
                pixels[:, y1:y2, x1:x2] for pixels, (x1, y1, x2, y2) in ((image, box), (other, there))
            )
            assert torch.equal(inside.flip(-1), inside_there)
    assert torch.equal(task.augment(flipped, {"flip": 1.0})["image"], batch["image"])
    assert torch.equal(task.augment(batch, {"flip": 0.0})["boxes"], batch["boxes"])
    torch.manual_seed(0)
    changed = (task.augment(batch, {"flip": 0.5})["image"] != batch["image"]).flatten(1).any(dim=1)
    assert 15 < changed.sum() < 45
    with pytest.raises(UserError, match=r"only flip\. Leave rotate out"):
        task.augment(batch, {"flip": 0.5, "rotate": 5.0})


def test_an_object_is_matched_once_and_only_with_its_class():
    box = torch.tensor([[0.0, 0, 10, 10], [30, 30, 40, 40], [0, 0, 10, 10]])
    detected = Detections(
        torch.tensor([[0.0, 0, 10, 9], [0, 0, 10, 10], [0, 0, 10, 8], [30, 30, 40, 36], [30, 30, 40, 34]]),
        torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5]),
        torch.tensor([0, 0, 2, 1, 1]),
    )
    is_correct, is_missed = match(detected, box, torch.tensor([0, 1, 1]))
    assert is_correct.tolist() == [True, False, False, True, False]
    assert is_missed.tolist() == [False, False, True]
    none = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.long))
    assert match(none, box, torch.tensor([0, 1, 1]))[1].all()
    assert not match(detected, box[:0], torch.zeros(0, dtype=torch.long))[0].any()


def test_visualizations_are_plain_data_that_is_rendered(task, monkeypatch):
    network = build()
    source = task.sources(network, seed=0)["validation"]
    batch = source.batch(slice(0, 8))
    monkeypatch.setattr(task, "predict", lambda network, batch: perfect_outputs(network, batch))
    *visualization, curves = json.loads(json.dumps(task.visualize(network, source)))
    assert len(visualization) == 8 and predictions.kinds([*visualization, curves]) == ["boxes", "precision-recall"]
    assert [one["name"] for one in curves["curves"]] == list(task.dataset.classes)
    assert all(len(one["recall"]) == len(one["precision"]) == 101 for one in curves["curves"])
    assert all(one["precision"][0] == 1 for one in curves["curves"]) and predictions.draw(
        [curves], "precision-recall", 80, 12
    )
    for one, objects, differ in zip(
        visualization, batch["boxes_mask"].sum(dim=1), all_cells_differ(network, batch), strict=True
    ):
        assert all(prediction["correct"] for prediction in one["predicted"])
        assert len(one["predicted"]) + len(one["missed"]) == objects and (not differ or not one["missed"])
        assert np.shape(one["pixels"]) == (64, 64, 3) and 0 <= np.min(one["pixels"]) < np.max(one["pixels"]) <= 1
    assert predictions.draw(visualization, "boxes", 80, 24)


def test_an_untrained_network_is_visualized_too(task):
    network = build()
    *visualization, _ = task.visualize(network, task.sources(network, seed=0)["validation"])
    assert all(len(one["missed"]) + sum(p["correct"] for p in one["predicted"]) >= 1 for one in visualization)


def test_an_image_file_is_answered_with_boxes(task, splits, tmp_path):
    path = tmp_path / "scene.png"
    Image.fromarray(splits["test"][0][0].transpose(1, 2, 0)).save(path)
    answer = task.respond(build(), {"image": str(path)}, seed=0)
    pixels = splits["test"][0][0].transpose(1, 2, 0).astype(float)
    stretched = (pixels - pixels.min()) / (pixels.max() - pixels.min())
    assert answer["kind"] == "boxes" and answer["missed"] == []
    np.testing.assert_allclose(answer["pixels"], stretched, atol=0.006)
    with pytest.raises(UserError, match="image"):
        task.respond(build(), {"file": str(path)}, seed=0)
    with pytest.raises(UserError, match="image=FILE"):
        task.respond(build(), {}, seed=0)


def test_a_network_without_boxes_is_rejected(task):
    with pytest.raises(UserError, match="LeNet5 has no boxes"):
        task.sources(models.build("lenet5-modern"), seed=0)


@pytest.mark.parametrize(
    ("box", "label", "message"),
    [((50, 0, 70, 9), 0, "not within its image of 64x64"), ((5, 5, 5, 9), 0, "no area"), ((0, 0, 9, 9), 4, "label 4")],
)
def test_impossible_objects_of_a_dataset_are_rejected(task, splits, monkeypatch, box, label, message):
    images, boxes, labels = (column.copy() for column in splits["train"])
    boxes[4, 0], labels[4, 0] = box, label
    monkeypatch.setattr(data, "load", lambda name, seed: splits | {"train": (images, boxes, labels)})
    with pytest.raises(UserError, match=message):
        task.sources(build(), seed=0)


def test_the_baseline_detects_some_shapes(task):
    baseline = task.compute_baseline(seed=0)
    assert baseline.metric == "ap50" and 0.05 < baseline.value < 0.95


def test_a_few_steps_lower_every_term_but_the_one_without_objects(task):
    network = build()
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 32))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)

    def losses():
        return task.losses(task.forward(network, batch, CONTEXT), batch, CONTEXT)

    before = losses()
    for _ in range(30):
        optimizer.zero_grad()
        losses()["loss"].backward()
        optimizer.step()
    after = losses()
    assert all(after[name] < before[name] for name in ("loss", "coordinates", "sizes", "classes"))
