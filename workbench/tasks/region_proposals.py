"""Proposals: boxes that are likely to contain an object of any class, the most likely one first."""

from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor, nn

from models.layers.anchors import anchor_shapes, tile_anchors
from workbench import data
from workbench.data.dataset import DataSet
from workbench.data.sources import Batch, Rows, Source
from workbench.errors import UserError
from workbench.tasks.base import Baseline
from workbench.tasks.detection import Detection, Outputs, proposes_regions

PROPOSALS = 10  # of an image that count
RECALLED_IOU = 0.5
BOX_SIZES, BOX_STRIDE = (16.0, 24.0, 32.0), 4  # pixels, of the boxes from which the baseline chooses


class RegionProposals(Detection):
    """Detection of one class, `object`, measured by the recall of the first 10 proposals.

    `recall_10` is the share of objects with which one of the first 10 proposals of their image has an IoU of 0.5 or
    more.
    """

    is_stackable = False  # anchors are sampled at random

    @cached_property
    def dataset(self) -> DataSet:
        """The description of its dataset, with one class."""
        return replace(data.info(self.data), classes=("object",))

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        if not proposes_regions(network):
            raise UserError(f"{type(network).__name__} detects classes: train it on shape-scenes, or take rpn here.")
        return {split: OneClass(source) for split, source in all_classes(self).sources(network, seed).items()}

    def meter(self) -> "RecallMeter":  # type: ignore[override]
        return RecallMeter()

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the recall of the 10 boxes, the same for all images, that recall most objects of the training set."""
        splits = data.load(self.data, seed)
        train, test = (torch.from_numpy(boxes[labels >= 0]) for _, boxes, labels in (splits["train"], splits["test"]))
        fixed = choose_boxes(train, self.dataset.shape[-1])
        return Baseline("the 10 fixed boxes that suit the training set best", "recall_10", recall(fixed, test))


def all_classes(task: RegionProposals) -> Detection:
    """Return the task in which objects have their classes."""
    return Detection(task.data, task.title, **task.declared).configure(takes_proposals=True)


class OneClass:
    """A source in which all objects have class 0.

    Args:
        source: Images with objects of several classes.
    """

    def __init__(self, source: Source):
        self.source = source

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers."""
        batch = self.source.batch(rows)
        return batch | {"labels": torch.zeros_like(batch["labels"])}

    def to(self, device: torch.device) -> "OneClass":
        """Return the same source on a device."""
        return OneClass(self.source.to(device))


class RecallMeter:
    """The share of objects that the first proposals of their images overlap."""

    def __init__(self) -> None:
        self.recalled = self.total = 0

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        for detected, boxes, mask in zip(outputs.detections(0.0), batch["boxes"], batch["boxes_mask"], strict=True):
            objects = boxes[mask]
            self.recalled += int(recalls(detected.boxes[:PROPOSALS], objects).sum())
            self.total += len(objects)

    def compute(self) -> dict[str, float]:
        """Return `recall_10` of all batches so far; nothing if there was no object."""
        return {"recall_10": self.recalled / self.total} if self.total else {}


def recalls(proposals: Tensor, objects: Tensor) -> Tensor:
    """Return for each object (n,) whether one of the proposals has an IoU of 0.5 or more with it."""
    from torchvision.ops import box_iou

    if not len(proposals):
        return torch.zeros(len(objects), dtype=torch.bool)
    largest: Tensor = box_iou(proposals.to(objects), objects).amax(dim=0)
    return largest >= RECALLED_IOU


def recall(proposals: Tensor, objects: Tensor) -> float:
    """Return the share of objects that proposals, the same for all images, recall."""
    return float(recalls(proposals, objects).double().mean())


def choose_boxes(objects: Tensor, image_size: int) -> Tensor:
    """Return 10 boxes (10, 4), each of which recalls the most of the objects (n, 4) that those before don't.

    The choice is among squares of three sizes, every 4 pixels.
    """
    from torchvision.ops import box_iou

    places = image_size // BOX_STRIDE
    boxes = tile_anchors(anchor_shapes(BOX_SIZES, [1.0]), places, places, BOX_STRIDE, offset=0.5)
    is_recalled = box_iou(boxes, objects.float()) >= RECALLED_IOU
    numbers: list[int] = []
    for _ in range(PROPOSALS):
        numbers.append(int(is_recalled.sum(dim=1).argmax()))
        is_recalled = is_recalled & ~is_recalled[numbers[-1]]
    return boxes[numbers]
