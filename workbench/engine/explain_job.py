"""The part of an explanation that needs PyTorch: the detections of a run, and what the libraries compute for a case."""

import inspect
from pathlib import Path
from typing import Any

import torch

from models.layers.boxes import Detections
from workbench.engine.explain_case import Case, Row
from workbench.engine.run import Run
from workbench.engine.trained import TrainedNetwork, load
from workbench.errors import UserError
from workbench.tasks.average_precision import AveragePrecision
from workbench.tasks.detection import Detection, Outputs, to_pixels
from workbench.tasks.panoptic_segmentation import PanopticSegmentation, compare_maps
from workbench.tasks.semantic_segmentation import SemanticSegmentation

MIN_SCORE = 0.05


def compute(request: dict[str, Any]) -> dict[str, Any]:
    """Return the case, what the libraries compute for it, and of a run also an image and the checkpoint.

    Args:
        request: `method`: `ap` or `nms` with `iou`, the threshold, or `miou` without one, and the `case`, or for a run
            its `folder`, the `split`, the numbers of the first image and of the one after the last (`images`), and the
            smallest score (`min_score`); or `pq` with `folder`, `split` and the number of the `image`.

    Raises:
        UserError: If the run's network is not a detector, or has no NMS.
    """
    if request["method"] == "pq":
        return _panoptic(load(Run(Path(request["folder"]))), request["split"], request["image"])
    if request["method"] == "miou":
        return _classes_of_pixels(request)
    result: dict[str, Any] = {"case": request.get("case")}
    if "folder" in request:
        trained = load(Run(Path(request["folder"])))
        result = {**trained.info, **_of_run(trained, request)}
    by_library = _library_ap if request["method"] == "ap" else _library_nms
    return result | {"library": by_library(result["case"], request["iou"])}


def _classes_of_pixels(request: dict[str, Any]) -> dict[str, Any]:
    """Return the `classes` of a run for segmentation, and the true and predicted class of each pixel of some images."""
    trained = load(Run(Path(request["folder"])))
    task = trained.task
    if not isinstance(task, SemanticSegmentation):
        raise UserError(
            f"{trained.run} does not classify pixels: take a run on shape-segments, such as of unet-padded."
        )
    source = trained.sources[request["split"]]
    first, end = request["images"]
    if first >= len(source):
        raise UserError(f"The {request['split']} set has the images 0 to {len(source) - 1}. Take some of them.")
    batch = source.batch(slice(first, min(end, len(source))))
    classes = list(task.dataset.classes)
    predicted = task.predict(trained.network, batch)[:, : len(classes)].argmax(dim=1)
    pixels = {"target": batch["target"].flatten().tolist(), "predicted": predicted.flatten().tolist()}
    return {**trained.info, "classes": classes, **pixels}


def _of_run(trained: TrainedNetwork, request: dict[str, Any]) -> dict[str, Any]:
    """Return the case of some images of a split, and the first of them as a visualization."""
    task = trained.task
    if not isinstance(task, Detection):
        raise UserError(f"{trained.run} detects no objects: take a run of a detector, such as yolo-v1.")
    source = trained.sources[request["split"]]
    first, end = request["images"]
    if first >= len(source):
        raise UserError(f"The {request['split']} set has the images 0 to {len(source) - 1}. Take some of them.")
    batch = source.batch(slice(first, min(end, len(source))))
    outputs = task.predict(trained.network, batch)
    detections = outputs.detections(MIN_SCORE) if request["method"] == "ap" else _unsuppressed(outputs, request)
    case = Case(objects=[], detections=[])
    for k, detected in enumerate(detections):
        mask = batch["boxes_mask"][k]
        objects = zip(batch["boxes"][k][mask].tolist(), batch["labels"][k][mask].tolist(), strict=True)
        case["objects"] += [_row(task, first + k, box, label) for box, label in objects]
        columns = (detected.boxes.tolist(), detected.labels.tolist(), detected.scores.tolist())
        for box, label, score in zip(*columns, strict=True):
            if box[0] < box[2] and box[1] < box[3]:
                case["detections"].append({**_row(task, first + k, box, label), "score": score})
    none = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.long))
    image = task.visualize_detections(batch["image"][0], none)
    return {"case": case, "image": image, "size": batch["image"].shape[-1]}


