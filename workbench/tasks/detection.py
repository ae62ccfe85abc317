"""Detection: where the objects of an image are, and of which class, by any network that is a detector."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.boxes import Detections, check_boxes, paired_iou
from workbench import data
from workbench.data.picture_file import square
from workbench.data.scaling import z_score
from workbench.data.sources import Batch, Merged, Ragged, Resident, Source, StandardizedBytes
from workbench.errors import UserError
from workbench.tasks import connected_components, query_attention
from workbench.tasks.average_precision import AveragePrecision
from workbench.tasks.base import Baseline, Metrics, StepContext, Task, Visualization

VISUALIZED_IMAGES = 8
VISUALIZED_SCORE = 0.3  # smallest score of a detection that is shown; average precision ranks all of them
CORRECT_IOU = 0.5
OBJECTS = ("boxes", "labels")


class Detector(Protocol):
    """A network that detects objects. What its outputs mean is its own affair, so that it has its loss, too.

    Boxes are corners in pixels of the image that it reads.
    """

    input_shape: tuple[int, int, int]

    def losses(self, outputs: Tensor, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the terms of the loss, already weighted: their sum is minimized."""
        ...

    def detect(self, outputs: Tensor, score_threshold: float = 0.05) -> list[Detections]:
        """Return the detections of each image."""
        ...


@dataclass
class Outputs:
    """The outputs of a detector for a batch.

    Attributes:
        detector: The detector, which alone can read it.
        values: Its outputs.
        scale: Width of the image that it reads, relative to the images of the batch.
        vertical_scale: Its height relative to theirs; None if the scale is the same.
    """

    detector: Detector
    values: Tensor
    scale: float
    vertical_scale: float | None = None

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Return the terms of the loss."""
        return self.detector.losses(self.values, self.resize(batch["boxes"]), batch["labels"], batch["boxes_mask"])

    def resize(self, boxes: Tensor) -> Tensor:
        """Return boxes of the batch (..., 4) in pixels of the image that the detector reads."""
        return boxes * self._scales(boxes)

    def _scales(self, boxes: Tensor) -> Tensor:
        return boxes.new_tensor([self.scale, self.vertical_scale or self.scale] * 2)

    def detections(self, score_threshold: float = 0.05) -> list[Detections]:
        """Return the detections of each image, in pixels of the images of the batch."""
        detections = self.detector.detect(self.values, score_threshold)
        return [one._replace(boxes=one.boxes / self._scales(one.boxes)) for one in detections]


class Detection(Task):
    """The terms of the detector's loss, and average precision.

    A batch holds `image` (N, channels, height, width), standardized by the mean and deviation of all training pixels,
    and the objects: `boxes` (N, M, 4), x1, y1, x2, y2 in pixels, and `labels` (N, M), with `boxes_mask` and
    `labels_mask` (N, M). Images are resized to what the network reads.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        read_as_detector(network)
        splits = data.load(self.data, seed)
        scaler = z_score(splits["train"][0], axis=None)
        sources: dict[str, Source] = {}
        for split, (images, boxes, labels) in splits.items():
            mask = labels >= 0
            values, classes = torch.from_numpy(boxes[mask]), torch.from_numpy(labels[mask])
            check_boxes(values, classes, self.dataset.shape[-1], len(self.dataset.classes))
            offsets = torch.from_numpy(np.concatenate([[0], mask.sum(axis=1).cumsum()]))
            sources[split] = Merged(
                Resident(image=StandardizedBytes(torch.from_numpy(images), float(scaler.shift), float(scaler.spread))),
                Ragged("boxes", values, offsets),
                Ragged("labels", classes, offsets),
            )
        return sources

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        detector, image = read_as_detector(network), batch["image"]
        size = detector.input_shape[1:]
        scale, vertical_scale = size[1] / image.shape[3], size[0] / image.shape[2]
        if image.shape[2:] != size:
            image = F.interpolate(image, size=size, mode="bilinear", antialias=True)
        return Outputs(detector, network(image), scale, vertical_scale)

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        terms = outputs.losses(batch)
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}

    def meter(self) -> "DetectionMeter":
        return DetectionMeter(len(self.dataset.classes))

    def training_metrics(self, outputs: Outputs, batch: Batch) -> Metrics:
        """Return nothing: average precision needs more objects than a batch has."""
        return {}

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        """Return a batch in which each image, with its boxes, is flipped left to right with a probability of `flip`.

        Raises:
            UserError: If another augmentation is asked for.
        """
        if others := strengths.keys() - {"flip"}:
            raise UserError(f"Of all augmentations, images with boxes have only flip. Leave {min(others)} out.")
        image, boxes = batch["image"], batch["boxes"]
        is_flipped = torch.rand(len(image), device=image.device) < strengths.get("flip", 0.0)
        x1, y1, x2, y2 = boxes.unbind(dim=-1)
        width = image.shape[-1]
        mirrored = torch.stack([width - x2, y1, width - x1, y2], dim=-1)
        return batch | {
            "image": torch.where(is_flipped[:, None, None, None], image.flip(-1), image),
            "boxes": torch.where(is_flipped[:, None, None], mirrored, boxes),
        }

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the AP50 of connected components, classified by logistic regression."""
        splits = data.load(self.data, seed)
        images, boxes, labels = splits["test"]
        detections = connected_components.fit(*splits["train"])(images)
        meter = AveragePrecision(len(self.dataset.classes))
        for one, corners, classes in zip(detections, boxes, labels, strict=True):
            is_object = torch.from_numpy(classes >= 0)
            meter.update([one], [torch.from_numpy(corners)[is_object]], [torch.from_numpy(classes)[is_object]])
        return Baseline("connected components and logistic regression", "ap50", meter.compute()["ap50"])

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, VISUALIZED_IMAGES))
        visualizations = []
        for k, detected in enumerate(self.predict(network, batch).detections(VISUALIZED_SCORE)):
            boxes, labels = (batch[name][k][batch["boxes_mask"][k]] for name in OBJECTS)
            is_correct, is_missed = match(detected, boxes, labels)
            visualization = self._visualize_detections(batch["image"][k], detected)
            for prediction, correct in zip(visualization["predicted"], is_correct.tolist(), strict=True):
                prediction["correct"] = correct
            visualization["missed"] = [
                {"box": box, "label": label}
                for box, label in zip(boxes[is_missed].tolist(), labels[is_missed].tolist(), strict=True)
            ]
            visualizations.append(visualization)
        look = query_attention.visualize(network, batch["image"][0], self.dataset.classes, VISUALIZED_SCORE)
        return [*visualizations, *look]

    def _visualize_detections(self, image: Tensor, detected: Detections) -> Visualization:
        """Return an image with its detections; whether they are correct is not known."""
        low, high = image.amin(), image.amax()
        pixels = (image - low) / (high - low).clamp(min=1e-6)
        boxes, scores = detected.boxes.double().round(decimals=1), detected.scores.double().round(decimals=4)
        return {
            "kind": "boxes",
            "pixels": pixels.expand(3, -1, -1).permute(1, 2, 0).double().round(decimals=2).tolist(),
            "classes": list(self.dataset.classes),
            "predicted": [
                {"box": box, "label": label, "score": score, "correct": None}
                for box, label, score in zip(boxes.tolist(), detected.labels.tolist(), scores.tolist(), strict=True)
            ],
            "missed": [],
        }

    @property
    def questions(self) -> Mapping[str, str]:
        """An image file, and a query of DETR."""
        return {"image": "an image file", **query_attention.QUESTIONS}

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return the detections in an image file, cropped to a square and resized as the dataset's images are."""
        self.check_question(question)
        if "image" not in question:
            raise UserError("Ask about an image: image=FILE.")
        channels, size, _ = self.dataset.shape
        pixels = square(Path(question["image"]), size, channels)[None]
        scaler = z_score(data.load(self.data, seed)["train"][0], axis=None)
        batch = {"image": torch.from_numpy(scaler(pixels.astype(np.float32)))}
        if query_attention.is_asked(question):
            return query_attention.respond(network, batch["image"][0], question, self.dataset.classes)
        (detected,) = self.predict(network, batch).detections(VISUALIZED_SCORE)
        return self._visualize_detections(batch["image"][0], detected)


