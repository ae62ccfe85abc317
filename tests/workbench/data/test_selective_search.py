"""Regions and selective search against the papers' definitions, by sets of pixels, and the recall of scenes."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from torchvision.ops import box_iou

from workbench.data import region_scenes, selective_search, shape_scenes
from workbench.data.regions import segment
from workbench.data.selective_search import merge, propose


def random_image(seed, size=9):
    """Return a small image of a few colors with noise."""
    rng = np.random.default_rng(seed)
    colors = rng.integers(0, 256, (4, 3))
    blocks = np.kron(rng.integers(0, 4, (3, 3)), np.ones((3, 3), int))[:size, :size]
    return (colors[blocks].transpose(2, 0, 1) + rng.integers(-12, 13, (3, size, size))).clip(0, 255).astype(np.uint8)


def segment_by_sets(image, scale, min_size, sigma):
    """Run the algorithm of section 4 of the paper with sets of pixels, and the largest weights of minimum trees."""
    smooth = gaussian_filter(image.astype(float), (0, sigma, sigma))
    _, height, width = image.shape
    pixels = [(row, column) for row in range(height) for column in range(width)]
    edges = [
        (math.dist(smooth[:, *a], smooth[:, *b]), a, b)
        for a, b in combinations(pixels, 2)
        if max(abs(a[0] - b[0]), abs(a[1] - b[1])) == 1
    ]
    edges.sort()
    region, largest = {pixel: frozenset([pixel]) for pixel in pixels}, {}

    def join(a, b, weight):
        union = a | b
        largest[union] = weight
        region.update(dict.fromkeys(union, union))

    for weight, a, b in edges:
        one, other = region[a], region[b]
        limits = [largest.get(members, 0) + scale / len(members) for members in (one, other)]
        if one != other and weight <= min(limits):
            join(one, other, weight)
    for weight, a, b in edges:
        one, other = region[a], region[b]
        if one != other and min(len(one), len(other)) < min_size:
            join(one, other, weight)
    return set(region.values())


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("scale", "min_size"), [(30, 1), (100, 1), (100, 6)])
def test_regions_are_the_papers_by_sets_of_pixels(seed, scale, min_size):
    image = random_image(seed)
    labels = segment(image, scale, min_size, sigma=0.4)
    ours = {frozenset(zip(*np.nonzero(labels == k), strict=True)) for k in range(labels.max() + 1)}
    assert ours == segment_by_sets(image, scale, min_size, sigma=0.4)


def test_regions_of_an_image_of_one_color_and_of_one_pixel():
    assert segment(np.full((3, 8, 8), 7, np.uint8), 1, 1).max() == 0
    assert segment(np.zeros((3, 1, 1), np.uint8), 1, 1).tolist() == [[0]]


def test_two_halves_are_two_regions():
    image = np.zeros((3, 20, 20), np.uint8)
    image[:, :, 10:] = 255
    labels = segment(image, 50, 30)
    assert labels[:, :8].max() == labels[:, :8].min() != labels[:, 12:].min() == labels[:, 12:].max()
    assert labels.max() == 1


def histograms(image, mask):
    """Return the histograms of the color and of the gradients of a region's pixels, each with the sum 1."""
    color = [np.histogram(channel[mask], 25, (0, 256))[0] for channel in image]
    channels = image.astype(float)

    def smooth(axis):
        other = gaussian_filter1d(channels, 1.0, axis=3 - axis)
        return gaussian_filter1d(other, 1.0, axis=axis, order=1)

    down, right = smooth(1), smooth(2)
    texture = []
    for k in range(8):
        component = math.cos(k * math.pi / 4) * right + math.sin(k * math.pi / 4) * down
        texture += [np.histogram(one[mask].clip(0, 127.9), 10, (0, 128))[0] for one in component]
    return [np.concatenate(parts) / np.concatenate(parts).sum() for parts in (color, texture)]


def corners(mask):
    rows, columns = np.nonzero(mask)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1


def merge_by_pixels(image, labels):
    """Merge regions as section 3.2 of the paper says, with all similarities computed from the pixels each time."""
    masks = [labels == k for k in range(labels.max() + 1)]
    boxes = [corners(mask) for mask in masks]

    def touch(a, b):
        padded = np.pad(a, 1)
        grown = padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]
        return (grown & b).any()

    while len(masks) > 1:
        best = None
        for a, b in combinations(masks, 2):
            if touch(a, b):
                x1, y1, x2, y2 = corners(a | b)
                pairs = zip(histograms(image, a), histograms(image, b), strict=True)
                both = a.sum() + b.sum()
                total = sum(np.minimum(*pair).sum() for pair in pairs) + 1 - both / labels.size
                total += 1 - ((x2 - x1) * (y2 - y1) - both) / labels.size
                if best is None or total > best[0]:
                    best = total, a, b
        _, a, b = best
        masks = [mask for mask in masks if mask is not a and mask is not b] + [a | b]
        boxes.append(corners(a | b))
    return boxes


@pytest.mark.parametrize("seed", range(4))
def test_regions_merge_in_the_papers_order(seed):
    image = random_image(seed)
    labels = segment(image, 30, 2, sigma=0.4)
    assert labels.max() > 3
    assert list(merge(image, labels)) == merge_by_pixels(image, labels)


def test_proposals_are_distinct_boxes_within_the_image_and_begin_with_the_whole_image():
    images, _, _ = shape_scenes.draw_scenes(shape_scenes.options(), 5, first_seed=0)
    for image in images:
        boxes = propose(image)
        assert boxes.dtype == np.float32 and 1 < len(boxes) <= selective_search.PROPOSALS
        assert boxes[0].tolist() == [0, 0, 64, 64]
        assert len({tuple(box) for box in boxes.tolist()}) == len(boxes)
        assert (boxes >= 0).all() and (boxes <= 64).all() and (boxes[:, :2] < boxes[:, 2:]).all()
        assert np.array_equal(propose(image, 3), boxes[:3])
    assert propose(np.zeros((3, 1, 1), np.uint8)).tolist() == [[0, 0, 1, 1]]


def test_proposals_cover_nearly_all_objects_of_scenes():
    images, boxes, labels = shape_scenes.draw_scenes(shape_scenes.options(), 20, first_seed=100)
    proposals = selective_search.propose_all(images)
    assert proposals.shape == (20, selective_search.PROPOSALS, 4)
    overlaps = []
    for candidates, objects, classes in zip(proposals, boxes, labels, strict=True):
        is_proposal = candidates[:, 2] > candidates[:, 0]
        assert (candidates[~is_proposal] == 0).all()
        overlap = box_iou(torch.from_numpy(objects[classes >= 0]), torch.from_numpy(candidates[is_proposal]))
        overlaps += overlap.amax(dim=1).tolist()
    assert np.mean(np.array(overlaps) >= 0.5) > 0.95


def test_proposals_of_the_scenes_are_computed_once(monkeypatch, tmp_path):
    monkeypatch.setattr("workbench.data.cache.cache_dir", lambda: tmp_path)
    few = shape_scenes.draw_scenes(shape_scenes.options(), 2, first_seed=0)
    monkeypatch.setattr(region_scenes, "load", lambda: few)
    proposals = selective_search.scene_proposals()
    monkeypatch.setattr(region_scenes, "load", lambda: 1 / 0)
    assert np.array_equal(selective_search.scene_proposals(), proposals) and not proposals.flags.writeable
    assert proposals[1, : len(propose(few[0][1]))].tolist() == propose(few[0][1]).tolist()