def _panoptic(trained: TrainedNetwork, split: str, number: int) -> dict[str, Any]:
    """Return the predicted and the true map of an image of a split, with the image and the checkpoint.

    Raises:
        UserError: If the run's task has no such maps, or there is no such image.
    """
    task = trained.task
    if not isinstance(task, PanopticSegmentation):
        raise UserError(f"{trained.run} predicts no panoptic maps: take a run of panoptic-fpn.")
    source = trained.sources[split]
    if number >= len(source):
        raise UserError(f"The {split} set has the images 0 to {len(source) - 1}. Take one of them.")
    batch = source.batch(slice(number, number + 1))
    outputs = task.predict(trained.network, batch)
    ((predicted, target),) = compare_maps(outputs, batch, len(task.dataset.classes))
    case: dict[str, Any] = {
        origin: {
            "map": one.ids.tolist(),
            "classes": {str(key): task.segment_classes[label] for key, label in one.classes.items()},
            "crowds": [],
        }
        for origin, one in (("predicted", predicted), ("target", target))
    }
    stuff = [name for name, is_thing in zip(task.segment_classes, task.is_thing, strict=True) if not is_thing]
    return {**trained.info, "case": case | {"stuff": stuff}, "image": {"pixels": to_pixels(batch["image"][0])}}


def _row(task: Detection, image: int, box: list[float], label: int) -> Row:
    return {"image": str(image), "class": task.dataset.classes[label], "box": box}


def _unsuppressed(outputs: Outputs, request: dict[str, Any]) -> list[Detections]:
    """Return the detections before NMS: with a threshold of 1, none suppresses another."""
    if "iou_threshold" not in inspect.signature(outputs.detector.detect).parameters:
        name = type(outputs.detector).__name__
        raise UserError(f"{name} has no NMS. Take a run of a detector that has, such as yolo-v1.")
    return outputs.detections(request["min_score"], iou_threshold=1.0)


def _library_ap(case: Case, iou: float) -> dict[str, float]:
    """Return the average precision of each class that has objects, by pycocotools."""
    classes = list(dict.fromkeys(row["class"] for row in [*case["objects"], *case["detections"]]))
    images = list(dict.fromkeys(row["image"] for row in [*case["objects"], *case["detections"]]))
    meter = AveragePrecision(len(classes))
    for image in images:
        objects = [row for row in case["objects"] if row["image"] == image]
        detected = [row for row in case["detections"] if row["image"] == image]
        meter.update(
            [
                Detections(
                    _boxes(detected),
                    torch.tensor([row["score"] for row in detected]).double(),
                    _labels(detected, classes),
                )
            ],
            [_boxes(objects)],
            [_labels(objects, classes)],
        )
    curves = meter.curves(iou)
    present = {row["class"] for row in case["objects"]}
    means = {classes[label]: sum(curve) / len(curve) for label, curve in curves.items()}
    return {name: means.get(name, 0.0) for name in classes if name in present}


def _library_nms(case: Case, iou: float) -> list[int]:
    """Return the numbers of the detections that torchvision's NMS keeps, within each image and class, ascending."""
    from torchvision.ops import nms

    groups: dict[tuple[str, str], list[int]] = {}
    for number, row in enumerate(case["detections"]):
        groups.setdefault((row["image"], row["class"]), []).append(number)
    remaining: list[int] = []
    for numbers in groups.values():
        rows = [case["detections"][number] for number in numbers]
        places = nms(_boxes(rows), torch.tensor([row["score"] for row in rows], dtype=torch.float64), iou)
        remaining += [numbers[place] for place in places.tolist()]
    return sorted(remaining)


def _boxes(rows: list[Row]) -> torch.Tensor:
    return torch.tensor([row["box"] for row in rows], dtype=torch.float64).reshape(-1, 4)


def _labels(rows: list[Row], classes: list[str]) -> torch.Tensor:
    return torch.tensor([classes.index(row["class"]) for row in rows], dtype=torch.long)
