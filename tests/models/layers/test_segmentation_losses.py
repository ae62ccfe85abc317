"""Losses of pixels, against torch's cross-entropy, torchvision's focal loss, and sums that are written out."""

import math

import pytest
import torch
import torch.nn.functional as F
from torchvision.ops import sigmoid_focal_loss

from models.layers.segmentation_losses import VOID, cross_entropy, dice_loss, focal_loss, pixel_loss

KINDS = ("cross-entropy", "focal", "dice", "cross-entropy+dice")


@pytest.fixture
def maps():
    """Logits of 3 classes and true classes with void pixels."""
    torch.manual_seed(0)
    target = torch.randint(3, (2, 5, 4), dtype=torch.uint8)
    target[0, :2] = VOID
    return torch.randn(2, 3, 5, 4, dtype=torch.float64, requires_grad=True), target


@pytest.mark.parametrize("weights", [None, torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)])
def test_cross_entropy_is_torchs(maps, weights):
    logits, target = maps
    theirs = F.cross_entropy(logits, target.long(), weights, ignore_index=VOID)
    torch.testing.assert_close(cross_entropy(logits, target, weights), theirs)


def test_focal_loss_of_two_classes_is_torchvisions_and_without_exponent_the_cross_entropy(maps):
    logits, target = maps
    binary = target.clamp(max=1).masked_fill(target == VOID, VOID)
    difference = logits[:, 1] - logits[:, 0]  # the softmax of two logits is the sigmoid of their difference
    each = sigmoid_focal_loss(difference, binary.double(), alpha=-1, gamma=2)
    theirs = each[binary != VOID].mean()
    torch.testing.assert_close(focal_loss(logits[:, :2], binary), theirs)
    weights = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
    torch.testing.assert_close(focal_loss(logits, target, weights, gamma=0), cross_entropy(logits, target, weights))


def test_dice_loss_is_one_minus_the_mean_coefficient_written_out(maps):
    logits, target = maps
    coefficients = []
    for label in range(3):
        overlap = predicted = true = 0.0
        for n in range(2):
            for y in range(5):
                for x in range(4):
                    if target[n, y, x] != VOID:
                        exponentials = [math.exp(logits[n, k, y, x].item()) for k in range(3)]
                        probability = exponentials[label] / sum(exponentials)
                        is_class = target[n, y, x].item() == label
                        overlap, predicted, true = (
                            overlap + probability * is_class,
                            predicted + probability,
                            true + is_class,
                        )
        coefficients.append((2 * overlap + 1) / (predicted + true + 1))
    assert dice_loss(logits, target).item() == pytest.approx(1 - sum(coefficients) / 3)
    absent = target.masked_fill(target == 2, 1)  # a class that doesn't occur is left out
    assert (
        dice_loss(logits[:, :3] * 1e3 * 0 + F.one_hot(absent.clamp(max=2).long(), 3).movedim(-1, 1) * 50, absent)
        < 1e-12
    )


@pytest.mark.parametrize("kind", KINDS)
def test_void_pixels_have_no_gradient_and_a_void_image_no_loss(maps, kind):
    logits, target = maps
    pixel_loss(kind, logits, target).backward()
    is_void = (target == VOID)[:, None].expand_as(logits)
    assert (logits.grad[is_void] == 0).all() and (logits.grad[~is_void] != 0).all()
    nothing = pixel_loss(kind, logits.float(), torch.full_like(target, VOID))
    assert nothing.item() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_finite_differences(maps, kind):
    logits, target = maps
    weights = None if "dice" in kind else torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda values: pixel_loss(kind, values, target, weights), (logits,))
