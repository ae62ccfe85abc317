"""Panoptic FPN: the published sizes, Mask R-CNN inside of it, the semantic branch, and the rules of merging."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import models
from models.layers.panoptic_merge import merge
from models.segmentation.panoptic_fpn import SemanticBranch
from workbench.errors import UserError


def test_the_published_sizes():
    with torch.device("meta"):
        network, masks = models.build("panoptic-fpn").eval(), models.build("mask-rcnn")
        outputs = network(torch.zeros(1, 3, 800, 800))
    counts = {name: sum(weight.numel() for weight in one.parameters()) for name, one in network.named_children()}
    assert counts["semantic"] == 1_630_774 and sum(counts.values()) == 46_032_167
    assert [name for name in network.state_dict() if not name.startswith("semantic.")] == list(masks.state_dict())
    assert models.reference_names("panoptic-fpn") == list(masks.state_dict())
    assert outputs.stuff.shape == (1, 54, 800, 800)
    stages = [[type(layer) for layer in level] for level in network.semantic.levels]
    stage = [nn.Conv2d, nn.GroupNorm, nn.ReLU]
    assert stages == [stage, [*stage, nn.Upsample], [*stage, nn.Upsample] * 2, [*stage, nn.Upsample] * 3]


@torch.no_grad()
def test_things_are_those_of_mask_rcnn_with_the_same_weights():
    torch.manual_seed(0)
    masks, network = models.build("mask-rcnn", "mini").eval(), models.build("panoptic-fpn", "mini").eval()
    network.load_reference(masks.state_dict())
    images = torch.randn(2, 3, 64, 64)
    for one, other in zip(masks.segment(masks(images)), network.segment(network(images)), strict=True):
        assert len(one.scores) and all(torch.equal(*pair) for pair in zip(one, other, strict=True))


@torch.no_grad()
def test_the_semantic_branch_is_the_sum_of_its_levels():
    torch.manual_seed(0)
    branch = SemanticBranch(6, 8, 2, 3).double()
    levels = [torch.randn(2, 6, 32 // 2**k, 32 // 2**k).double() for k in range(4)]
    weights = dict(branch.named_parameters())
    total = torch.zeros(2, 8, 32, 32).double()
    for number, x in enumerate(levels):
        for stage in range(max(1, number)):
            step = stage * (4 if number else 3)
            name = f"levels.{number}."
            x = F.conv2d(x, weights[f"{name}{step}.weight"], padding=1)
            x = F.group_norm(x, 2, weights[f"{name}{step + 1}.weight"], weights[f"{name}{step + 1}.bias"]).relu()
            if number:
                x = F.interpolate(x, size=2 * x.shape[2], mode="bilinear", align_corners=False)
        total += x
    logits = torch.einsum("nchw,kc->nkhw", total, weights["predictor.weight"][:, :, 0, 0])
    logits += weights["predictor.bias"][:, None, None]
    expected = F.interpolate(logits, size=128, mode="bilinear", align_corners=False)
    torch.testing.assert_close(branch(levels), expected)


def test_pixels_that_are_not_labeled_do_not_count():
    torch.manual_seed(0)
    network = models.build("panoptic-fpn", "mini").eval()
    outputs = network(torch.randn(1, 3, 64, 64))
    stuff = torch.randint(0, 5, (1, 64, 64), dtype=torch.uint8)
    stuff[0, :20] = 255
    nothing = (torch.zeros(1, 0, 4), torch.zeros(1, 0).long(), torch.zeros(1, 0).bool(), torch.zeros(1, 0, 64, 64))
    loss = network.losses(outputs, *nothing, stuff)["semantic"]
    expected = F.cross_entropy(outputs.stuff[:, :, 20:], stuff[:, 20:].long()) / 2
    torch.testing.assert_close(loss, expected)
    assert network.losses(outputs, *nothing, torch.full_like(stuff, 255))["semantic"] == 0


def test_instances_are_merged_by_the_rules_of_the_paper():
    masks = torch.zeros(4, 4, 10, dtype=torch.bool)
    masks[0, :, 0:4] = True  # 16 pixels
    masks[1, :, 2:6] = True  # half of it is free
    masks[2, :, 3:7] = True  # 4 of 16 are free: left out
    masks[3, :, 7] = True  # the highest score
    stuff = torch.zeros(4, 10, dtype=torch.long)
    stuff[:, 4:8], stuff[:, 8:], stuff[0, 9] = 1, 2, 3
    segments = merge(masks, torch.tensor([2, 0, 1, 1]), torch.tensor([0.8, 0.7, 0.6, 0.9]), stuff, 3, 4)
    assert segments.labels.tolist() == [1, 2, 0, 3, 4]  # things, then stuff 1 and 2; one pixel is too small an area
    torch.testing.assert_close(segments.scores, torch.tensor([0.9, 0.8, 0.7]))
    row = [2, 2, 2, 2, 3, 3, 4, 1, 5, 5]
    assert segments.ids.tolist() == [[*row[:9], 0], row, row, row]
    everything = merge(masks, torch.tensor([2, 0, 1, 1]), torch.tensor([0.8, 0.7, 0.6, 0.9]), stuff, 3, 5)
    assert everything.labels.tolist() == [1, 2, 0, 4]  # 4 pixels of the first stuff are below the limit


def test_nothing_to_merge_is_void():
    nothing = torch.zeros(0)
    segments = merge(torch.zeros(0, 3, 3).bool(), nothing.long(), nothing, torch.zeros(3, 3).long(), 4, 1)
    assert segments.ids.sum() == 0 and len(segments.labels) == len(segments.scores) == 0


@torch.no_grad()
def test_segments_in_another_size_are_those_of_the_image_without_its_border():
    torch.manual_seed(0)
    network = models.build("panoptic-fpn", "mini", stuff_area_limit=1).eval()
    network.roi_heads["box_predictor"].cls_score.bias[0] = 100.0  # no things
    outputs = network(torch.randn(1, 3, 64, 64))
    (own,), (cut,), (large,) = (
        network.merge(outputs, *sizes) for sizes in ((), ([(32, 64)],), ([(32, 64)], [(64, 128)]))
    )
    logits = outputs.stuff[0].argmax(dim=0)
    assert own.ids.shape == (64, 64) and large.ids.shape == (64, 128)
    classes = torch.tensor([0, *(label - 3 for label in cut.labels.tolist())])[cut.ids]
    assert torch.equal(classes, logits[:32])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(num_stuff=0), "num_stuff must be 1 or more"),
        (dict(semantic_groups=5), "must be a multiple of semantic_groups, not 32"),
    ],
)
def test_options_that_fit_no_network_are_rejected(options, message):
    with pytest.raises(UserError, match=message):
        models.build("panoptic-fpn", "mini", **options)
