"""Instance segmentation by networks that detect objects and predict a mask for each detection: Mask R-CNN."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.instances import Instances, paste
from workbench.data import run_lengths
from workbench.data.picture_file import upright_size
from workbench.data.sources import Batch, Source
from workbench.errors import UserError
from workbench.tasks.base import StepContext, Visualization
from workbench.tasks.detection import Detection, DetectionMeter, Outputs, to_pixels, unpad
from workbench.tasks.instance_masks import MASK_SCORE, MASKED_IMAGES, InstanceMasks, object_masks
from workbench.tasks.mask_average_precision import MaskAveragePrecision

MIN_SCORE = 0.05  # of an instance
THRESHOLD = 0.5  # of the probability that a pixel belongs to an object


class InstanceSegmentation(InstanceMasks):
    """Detection, the average precision of masks, and their IoU; a batch is that of `InstanceMasks`."""

    def check_network(self, network: nn.Module) -> None:
        if not hasattr(network, "segment") or hasattr(network, "merge"):
            raise UserError(f"{type(network).__name__} predicts no masks of detections: take mask-rcnn.")

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        masks = resize_masks(object_masks(batch), outputs.detector.input_shape[1:])
        terms = outputs.detector.losses(  # type: ignore[call-arg]  # of these networks alone
            outputs.values, outputs.resize(batch["boxes"]), batch["labels"], batch["boxes_mask"], masks
        )
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}

    def meter(self) -> DetectionMeter:
        return InstanceMeter(len(self.dataset.classes), self.is_detailed)

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch, visualizations = source.batch(slice(0, MASKED_IMAGES)), []
        size = batch["image"].shape[2:]
        for k, instances in enumerate(find_instances(self.predict(network, batch), MASK_SCORE)):
            image, numbers = batch["image"][k], batch["labels"][k][batch["boxes_mask"][k]].tolist()
            true = [{"id": n, "label": label, "thing": True} for n, label in enumerate(numbers, start=1)]
            ids, rows = self.arrange(instances, *size)
            visualizations += [
                self.draw_segments(image, ids, rows, "predicted"),
                self.draw_segments(image, batch["instances"][k].numpy(), true, "true"),
            ]
        return [*visualizations, *Detection.visualize(self, network, source)]

    def arrange(self, instances: Instances, height: int, width: int) -> tuple[np.ndarray, list[dict[str, Any]]]:
        """Return instances as a map of their ids, the higher score on top, and a row for each."""
        ids = np.zeros((height, width), np.int64)
        masks = (paste(instances, height, width) > THRESHOLD).numpy()
        for number in reversed(range(len(masks))):
            ids[masks[number]] = number + 1
        columns = zip(instances.labels.tolist(), instances.scores.tolist(), strict=True)
        return ids, [
            {"id": number, "label": label, "thing": True, "score": round(score, 4)}
            for number, (label, score) in enumerate(columns, start=1)
        ]

    @property
    def segment_classes(self) -> tuple[str, ...]:
        """The names of the classes of segments."""
        return self.dataset.classes

    def draw_segments(
        self, image: Tensor, ids: np.ndarray, rows: Sequence[dict[str, Any]], caption: str
    ) -> Visualization:
        """Return an image with segments, of the kind `segments`."""
        segments = [{**row, "class": self.segment_classes[row["label"]]} for row in rows]
        return {
            "kind": "segments",
            "caption": caption,
            "pixels": to_pixels(image),
            "ids": ids.tolist(),
            "segments": segments,
        }

    def respond(self, network: nn.Module, question: Any, seed: int) -> Visualization:
        """Return the segments of an image file, resized as the dataset's images are."""
        self.check_question(question)
        if "image" not in question:
            raise UserError("Ask about an image: image=FILE.")
        file = Path(question["image"])
        batch, _ = self.read_files([file], seed)
        size = batch["image"].shape[2:]
        ((ids, rows),) = self.segment_images(network, batch, [size], torch.ones(1, 2), MASK_SCORE)
        width, height = upright_size(file)
        rows_, columns = (max(1, round(length * size[0] / max(width, height))) for length in (height, width))
        return self.draw_segments(batch["image"][0, :, :rows_, :columns], ids[:rows_, :columns], rows, file.name)

    def segment_images(
        self, network: nn.Module, batch: Batch, sizes: Sequence[Sequence[int]], scales: Tensor, min_score: float
    ) -> list[tuple[np.ndarray, list[dict[str, Any]]]]:
        """Return the map of ids and the rows of each image, in height and width of `sizes`.

        Args:
            network: The network.
            batch: The images.
            sizes: Height and width of each image's file.
            scales: Factors of x and y from the files to the batch, (N, 2).
            min_score: Smallest score.
        """
        columns = (find_instances(self.predict(network, batch), min_score), sizes, scales)
        return [self.arrange(one.resize(1 / scale), *size) for one, size, scale in zip(*columns, strict=True)]

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        """Return what `Detection.predict_files` does; each detection also has its `mask` in run lengths.

        A mask is that of the whole object, as COCO writes it: masks of two objects may overlap.
        """
        predictions, size = [], self.evaluation_batch(network)
        for start in range(0, len(files), size):
            chunk = files[start : start + size]
            batch, scales = self.read_files(chunk, seed)
            outputs = self.predict(network, batch)
            for file, instances, scale in zip(chunk, find_instances(outputs, MIN_SCORE), scales, strict=True):
                width, height = upright_size(file)
                instances = instances.resize(1 / scale)
                limits = torch.tensor([width, height, width, height])
                columns = (
                    torch.minimum(instances.boxes.clamp(min=0), limits).double().round(decimals=2).tolist(),
                    instances.labels.tolist(),
                    instances.scores.double().round(decimals=4).tolist(),
                    (paste(instances, height, width) > THRESHOLD).numpy(),
                )
                rows = [
                    {"class": self.dataset.classes[label], "score": score, "box": box, "rle": run_lengths.encode(mask)}
                    for box, label, score, mask in zip(*columns, strict=True)
                    if mask.any()
                ]
                predictions.append({"width": width, "height": height, "detections": rows})
        return predictions


