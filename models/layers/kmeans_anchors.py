"""Anchors from the sizes of a dataset's boxes, by k-means: Redmon, Farhadi, YOLO9000 (arXiv:1612.08242), section 2.

    size_iou(sizes, anchors)     IoU of boxes that share their top-left corner
    kmeans_anchors(sizes, k)     k anchors

The distance of a box to an anchor is 1 - IoU. By Euclidean distance, large boxes would count more than small ones.
"""

import torch
from torch import Tensor

MAX_ROUNDS = 300


def size_iou(sizes: Tensor, anchors: Tensor) -> Tensor:
    """Return the IoU (n, k) of sizes (n, 2) with anchors (k, 2), both width and height, at a common corner."""
    intersection = torch.minimum(sizes[:, None], anchors).prod(dim=-1)
    return intersection / (sizes.prod(dim=-1)[:, None] + anchors.prod(dim=-1) - intersection)


def kmeans_anchors(sizes: Tensor, k: int, generator: torch.Generator, restarts: int = 10) -> Tensor:
    """Return the widths and heights (k, 2) of anchors, the smallest area first.

    Each round assigns every box to the anchor with which it has the largest IoU; then an anchor is the mean of its
    boxes. The anchors begin as k of the boxes. Of several restarts, that with the largest mean IoU of a box and its
    best anchor is returned.

    Args:
        sizes: Widths and heights of boxes, (n, 2).
        k: Number of anchors.
        generator: Draws the boxes to begin with.
        restarts: Number of restarts.

    Raises:
        ValueError: If a size is not above 0, or there are fewer than k different ones.
    """
    if not (sizes > 0).all():  # NaN included
        raise ValueError("widths and heights must be above 0")
    distinct = sizes.unique(dim=0)
    if not 1 <= k <= len(distinct):
        raise ValueError(f"k must be from 1 to {len(distinct)}, the number of different sizes, not {k}")
    results = []
    for _ in range(restarts):
        anchors = distinct[torch.randperm(len(distinct), generator=generator)[:k]]
        results.append(_refine(sizes, anchors))
    best = max(results, key=lambda anchors: float(size_iou(sizes, anchors).amax(dim=1).mean()))
    return best[best.prod(dim=1).argsort()]


def _refine(sizes: Tensor, anchors: Tensor) -> Tensor:
    """Return the anchors (k, 2) after rounds of k-means, until no box changes its anchor."""
    assignment = torch.full((len(sizes),), -1)
    for _ in range(MAX_ROUNDS):
        nearest = size_iou(sizes, anchors).argmax(dim=1)
        if torch.equal(nearest, assignment):
            break
        assignment = nearest
        anchors = torch.stack(
            [
                sizes[assignment == index].mean(dim=0) if (assignment == index).any() else anchor
                for index, anchor in enumerate(anchors)
            ]
        )
    return anchors
