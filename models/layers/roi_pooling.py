"""RoI pooling: Girshick, Fast R-CNN (arXiv:1504.08083), section 2.1.

A region of interest of any size becomes a map of one size. Its box is rounded to cells of the feature map, both ends
included, and n cells are divided into bins: of b bins, bin i has the cells from floor(i n / b) up to, but without,
ceil((i + 1) n / b), so that bins may share a cell. Each bin outputs its maximum, or 0 if it is outside the map.

`roi_pool` returns what `torchvision.ops.roi_pool` does, which detectors call because it is faster.
"""

import torch
from torch import Tensor


def roi_pool(features: Tensor, boxes: list[Tensor], output_size: int, spatial_scale: float = 1.0) -> Tensor:
    """Return the maximum of each bin of each box, (boxes of all images, channels, output_size, output_size).

    Args:
        features: Maps (N, channels, height, width).
        boxes: Corners of each image's boxes in pixels of the image, (n, 4) per image.
        output_size: Rows and columns of bins.
        spatial_scale: Size of the maps relative to the images, such as 1/16.
    """
    height, width = features.shape[2:]
    pooled = features.new_zeros(sum(map(len, boxes)), features.shape[1], output_size, output_size)
    numbers = iter(range(len(pooled)))
    for fmap, corners in zip(features, boxes, strict=True):
        for x1, y1, x2, y2 in _cells(corners * spatial_scale):
            number = next(numbers)
            for row, rows in enumerate(_bins(y1, y2, height, output_size, features.dtype)):
                for column, columns in enumerate(_bins(x1, x2, width, output_size, features.dtype)):
                    cells = fmap[:, rows, columns].flatten(1)
                    if cells.shape[1]:
                        pooled[number, :, row, column] = cells.amax(dim=1)
    return pooled


def _cells(corners: Tensor) -> list[list[int]]:
    """Return corners (n, 4) rounded to cells; halves away from 0, as in C."""
    return (corners.double().abs() + 0.5).floor().mul(corners.sign()).long().tolist()


def _bins(first: int, last: int, size: int, count: int, dtype: torch.dtype) -> list[slice]:
    """Return the cells of each bin of a box from the cell `first` to the cell `last`, in a map of `size` cells.

    The size of a bin has the precision of the map, as in torchvision: rounded up, it may add a cell to a bin.
    """
    numbers = torch.arange(count + 1, dtype=dtype)
    bin_size = torch.tensor(max(last - first + 1, 1), dtype=dtype) / count
    starts = (numbers[:-1] * bin_size).floor().long() + first
    ends = (numbers[1:] * bin_size).ceil().long() + first
    return [slice(*pair) for pair in zip(starts.clamp(0, size).tolist(), ends.clamp(0, size).tolist(), strict=True)]
