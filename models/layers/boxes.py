"""Boxes, as every detector has them: corners (x1, y1, x2, y2) with x1 < x2 and y1 < y2, in pixels or in other units.

    convert_to_corners(boxes)      (center x, center y, width, height) -> corners
    convert_to_centers(boxes)      corners -> (center x, center y, width, height)
    paired_iou(a, b)               IoU of each box of `a` with its partner in `b`
    giou(a, b), diou, ciou         the same, for losses: not 0, and with a gradient, where the boxes don't overlap
    select(boxes, scores, ...)     from scored boxes to detections: threshold, NMS per class, the best of them
    check_boxes(boxes, labels, ..) reject boxes outside their image, and labels that are not classes

The IoU of all boxes of one set with all of another is `torchvision.ops.box_iou`.
"""

from math import pi
from typing import NamedTuple

import torch
from torch import Tensor

from workbench.errors import UserError


class Detections(NamedTuple):
    """Objects that a detector finds in one image, with the highest score first.

    Attributes:
        boxes: Corners in pixels, (n, 4), float32.
        scores: From 0 to 1, (n,), float32.
        labels: Class indices, (n,), int64.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor


def convert_to_corners(boxes: Tensor) -> Tensor:
    """Return (x1, y1, x2, y2) for boxes (..., 4) that are (center x, center y, width, height)."""
    centers, sizes = boxes[..., :2], boxes[..., 2:]
    return torch.cat([centers - sizes / 2, centers + sizes / 2], dim=-1)


def convert_to_centers(boxes: Tensor) -> Tensor:
    """Return (center x, center y, width, height) for boxes (..., 4) that are (x1, y1, x2, y2)."""
    first, last = boxes[..., :2], boxes[..., 2:]
    return torch.cat([(first + last) / 2, last - first], dim=-1)


def paired_iou(a: Tensor, b: Tensor) -> Tensor:
    """Return the intersection over union (...) of corners (..., 4) and (..., 4), pair by pair; 0 without any area."""
    sizes = torch.minimum(a[..., 2:], b[..., 2:]) - torch.maximum(a[..., :2], b[..., :2])
    intersection = sizes.clamp(min=0).prod(dim=-1)
    union = area(a) + area(b) - intersection
    return intersection / union.clamp(min=torch.finfo(union.dtype).eps)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Return the generalized IoU (...) of corners (..., 4), pair by pair (Rezatofighi et al. 2019), from -1 to 1.

    From the IoU it subtracts the share of the smallest box around both that neither of them covers.
    """
    around = _enclosing_size(a, b).prod(dim=-1)
    iou = paired_iou(a, b)
    union = (area(a) + area(b)) / (1 + iou)  # because the intersection is IoU times union
    return iou - (around - union) / around.clamp(min=torch.finfo(around.dtype).eps)


def diou(a: Tensor, b: Tensor) -> Tensor:
    """Return the distance IoU (...) of corners (..., 4), pair by pair (Zheng et al. 2020), from -1 to 1.

    From the IoU it subtracts the squared distance of the centers over the squared diagonal of the box around both.
    """
    distance = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]).div(2).square().sum(dim=-1)
    diagonal = _enclosing_size(a, b).square().sum(dim=-1)
    return paired_iou(a, b) - distance / diagonal.clamp(min=torch.finfo(diagonal.dtype).eps)


def ciou(a: Tensor, b: Tensor) -> Tensor:
    """Return the complete IoU (...) of corners (..., 4), pair by pair (Zheng et al. 2020).

    From the distance IoU it subtracts alpha v, where v compares the ratios of width and height. As in the paper's code
    and in torchvision, alpha is a constant for the gradient.
    """
    (width_a, height_a), (width_b, height_b) = ((box[..., 2:] - box[..., :2]).unbind(dim=-1) for box in (a, b))
    v = (4 / pi**2) * (torch.atan2(width_b, height_b) - torch.atan2(width_a, height_a)).square()
    with torch.no_grad():
        alpha = v / (1 - paired_iou(a, b) + v).clamp(min=torch.finfo(v.dtype).eps)
    return diou(a, b) - alpha * v


def _enclosing_size(a: Tensor, b: Tensor) -> Tensor:
    """Return the width and height (..., 2) of the smallest box around both."""
    return torch.maximum(a[..., 2:], b[..., 2:]) - torch.minimum(a[..., :2], b[..., :2])


def area(boxes: Tensor) -> Tensor:
    """Return the areas (...) of corners (..., 4)."""
    return (boxes[..., 2:] - boxes[..., :2]).prod(dim=-1)


def select(
    boxes: Tensor, scores: Tensor, score_threshold: float, iou_threshold: float, max_detections: int = 100
) -> Detections:
    """Return the detections of one image: scores above the threshold, after NMS within each class.

    A box is suppressed if its IoU with a higher-scoring box of its class is above `iou_threshold`.

    Args:
        boxes: Corners (n, 4), or those of each class, (n, classes, 4).
        scores: A score per box and class, (n, classes). A box may be detected as several classes.
        score_threshold: Smallest score.
        iou_threshold: Largest IoU of two detections of one class.
        max_detections: Largest number of detections; those with the highest scores remain.
    """
    from torchvision.ops import batched_nms  # here, because torchvision takes long to import

    rows, labels = (scores >= score_threshold).nonzero(as_tuple=True)
    boxes = boxes[rows].float() if boxes.dim() == 2 else boxes[rows, labels].float()
    scores = scores[rows, labels].float()
    remaining = batched_nms(boxes, scores, labels, iou_threshold)[:max_detections]
    return Detections(boxes[remaining], scores[remaining], labels[remaining])


def check_boxes(boxes: Tensor, labels: Tensor, image_size: int, num_classes: int) -> None:
    """Check the objects of a dataset.

    Args:
        boxes: Corners in pixels, (n, 4).
        labels: Classes, (n,).
        image_size: Height and width of the images.
        num_classes: Number of classes.

    Raises:
        UserError: If a box has no area or is not within its image, or a label is not a class.
    """
    for problem, is_wrong in (
        ("has no area: x1 < x2 and y1 < y2 are needed", (boxes[:, :2] >= boxes[:, 2:]).any(dim=1)),
        (
            f"is not within its image of {image_size}x{image_size} pixels",
            (boxes < 0).any(dim=1) | (boxes > image_size).any(dim=1) | ~boxes.isfinite().all(dim=1),
        ),
    ):
        if is_wrong.any():
            box = ", ".join(f"{value:g}" for value in boxes[is_wrong][0].tolist())
            raise UserError(f"The box ({box}) {problem}. Correct or remove it.")
    is_unknown = (labels < 0) | (labels >= num_classes)
    if is_unknown.any():
        label = int(labels[is_unknown][0])
        raise UserError(f"The label {label} is not a class: use 0 to {num_classes - 1}.")
