"""Claims about IoU, non-maximum suppression and average precision."""

from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims.boxes import random_boxes
from workbench.claims.claim import Exact
from workbench.claims.evidence import Evidence, equal, near, true

if TYPE_CHECKING:
    from torch import Tensor


def iou_by_pixels(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision.ops import box_iou, generalized_box_iou

    from models.layers.boxes import paired_iou

    rng = np.random.default_rng(seed)
    a, b = random_boxes(rng, 30), random_boxes(rng, 30)
    by_pixels = []
    for first, second in zip(a.int().tolist(), b.int().tolist(), strict=True):
        masks = np.zeros((2, 40, 40), dtype=bool)
        for mask, (x1, y1, x2, y2) in zip(masks, (first, second), strict=True):
            mask[y1:y2, x1:x2] = True
        by_pixels.append((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())
    yield near("IoU of torchvision, and counted pixel by pixel", box_iou(a, b).diagonal(), by_pixels, 1e-9)
    yield near("IoU of the detectors, and counted pixel by pixel", paired_iou(a, b), by_pixels, 1e-9)
    yield near("IoU of a with b, and of b with a", box_iou(a, b), box_iou(b, a).T, 1e-12)
    for name, function in (("IoU", box_iou), ("generalized IoU", generalized_box_iou)):
        box = torch.tensor([[0.0, 0, 5, 5]], requires_grad=True)
        function(box, torch.tensor([[10.0, 10, 15, 15]])).sum().backward()
        assert box.grad is not None
        has_gradient = bool(box.grad.any())
        yield equal(f"disjoint boxes have a gradient: {name}", has_gradient, name != "IoU")


IOU_FORMULA = Exact(
    id="iou-formula",
    statement=(
        "IoU is the area of the overlap over the area of the union: symmetric, and 0 without a gradient for disjoint "
        "boxes."
    ),
    topic="iou",
    evidence=iou_by_pixels,
    expected="holds",
    source="Rezatofighi et al., Generalized intersection over union (2019), section 3, for the missing gradient",
)


def greedy_nms(boxes: "Tensor", scores: "Tensor", threshold: float) -> list[int]:
    """Return the indices of the boxes that greedy suppression leaves, box by box."""
    left = sorted(range(len(scores)), key=lambda index: -float(scores[index]))
    remaining: list[int] = []
    while left:
        best, *left = left
        remaining.append(best)
        left = [index for index in left if _iou(boxes[best].tolist(), boxes[index].tolist()) <= threshold]
    return remaining


def _iou(a: list[float], b: list[float]) -> float:
    width, height = (max(0.0, min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in (0, 1))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def suppression(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision.ops import nms

    rng = np.random.default_rng(seed)
    for threshold in (0.3, 0.5, 0.7):
        first = 12 * rng.random((60, 2))
        boxes = torch.as_tensor(np.concatenate([first, first + 1 + 9 * rng.random((60, 2))], axis=1)).float()
        scores = torch.as_tensor(rng.permutation(60) / 60)
        remaining = nms(boxes, scores.float(), threshold)
        yield equal(
            f"boxes that torchvision's NMS leaves, and box by box, threshold {threshold}",
            remaining.tolist(),
            greedy_nms(boxes, scores, threshold),
        )
        again = nms(boxes[remaining], scores.float()[remaining], threshold)
        yield equal(f"a second NMS leaves all of them, threshold {threshold}", len(again), len(remaining))
        yield true(f"the box with the highest score remains, threshold {threshold}", int(scores.argmax()) in remaining)


NMS_ALGORITHM = Exact(
    id="nms-algorithm",
    statement=(
        "NMS takes the box with the highest score, removes all boxes whose IoU with it is above the threshold, and "
        "repeats."
    ),
    topic="nms",
    evidence=suppression,
    expected="holds",
    source="torchvision documentation, torchvision.ops.nms",
)


def evaluate(objects: list[dict[str, Any]], detections: np.ndarray) -> Any:
    """Return COCO's evaluation of detections in one image.

    Args:
        objects: Objects, each with `category_id`, `bbox` (x, y, width, height), `area`.
        detections: Rows of image id, x, y, width, height, score, class.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(StringIO()):  # it prints its progress
        truth = COCO()
        categories = sorted({row["category_id"] for row in objects})
        rows = [dict(id=k + 1, image_id=1, iscrowd=0, **row) for k, row in enumerate(objects)]
        truth.dataset = dict(images=[dict(id=1)], categories=[dict(id=k) for k in categories], annotations=rows)
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def random_detections(seed: int, classes: int = 3) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return 24 objects on a grid, and detections: one near each object, and as many elsewhere."""
    rng = np.random.default_rng(seed)
    objects, rows = [], []
    for index in range(24):
        x, y = 60 * (index % 6), 60 * (index // 6)
        size = float(rng.uniform(15, 45))
        objects.append(dict(category_id=index % classes, bbox=[x, y, size, size], area=size * size))
        shift = rng.uniform(0, 0.35, size=2) * size
        rows.append([1, x + shift[0], y + shift[1], size, size, rng.uniform(), index % classes])
        rows.append([1, 400 + x, y, size, size, rng.uniform(), index % classes])
    return objects, np.array(rows)


def matches(objects: list[dict[str, Any]], detections: np.ndarray, category: int, threshold: float) -> list[bool]:
    """Return for a class's detections, with the highest score first, whether each finds an object."""
    targets = [row["bbox"] for row in objects if row["category_id"] == category]
    corners = [[x, y, x + width, y + height] for x, y, width, height in targets]
    hits, unmatched = [], set(range(len(corners)))
    for row in sorted((row for row in detections if row[6] == category), key=lambda row: -row[5]):
        box = [row[1], row[2], row[1] + row[3], row[2] + row[4]]
        best = max(unmatched, key=lambda index: _iou(box, corners[index]), default=-1)
        is_hit = best >= 0 and _iou(box, corners[best]) >= threshold
        if is_hit:
            unmatched.remove(best)
        hits.append(is_hit)
    return hits


def average_precision(hits: list[bool], objects: int, points: int | None) -> float:
    """Return AP: precision, made monotone, at a number of recalls from 0 to 1, or its whole area if that is None."""
    true_positives = np.cumsum(hits)
    precision, recall = true_positives / np.arange(1, len(hits) + 1), true_positives / objects
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if points is None:
        return float((np.diff(recall, prepend=0) * envelope).sum())
    at = np.searchsorted(recall, np.linspace(0, 1, points) - 1e-9)
    return float(np.append(envelope, 0.0)[at].mean())


def one_ap(seed: int) -> Iterator[Evidence]:
    objects, detections = random_detections(seed)
    areas = {
        points: np.mean([average_precision(matches(objects, detections, k, 0.5), 8, points) for k in range(3)])
        for points in (None, 11, 101)
    }
    yield near("area under the precision-recall curves, and COCO's 101 recalls", areas[None], areas[101], 1e-4)
    yield near("area under the precision-recall curves, and Pascal VOC 2007's 11 recalls", areas[None], areas[11], 1e-4)


MAP_DEFINITION = Exact(
    id="map-definition",
    statement=(
        "mAP is the area under the precision-recall curve, averaged over classes, so all benchmarks compute the same "
        "number."
    ),
    topic="map",
    evidence=one_ap,
    expected="does_not_hold",
    source="Everingham et al., The Pascal VOC challenge (2010), section 4.2; COCO detection evaluation",
    note=(
        "Pascal VOC averaged 11 recalls until 2009 and the whole area from 2010; COCO averages 101 recalls, and also "
        "the IoU thresholds from 0.50 to 0.95."
    ),
)


def coco_ap(seed: int) -> Iterator[Evidence]:
    objects, detections = random_detections(seed)
    stats = evaluate(objects, detections).stats
    thresholds = [0.5 + 0.05 * k for k in range(10)]
    table = [
        [average_precision(matches(objects, detections, k, threshold), 8, 101) for k in range(3)]
        for threshold in thresholds
    ]
    yield near("AP of pycocotools, and the mean over classes and ten thresholds", stats[0], np.mean(table), 1e-9)
    yield near("AP50 of pycocotools, and the mean over classes at 0.5", stats[1], np.mean(table[0]), 1e-9)
    yield near("AP75 of pycocotools, and the mean over classes at 0.75", stats[2], np.mean(table[5]), 1e-9)


COCO_AP_DEFINITION = Exact(
    id="coco-ap-definition",
    statement=(
        "COCO's AP is the mean over classes and over the IoU thresholds 0.50, 0.55, ... 0.95 of the precision at 101 "
        "recalls."
    ),
    topic="map",
    evidence=coco_ap,
    expected="holds",
    source="COCO detection evaluation, cocodataset.org",
)


def thresholds_of_ap(seed: int) -> Iterator[Evidence]:
    for part in range(4):
        stats = evaluate(*random_detections(4 * seed + part)).stats
        yield true("AP75 is at most AP50", stats[2] <= stats[1] + 1e-9, f"{stats[2]:.3f} and {stats[1]:.3f}")
        yield true(
            "AP, over thresholds from 0.5, is at most AP50",
            stats[0] <= stats[1] + 1e-9,
            f"{stats[0]:.3f} and {stats[1]:.3f}",
        )


AP75_LE_AP50 = Exact(
    id="ap75-le-ap50",
    statement="AP75 is at most AP50, because a match must have an IoU of 0.75 instead of 0.5.",
    topic="map",
    evidence=thresholds_of_ap,
    expected="holds",
    note=(
        "Derivation: a pair that matches at 0.75 may match at 0.5, too, so greedy matching finds no fewer objects "
        "among the first detections."
    ),
)


def size_bins(seed: int) -> Iterator[Evidence]:
    from pycocotools.cocoeval import Params

    ranges = dict(zip(Params("bbox").areaRngLbl, Params("bbox").areaRng, strict=True))
    yield equal(
        "bounds of the areas in pycocotools",
        [ranges[name] for name in ("small", "medium", "large")],
        [[0, 32**2], [32**2, 96**2], [96**2, 1e10]],
    )
    rng = np.random.default_rng(seed)
    for name, low, high, place in (("small", 8, 32, 3), ("medium", 33, 96, 4), ("large", 97, 300, 5)):
        width, height = (float(value) for value in rng.uniform(low, high, size=2))
        detection = np.array([[1, 0, 0, width, height, 0.9, 0]])
        stats = evaluate([dict(category_id=0, bbox=[0, 0, width, height], area=width * height)], detection).stats
        others = [stats[k] for k in (3, 4, 5) if k != place]
        values = [stats[place], *others]
        yield near(
            f"AP of the size of a {name} object that is detected, and -1 for the others", values, [1, -1, -1], 1e-9
        )


AP_SIZE_BINS = Exact(
    id="ap-size-bins",
    statement="APS, APM and APL count objects with an area below 32², from 32² to 96², and above 96² pixels.",
    topic="map",
    evidence=size_bins,
    is_structural=True,
    expected="holds",
    source="COCO detection evaluation, cocodataset.org",
)
