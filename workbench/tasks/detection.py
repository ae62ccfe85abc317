"""Detection: where the objects of an image are, and of which class, by any network that is a detector."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Protocol, Self, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.boxes import Detections, check_boxes, paired_iou
from workbench import data
from workbench.data.picture_file import letterbox, upright_size
from workbench.data.scaling import Scaler, z_score
from workbench.data.sources import Batch, Merged, Ragged, Resident, Source, StandardizedBytes
from workbench.errors import UserError
from workbench.tasks import connected_components, query_attention, typical_boxes
from workbench.tasks.average_precision import AveragePrecision
from workbench.tasks.base import EVAL_NUMBERS, Baseline, Metrics, StepContext, Task, Visualization
from workbench.tasks.scalers import training_scaler

VISUALIZED_IMAGES = 8
CURVE_IMAGES = 500  # from which precision over recall is computed
MAX_VISUALIZED = 128  # pixels of an image that is shown
VISUALIZED_SCORE = 0.3  # smallest score of a detection that is shown; average precision ranks all of them
CORRECT_IOU = 0.5
RECALLS = [k / 100 for k in range(101)]
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

    def detections(self, score_threshold: float = 0.05, **options: float) -> list[Detections]:
        """Return the detections of each image, in pixels of the images of the batch.

        Args:
            score_threshold: Smallest score.
            **options: Other arguments of `detect`, if the detector has them: `iou_threshold` of its NMS.
        """
        detections: list[Detections] = cast(Any, self.detector).detect(self.values, score_threshold, **options)
        on_cpu = (Detections(*(column.cpu() for column in one)) for one in detections)
        return [one._replace(boxes=one.boxes / self._scales(one.boxes)) for one in on_cpu]


class Detection(Task):
    """The terms of the detector's loss, and average precision.

    A batch holds `image` (N, channels, height, width), standardized by the mean and deviation of all training pixels,
    and the objects: `boxes` (N, M, 4), x1, y1, x2, y2 in pixels, and `labels` (N, M), with `boxes_mask` and
    `labels_mask` (N, M). Images are resized to what the network reads. If the data are image files of any size, it also
    holds `scale` (N, 2), the factors by which x and y of a file were multiplied, `areas` (N, M) of the objects in
    pixels of the file, and crowds, which are not learned: `crowd_boxes` (N, C, 4) and `crowd_labels` (N, C).

    Attributes:
        is_detailed: Whether metrics are average precision in all conventions, which takes longer.
        takes_proposals: Whether a network may propose regions without classes.
    """

    is_detailed = takes_proposals = False

    def in_detail(self) -> Self:
        return self.configure(is_detailed=True)

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        read_as_detector(network)
        if proposes_regions(network) and not self.takes_proposals:
            raise UserError(f"{type(network).__name__} proposes regions without classes: train it on shape-proposals.")
        splits = data.load(self.data, seed)
        scaler = z_score(splits["train"][0], axis=None)
        return {split: self._source(columns, scaler) for split, columns in splits.items()}

    def _source(self, columns: tuple[np.ndarray, ...], scaler: Scaler) -> Source:
        images, boxes, *of_files, labels = columns
        mask = is_object(labels, of_files)
        values, classes = torch.from_numpy(boxes[mask]), torch.from_numpy(labels[mask])
        check_boxes(values, classes, images.shape[-1], len(self.dataset.classes))
        sources: list[Source] = [
            Resident(image=StandardizedBytes(torch.from_numpy(images), float(scaler.shift), float(scaler.spread))),
            _ragged("boxes", boxes, mask),
            _ragged("labels", labels, mask),
        ]
        if of_files:
            areas, crowds, scales = of_files
            sources += [
                Resident(scale=torch.from_numpy(scales)),
                _ragged("areas", areas, mask),
                _ragged("crowd_boxes", boxes, crowds),
                _ragged("crowd_labels", labels, crowds),
            ]
        return Merged(*sources)

    def adapt(self, network: nn.Module, name: str, columns: tuple[np.ndarray, ...], seed: int) -> Source:
        other, classes = data.info(name), self.dataset.classes
        unknown = [each for each in other.classes if each not in classes]
        if unknown or other.kind != "detection":
            problem = f"has the class {unknown[0]!r}" if other.kind == "detection" else "has no boxes"
            raise UserError(f"{name} {problem}, and a network of {self.data} detects {', '.join(classes)}.")
        labels = np.array([classes.index(each) for each in other.classes])[columns[-1]]
        scaler = training_scaler(self.data, seed, axis=None)
        return self._source((*columns[:-1], np.where(columns[-1] < 0, -1, labels)), scaler)

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
        return DetectionMeter(len(self.dataset.classes), self.is_detailed)

    def evaluation_batch(self, network: nn.Module) -> int:
        """Return the number of images that are evaluated at once; those of the dataset may be larger than the input."""
        return max(1, min(super().evaluation_batch(network), EVAL_NUMBERS // prod(self.dataset.shape)))

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
        """Return the AP50 of connected components, classified by logistic regression; for photos, of typical boxes."""
        splits = data.load(self.data, seed)
        images, boxes, *of_files, labels = splits["test"]
        train_images, train_boxes, *train_of_files, train_labels = splits["train"]
        if self.dataset.synthetic:
            method = "connected components and logistic regression"
            detections = connected_components.fit(train_images, train_boxes, train_labels)(images)
        else:
            method = "the median box of each class, in every image"
            typical = typical_boxes.fit(train_boxes, train_labels, is_object(train_labels, train_of_files))
            detections = [typical] * len(images)
        meter = AveragePrecision(len(self.dataset.classes))
        for one, corners, classes, mask in zip(detections, boxes, labels, is_object(labels, of_files), strict=True):
            meter.update([one], [torch.from_numpy(corners[mask])], [torch.from_numpy(classes[mask])])
        return Baseline(method, "ap50", meter.compute().get("ap50", 0.0))

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, VISUALIZED_IMAGES))
        visualizations = []
        for k, detected in enumerate(self.predict(network, batch).detections(VISUALIZED_SCORE)):
            boxes, labels = (batch[name][k][batch["boxes_mask"][k]] for name in OBJECTS)
            is_correct, is_missed = match(detected, boxes, labels)
            visualization = self.visualize_detections(batch["image"][k], detected)
            for prediction, correct in zip(visualization["predicted"], is_correct.tolist(), strict=True):
                prediction["correct"] = correct
            factor = min(1.0, MAX_VISUALIZED / max(batch["image"].shape[1:]))
            visualization["missed"] = [
                {"box": box, "label": label}
                for box, label in zip((boxes * factor)[is_missed].tolist(), labels[is_missed].tolist(), strict=True)
            ]
            visualizations.append(visualization)
        look = query_attention.visualize(network, batch["image"][0], self.dataset.classes, VISUALIZED_SCORE)
        return [*visualizations, *look, *self._visualize_curves(network, source)]

    def _visualize_curves(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return the interpolated precision over recall of each class, at IoU 0.5; nothing if there are no objects."""
        meter, size = DetectionMeter(len(self.dataset.classes)), self.evaluation_batch(network)
        count = min(len(source), CURVE_IMAGES)
        for start in range(0, count, size):
            batch = source.batch(slice(start, min(start + size, count)))
            meter.update(self.predict(network, batch), batch)
        curves = [
            {
                "name": self.dataset.classes[label],
                "recall": RECALLS,
                "precision": [round(value, 4) for value in precision],
            }
            for label, precision in meter.average_precision.curves(CORRECT_IOU).items()
        ]
        return [{"kind": "precision-recall", "iou_threshold": CORRECT_IOU, "curves": curves}] if curves else []

    def visualize_detections(self, image: Tensor, detected: Detections) -> Visualization:
        """Return an image with its detections; whether they are correct is not known."""
        factor, image = min(1.0, MAX_VISUALIZED / max(image.shape)), _shrink(image)
        boxes, scores = (detected.boxes * factor).double().round(decimals=1), detected.scores.double().round(decimals=4)
        return {
            "kind": "boxes",
            "pixels": to_pixels(image),
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
        """Return the detections in an image file, resized as the dataset's images are."""
        self.check_question(question)
        if "image" not in question:
            raise UserError("Ask about an image: image=FILE.")
        file = Path(question["image"])
        batch, _ = self.read_files([file], seed)
        if query_attention.is_asked(question):
            return query_attention.respond(network, batch["image"][0], question, self.dataset.classes)
        (detected,) = self.predict(network, batch).detections(VISUALIZED_SCORE)
        width, height = upright_size(file)
        sizes = [max(1, round(size * batch["image"].shape[-1] / max(width, height))) for size in (height, width)]
        return self.visualize_detections(batch["image"][0, :, : sizes[0], : sizes[1]], detected)

    def read_files(self, files: Sequence[Path], seed: int) -> tuple[Batch, Tensor]:
        """Return image files as a batch of a run of this seed, and the factors of x and y of each file, (N, 2).

        Raises:
            UserError: If one of them is not an image, or damaged.
        """
        channels, size, _ = self.dataset.shape
        images, scales = zip(*(letterbox(file, size, channels) for file in files), strict=True)
        scaler = training_scaler(self.data, seed, axis=None)
        pixels = scaler(np.stack(images).astype(np.float32))
        return {"image": torch.from_numpy(pixels)}, torch.tensor(scales, dtype=torch.float32)

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        """Return for each image its `width`, its `height` and its `detections`, with the highest score first.

        A detection has its `class`, its `score`, and its `box`, x1, y1, x2, y2 in pixels of the image itself.
        """
        predictions, size = [], self.evaluation_batch(network)
        for start in range(0, len(files), size):
            chunk = files[start : start + size]
            batch, scales = self.read_files(chunk, seed)
            detections = to_file_pixels(self.predict(network, batch).detections(), scales)
            for file, detected in zip(chunk, detections, strict=True):
                width, height = upright_size(file)
                limits = torch.tensor([width, height, width, height])
                boxes = torch.minimum(detected.boxes.clamp(min=0), limits).double().round(decimals=2)
                columns = (
                    boxes.tolist(),
                    detected.labels.tolist(),
                    detected.scores.double().round(decimals=4).tolist(),
                )
                rows = [
                    {"class": self.dataset.classes[label], "score": score, "box": box}
                    for box, label, score in zip(*columns, strict=True)
                    if box[0] < box[2] and box[1] < box[3]
                ]
                predictions.append({"width": width, "height": height, "detections": rows})
        return predictions


class DetectionMeter:
    """Average precision of a detector's outputs.

    Args:
        num_classes: Number of classes.
        is_detailed: Whether to compute it in all conventions.
    """

    def __init__(self, num_classes: int, is_detailed: bool = False):
        self.average_precision, self.is_detailed = AveragePrecision(num_classes), is_detailed

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        detections, (boxes, labels) = outputs.detections(), (unpad(batch, name) for name in OBJECTS)
        if "scale" not in batch:
            self.average_precision.update(detections, boxes, labels)
            return
        crowds, crowd_labels, areas = (unpad(batch, name) for name in ("crowd_boxes", "crowd_labels", "areas"))
        scales = batch["scale"].repeat(1, 2)
        self.average_precision.update(
            to_file_pixels(detections, batch["scale"]),
            [torch.cat(pair) / scale for *pair, scale in zip(boxes, crowds, scales, strict=True)],
            [torch.cat(pair) for pair in zip(labels, crowd_labels, strict=True)],
            [torch.cat([one, one.new_zeros(len(crowd))]) for one, crowd in zip(areas, crowds, strict=True)],
            [torch.arange(len(one) + len(crowd)) >= len(one) for one, crowd in zip(areas, crowds, strict=True)],
        )

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return self.average_precision.compute_all() if self.is_detailed else self.average_precision.compute()


def is_object(labels: np.ndarray, of_files: Sequence[np.ndarray]) -> np.ndarray:
    """Return where a dataset has an object that is not a crowd (N, M).

    Args:
        labels: Classes (N, M), -1 for none.
        of_files: The columns between boxes and labels: areas, whether it is a crowd, scales; or none.
    """
    return (labels >= 0) & ~of_files[1] if of_files else labels >= 0


def to_file_pixels(detections: Sequence[Detections], scales: Tensor) -> list[Detections]:
    """Return detections in pixels of the image files, whose x and y were multiplied by the scales (N, 2)."""
    factors = scales.cpu().repeat(1, 2)
    return [one._replace(boxes=one.boxes / factor) for one, factor in zip(detections, factors, strict=True)]


def _ragged(name: str, values: np.ndarray, mask: np.ndarray) -> Ragged:
    return Ragged.from_padded(name, torch.from_numpy(values), torch.from_numpy(mask))


def unpad(batch: Batch, name: str) -> list[Tensor]:
    """Return the values of each image."""
    return [values[mask] for values, mask in zip(batch[name], batch[f"{name}_mask"], strict=True)]


def to_pixels(image: Tensor) -> list[list[list[float]]]:
    """Return an image (channels, height, width) as rows of red, green and blue, stretched to 0 to 1."""
    low, high = image.amin(), image.amax()
    pixels = (image - low) / (high - low).clamp(min=1e-6)
    rows: list[list[list[float]]] = pixels.expand(3, -1, -1).permute(1, 2, 0).double().round(decimals=2).tolist()
    return rows


def _shrink(image: Tensor) -> Tensor:
    """Return an image (channels, height, width) of a size that can be shown."""
    if (longer := max(image.shape[1:])) <= MAX_VISUALIZED:
        return image
    sizes = [max(1, size * MAX_VISUALIZED // longer) for size in image.shape[1:]]
    return F.interpolate(image[None], size=sizes, mode="bilinear", antialias=True)[0]


def proposes_regions(network: nn.Module) -> bool:
    """Return whether a network proposes regions and does not classify them."""
    return hasattr(network, "rpn") and not hasattr(network, "classify_proposals")


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
