"""Suppression: from raw detections, several per object, to one detection per object, by a network that rescores them.

The detections are simulated from the objects of a dataset's images, see `workbench.data.raw_detections`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.detection.learned_nms import Rescored
from models.layers.boxes import Detections
from models.layers.suppression import nms
from workbench import data
from workbench.data.raw_detections import simulate
from workbench.data.sources import Batch, Merged, Resident, Source
from workbench.errors import UserError
from workbench.tasks.average_precision import AveragePrecision
from workbench.tasks.base import Baseline, StepContext, Task
from workbench.tasks.detection import Detection, Outputs, read_as_detector

THRESHOLDS = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7)  # the baseline has the best one on the validation set


class Suppression(Detection):
    """The loss of the network that rescores, and average precision without any further suppression.

    A batch also holds `detections` (N, D, 4), corners in pixels, `scores` (N, D) and `detection_labels` (N, D), which
    are -1 after the last detection of an image.
    """

    is_stackable = False

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        if hasattr(network, "input_shape"):
            raise UserError(f"{type(network).__name__} reads images: take learned-nms here, or shape-scenes.")
        sources = super().sources(network, seed)
        return {split: Merged(sources[split], Resident(**columns)) for split, columns in self._detections(seed).items()}

    def _detections(self, seed: int) -> dict[str, dict[str, Tensor]]:
        """Return the raw detections of each split as columns."""
        result = {}
        for number, (split, (_, boxes, labels)) in enumerate(data.load(self.data, seed).items()):
            rng = np.random.default_rng([seed, number])
            columns = simulate(boxes, labels, len(self.dataset.classes), self.dataset.shape[-1], rng)
            names = ("detections", "scores", "detection_labels")
            result[split] = dict(zip(names, map(torch.from_numpy, columns), strict=True))
        return result

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        boxes, scores, labels = batch["detections"], batch["scores"], batch["detection_labels"]
        values: Any = Rescored(boxes, labels, network(boxes, scores, labels))
        return Outputs(read_as_detector(network), values, scale=1.0)

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        raise UserError("Raw detections have no augmentation. Leave augment out.")

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the AP50 of greedy NMS with the threshold that is best on the validation set."""
        columns = self._detections(seed)
        splits = data.load(self.data, seed)

        def ap50(split: str, threshold: float) -> float:
            meter = AveragePrecision(len(self.dataset.classes))
            _, boxes, labels = map(torch.from_numpy, splits[split])
            rows = zip(*columns[split].values(), boxes, labels, strict=True)
            for detected, scores, classes, corners, targets in rows:
                is_detection, is_object = classes >= 0, targets >= 0
                candidates = Detections(detected[is_detection], scores[is_detection], classes[is_detection])
                best = nms(candidates.boxes, candidates.scores, threshold, candidates.labels)
                detections = Detections(*(column[best] for column in candidates))
                meter.update([detections], [corners[is_object]], [targets[is_object]])
            return meter.compute()["ap50"]

        threshold = max(THRESHOLDS, key=lambda one: ap50("validation", one))
        return Baseline(f"greedy NMS with the best threshold, {threshold:g}", "ap50", ap50("test", threshold))

    @property
    def questions(self) -> Mapping[str, str]:
        """Nothing: an image alone has no detections."""
        return {}

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        return Task.predict_files(self, network, files, seed)  # which rejects them
