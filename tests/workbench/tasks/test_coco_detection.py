"""Detection on image files with COCO annotations: metrics are pycocotools' on the user's own file, in its pixels."""

import json
import random

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy import ndimage
from torch import nn

from models.layers.boxes import Detections
from workbench import data, tasks
from workbench.errors import UserError
from workbench.tasks.base import StepContext

SIZES = [(400, 200), (150, 300), (128, 128)]


class FindsBlobs(nn.Module):
    """A detector without weights: the boxes of what is bright, each a little too large, with a score by its place.

    Dogs are white, and cats are yellow.
    """

    input_shape = (3, 64, 64)

    def forward(self, x):
        return x

    def losses(self, outputs, boxes, labels, mask):
        return {"nothing": outputs.mean() * 0}

    def detect(self, outputs, score_threshold=0.05):
        return [self.of_image(image) for image in outputs]

    def of_image(self, image):
        bright, _ = ndimage.label(image.mean(dim=0).numpy() > 1.2)
        boxes = [(x.start - 1, y.start - 1, x.stop + 1, y.stop) for y, x in ndimage.find_objects(bright)]
        corners = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
        middles = [image[:, (y1 + y2) // 2, (x1 + x2) // 2] for x1, y1, x2, y2 in boxes]
        labels = torch.tensor([int(blue > red - 1) for red, _, blue in middles], dtype=torch.long)
        scores = 0.1 + 0.8 * corners[:, :2].sum(dim=1) / 150
        order = scores.argsort(descending=True)
        return Detections(corners[order], scores[order], labels[order])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Sixty images of three sizes in three files of annotations, with crowds, and areas that are not those of boxes."""
    root, rng = tmp_path_factory.mktemp("coco"), random.Random(3)
    for split, count in (("train", 20), ("val", 10), ("test", 30)):
        images, annotations = [], []
        for k in range(count):
            width, height = SIZES[k % 3]
            image, number = Image.new("RGB", (width, height), (20, 30, 40)), 500 - k
            for _ in range(rng.randint(0, 3)):
                w, h = rng.randint(15, 180), rng.randint(15, 160)
                x, y = rng.randint(0, width - min(w, width - 1)), rng.randint(0, height - min(h, height - 1))
                w, h = min(w, width - x), min(h, height - y)
                if min(w, h) < 10:
                    continue
                category = rng.choice([7, 2])
                fill = "white" if category == 7 else (255, 255, 100)
                ImageDraw.Draw(image).rectangle((x, y, x + w - 1, y + h - 1), fill=fill)
                row = dict(id=len(annotations) + 1, image_id=number, category_id=category, bbox=[x, y, w, h])
                annotations.append(row | dict(area=0.7 * w * h, iscrowd=int(rng.random() < 0.1)))
            image.save(root / f"{split}{k}.png")
            images.append(dict(id=number, file_name=f"{split}{k}.png", width=width, height=height))
        categories = [dict(id=7, name="dog"), dict(id=2, name="cat")]
        content = dict(images=images, annotations=annotations, categories=categories)
        (root / f"instances_{split}.json").write_text(json.dumps(content))
    return root


@pytest.fixture
def task(folder):
    return tasks.get(f"coco:{folder}:{folder}")


def test_metrics_are_those_of_pycocotools_on_the_users_file(task, folder, capsys):
    network = FindsBlobs()
    source = task.sources(network, seed=0)["test"]
    metrics = task.in_detail().evaluate(network, source)
    truth = COCO(str(folder / "instances_test.json"))
    numbers = {image["file_name"]: image["id"] for image in truth.imgs.values()}
    files = sorted(folder.glob("test*.png"))
    rows, ids = [], {"cat": 2, "dog": 7}
    for file, prediction in zip(files, task.predict_files(network, files, seed=0), strict=True):
        for one in prediction["detections"]:
            x1, y1, x2, y2 = one["box"]
            assert 0 <= x1 < x2 <= prediction["width"] and 0 <= y1 < y2 <= prediction["height"]
            row = dict(image_id=numbers[file.name], category_id=ids[one["class"]], score=one["score"])
            rows.append(row | dict(bbox=[x1, y1, x2 - x1, y2 - y1]))
    evaluation = COCOeval(truth, truth.loadRes(rows), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    names = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    assert [metrics[name] for name in names] == pytest.approx(evaluation.stats[:6].tolist(), abs=0.02)
    assert 0.05 < metrics["ap"] < metrics["ap50"] < 0.95 and {"ap50_voc2007", "ap50_voc2010"} < metrics.keys()
    assert task.evaluate(network, source).keys() == {"loss", "nothing", "ap50", "ap"}


def test_batches_hold_files_scales_and_crowds(task, folder):
    batch = task.sources(FindsBlobs(), seed=0)["test"].batch(slice(0, 30))
    truth = json.loads((folder / "instances_test.json").read_text())
    assert int(batch["crowd_boxes_mask"].sum()) == sum(row["iscrowd"] for row in truth["annotations"]) > 0
    assert int(batch["boxes_mask"].sum()) == sum(not row["iscrowd"] for row in truth["annotations"])
    scale = batch["scale"].repeat(1, 2)[:, None]
    boxes = (batch["boxes"] / scale)[batch["boxes_mask"]]
    sizes = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1)
    torch.testing.assert_close(0.7 * sizes, batch["areas"][batch["areas_mask"]], rtol=0.01, atol=1)


def test_another_folder_with_the_same_classes_is_evaluated(task, folder, tmp_path):
    other = json.loads((folder / "instances_test.json").read_text())
    other["categories"] = [dict(id=1, name="cat"), dict(id=2, name="dog")]
    for row in other["annotations"]:
        row["category_id"] = {2: 1, 7: 2}[row["category_id"]]
    file = tmp_path / "other.json"
    file.write_text(json.dumps(other))
    name, network = f"coco:{folder}:{file}", FindsBlobs()
    columns = tuple(np.concatenate(column) for column in zip(*data.load(name, 0).values(), strict=True))
    expected = task.evaluate(network, task.sources(network, 0)["test"])["ap"]
    assert task.evaluate(network, task.adapt(network, name, columns, 0))["ap"] == pytest.approx(expected, abs=0.02)
    other["categories"][0]["name"] = "cow"
    file.write_text(json.dumps(other))
    with pytest.raises(UserError, match="has the class 'cow'"):
        task.adapt(network, name, columns, 0)
    with pytest.raises(UserError, match="iris has no boxes"):
        task.adapt(network, "iris", columns, 0)


def test_images_are_visualized_and_asked_in_a_size_that_can_be_shown(task, folder):
    network = FindsBlobs()
    *images, curves = task.visualize(network, task.sources(network, seed=0)["validation"])
    assert all(max(np.shape(one["pixels"])[:2]) <= 128 for one in images) and curves["kind"] == "precision-recall"
    file = sorted(folder.glob("test*.png"))[0]
    answer = task.respond(network, {"image": str(file)}, seed=0)
    width, height = Image.open(file).size
    rows, columns, _ = np.shape(answer["pixels"])
    assert columns / rows == pytest.approx(width / height, rel=0.05)
    assert all(one["box"][0] + 3 >= 0 and one["box"][2] <= columns + 3 for one in answer["predicted"])


def test_the_baseline_is_the_median_box_of_each_class(task):
    baseline = task.compute_baseline(seed=0)
    assert baseline.method == "the median box of each class, in every image" and 0 <= baseline.value < 0.2
    assert data.load(task.data, 0)["train"][0].shape[0] == 20


def test_a_detector_learns_it(task):
    import models

    torch.manual_seed(0)
    network = models.build("yolo-v1", "mini", num_classes=2)
    batch = task.sources(network, seed=0)["train"].batch(slice(0, 20))
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        loss = task.losses(task.forward(network, batch, StepContext()), batch, StepContext())["loss"]
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.6 * losses[0]
