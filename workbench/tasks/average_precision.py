"""Average precision of detections, as COCO and Pascal VOC define it; matches and COCO's numbers by pycocotools.

A detection is correct if its IoU with an object of its class that no better-scoring detection has is at least a
threshold. From the highest score down, that gives precision over recall for each class; average precision is the mean
of the precision at 101 recalls, where each is the best at that recall or above, and then the mean over the classes.
`precision_recall` has VOC's conventions. Detections in a crowd, a group of objects with one box, are not counted.
"""

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from torch import Tensor

from models.layers.boxes import Detections
from workbench.tasks.precision_recall import PrecisionRecall

MAX_DETECTIONS = 100  # per image, those with the highest scores
LARGEST_AREA = 1e10
# Areas in pixels of the image's own file, with COCO's bounds: 32x32 and 96x96 pixels.
AREAS = {
    "all": (0, LARGEST_AREA),
    "small": (0, 32**2),
    "medium": (32**2, 96**2),
    "large": (96**2, LARGEST_AREA),
}


class AveragePrecision:
    """Accumulates detections and objects of batches of images; `ap50` at IoU 0.5, `ap` the mean of 0.5, 0.55 ... 0.95.

    Args:
        num_classes: Number of classes.
    """

    def __init__(self, num_classes: int):
        self.num_classes = num_classes
        self._images = 0
        self._objects: list[dict[str, Any]] = []
        self._detections: list[np.ndarray] = []  # rows of image, x, y, width, height, score, class
        self._is_countable = False  # whether an object is not a crowd

    def update(
        self,
        detections: Sequence[Detections],
        boxes: Sequence[Tensor],
        labels: Sequence[Tensor],
        areas: Sequence[Tensor] | None = None,
        crowds: Sequence[Tensor] | None = None,
    ) -> None:
        """Add a batch.

        Args:
            detections: Of each image.
            boxes: The corners of each image's objects, (n, 4).
            labels: Their classes, (n,).
            areas: Their areas in pixels, (n,), such as those of their masks; by default those of the boxes.
            crowds: Whether each is a crowd, (n,); by default none is.
        """
        for k, (detected, corners, classes) in enumerate(zip(detections, boxes, labels, strict=True)):
            self._images += 1
            rows = _with_sizes(corners)
            sizes = rows[:, 2] * rows[:, 3] if areas is None else areas[k].tolist()
            is_crowd = [False] * len(rows) if crowds is None else crowds[k].tolist()
            self._is_countable |= not all(is_crowd)
            for box, label, area, crowd in zip(rows.tolist(), classes.tolist(), sizes, is_crowd, strict=True):
                # Ids begin at 1: pycocotools takes a match with id 0 for no match.
                number = len(self._objects) + 1
                place = dict(id=number, image_id=self._images, category_id=label, bbox=box)
                self._objects.append(place | dict(area=float(area), iscrowd=int(crowd)))
            rows = np.empty((len(detected.boxes), 7))
            rows[:, 0] = self._images
            rows[:, 1:5] = _with_sizes(detected.boxes)
            rows[:, 5], rows[:, 6] = detected.scores.cpu(), detected.labels.cpu()
            self._detections.append(rows)

    def compute(self) -> dict[str, float]:
        """Return `ap50` and `ap`, from 0 to 1; nothing if there was no object."""
        if not self._is_countable:
            return {}
        if not sum(map(len, self._detections)):
            return {"ap50": 0.0, "ap": 0.0}
        precision = self._evaluate(["all"]).eval["precision"]
        return {"ap50": mean(precision[0, :, :, 0]), "ap": mean(precision[..., 0, 0])}

    def compute_all(self) -> dict[str, float]:
        """Return average precision in all conventions, from 0 to 1; nothing if there was no object.

        `ap`, `ap50` and `ap75` are COCO's, as are `ap_small`, `ap_medium` and `ap_large` for the sizes that objects
        have. `ap50_voc2007` (11 recalls) and `ap50_voc2010` (every step) are VOC's, at IoU 0.5.
        """
        if not self._is_countable:
            return {}
        if not sum(map(len, self._detections)):
            names = [f"ap_{size}" for size in AREAS if size != "all" and self._has_size(size)]
            return dict.fromkeys(["ap50", "ap", "ap75", *names, "ap50_voc2007", "ap50_voc2010"], 0.0)
        evaluation = self._evaluate(list(AREAS))
        precision = evaluation.eval["precision"]  # threshold, recall, class, area, and one number of detections
        metrics = {
            "ap50": mean(precision[0, :, :, 0]),
            "ap": mean(precision[..., 0, 0]),
            "ap75": mean(precision[5, :, :, 0]),
        }
        for place, size in enumerate(AREAS):
            if size != "all" and (precision[..., place, 0] > -1).any():
                metrics[f"ap_{size}"] = mean(precision[..., place, 0])
        curves = [curve for label in range(self.num_classes) if (curve := self._voc_curve(evaluation, label))]
        metrics["ap50_voc2007"] = float(np.mean([curve.voc2007() for curve in curves]))
        metrics["ap50_voc2010"] = float(np.mean([curve.voc2010() for curve in curves]))
        return metrics

    def curves(self, threshold: float = 0.5) -> dict[int, list[float]]:
        """Return the interpolated precision at COCO's 101 recalls of each class that has objects.

        Args:
            threshold: Smallest IoU of a correct detection.
        """
        if not self._is_countable or not sum(map(len, self._detections)):
            return {}
        precision = self._evaluate(["all"], [threshold]).eval["precision"][0, :, :, 0, 0]
        return {k: precision[:, k].tolist() for k in range(self.num_classes) if (precision[:, k] > -1).all()}

    def _has_size(self, size: str) -> bool:
        low, high = AREAS[size]
        return any(low <= one["area"] <= high and not one["iscrowd"] for one in self._objects)

    def _evaluate(self, areas: list[str], thresholds: list[float] | None = None) -> Any:
        """Return pycocotools' evaluation for names of `AREAS`, and by default for COCO's ten thresholds of IoU."""
        results = np.concatenate(self._detections)
        images = [dict(id=number) for number in range(1, self._images + 1)]
        return evaluate(self._objects, results, images, self.num_classes, "bbox", areas, thresholds)

    def _voc_curve(self, evaluation: Any, label: int) -> PrecisionRecall | None:
        """Return the curve of a class with VOC's matches at IoU 0.5; None if it has no objects."""
        scores, best, ious, ignored, objects = [], [], [], [], 0
        for image in range(1, self._images + 1):
            truth, detected = evaluation._gts[image, label], evaluation._dts[image, label]
            objects += sum(not one["iscrowd"] for one in truth)
            if not detected:
                continue
            detected = sorted(detected, key=lambda one: -one["score"])[:MAX_DETECTIONS]  # in the order of `ious`
            scores += [one["score"] for one in detected]
            if not truth:
                best += [0] * len(detected)
                ious += [0.0] * len(detected)
                ignored += [False] * len(detected)
                continue
            overlaps = np.asarray(evaluation.ious[image, label])
            places = overlaps.argmax(axis=1)
            best += [truth[place]["id"] for place in places]
            ious += overlaps.max(axis=1).tolist()
            ignored += [bool(truth[place]["iscrowd"]) for place in places]
        if not objects:
            return None
        order = np.argsort(-np.array(scores), kind="stable")
        is_match = (np.array(ious) >= 0.5)[order]
        is_counted = ~(is_match & np.array(ignored, bool)[order])
        numbers, is_match = np.array(best, int)[order][is_counted], is_match[is_counted]
        matches = np.flatnonzero(is_match)
        is_correct = np.zeros(len(numbers), bool)
        is_correct[matches[np.unique(numbers[matches], return_index=True)[1]]] = True  # the first one for each object
        return PrecisionRecall(is_correct, objects)