class InstanceMeter(DetectionMeter):
    """Average precision of boxes and of masks, and the mean IoU of an object's mask with the best of its class.

    That is the largest IoU with a detection of its class and a score of at least 0.3; 0 if there is none.
    """

    def __init__(self, num_classes: int, is_detailed: bool = False):
        super().__init__(num_classes, is_detailed)
        self.mask_precision = MaskAveragePrecision(num_classes)
        self.ious: list[float] = []

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        super().update(outputs, batch)
        targets, size = object_masks(batch), batch["image"].shape[2:]
        columns = (find_instances(outputs, MIN_SCORE), targets, batch["boxes_mask"], unpad(batch, "labels"))
        for instances, objects, is_object, classes in zip(*columns, strict=True):
            masks, objects, classes = paste(instances, *size) > THRESHOLD, objects[is_object].cpu(), classes.cpu()
            arrays = (masks, instances.labels, instances.scores, objects, classes)
            self.mask_precision.update(*(one.numpy() for one in arrays))
            iou = mask_iou(objects, masks) * (classes[:, None] == instances.labels) * (instances.scores >= MASK_SCORE)
            self.ious += iou.amax(dim=1).tolist() if len(masks) else [0.0] * len(objects)

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        ious = {"mask_iou": float(np.mean(self.ious))} if self.ious else {}
        return {**ious, **self.mask_precision.compute(), **super().compute()}


def find_instances(outputs: Outputs, min_score: float) -> list[Instances]:
    """Return the instances of each image on the CPU, in pixels of the images of the batch."""
    instances: list[Instances] = cast(Any, outputs.detector).segment(outputs.values, min_score)
    on_cpu = (Instances(*(column.cpu() for column in one)) for one in instances)
    factors = torch.tensor([outputs.scale, outputs.vertical_scale or outputs.scale])
    return [one.resize(1 / factors) for one in on_cpu]


def mask_iou(a: Tensor, b: Tensor) -> Tensor:
    """Return the IoU of each mask of `a` (n, height, width) with each of `b` (m, height, width), (n, m)."""
    first, second = a.flatten(1).float(), b.flatten(1).float()
    overlap = first @ second.T
    union = first.sum(dim=1)[:, None] + second.sum(dim=1) - overlap
    return overlap / union.clamp(min=1)


def resize_masks(masks: Tensor, size: Sequence[int]) -> Tensor:
    """Return masks (N, M, height, width), bool, in another height and width."""
    if masks.shape[2:] == torch.Size(size) or not masks.shape[1]:
        return masks if masks.shape[1] else masks.new_zeros(*masks.shape[:2], *size)
    return F.interpolate(masks.float(), size=tuple(size), mode="nearest-exact").bool()
