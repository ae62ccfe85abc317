"""Average precision of masks, as COCO defines it: that of boxes, with the IoU of two masks; by pycocotools."""

from typing import Any

import numpy as np

from workbench.tasks.average_precision import evaluate, mean


class MaskAveragePrecision:
    """Accumulates images; `mask_ap50` at IoU 0.5, `mask_ap` the mean of 0.5, 0.55 ... 0.95.

    Args:
        num_classes: Number of classes.
    """

    def __init__(self, num_classes: int):
        self.num_classes = num_classes
        self._images: list[dict[str, int]] = []
        self._objects: list[dict[str, Any]] = []
        self._detections: list[dict[str, Any]] = []

    def update(
        self, masks: np.ndarray, labels: np.ndarray, scores: np.ndarray, objects: np.ndarray, classes: np.ndarray
    ) -> None:
        """Add an image.

        Args:
            masks: Of the detections, (n, height, width), bool.
            labels: Their classes, (n,).
            scores: Their scores, (n,).
            objects: Masks of the objects, (m, height, width), bool.
            classes: Their classes, (m,).
        """
        number = len(self._images) + 1
        self._images.append(dict(id=number, height=objects.shape[1], width=objects.shape[2]))
        for code, label, score in zip(encode(masks), labels.tolist(), scores.tolist(), strict=True):
            self._detections.append(dict(image_id=number, category_id=label, segmentation=code, score=score))
        areas = objects.sum(axis=(1, 2)).tolist()
        for code, label, area in zip(encode(objects), classes.tolist(), areas, strict=True):
            # Ids begin at 1: pycocotools takes a match with id 0 for no match.
            row = dict(id=len(self._objects) + 1, image_id=number, category_id=label, segmentation=code)
            self._objects.append(row | dict(area=float(area), iscrowd=0))

    def compute(self) -> dict[str, float]:
        """Return `mask_ap50` and `mask_ap`, from 0 to 1; nothing if there was no object."""
        if not self._objects:
            return {}
        if not self._detections:
            return {"mask_ap50": 0.0, "mask_ap": 0.0}
        evaluation = evaluate(self._objects, self._detections, self._images, self.num_classes, "segm")
        precision = evaluation.eval["precision"]
        return {"mask_ap50": mean(precision[0, :, :, 0]), "mask_ap": mean(precision[..., 0, 0])}


def encode(masks: np.ndarray) -> list[dict[str, Any]]:
    """Return masks (n, height, width) as run-length codes of pycocotools."""
    from pycocotools import mask as codes

    result: list[dict[str, Any]] = codes.encode(np.asfortranarray(masks.astype(np.uint8).transpose(1, 2, 0)))
    return result
