"""RoIAlign: He, Gkioxari, Dollar, Girshick, Mask R-CNN (arXiv:1703.06870), section 3.

A region of interest of any size becomes a map of one size, without any rounding. Its box, in units of the map, is
divided into bins of equal size. In each bin, s x s sample points are placed at the centers of a regular grid, the map
is interpolated there, and the bin outputs the mean. A point between four cells has their bilinear mean:

    f(y, x) = sum over the cells (i, j) of f[i, j] max(0, 1 - |y - i|) max(0, 1 - |x - j|)

The weights of rows and of columns are separate factors, so that a region is pooled by one matrix for its rows and one
for its columns. A point up to one cell outside the map has the value at the border, any other point outside 0.

The value of a cell belongs to its center. If `aligned`, 0.5 is therefore subtracted from the box in units of the map;
without, as in the first version of the operator, which torchvision's detectors use, the result is off by half a cell.

`roi_align` returns what `torchvision.ops.roi_align` does, which detectors call because it is faster.
"""

from math import ceil

import torch
from torch import Tensor


def roi_align(
    features: Tensor,
    boxes: list[Tensor],
    output_size: int,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
) -> Tensor:
    """Return the mean of each bin of each box, (boxes of all images, channels, output_size, output_size).

    Args:
        features: Maps (N, channels, height, width).
        boxes: Corners of each image's boxes in pixels of the image, (n, 4) per image.
        output_size: Rows and columns of bins.
        spatial_scale: Size of the maps relative to the images, such as 1/16.
        sampling_ratio: Sample points of a bin in each direction; -1 for as many as cells of the map, rounded up.
        aligned: Whether half a cell is subtracted. If not, a box has at least the size of one cell.
    """
    height, width = features.shape[2:]
    pooled = [features.new_zeros(0, features.shape[1], output_size, output_size)]
    for fmap, corners in zip(features, boxes, strict=True):
        for x1, y1, x2, y2 in corners * spatial_scale - (0.5 if aligned else 0.0):
            rows, columns = (
                bin_weights(first, last - first if aligned else (last - first).clamp(min=1), size, output_size, points)
                for first, last, size, points in ((y1, y2, height, sampling_ratio), (x1, x2, width, sampling_ratio))
            )
            pooled.append((rows @ fmap @ columns.T)[None])
    return torch.cat(pooled)


def bin_weights(first: Tensor, length: Tensor, size: int, bins: int, sampling_ratio: int) -> Tensor:
    """Return the weight of each cell of a row or column of the map in each bin, (bins, size).

    Args:
        first: Where the box begins, in cells.
        length: Its length, in cells.
        size: Cells of the map.
        bins: Bins of the box.
        sampling_ratio: Sample points of a bin; -1 for its length in cells, rounded up.
    """
    bin_size = length / bins
    points = sampling_ratio if sampling_ratio > 0 else ceil(bin_size)
    steps = torch.arange(bins * points, dtype=length.dtype, device=length.device)
    places = first + (steps.div(max(points, 1), rounding_mode="floor")) * bin_size
    places = places + (steps.remainder(max(points, 1)) + 0.5) * bin_size / max(points, 1)
    is_inside = (places >= -1) & (places <= size)
    cells = torch.arange(size, dtype=length.dtype, device=length.device)
    weights = (1 - (places.clamp(0, size - 1)[:, None] - cells).abs()).clamp(min=0) * is_inside[:, None]
    return weights.unflatten(0, (bins, points)).mean(dim=1) if points else weights.new_zeros(bins, size)
