"""The second stage of R-CNN, Fast R-CNN and Faster R-CNN: each proposed region is classified and its box refined.

    proposals (N, P, 4)  ->  R regions  ->  K + 1 class logits, with the background first, and 4 offsets per class

Training (Girshick 2015, section 2.3): regions are sampled from the proposals of each image, a quarter of them with an
IoU of 0.5 or more with an object, whose class they have, the others background. The loss is the cross-entropy of their
classes plus, for those with an object, the smooth L1 loss of the offsets of that class.

Detection: a softmax over the classes, the box of each class, then non-maximum suppression within each class.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.anchors import IGNORED, assign, decode_boxes, encode_boxes, sample
from models.layers.boxes import Detections, select
from models.layers.region_proposals import Proposals, fixed_unless

MIN_SIZE = 1e-2  # width and height of a detection, in pixels


class Regions(NamedTuple):
    """Regions of a batch that are to be learned from.

    Attributes:
        rois: The number of its image and the corners of each region, (R, 5).
        labels: The class of its object plus 1; 0 is the background, (R,).
        offsets: From the region to its object, (R, 4), times the weights; 0 for the background.
        iou: Of the region with its object, or the largest with any, (R,).
        objects: The index of the object among those of its image; 0 for the background, (R,).
    """

    rois: Tensor
    labels: Tensor
    offsets: Tensor
    iou: Tensor
    objects: Tensor


class RegionOutputs(NamedTuple):
    """The outputs of a detector for a batch.

    Attributes:
        features: Maps from which regions are pooled, each (N, ...).
        boxes: Proposals, (N, P, 4).
        mask: Whether there is such a proposal, (N, P).
        logits: Of the background and all classes, (N, P, K + 1); None in training.
        offsets: From each proposal to a box of each class, (N, P, K + 1, 4), times the weights; None in training.
        rpn: The outputs of the network that proposes, if one does.
    """

    features: tuple[Tensor, ...]
    boxes: Tensor
    mask: Tensor
    logits: Tensor | None = None
    offsets: Tensor | None = None
    rpn: Proposals | None = None


class RegionDetector(nn.Module):
    """The common part of detectors that classify regions.

    A subclass defines `classify`, and in its forward pass calls `classify_proposals`.

    Attributes:
        num_classes: Classes, without the background.
        input_shape: Shape of an image.
        regions_per_image: Regions of an image in the loss.
        positive_share: Largest share of those with an object.
        background_iou: A region is background if its largest IoU is at least the first of these and below the second.
        beta: Of the smooth L1 loss: an error above it counts linearly.
        offset_weights: Factors of the offsets, which give them a variance of about 1.
        nms_threshold: Largest IoU of two detections of one class, unless `detect` gets another one.
    """

    num_classes: int
    input_shape: tuple[int, int, int]
    regions_per_image: int
    positive_share = 0.25
    background_iou = (0.0, 0.5)
    beta = 1.0
    offset_weights = (10.0, 10.0, 5.0, 5.0)
    nms_threshold = 0.5

    def classify(self, features: tuple[Tensor, ...], rois: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (R, K + 1) and offsets (R, K + 1, 4) of regions (R, 5): image number and corners."""
        raise NotImplementedError

    def classify_proposals(self, outputs: RegionOutputs) -> RegionOutputs:
        """Return outputs with the logits and offsets of all proposals; in training they are not needed."""
        if self.training:
            return outputs
        logits, offsets = self.classify(outputs.features, list_regions(outputs.boxes, outputs.mask))
        return outputs._replace(
            logits=unlist(logits.float(), outputs.mask), offsets=unlist(offsets.float(), outputs.mask)
        )

    def sample_regions(self, outputs: RegionOutputs, boxes: Tensor, labels: Tensor, mask: Tensor) -> Regions:
        """Return regions to learn from. In training, the objects' own boxes are among them.

        Args:
            outputs: The outputs, with the proposals.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        from torchvision.ops import box_iou  # here, because torchvision takes long to import

        parts = []
        for number, (proposals, present) in enumerate(zip(outputs.boxes, mask, strict=True)):
            objects, classes = boxes[number][present].to(proposals), labels[number][present]
            candidates = proposals[outputs.mask[number]]
            if self.training:
                candidates = torch.cat([candidates, objects])
            iou = box_iou(objects, candidates)
            largest = iou.amax(dim=0) if len(objects) else candidates.new_zeros(len(candidates))
            low, high = self.background_iou
            assignment = assign(iou, positive=0.5, negative=high).masked_fill(largest < low, IGNORED)
            positives, negatives = sample(assignment, self.regions_per_image, self.positive_share)
            rows = torch.cat([positives, negatives])
            targets, offsets = labels.new_zeros(len(rows)), candidates.new_zeros(len(rows), 4)
            matches = assignment[positives]
            targets[: len(positives)] = classes[matches] + 1
            offsets[: len(positives)] = encode_boxes(objects[matches], candidates[positives], self.offset_weights)
            numbers, indices = candidates.new_full((len(rows), 1), number), torch.zeros_like(targets)
            indices[: len(positives)] = present.nonzero()[matches, 0]
            parts.append((torch.cat([numbers, candidates[rows]], dim=1), targets, offsets, largest[rows], indices))
        return Regions(*map(torch.cat, zip(*parts, strict=True)))

    def losses(self, outputs: RegionOutputs, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the losses of classes and boxes, as means over the sampled regions; the loss is their sum.

        Args:
            outputs: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        with fixed_unless(self.training):
            regions = self.sample_regions(outputs, boxes, labels, mask)
        return self.region_losses(outputs.features, regions)

    def region_losses(self, features: tuple[Tensor, ...], regions: Regions) -> dict[str, Tensor]:
        """Return the losses of classes and boxes of sampled regions, which are pooled from maps."""
        logits, offsets = self.classify(features, regions.rois)
        positives = regions.labels.nonzero()[:, 0]
        own = offsets[positives, regions.labels[positives]]
        errors = F.smooth_l1_loss(own, regions.offsets[positives], beta=self.beta, reduction="sum")
        return {
            # A sum, divided by a count of at least 1, because images may have no region at all.
            "classes": F.cross_entropy(logits, regions.labels, reduction="sum") / max(1, len(logits)),
            "boxes": errors / max(1, len(logits)),
        }

    def scores(self, logits: Tensor) -> Tensor:
        """Return the probabilities of the classes (N, P, K) for logits (N, P, K + 1)."""
        return logits.softmax(dim=-1)[..., 1:]

    def detect(
        self, outputs: RegionOutputs, score_threshold: float = 0.05, iou_threshold: float | None = None
    ) -> list[Detections]:
        """Return the detections of each image, at most 100.

        Args:
            outputs: The outputs of an evaluation.
            score_threshold: Smallest score.
            iou_threshold: Largest IoU of two detections of one class in NMS. None is the detector's own.
        """
        if outputs.logits is None or outputs.offsets is None:
            raise ValueError("a network in training mode has no detections: call eval() first")
        scores = self.scores(outputs.logits)
        offsets = outputs.offsets[:, :, -scores.shape[-1] :]  # without the background
        height, width = self.input_shape[1:]
        corners = decode_boxes(offsets, outputs.boxes[:, :, None], self.offset_weights)
        corners = torch.minimum(corners.clamp(min=0), corners.new_tensor([width, height, width, height]))
        is_large = (corners[..., 2:] - corners[..., :2] >= MIN_SIZE).all(dim=-1)
        scores = scores.where(is_large & outputs.mask[..., None], -1.0)
        threshold = self.nms_threshold if iou_threshold is None else iou_threshold
        return [select(*image, score_threshold, threshold) for image in zip(corners, scores, strict=True)]


def list_regions(boxes: Tensor, mask: Tensor) -> Tensor:
    """Return the boxes (N, P, 4) for which the mask (N, P) is true, (R, 5): the number of the image and the corners."""
    numbers = torch.arange(len(boxes), device=boxes.device, dtype=boxes.dtype)[:, None, None]
    rois = torch.cat([numbers.expand(*boxes.shape[:2], 1), boxes], dim=2)
    regions: Tensor = rois.flatten(0, 1) if mask.is_meta else rois[mask]  # without values, all are regions
    return regions


def unlist(values: Tensor, mask: Tensor) -> Tensor:
    """Return the values (R, ...) of the regions that `list_regions` listed, as (N, P, ...); 0 where there is none."""
    if mask.is_meta:
        return values.reshape(*mask.shape, *values.shape[1:])
    padded = values.new_zeros(*mask.shape, *values.shape[1:])
    padded[mask] = values
    return padded
