"""Suppression of duplicates: greedy non-maximum suppression and its alternatives, step by step.

    nms(...)            suppress a box that overlaps a better one too much
    class_nms(...)      the same within each class, with a threshold per class
    adaptive_nms(...)   Liu, Huang, Wang, Adaptive NMS (arXiv:1904.03629): a higher threshold in crowds
    soft_nms(...)       Bodla, Singh, Chellappa, Davis, Soft-NMS (arXiv:1704.04503): lower scores instead
    densities(...)      the crowding around each object, which adaptive NMS needs

`nms` returns what `torchvision.ops.nms` does, which detectors call (`boxes.select`) because it is faster. Boxes are
corners (n, 4), scores (n,). All results are indices of boxes, the highest score first; of equal scores, the first.
"""

from typing import Literal

import torch
from torch import Tensor

from models.layers.boxes import paired_iou


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float | Tensor, labels: Tensor | None = None) -> Tensor:
    """Return the indices (m,) of the boxes that greedy non-maximum suppression keeps.

    The best box that is left is kept, and suppresses all others whose IoU with it is above the threshold.

    Args:
        boxes: Corners (n, 4).
        scores: Their scores (n,).
        iou_threshold: Largest IoU of two boxes that are kept; or one for each box (n,), which holds if it is the box
            that suppresses.
        labels: Their classes (n,), so that only boxes of one class suppress each other; None if there is one class.
    """
    overlap = paired_iou(boxes[:, None], boxes)
    if labels is not None:
        overlap = overlap.masked_fill(labels[:, None] != labels, -1.0)
    thresholds = torch.as_tensor(iou_threshold, dtype=overlap.dtype, device=boxes.device).expand(len(boxes))
    left, remaining = scores.argsort(descending=True, stable=True), []
    while len(left):
        best, left = left[0], left[1:]
        remaining.append(best)
        left = left[overlap[best, left] <= thresholds[best]]
    return torch.stack(remaining) if remaining else left


def class_nms(boxes: Tensor, scores: Tensor, labels: Tensor, iou_thresholds: Tensor) -> Tensor:
    """Return the indices (m,) of the boxes that NMS within each class keeps, by the threshold of the class.

    Args:
        boxes: Corners (n, 4).
        scores: Their scores (n,).
        labels: Their classes (n,).
        iou_thresholds: A threshold per class (classes,).
    """
    return nms(boxes, scores, iou_thresholds[labels], labels)


def adaptive_nms(
    boxes: Tensor, scores: Tensor, density: Tensor, iou_threshold: float, labels: Tensor | None = None
) -> Tensor:
    """Return the indices (m,) of the boxes that adaptive NMS keeps.

    The threshold of a box that is kept is its density, but at least `iou_threshold`: where objects overlap by 0.6,
    boxes may, too.

    Args:
        boxes: Corners (n, 4).
        scores: Their scores (n,).
        density: The density at each box (n,), which the paper's detector predicts.
        iou_threshold: Smallest threshold, for boxes without neighbors.
        labels: Their classes (n,); None if there is one class.
    """
    return nms(boxes, scores, density.clamp(min=iou_threshold), labels)


def densities(boxes: Tensor) -> Tensor:
    """Return the density (n,) of each object: its largest IoU with another one, 0 if there is none."""
    overlap = paired_iou(boxes[:, None], boxes).fill_diagonal_(0)
    return overlap.amax(dim=1) if len(boxes) else overlap.sum(dim=1)


def soft_nms(
    boxes: Tensor,
    scores: Tensor,
    method: Literal["linear", "gaussian"] = "gaussian",
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
) -> tuple[Tensor, Tensor]:
    """Return the indices (m,) of the boxes in the order in which they are picked, and their new scores (m,).

    The best box that is left is picked, and the scores of all others that are left decay by their IoU with it:

        linear      s <- s (1 - IoU) if IoU >= iou_threshold
        gaussian    s <- s exp(-IoU^2 / sigma)

    Args:
        boxes: Corners (n, 4).
        scores: Their scores (n,).
        method: Decay of the scores.
        iou_threshold: Smallest IoU for which the linear one decays a score.
        sigma: Width of the Gaussian; larger values decay less.
        score_threshold: Boxes whose score falls below it are dropped.
    """
    if method not in ("linear", "gaussian"):
        raise ValueError(f"method must be linear or gaussian, not {method}")
    overlap = paired_iou(boxes[:, None], boxes)
    if method == "linear":
        decay = torch.where(overlap >= iou_threshold, 1 - overlap, 1.0)
    else:
        decay = (-overlap.square() / sigma).exp()
    scores = scores.clone()
    left = (scores >= score_threshold).nonzero()[:, 0]
    picks: list[Tensor] = []
    while len(left):
        position = scores[left].argmax()
        best = left[position]
        picks.append(best)
        left = torch.cat([left[:position], left[position + 1 :]])
        scores[left] = scores[left] * decay[best, left]
        left = left[scores[left] >= score_threshold]
    indices = torch.stack(picks) if picks else left
    return indices, scores[indices]
