"""Anchors by k-means against torchvision's IoU, a loop over boxes, and boxes whose clusters are known."""

import pytest
import torch
import torchvision.ops

from models.layers.kmeans_anchors import kmeans_anchors, size_iou


def corners(sizes):
    return torch.cat([torch.zeros_like(sizes), sizes], dim=1)


def anchors_of(sizes, k, seed=0, **options):
    return kmeans_anchors(sizes, k, torch.Generator().manual_seed(seed), **options)


def test_the_iou_of_sizes_is_torchvisions_of_boxes_with_a_common_corner():
    sizes, anchors = 1 + 50 * torch.rand(30, 2), 1 + 50 * torch.rand(4, 2)
    torch.testing.assert_close(size_iou(sizes, anchors), torchvision.ops.box_iou(corners(sizes), corners(anchors)))


def test_golden_cases_are_assigned_as_in_the_course():
    assert size_iou(torch.tensor([[10.0, 10]]), torch.tensor([[8.0, 8], [20, 20]]))[0].tolist() == pytest.approx(
        [0.64, 0.25]
    )
    closer = size_iou(torch.tensor([[20.0, 20]]), torch.tensor([[12.0, 12], [30, 30]]))[0]
    assert closer.tolist() == pytest.approx([0.36, 4 / 9])  # by Euclidean distance it would be the first


@pytest.mark.parametrize("seed", range(3))
def test_each_anchor_is_the_mean_of_the_boxes_that_overlap_it_most(seed):
    sizes = 1 + 50 * torch.rand(60, 2, generator=torch.Generator().manual_seed(seed))
    anchors = anchors_of(sizes, 4, seed)
    clusters = {index: [] for index in range(4)}
    for width, height in sizes.tolist():
        overlaps = []
        for other_width, other_height in anchors.tolist():
            shared = min(width, other_width) * min(height, other_height)
            overlaps.append(shared / (width * height + other_width * other_height - shared))
        clusters[overlaps.index(max(overlaps))].append((width, height))
    for index, members in clusters.items():
        mean = [sum(column) / len(members) for column in zip(*members, strict=True)]
        assert anchors[index].tolist() == pytest.approx(mean, rel=1e-5)
    assert anchors.prod(dim=1).tolist() == sorted(anchors.prod(dim=1).tolist())


def test_separate_clusters_are_recovered():
    centers = torch.tensor([[5.0, 5], [10, 40], [40, 10], [60, 60]])
    noise = torch.randn(4, 50, 2, generator=torch.Generator().manual_seed(0))
    sizes = (centers[:, None] * (1 + 0.03 * noise)).flatten(0, 1)
    anchors = anchors_of(sizes, 4)
    assert (anchors - centers[[0, 1, 2, 3]]).abs().max() < 1 or (anchors - centers[[0, 2, 1, 3]]).abs().max() < 1


def test_more_restarts_are_at_least_as_good():
    sizes = 1 + 50 * torch.rand(80, 2, generator=torch.Generator().manual_seed(5)) ** 2

    def quality(restarts):
        return size_iou(sizes, anchors_of(sizes, 6, restarts=restarts)).amax(dim=1).mean().item()

    assert quality(1) <= quality(5) <= quality(10) < 1


def test_as_many_anchors_as_sizes_are_the_sizes():
    sizes = torch.tensor([[3.0, 4], [10, 2], [3, 4], [7, 7]])
    assert sorted(anchors_of(sizes, 3).tolist()) == [[3, 4], [7, 7], [10, 2]]


@pytest.mark.parametrize(
    ("sizes", "k", "message"),
    [
        ([[1.0, 1], [2, 2]], 3, "k must be from 1 to 2"),
        ([[1.0, 1], [1, 1]], 2, "k must be from 1 to 1"),
        ([[1.0, 1], [0, 2]], 1, "must be above 0"),
        ([[1.0, 1], [float("nan"), 2]], 1, "must be above 0"),
        ([[1.0, 1]], 0, "k must be"),
    ],
)
def test_impossible_sizes_and_numbers_are_rejected(sizes, k, message):
    with pytest.raises(ValueError, match=message):
        anchors_of(torch.tensor(sizes), k)
