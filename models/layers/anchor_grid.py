"""The anchors of YOLO v2 and v3 in all cells of their grids, and boxes relative to them.

A grid has cells of `stride` pixels, each with the same few anchors of width p_w and height p_h. A network outputs t_x,
t_y, t_w, t_h for each, which stand for the box (YOLO9000, section 2)

    center      (sigmoid(t_x) + column) stride,  (sigmoid(t_y) + row) stride
    size        p_w exp(t_w),  p_h exp(t_h)

so that its center stays in its cell. Boxes of all grids are in one sequence, by grid, row, column and anchor.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.layers.anchors import MAX_LOG_SIZE, tile_anchors
from models.layers.boxes import convert_to_centers, convert_to_corners, paired_iou


class Targets(NamedTuple):
    """The objects of a batch, each with the box of the grids that is responsible for it.

    Attributes:
        images: Number of its image, (n,).
        places: Number of the responsible box, (n,). No two objects of an image have the same.
        values: sigmoid(t_x), sigmoid(t_y), t_w and t_h that this box is to have, (n, 4).
        boxes: Corners of the object in pixels, (n, 4).
        labels: Its class, (n,).
    """

    images: Tensor
    places: Tensor
    values: Tensor
    boxes: Tensor
    labels: Tensor


class AnchorGrid(nn.Module):
    """The anchors of one or several grids.

    Args:
        sizes: For each grid the width and the height of its anchors, in pixels.
        strides: For each grid the height and width of a cell, in pixels.
        image_size: Height and width of the image, in pixels.

    Attributes:
        count: Number of boxes of all grids.
    """

    corners: Tensor  # upper left corner of the cell of each box, (count, 2)
    priors: Tensor  # width and height of its anchor, (count, 2)
    strides: Tensor  # of its grid, (count, 1)
    shapes: Tensor  # width and height of the anchors of a cell of each grid, (A, 2)

    def __init__(self, sizes: Sequence[Sequence[Sequence[float]]], strides: Sequence[int], image_size: int):
        super().__init__()
        if len(sizes) != len(strides) or len({len(grid) for grid in sizes}) != 1:
            raise ValueError("anchors must be as many for each grid, each a width and a height in pixels")
        if min(min(size) for grid in sizes for size in grid) <= 0:
            raise ValueError("the width and the height of an anchor must be above 0")
        self._rows = [image_size // stride for stride in strides]
        self._strides, self._per_cell = list(strides), len(sizes[0])
        grids = []
        for grid, stride, rows in zip(sizes, strides, self._rows, strict=True):
            half = torch.tensor(grid, dtype=torch.float32) / 2
            anchors = convert_to_centers(tile_anchors(torch.cat([-half, half], dim=1), rows, rows, stride))
            grids.append(torch.cat([anchors, torch.full((len(anchors), 1), float(stride))], dim=1))
        table = torch.cat(grids)
        self.count = len(table)
        # Not persistent: they follow from the arguments, and are not learned.
        self.register_buffer("corners", table[:, :2].clone(), persistent=False)
        self.register_buffer("priors", table[:, 2:4].clone(), persistent=False)
        self.register_buffer("strides", table[:, 4:].clone(), persistent=False)
        self.register_buffer("shapes", torch.tensor(sizes, dtype=torch.float32).flatten(0, 1), persistent=False)

    def decode(self, t: Tensor) -> Tensor:
        """Return the corners (..., count, 4) in pixels of boxes whose outputs are t (..., count, 4)."""
        centers = self.corners + t[..., :2].sigmoid() * self.strides
        # A box of more than 62.5 times its anchor is useless, and exp could overflow.
        sizes = self.priors * t[..., 2:].clamp(max=MAX_LOG_SIZE).exp()
        return convert_to_corners(torch.cat([centers, sizes], dim=-1))

    def find_targets(self, boxes: Tensor, labels: Tensor, mask: Tensor) -> Targets:
        """Return the objects of a batch; of two for which the same box is responsible, the first one.

        Args:
            boxes: Corners in pixels, (N, M, 4).
            labels: Classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        images, objects = mask.nonzero(as_tuple=True)
        corners = boxes[images, objects].float()
        places = self.find_places(corners)
        numbers = torch.arange(len(images), device=boxes.device)
        first = numbers.new_full((len(boxes) * self.count,), len(images))
        keys = images * self.count + places
        first.scatter_reduce_(0, keys, numbers, "amin")
        is_first = first[keys] == numbers
        images, objects, places, corners = images[is_first], objects[is_first], places[is_first], corners[is_first]
        return Targets(images, places, self.encode(corners, places), corners, labels[images, objects])

    def encode(self, boxes: Tensor, places: Tensor) -> Tensor:
        """Return sigmoid(t_x), sigmoid(t_y), t_w and t_h (n, 4) of boxes.

        Args:
            boxes: Corners in pixels, (n, 4).
            places: Which box of the grids is to have each of these values, (n,).
        """
        centers = convert_to_centers(boxes)
        in_cell = (centers[:, :2] - self.corners[places]) / self.strides[places]
        return torch.cat([in_cell, (centers[:, 2:] / self.priors[places]).log()], dim=1)

    def find_places(self, boxes: Tensor) -> Tensor:
        """Return which box of the grids is responsible for each of the boxes (n, 4), given as corners in pixels: (n,).

        It is the anchor with the largest IoU, if both had the same center, in the cell that contains the box's center.
        """
        centers = convert_to_centers(boxes)
        half = torch.cat([-self.shapes, self.shapes], dim=1) / 2
        own = torch.cat([-centers[:, 2:], centers[:, 2:]], dim=1) / 2
        best = paired_iou(own[:, None], half).argmax(dim=1)
        starts = [0]
        for rows in self._rows:
            starts.append(starts[-1] + rows * rows * self._per_cell)
        grid, anchor = best // self._per_cell, best % self._per_cell
        rows_of, stride_of, start_of = (
            torch.tensor(values, device=boxes.device)[grid] for values in (self._rows, self._strides, starts[:-1])
        )
        cells = torch.minimum((centers[:, :2] / stride_of[:, None]).long().clamp(min=0), rows_of[:, None] - 1)
        return start_of + (cells[:, 1] * rows_of + cells[:, 0]) * self._per_cell + anchor

    def prior_boxes(self) -> Tensor:
        """Return the corners of the anchors themselves, in the middle of their cells, (count, 4)."""
        return convert_to_corners(torch.cat([self.corners + self.strides / 2, self.priors], dim=1))
