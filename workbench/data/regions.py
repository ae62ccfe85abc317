"""Regions of an image: Felzenszwalb, Huttenlocher, Efficient graph-based image segmentation (2004).

Pixels are the nodes of a graph, and an edge joins each pixel with its 8 neighbors; its weight is the distance of their
colors. At first, each pixel is a region. From the smallest weight up, an edge merges the regions of its ends if its
weight is at most

    min(Int(A) + scale/|A|, Int(B) + scale/|B|)

where Int is the largest weight within a region so far, and |A| its number of pixels. So regions may vary as much as
they do already, and small ones a little more. A larger `scale` gives larger regions.
"""

import numpy as np

NEIGHBORS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows down and columns right, each pair of pixels once


def segment(image: np.ndarray, scale: float, min_size: int, sigma: float = 0.8) -> np.ndarray:
    """Return the region of each pixel (height, width), int64, numbered from 0.

    Args:
        image: (channels, height, width), from 0 to 255.
        scale: Preference for large regions.
        min_size: Pixels of the smallest region; smaller ones are merged with the neighbor of most similar color.
        sigma: Standard deviation of the Gaussian, in pixels, that smooths the image first.
    """
    from scipy.ndimage import gaussian_filter  # here, because SciPy takes long to import

    smooth = gaussian_filter(image.astype(np.float64), (0, sigma, sigma))
    weights, first, second = _edges(smooth)
    pixels = image[0].size
    parents, sizes, limits = list(range(pixels)), [1] * pixels, [float(scale)] * pixels

    def root(pixel: int) -> int:
        while parents[pixel] != pixel:
            parents[pixel] = parents[parents[pixel]]
            pixel = parents[pixel]
        return pixel

    def merge(a: int, b: int, weight: float) -> None:
        if sizes[a] < sizes[b]:
            a, b = b, a
        parents[b] = a
        sizes[a] += sizes[b]
        limits[a] = weight + scale / sizes[a]  # edges are in the order of their weights, so this is the largest

    between = []
    for weight, pixel, other in zip(weights, first, second, strict=True):
        if parents[pixel] == parents[other]:  # most edges are within a region
            continue
        a, b = root(pixel), root(other)
        if a != b:
            if weight <= limits[a] and weight <= limits[b]:
                merge(a, b, weight)
            else:
                between.append((weight, pixel, other))
    for weight, pixel, other in between:
        a, b = root(pixel), root(other)
        if a != b and min(sizes[a], sizes[b]) < min_size:
            merge(a, b, weight)
    roots = [root(pixel) for pixel in range(pixels)]
    return np.unique(roots, return_inverse=True)[1].reshape(image.shape[1:])


def _edges(image: np.ndarray) -> tuple[list[float], list[int], list[int]]:
    """Return the weights of all edges in ascending order, and the pixels that each joins, numbered row by row."""
    height, width = image.shape[1:]
    numbers = np.arange(height * width).reshape(height, width)
    weights, pairs = [], []
    for down, right in NEIGHBORS:
        here = slice(0, height - down), slice(max(0, -right), width - max(0, right))
        there = slice(down, height), slice(max(0, right), width - max(0, -right))
        weights.append(np.sqrt(np.square(image[:, *here] - image[:, *there]).sum(axis=0)).ravel())
        pairs.append(np.stack([numbers[here].ravel(), numbers[there].ravel()]))
    all_weights, all_pairs = np.concatenate(weights), np.concatenate(pairs, axis=1)
    order = all_weights.argsort(kind="stable")
    first, second = all_pairs[:, order].tolist()
    return all_weights[order].tolist(), first, second
