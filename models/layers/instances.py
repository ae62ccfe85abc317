"""Instances: detected objects with a mask each, from the small mask of a box to the pixels of an image.

A network predicts the mask of an object in a frame of a few pixels, whatever the size of its box: 28x28 in Mask R-CNN.
`paste` resizes it to the box. Its border pixels lie half outside of their neighbors, so one pixel of zeros is added
around the mask, and the box grows by the same factor, (28 + 2) / 28 (torchvision and the authors' code do so, too).
"""

from typing import NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor

PADDING = 1  # pixels of zeros around a mask


class Instances(NamedTuple):
    """Objects that a network finds in one image, with the highest score first.

    Attributes:
        boxes: Corners in pixels, (n, 4).
        scores: From 0 to 1, (n,).
        labels: Class indices, (n,), int64.
        masks: Probability that a pixel of the box belongs to the object, (n, size, size).
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor
    masks: Tensor

    def select(self, rows: Tensor) -> Self:
        """Return some of the objects, by numbers or by a mask."""
        return self._replace(**{name: values[rows] for name, values in self._asdict().items()})

    def resize(self, factors: Tensor) -> Self:
        """Return the objects with boxes times `factors`, two of x and y."""
        return self._replace(boxes=self.boxes * factors.repeat(2))


def paste(instances: Instances, height: int, width: int) -> Tensor:
    """Return the probability of each object at each pixel of an image, (n, height, width); 0 outside of its box."""
    size = instances.masks.shape[-1]
    masks = F.pad(instances.masks, (PADDING,) * 4)
    centers = (instances.boxes[:, :2] + instances.boxes[:, 2:]) / 2
    half = (instances.boxes[:, 2:] - instances.boxes[:, :2]) / 2 * ((size + 2 * PADDING) / size)
    corners = torch.cat([centers - half, centers + half], dim=1).long().tolist()
    pasted = masks.new_zeros(len(masks), height, width)
    for image, mask, (x1, y1, x2, y2) in zip(pasted, masks, corners, strict=True):
        rows, columns = slice(max(y1, 0), min(y2 + 1, height)), slice(max(x1, 0), min(x2 + 1, width))
        if rows.start < rows.stop and columns.start < columns.stop:
            frame = F.interpolate(mask[None, None], size=(y2 - y1 + 1, x2 - x1 + 1), mode="bilinear")[0, 0]
            image[rows, columns] = frame[rows.start - y1 : rows.stop - y1, columns.start - x1 : columns.stop - x1]
    return pasted
