"""Average precision of detections, as COCO defines it, by pycocotools.

A detection is correct if its IoU with an object of its class that no better-scoring detection has is at least a
threshold. From the highest score down, that gives precision over recall for each class; average precision is the mean
of the precision at 101 recalls, where each is the best at that recall or above, and then the mean over the classes.
"""

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from torch import Tensor

from models.layers.boxes import Detections

MAX_DETECTIONS = 100  # per image, those with the highest scores


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

    def update(self, detections: Sequence[Detections], boxes: Sequence[Tensor], labels: Sequence[Tensor]) -> None:
        """Add a batch.

        Args:
            detections: Of each image.
            boxes: The corners of each image's objects, (n, 4).
            labels: Their classes, (n,).
        """
        for detected, corners, classes in zip(detections, boxes, labels, strict=True):
            self._images += 1
            for box, label in zip(_with_sizes(corners).tolist(), classes.tolist(), strict=True):
                # Ids begin at 1: pycocotools takes a match with id 0 for no match.
                number = len(self._objects) + 1
                place = dict(id=number, image_id=self._images, category_id=label, bbox=box)
                self._objects.append(place | dict(area=box[2] * box[3], iscrowd=0))
            rows = np.empty((len(detected.boxes), 7))
            rows[:, 0] = self._images
            rows[:, 1:5] = _with_sizes(detected.boxes)
            rows[:, 5], rows[:, 6] = detected.scores.cpu(), detected.labels.cpu()
            self._detections.append(rows)

    def compute(self) -> dict[str, float]:
        """Return `ap50` and `ap`, from 0 to 1; nothing if there was no object."""
        if not self._objects:
            return {}
        detections = np.concatenate(self._detections)
        if not len(detections):
            return {"ap50": 0.0, "ap": 0.0}
        from pycocotools.coco import COCO
        from pycocotools.cocoeval import COCOeval

        with redirect_stdout(StringIO()):  # it prints its progress
            truth = COCO()
            truth.dataset = dict(
                images=[dict(id=number) for number in range(1, self._images + 1)],
                categories=[dict(id=label) for label in range(self.num_classes)],
                annotations=self._objects,
            )
            truth.createIndex()
            evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
            evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
            evaluation.params.maxDets = [MAX_DETECTIONS]
            evaluation.evaluate()
            evaluation.accumulate()
        precision = evaluation.eval["precision"][..., 0, 0]  # threshold, recall, class; -1 for classes without objects
        precision = precision[:, :, (precision > -1).all(axis=(0, 1))]
        return {"ap50": float(precision[0].mean()), "ap": float(precision.mean())}


def _with_sizes(corners: Tensor) -> np.ndarray:
    """Return (x, y, width, height), float64, for corners (n, 4)."""
    array = corners.detach().cpu().double().numpy().reshape(-1, 4)
    return np.concatenate([array[:, :2], array[:, 2:] - array[:, :2]], axis=1)
