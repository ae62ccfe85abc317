"""Selective search: Uijlings, van de Sande, Gevers, Smeulders, Selective search for object recognition (2013).

    scene_proposals()        the proposals for every image of `region-scenes`, in the order of `region_scenes.load()`
                             (3000, 64, 4), float32: x1, y1, x2, y2 in pixels, the last merged regions first, zeros
                             after an image's last proposal (x2 > x1 is the mask). Computed once, then cached.
    propose(image, count)    the proposals for one image (3, height, width), uint8: (n, 4), n <= count

The image is divided into small regions. Then the two neighbors that are most similar are merged, again and again, until
the whole image is one region; the box of every region on the way is a proposal. The similarity of two regions is the
sum of four, each from 0 to 1:

    color      intersection of their histograms of color
    texture    intersection of their histograms of gradients
    size       1 - the share of the image that both cover, so that small regions are merged first
    fill       1 - the share of the image that is in their common box, but in neither

The paper merges from several divisions and in several color spaces, and has about 2,000 proposals for an image. Here it
is one division in RGB. Gradients are those of a Gaussian with sigma = 1, in 8 directions.

The rows of a split are those of the dataset, because `data.load` shuffles by the seed alone:

    proposals = data.split((scene_proposals(),), data.held_out(3000), seed)["train"][0]
"""

from collections.abc import Iterator

import numpy as np

from workbench.data import region_scenes
from workbench.data.cache import kept
from workbench.data.regions import segment

PROPOSALS = 64  # per image, at most
SCALE, MIN_SIZE = 100.0, 20  # of the regions, for images of 64x64 pixels
COLOR_BINS, DIRECTIONS, GRADIENT_BINS = 25, 8, 10
VERSION = 1  # for other proposals, another one: what is cached under the old name stays


def propose(image: np.ndarray, count: int = PROPOSALS) -> np.ndarray:
    """Return the proposals for an image.

    Args:
        image: (3, height, width), uint8.
        count: Largest number of proposals.

    Returns:
        Corners (n, 4), float32: x1, y1, x2, y2 in pixels, without duplicates; the regions that were merged last, which
        are the largest, come first.
    """
    labels = segment(image, SCALE, MIN_SIZE)
    boxes = list(dict.fromkeys(reversed(list(merge(image, labels)))))
    return np.array(boxes[:count], np.float32)


def merge(image: np.ndarray, labels: np.ndarray) -> Iterator[tuple[int, int, int, int]]:
    """Yield the box of each region, then that of each region that two merge into, until one is left.

    Args:
        image: (channels, height, width), from 0 to 255.
        labels: The region of each pixel (height, width), numbered from 0.
    """
    count = int(labels.max()) + 1
    total = 2 * count - 1  # of regions, merged ones included
    sizes, boxes = np.zeros(total), np.zeros((total, 4))
    sizes[:count] = np.bincount(labels.ravel())
    boxes[:count] = _boxes(labels, count)
    colors, textures = (
        np.concatenate([values, np.zeros((count - 1, values.shape[1]))])
        for values in (_color_histograms(image, labels, count), _texture_histograms(image, labels, count))
    )
    neighbors = np.zeros((total, total), bool)
    neighbors[:count, :count] = _neighbors(labels, count)
    similarity = np.full((total, total), -np.inf)

    def compare(region: int) -> None:
        """Fill in the similarity of a region with its neighbors."""
        others = neighbors[region].nonzero()[0]
        low = np.minimum(boxes[region, :2], boxes[others, :2])
        high = np.maximum(boxes[region, 2:], boxes[others, 2:])
        both = sizes[region] + sizes[others]
        color = np.minimum(colors[region], colors[others]).sum(axis=1)
        texture = np.minimum(textures[region], textures[others]).sum(axis=1)
        size = 1 - both / labels.size
        fill = 1 - ((high - low).prod(axis=1) - both) / labels.size
        similarity[region, others] = similarity[others, region] = color + texture + size + fill

    for region in range(count):
        compare(region)
        yield _corners(boxes[region])
    for region in range(count, total):
        a, b = divmod(int(similarity[:region, :region].argmax()), region)
        sizes[region] = sizes[a] + sizes[b]
        boxes[region] = *np.minimum(boxes[a, :2], boxes[b, :2]), *np.maximum(boxes[a, 2:], boxes[b, 2:])
        for histograms in (colors, textures):
            histograms[region] = (sizes[a] * histograms[a] + sizes[b] * histograms[b]) / sizes[region]
        joined = neighbors[a] | neighbors[b]
        joined[[a, b]] = False
        for merged in (a, b):
            neighbors[merged] = neighbors[:, merged] = False
            similarity[merged] = similarity[:, merged] = -np.inf
        neighbors[region] = neighbors[:, region] = joined
        compare(region)
        yield _corners(boxes[region])


