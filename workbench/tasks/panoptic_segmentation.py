"""Panoptic segmentation: every pixel belongs to one segment, which is a thing or all the stuff of a class."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.panoptic_merge import Segments
from workbench import data
from workbench.data import panoptic_scenes, run_lengths
from workbench.data.picture_file import upright_size
from workbench.data.sources import Batch, Source
from workbench.errors import UserError
from workbench.tasks import pixel_regression
from workbench.tasks.base import Baseline, StepContext, Visualization
from workbench.tasks.detection import Detection, DetectionMeter, Outputs
from workbench.tasks.instance_masks import MASKED_IMAGES, object_masks
from workbench.tasks.instance_segmentation import InstanceSegmentation, resize_masks
from workbench.tasks.panoptic_quality import PanopticMap, PanopticQuality

FIRST_STUFF = 100  # id of the segment of the first class of stuff in a true map; those of things are smaller
Rows = list[dict[str, Any]]


class PanopticSegmentation(InstanceSegmentation):
    """Instance segmentation, the class of each pixel, and the panoptic quality of both together.

    A batch also holds `stuff` (N, height, width), uint8: 0 for things, k + 1 for the stuff with the index k, 255 for
    pixels that are not labeled.
    """

    maps = ("instances", "stuff")

    def check_network(self, network: nn.Module) -> None:
        if not hasattr(network, "merge"):
            raise UserError(f"{type(network).__name__} predicts no segments of stuff: take panoptic-fpn.")
        if getattr(network, "num_stuff", 0) != len(panoptic_scenes.STUFF):
            raise UserError(f"These images have {len(panoptic_scenes.STUFF)} classes of stuff: set num_stuff to that.")

    def load_maps(self) -> tuple[np.ndarray, ...]:
        instances, stuff = panoptic_scenes.load_maps()
        check_stuff(instances, stuff, len(panoptic_scenes.STUFF))
        return instances, stuff

    @property
    def segment_classes(self) -> tuple[str, ...]:
        return (*self.dataset.classes, *panoptic_scenes.STUFF)

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        size, stuff = outputs.detector.input_shape[1:], batch["stuff"]
        if stuff.shape[1:] != size:
            stuff = F.interpolate(stuff[:, None].float(), size=size, mode="nearest-exact")[:, 0].byte()
        terms = outputs.detector.losses(  # type: ignore[call-arg]  # of this network alone
            outputs.values,
            outputs.resize(batch["boxes"]),
            batch["labels"],
            batch["boxes_mask"],
            resize_masks(object_masks(batch), size),
            stuff,
        )
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}

    def meter(self) -> DetectionMeter:
        return PanopticMeter(len(self.dataset.classes), len(panoptic_scenes.STUFF), self.is_detailed)

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the PQ of a class per pixel by logistic regression, whose connected regions are things."""
        images, maps = data.load(self.data, seed), data.deal({"train": self.load_maps()}, seed)
        things = len(self.dataset.classes)
        train, test = (
            [
                true_map(instances, stuff, labels[labels >= 0], things)
                for labels, instances, stuff in zip(images[split][-1], *maps[split], strict=True)
            ]
            for split in ("train", "test")
        )
        predict = pixel_regression.fit(images["train"][0], train, things)
        quality = PanopticQuality(self.is_thing)
        for image, target in zip(images["test"][0], test, strict=True):
            quality.update(predict(image), target)
        method = "logistic regression of each pixel by color and texture, and connected regions"
        return Baseline(method, "pq", quality.compute()["pq"])

    @property
    def is_thing(self) -> list[bool]:
        """One value for each class: true if it has instances."""
        return [True] * len(self.dataset.classes) + [False] * len(panoptic_scenes.STUFF)

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch, visualizations = source.batch(slice(0, MASKED_IMAGES)), []
        pairs = compare_maps(self.predict(network, batch), batch, len(self.dataset.classes))
        for image, maps in zip(batch["image"], pairs, strict=True):
            for one, caption in zip(maps, ("predicted", "true"), strict=True):
                visualizations.append(self.draw_segments(image, one.ids, self.list_segments(one), caption))
        return [*visualizations, *Detection.visualize(self, network, source)]

    def list_segments(self, segments: PanopticMap, scores: Sequence[float] = ()) -> Rows:
        """Return a row for each segment of a map; the first ones have scores."""
        rows: Rows = [
            {"id": n, "label": k, "thing": k < len(self.dataset.classes)} for n, k in segments.classes.items()
        ]
        for row, score in zip(rows, scores, strict=False):
            row["score"] = round(score, 4)
        return rows

    def segment_images(
        self, network: nn.Module, batch: Batch, sizes: Sequence[Sequence[int]], scales: Tensor, min_score: float
    ) -> list[tuple[np.ndarray, Rows]]:
        outputs = self.predict(network, batch)
        limits = torch.tensor(outputs.detector.input_shape[1:])
        lengths = torch.tensor(sizes) * scales.flip(1) * limits / torch.tensor(batch["image"].shape[2:])
        crops = torch.minimum(lengths.round().long().clamp(min=1), limits).tolist()
        merged: list[Segments] = cast(Any, outputs.detector).merge(outputs.values, crops, sizes)
        maps = [(to_map(one), one.scores.tolist()) for one in merged]
        return [(one.ids, self.list_segments(one, scores)) for one, scores in maps]

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        """Return for each image its `width`, its `height`, its things as `detections`, and its `stuff`.

        Both have a `class`, an `area` in pixels and a `mask` in run lengths. A thing also has a `score` and the `box`
        around its mask, x1, y1, x2, y2. No two masks overlap.
        """
        predictions, size = [], self.evaluation_batch(network)
        for start in range(0, len(files), size):
            chunk = files[start : start + size]
            batch, scales = self.read_files(chunk, seed)
            sizes = [upright_size(file)[::-1] for file in chunk]
            segmented = self.segment_images(network, batch, sizes, scales, 0.0)
            for (height, width), (ids, rows) in zip(sizes, segmented, strict=True):
                things = [self._to_json(ids, row) for row in rows if row["thing"]]
                stuff = [self._to_json(ids, row) for row in rows if not row["thing"]]
                predictions.append({"width": width, "height": height, "detections": things, "stuff": stuff})
        return predictions

    def _to_json(self, ids: np.ndarray, row: dict[str, Any]) -> dict[str, Any]:
        mask = ids == row["id"]
        segment = {"class": self.segment_classes[row["label"]], "area": int(mask.sum())}
        if row["thing"]:
            rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
            corners = (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
            segment |= {"score": row["score"], "box": [float(value) for value in corners]}
        return {**segment, "rle": run_lengths.encode(mask)}


class PanopticMeter(DetectionMeter):
    """Panoptic quality, and average precision of boxes.

    Args:
        things: Number of classes of things.
        stuff: Number of classes of stuff.
        is_detailed: Whether to compute average precision in all conventions.
    """

    def __init__(self, things: int, stuff: int, is_detailed: bool = False):
        super().__init__(things, is_detailed)
        self.things = things
        self.quality = PanopticQuality([True] * things + [False] * stuff)

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        super().update(outputs, batch)
        for predicted, target in compare_maps(outputs, batch, self.things):
            self.quality.update(predicted, target)

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return {**self.quality.compute(), **super().compute()}


def compare_maps(outputs: Outputs, batch: Batch, things: int) -> list[tuple[PanopticMap, PanopticMap]]:
    """Return the predicted and the true map of each image of a batch."""
    size = tuple(batch["image"].shape[2:])
    merged: list[Segments] = cast(Any, outputs.detector).merge(outputs.values, None, [size] * len(batch["image"]))
    pairs = []
    for k, segments in enumerate(merged):
        labels = batch["labels"][k][batch["labels_mask"][k]].cpu().numpy()
        target = true_map(batch["instances"][k].cpu().numpy(), batch["stuff"][k].cpu().numpy(), labels, things)
        pairs.append((to_map(segments), target))
    return pairs


def to_map(segments: Segments) -> PanopticMap:
    """Return the segments of a network as a map."""
    return PanopticMap(segments.ids.cpu().numpy(), dict(enumerate(segments.labels.tolist(), start=1)))


def true_map(instances: np.ndarray, stuff: np.ndarray, labels: np.ndarray, things: int) -> PanopticMap:
    """Return the true segments of an image; things have the ids 1, 2 and so on.

    Args:
        instances: k + 1 where the thing at index k is visible, 0 elsewhere, (height, width).
        stuff: 0 for things, k + 1 for the stuff with the index k, 255 for pixels that are not labeled.
        labels: Classes of the things, (n,).
        things: Number of classes of things.
    """
    is_stuff = (stuff > 0) & (stuff != panoptic_scenes.VOID)
    ids = np.where(is_stuff, FIRST_STUFF - 1 + stuff.astype(np.int64), instances)
    classes = {n: int(label) for n, label in enumerate(labels, start=1)}
    present = np.unique(stuff[is_stuff]).tolist()
    return PanopticMap(ids, classes | {FIRST_STUFF - 1 + k: things + k - 1 for k in present})


def check_stuff(instances: np.ndarray, stuff: np.ndarray, count: int) -> None:
    """Check the maps of a dataset.

    Args:
        instances: Maps (N, height, width) of things.
        stuff: Maps (N, height, width) of stuff.
        count: Number of classes of stuff.

    Raises:
        UserError: If they differ in size, or a pixel has an unknown class, or is a thing and stuff.
    """
    if instances.shape != stuff.shape:
        sizes = ["x".join(map(str, one.shape)) for one in (stuff, instances)]
        raise UserError(f"Maps of stuff have the shape {sizes[0]}, and those of things {sizes[1]}. Make both equal.")
    is_unknown = (stuff > count) & (stuff != panoptic_scenes.VOID)
    if is_unknown.any():
        raise UserError(
            f"A pixel has the class of stuff {stuff[is_unknown][0]}: use 0 for things, 1 to {count}, or 255 for void."
        )
    if ((instances > 0) & (stuff > 0) & (stuff != panoptic_scenes.VOID)).any():
        raise UserError("A pixel belongs to a thing and to stuff. Give it to one of them.")