class DetectionMeter:
    """Average precision of a detector's outputs.

    Args:
        num_classes: Number of classes.
    """

    def __init__(self, num_classes: int):
        self.average_precision = AveragePrecision(num_classes)

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        masks = batch["boxes_mask"]
        objects = ([values[mask] for values, mask in zip(batch[name], masks, strict=True)] for name in OBJECTS)
        self.average_precision.update(outputs.detections(), *objects)

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return self.average_precision.compute()


def read_as_detector(network: nn.Module) -> Detector:
    """Return a network as a detector.

    Raises:
        UserError: If it is not one.
    """
    if not (hasattr(network, "losses") and hasattr(network, "detect")):
        name = type(network).__name__
        raise UserError(f"{name} has no boxes among its outputs: take a detector, which `workbench models list` shows.")
    return cast(Detector, network)


def match(detected: Detections, boxes: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return which detections (n,) are correct, and which objects (m,) are missed.

    From the highest score down, each detection takes the object of its class with which it has the largest IoU among
    those that are left; it is correct if that is at least 0.5.
    """
    is_correct, is_missed = torch.zeros(len(detected.boxes), dtype=torch.bool), torch.ones(len(boxes), dtype=torch.bool)
    for k, (box, label) in enumerate(zip(detected.boxes, detected.labels, strict=True)):
        iou = torch.where(is_missed & (labels == label), paired_iou(box, boxes), 0.0)
        if len(boxes) and iou.max() >= CORRECT_IOU:
            is_correct[k], is_missed[iou.argmax()] = True, False
    return is_correct, is_missed
