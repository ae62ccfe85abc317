"""Time of average precision on 5,000 images, relative to pycocotools: COCO's numbers alone, and all conventions.

    PYTHONPATH=. python benchmarks/average_precision.py [PAIRS] [--dry]

The images are random, with as many classes and objects as COCO's validation set (80 and about 36,000) and 20 detections
each. Both begin with the same tensors and arrays, and run in turn, so that both meet the same load; the ratio is the
median over the pairs. pycocotools computes its six numbers of AP (four ranges of areas). Target: at most 1.2.
"""

import time
from collections.abc import Callable
from contextlib import redirect_stdout
from io import StringIO
from statistics import median
from typing import Any

import _options
import numpy as np
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models.layers.boxes import Detections
from workbench.tasks.average_precision import AveragePrecision

IMAGES, DRY_IMAGES, CLASSES, DETECTIONS = 5000, 50, 80, 20
BATCH = 64

Case = list[tuple[Detections, torch.Tensor, torch.Tensor]]  # detections, boxes and labels of each image


def random_case(images: int) -> Case:
    """Return images with detections near each object and elsewhere."""
    rng = np.random.default_rng(0)
    case = []
    for _ in range(images):
        count = int(rng.integers(0, 15))
        first, sizes = (
            rng.uniform(0, 400, (count, 2)),
            rng.choice([20, 60, 160], (count, 1)) * rng.uniform(0.7, 1.3, (count, 2)),
        )
        boxes = np.concatenate([first, first + sizes], axis=1)
        labels = rng.choice(8, count) + 8 * rng.integers(0, CLASSES // 8)  # an image has few classes
        source = rng.integers(0, max(1, count), DETECTIONS)
        near = boxes[source] if count else np.array([[0.0, 0, 9, 9]] * DETECTIONS)
        shifts = rng.normal(0, 8, (DETECTIONS, 4))
        corners = near + np.where(np.arange(4) < 2, -np.abs(shifts), np.abs(shifts))
        classes = labels[source] if count else rng.integers(0, CLASSES, DETECTIONS)
        scores = np.sort(rng.uniform(0, 1, DETECTIONS))[::-1].copy()
        detected = Detections(*map(torch.from_numpy, (corners.astype(np.float32), scores.astype(np.float32), classes)))
        case.append((detected, torch.from_numpy(boxes.astype(np.float32)), torch.from_numpy(labels)))
    return case


def ours(case: Case, is_detailed: bool) -> float:
    """Return AP by the project."""
    meter = AveragePrecision(CLASSES)
    for start in range(0, len(case), BATCH):
        meter.update(*zip(*case[start : start + BATCH], strict=True))
    return (meter.compute_all() if is_detailed else meter.compute())["ap"]


def theirs(case: Case) -> float:
    """Return AP by pycocotools."""
    annotations: list[dict[str, Any]] = []
    rows = []
    for image, (detected, boxes, labels) in enumerate(case, start=1):
        for (x1, y1, x2, y2), label in zip(boxes.double().tolist(), labels.tolist(), strict=True):
            place = dict(id=len(annotations) + 1, image_id=image, category_id=label, iscrowd=0)
            annotations.append(place | dict(bbox=[x1, y1, x2 - x1, y2 - y1], area=(x2 - x1) * (y2 - y1)))
        columns = np.column_stack([detected.boxes.double(), detected.scores, detected.labels])
        columns[:, 2:4] -= columns[:, :2]
        rows.append(np.column_stack([np.full(len(columns), image), columns]))
    with redirect_stdout(StringIO()):
        truth = COCO()
        truth.dataset = dict(
            images=[dict(id=k) for k in range(1, len(case) + 1)],
            categories=[dict(id=k) for k in range(CLASSES)],
            annotations=annotations,
        )
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(np.concatenate(rows)), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def seconds(function: Callable[[], float]) -> tuple[float, float]:
    """Return the processor time of a call, and its value."""
    start = time.process_time()
    value = function()
    return time.process_time() - start, value


def main(pairs: int, images: int) -> None:
    case = random_case(images)
    names = ("COCO's ap and ap50", "all conventions")
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(pairs):
        reference, expected = seconds(lambda: theirs(case))
        for name in names:
            own, value = seconds(lambda name=name: ours(case, name == names[1]))  # type: ignore[misc]
            assert abs(value - expected) < 1e-6, (value, expected)
            times[name].append((own, reference))
    print(f"{images:,} images, {sum(len(labels) for _, _, labels in case):,} objects, AP {expected:.4f} in both")
    for name, measured in times.items():
        own, reference = (median(column) for column in zip(*measured, strict=True))
        ratio = median(a / b for a, b in measured)
        print(f"{name:<20} {own:7.2f} s   pycocotools {reference:7.2f} s   ratio {ratio:.2f}")


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 3, dry=1)
    main(options.count, DRY_IMAGES if options.dry else IMAGES)
