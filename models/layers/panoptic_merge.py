"""One map from two: instances with masks, which may overlap, and a class per pixel become segments that don't.

The rules are those of Kirillov, He, Girshick, Rother, Dollar, Panoptic segmentation (2018), section 7, and of
Panoptic feature pyramid networks (2019), section 3:

    1. Instances are taken from the highest score down. Of its mask, an instance gets the pixels that are still free; it
       is left out if that is less than half of its mask.
    2. Each class of stuff gets all other pixels at which it is the most probable, as one segment, unless these are
       fewer than a smallest area.
    3. All pixels that are left, also those that are most probably of a thing, belong to no segment.
"""

from typing import NamedTuple

import torch
from torch import Tensor

OVERLAP = 0.5  # share of an instance's mask that must be free


class Segments(NamedTuple):
    """The segments of an image.

    Attributes:
        ids: The segment of each pixel, (height, width), int64; 0 for none.
        labels: The class of each segment, of id 1, 2 and so on, (n,): things first, then stuff.
        scores: The score of each segment that is an instance, (things,), fewer than n.
    """

    ids: Tensor
    labels: Tensor
    scores: Tensor


def merge(
    masks: Tensor, labels: Tensor, scores: Tensor, stuff: Tensor, num_things: int, stuff_area_limit: int
) -> Segments:
    """Return the segments of an image.

    Args:
        masks: Masks of instances (n, height, width), bool.
        labels: Their classes, (n,).
        scores: Their scores, (n,).
        stuff: The class of each pixel (height, width): 0 for things, k for the stuff with the index k - 1.
        num_things: The number of classes of things, after which those of stuff are counted.
        stuff_area_limit: Smallest number of pixels of a segment of stuff.
    """
    ids, classes, rows = torch.zeros_like(stuff, dtype=torch.int64), [], []
    for number in scores.argsort(descending=True, stable=True).tolist():
        area, free = int(masks[number].sum()), masks[number] & (ids == 0)
        if area and int(free.sum()) >= OVERLAP * area:
            classes.append(int(labels[number]))
            rows.append(number)
            ids[free] = len(classes)
    for label in stuff[ids == 0].unique().tolist():
        region = (stuff == label) & (ids == 0)
        if label and int(region.sum()) >= stuff_area_limit:
            classes.append(num_things + label - 1)
            ids[region] = len(classes)
    return Segments(ids, torch.tensor(classes, dtype=torch.int64), scores[rows])