def _corners(box: np.ndarray) -> tuple[int, int, int, int]:
    x1, y1, x2, y2 = (int(value) for value in box)
    return x1, y1, x2, y2


def _boxes(labels: np.ndarray, count: int) -> np.ndarray:
    """Return the corners of each region (count, 4)."""
    from scipy.ndimage import find_objects  # here, because SciPy takes long to import

    spans = find_objects(labels + 1, count)
    return np.array([(columns.start, rows.start, columns.stop, rows.stop) for rows, columns in spans])


def _neighbors(labels: np.ndarray, count: int) -> np.ndarray:
    """Return which regions share an edge of a pixel (count, count)."""
    neighbors = np.zeros((count, count), bool)
    for one, other in ((labels[:, 1:], labels[:, :-1]), (labels[1:], labels[:-1])):
        neighbors[one, other] = neighbors[other, one] = True
    np.fill_diagonal(neighbors, False)
    return neighbors


def _color_histograms(image: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the histograms of each region (count, channels * 25), each with the sum 1."""
    return _histograms([channel.astype(np.int64) * COLOR_BINS // 256 for channel in image], COLOR_BINS, labels, count)


def _texture_histograms(image: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the histograms of gradients of each region (count, channels * 8 * 10), each with the sum 1.

    A gradient counts in each direction by its component there, if that is above 0.
    """
    from scipy.ndimage import gaussian_filter

    channels = image.astype(np.float64)
    down, right = (gaussian_filter(channels, (0, 1, 1), order=order) for order in ((0, 1, 0), (0, 0, 1)))
    angles = 2 * np.pi * np.arange(DIRECTIONS) / DIRECTIONS
    bins = []
    for angle in angles:
        component = np.cos(angle) * right + np.sin(angle) * down
        bins += list((component.clip(0, 127) * GRADIENT_BINS / 128).astype(np.int64))
    return _histograms(bins, GRADIENT_BINS, labels, count)


def _histograms(maps: list[np.ndarray], bins: int, labels: np.ndarray, count: int) -> np.ndarray:
    """Return the histograms of maps of bins, side by side, for each region; each row has the sum 1."""
    columns = [
        np.bincount((labels * bins + numbers).ravel(), minlength=count * bins).reshape(count, bins) for numbers in maps
    ]
    histograms = np.concatenate(columns, axis=1).astype(np.float64)
    return histograms / histograms.sum(axis=1, keepdims=True)


def scene_proposals() -> np.ndarray:
    """Return the proposals for all images of `region-scenes`, in the order of `region_scenes.load()`.

    Returns:
        Corners (3000, 64, 4), float32, zeros after an image's last proposal.
    """
    (proposals,) = kept(f"region-scenes-proposals-v{VERSION}", lambda: (propose_all(region_scenes.load()[0]),))
    proposals.flags.writeable = False
    return proposals


def propose_all(images: np.ndarray) -> np.ndarray:
    """Return the proposals for images (N, 3, height, width), as corners (N, 64, 4), zeros after the last."""
    proposals = np.zeros((len(images), PROPOSALS, 4), np.float32)
    for row, image in zip(proposals, images, strict=True):
        boxes = propose(image)
        row[: len(boxes)] = boxes
    return proposals