def evaluate(
    objects: list[dict[str, Any]],
    detections: Any,
    images: Sequence[dict[str, int]],
    num_classes: int,
    iou_type: str,
    areas: Sequence[str] = ("all",),
    thresholds: Sequence[float] | None = None,
) -> Any:
    """Return pycocotools' evaluation of detections, which it has as `eval`.

    Args:
        objects: Annotations in COCO's format.
        detections: Results in COCO's format, or rows of image, x, y, width, height, score, class.
        images: The `id` of each image, for masks also its `height` and `width`.
        num_classes: The number of classes; their ids begin at 0.
        iou_type: `bbox` or `segm`.
        areas: Names of `AREAS`.
        thresholds: Smallest IoUs of a correct detection; COCO's ten by default.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(StringIO()):  # it prints its progress
        truth = COCO()
        truth.dataset = dict(
            images=images,
            categories=[dict(id=label) for label in range(num_classes)],
            annotations=objects,
        )
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(detections), iou_type)
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[*AREAS[name]] for name in areas], [*areas]
        evaluation.params.maxDets = [MAX_DETECTIONS]
        if thresholds:
            evaluation.params.iouThrs = np.array(thresholds)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


def mean(precision: np.ndarray) -> float:
    """Return the mean of the precisions but those of classes without objects, which are -1."""
    return float(precision[precision > -1].mean())


def _with_sizes(corners: Tensor) -> np.ndarray:
    """Return (x, y, width, height), float64, for corners (n, 4)."""
    array = corners.detach().cpu().double().numpy().reshape(-1, 4)
    return np.concatenate([array[:, :2], array[:, 2:] - array[:, :2]], axis=1)
