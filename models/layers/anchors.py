"""Anchors: boxes of a few shapes at every place of a map, from which detectors predict offsets to objects.

    anchor_shapes(sizes, ratios)          the boxes of one place, around the origin
    tile_anchors(shapes, rows, ...)       the same boxes at every place of a map
    encode_boxes(boxes, anchors)          boxes -> offsets, which the network learns
    decode_boxes(offsets, anchors)        offsets -> boxes
    assign(iou, positive, negative)       which object each anchor is to predict
    sample(assignment, count, share)      some anchors with an object, and some without

Offsets are those of R-CNN (Girshick et al. 2014, appendix C): (x - x_a)/w_a, (y - y_a)/h_a, log(w/w_a), log(h/h_a),
with centers x, y and sizes w, h of the box and of its anchor a. Boxes and anchors are corners (x1, y1, x2, y2).
"""

from collections.abc import Sequence
from math import log

import torch
from torch import Tensor

from models.layers.boxes import convert_to_centers, convert_to_corners

BACKGROUND, IGNORED = -1, -2  # in assignments
MAX_LOG_SIZE = log(1000 / 16)  # a decoded box is at most 62.5 times as large as its anchor: exp can't overflow


def anchor_shapes(sizes: Sequence[float], ratios: Sequence[float]) -> Tensor:
    """Return the corners (A, 4) of boxes around the origin: for each ratio, all sizes.

    Args:
        sizes: Square roots of their areas, in pixels.
        ratios: Heights over widths.
    """
    size, root = torch.as_tensor(sizes, dtype=torch.float32), torch.as_tensor(ratios, dtype=torch.float32).sqrt()
    widths, heights = (size / root[:, None]).flatten(), (size * root[:, None]).flatten()
    return torch.stack([-widths, -heights, widths, heights], dim=1) / 2


def tile_anchors(
    shapes: Tensor, rows: int, columns: int, stride: float | tuple[float, float], offset: float = 0.0
) -> Tensor:
    """Return the anchors of all places of a map, (rows * columns * A, 4), by row, column and shape.

    Args:
        shapes: The anchors of one place, (A, 4), around the origin.
        rows: Height of the map.
        columns: Width of the map.
        stride: Distance of two places in pixels, or those of two rows and of two columns.
        offset: Where in its cell a place is: 0 for the cell's corner, 0.5 for its center.
    """
    down, across = stride if isinstance(stride, tuple) else (stride, stride)
    y = (torch.arange(rows, device=shapes.device) + offset) * down
    x = (torch.arange(columns, device=shapes.device) + offset) * across
    y, x = torch.meshgrid(y, x, indexing="ij")
    return (torch.stack([x, y, x, y], dim=-1)[:, :, None] + shapes).flatten(0, 2)


def encode_boxes(boxes: Tensor, anchors: Tensor, weights: Sequence[float] = (1, 1, 1, 1)) -> Tensor:
    """Return the offsets (..., 4) of boxes (..., 4) from their anchors (..., 4), each times its weight."""
    box, anchor = convert_to_centers(boxes), convert_to_centers(anchors)
    centers = (box[..., :2] - anchor[..., :2]) / anchor[..., 2:]
    return torch.cat([centers, (box[..., 2:] / anchor[..., 2:]).log()], dim=-1) * boxes.new_tensor(weights)


def decode_boxes(offsets: Tensor, anchors: Tensor, weights: Sequence[float] = (1, 1, 1, 1)) -> Tensor:
    """Return the boxes (..., 4) at offsets (..., 4) from anchors (..., 4): the inverse of `encode_boxes`."""
    anchor, offsets = convert_to_centers(anchors), offsets / offsets.new_tensor(weights)
    centers = anchor[..., :2] + offsets[..., :2] * anchor[..., 2:]
    sizes = anchor[..., 2:] * offsets[..., 2:].clamp(max=MAX_LOG_SIZE).exp()
    return convert_to_corners(torch.cat([centers, sizes], dim=-1))


def assign(iou: Tensor, positive: float, negative: float, keep_best: bool = False) -> Tensor:
    """Return for each anchor (A,) the number of its object, or BACKGROUND, or IGNORED.

    Args:
        iou: IoU of each object with each anchor, (objects, A).
        positive: An anchor with at least this IoU predicts the object with which it has the largest.
        negative: An anchor whose largest IoU is below is background; between the two, it is ignored.
        keep_best: Whether an object's best anchors, below `positive` too, predict their own best object (Ren et al.
            2015, section 3.1.2): without, an object may have no anchor at all.
    """
    if not len(iou):
        return torch.full(iou.shape[1:], BACKGROUND, device=iou.device)
    largest, best = iou.max(dim=0)
    assignment = torch.where(largest >= positive, best, torch.where(largest < negative, BACKGROUND, IGNORED))
    if keep_best:
        is_best = ((iou == iou.amax(dim=1, keepdim=True)) & (iou > 0)).any(dim=0)
        assignment = torch.where(is_best, best, assignment)
    return assignment


def sample(assignment: Tensor, count: int, positive_share: float) -> tuple[Tensor, Tensor]:
    """Return the numbers of random anchors with an object and of random anchors of the background.

    Args:
        assignment: Of each anchor, as `assign` returns it.
        count: How many of both; the background fills up what objects leave, as far as there is background.
        positive_share: Largest share of those with an object.
    """
    positives, negatives = (assignment >= 0).nonzero()[:, 0], (assignment == BACKGROUND).nonzero()[:, 0]
    number = min(len(positives), int(count * positive_share))
    selection = positives[torch.randperm(len(positives), device=positives.device)[:number]]
    rest = negatives[torch.randperm(len(negatives), device=negatives.device)[: count - number]]
    return selection, rest
