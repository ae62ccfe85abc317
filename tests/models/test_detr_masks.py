"""The mask head of DETR against transformers' DetrForSegmentation and its losses."""

import pytest
import torch
from torch import nn
from transformers import DetrConfig, DetrForSegmentation
from transformers.loss.loss_for_object_detection import ForSegmentationLoss

import models
from models.detection.detr_mask_head import mask_losses
from tests.models.test_detr import CONFIG, HEIGHT, SIZES, WIDTH, as_reference_labels, random_objects, varied
from workbench.errors import UserError


def build(**options):
    sizes = SIZES | dict(image_height=HEIGHT, image_width=WIDTH, hidden_size=32, num_heads=8)
    return models.build("detr-mask-head", **sizes | options).eval()


CONFIG = CONFIG | dict(encoder_attention_heads=8, decoder_attention_heads=8)


def test_the_published_network_has_as_many_parameters_as_the_reference():
    with torch.device("meta"):
        theirs, ours = DetrForSegmentation(DetrConfig(num_labels=250)), models.build("detr-mask-head")
    assert sum(weight.numel() for weight in theirs.parameters()) == models.info("detr-mask-head").params
    ours.load_reference(theirs.state_dict())


@torch.no_grad()
def test_masks_are_those_of_transformers():
    theirs, ours = varied(DetrForSegmentation(DetrConfig(**CONFIG))), build()
    theirs.mask_head.conv1.conv.weight[:, 32:] *= 1000  # of the attention maps, which differ from query to query
    theirs.bbox_attention.q_proj.weight *= 10
    ours.load_reference(theirs.state_dict())
    images = torch.randn(2, 3, HEIGHT, WIDTH)
    expected, outputs = theirs(images), ours(images)
    assert (expected.pred_masks[:, 0] - expected.pred_masks[:, 1]).abs().max() > 1e-2
    torch.testing.assert_close(outputs["masks"], expected.pred_masks, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(outputs["logits"], expected.logits, rtol=0, atol=1e-4)


@pytest.mark.parametrize("seed", range(2))
def test_the_losses_of_masks_are_those_of_transformers(seed):
    corners, labels, mask = random_objects(seed)
    torch.manual_seed(seed)
    outputs = dict(logits=torch.randn(3, 6, 8), boxes=0.2 + 0.4 * torch.rand(3, 6, 4), masks=torch.randn(3, 6, 24, 40))
    object_masks = torch.rand(*mask.shape, HEIGHT, WIDTH) < 0.3
    terms = build(auxiliary_loss=False).losses(outputs, corners, labels, mask, object_masks)
    targets = [
        one | {"masks": own[is_object].float()}
        for one, own, is_object in zip(as_reference_labels(corners, labels, mask), object_masks, mask, strict=True)
    ]
    names = ("logits", "boxes", "masks")
    logits, boxes, masks = (outputs[name] for name in names)
    loss, expected, _ = ForSegmentationLoss(logits, targets, "cpu", boxes, masks, DetrConfig(**CONFIG))
    torch.testing.assert_close(terms["mask"], expected["loss_mask"])
    torch.testing.assert_close(terms["dice"], expected["loss_dice"])
    torch.testing.assert_close(torch.stack(list(terms.values())).sum(), loss)


def test_perfect_masks_have_no_loss():
    targets = torch.rand(3, 16, 16) < 0.4
    logits = torch.where(targets, 50.0, -50.0)
    assert all(loss < 1e-6 for loss in mask_losses(logits, targets).values())
    assert all(loss == 0 for loss in mask_losses(logits[:0], targets[:0]).values())


def test_heads_that_group_norm_cannot_divide_are_rejected():
    with pytest.raises(UserError, match=r"hidden_size \+ num_heads must be a multiple of 8 for a mask head, not 36"):
        build(num_heads=4)


def test_the_mini_learns_masks():
    torch.manual_seed(0)
    network = models.build("detr-mask-head", "mini")
    images = torch.randn(4, 3, 64, 64)
    boxes = torch.tensor([[[8.0, 8.0, 40.0, 40.0]]]).expand(4, 1, 4)
    masks = torch.zeros(4, 1, 64, 64, dtype=torch.bool)
    masks[:, :, 8:40, 8:40] = True
    labels, mask = torch.zeros(4, 1, dtype=torch.long), torch.ones(4, 1, dtype=torch.bool)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    history = []
    for _ in range(20):
        terms = network.losses(network(images), boxes, labels, mask, masks)
        history.append((terms["mask"] + terms["dice"]).item())
        optimizer.zero_grad()
        torch.stack(list(terms.values())).sum().backward()
        optimizer.step()
    assert history[-1] < 0.8 * history[0]
    assert nn.functional.interpolate(network(images)["masks"], size=64).shape == (4, 8, 64, 64)
