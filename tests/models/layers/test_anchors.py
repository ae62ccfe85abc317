"""Anchors against torchvision's generator, coder, matcher and sampler."""

import pytest
import torch
import torchvision.ops
from torchvision.models.detection._utils import BalancedPositiveNegativeSampler, BoxCoder, Matcher
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.image_list import ImageList

from models.layers.anchors import anchor_shapes, assign, decode_boxes, encode_boxes, sample, tile_anchors


def random_corners(count, seed):
    generator = torch.Generator().manual_seed(seed)
    first = 40 * torch.rand(count, 2, generator=generator)
    return torch.cat([first, first + 1 + 30 * torch.rand(count, 2, generator=generator)], dim=1)


def test_anchors_of_a_map_are_torchvisions_but_for_its_rounding():
    sizes, ratios = (16.0, 48.0), (0.5, 1.0, 2.0)
    generator = AnchorGenerator((sizes,), (ratios,))
    shapes = anchor_shapes(sizes, ratios)
    torch.testing.assert_close(shapes.round(), generator.cell_anchors[0])
    images = ImageList(torch.zeros(1, 3, 64, 128), [(64, 128)])
    (theirs,) = generator(images, [torch.zeros(1, 8, 4, 4)])
    torch.testing.assert_close(tile_anchors(shapes.round(), 4, 4, (16, 32)), theirs)


def test_an_anchor_has_its_area_and_ratio_and_is_in_its_cell():
    anchors = tile_anchors(anchor_shapes((10.0,), (0.25, 1.0)), 2, 3, 8, offset=0.5)
    assert anchors.shape == (2 * 3 * 2, 4)
    width, height = (anchors[:, 2:] - anchors[:, :2]).unbind(dim=1)
    torch.testing.assert_close(width * height, torch.full((12,), 100.0))
    torch.testing.assert_close(height / width, torch.tensor([0.25, 1.0]).repeat(6))
    centers = (anchors[::2, :2] + anchors[::2, 2:]) / 2
    assert centers.tolist() == [[4, 4], [12, 4], [20, 4], [4, 12], [12, 12], [20, 12]]


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0, 1.0), (10.0, 10.0, 5.0, 5.0)])
def test_offsets_are_torchvisions_and_lead_back(weights):
    boxes, anchors = random_corners(50, 1), random_corners(50, 2)
    coder = BoxCoder(weights)
    offsets = encode_boxes(boxes, anchors, weights)
    torch.testing.assert_close(offsets, coder.encode_single(boxes, anchors))
    torch.testing.assert_close(decode_boxes(offsets, anchors, weights), boxes, atol=1e-4, rtol=1e-4)
    wild = 20 * torch.randn(50, 4, generator=torch.Generator().manual_seed(3))
    decoded = decode_boxes(wild, anchors, weights)
    torch.testing.assert_close(decoded, coder.decode_single(wild, anchors), atol=1e-2, rtol=1e-4)
    assert decoded.isfinite().all()


@pytest.mark.parametrize("keep_best", [False, True])
def test_assignments_are_torchvisions(keep_best):
    objects, anchors = random_corners(6, 4), random_corners(300, 5)
    iou = torchvision.ops.box_iou(objects, anchors)
    ours, theirs = assign(iou, 0.7, 0.3, keep_best), Matcher(0.7, 0.3, keep_best)(iou)
    assert ours.tolist() == theirs.tolist()
    assert {-1, -2} < set(ours.tolist())


def test_without_objects_all_anchors_are_background():
    assert assign(torch.zeros(0, 5), 0.7, 0.3, keep_best=True).tolist() == [-1] * 5


def test_an_object_far_from_all_anchors_takes_none():
    iou = torch.tensor([[0.0, 0.0, 0.0], [0.2, 0.6, 0.0]])
    assert assign(iou, 0.7, 0.3, keep_best=True).tolist() == [-1, 1, -1]


@pytest.mark.parametrize("positives", [2, 90])
def test_samples_have_torchvisions_numbers_and_only_their_kinds(positives):
    assignment = torch.full((200,), -1)
    assignment[:positives] = 3
    assignment[positives : positives + 30] = -2
    torch.manual_seed(0)
    selection, rest = sample(assignment, 64, 0.5)
    # torchvision writes 1 for an object, 0 for the background, -1 for neither.
    labels = torch.where(assignment >= 0, 1, torch.where(assignment == -1, 0, -1))
    theirs = [int(mask[0].sum()) for mask in BalancedPositiveNegativeSampler(64, 0.5)([labels])]
    assert [len(selection), len(rest)] == theirs
    assert (assignment[selection] == 3).all() and (assignment[rest] == -1).all()
    assert len(set(selection.tolist())) == len(selection)
