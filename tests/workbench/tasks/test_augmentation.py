"""Augmentation: each image changes by its own random numbers, as its name says."""

import pytest
import torch

from workbench.tasks.augmentation import augment

IMAGES = torch.rand(6, 1, 9, 9, generator=torch.Generator().manual_seed(0))


def test_every_image_gets_its_own_change():
    same = IMAGES[:1].expand(5, -1, -1, -1)
    for name, strength in (("shift", 2.0), ("rotate", 30.0), ("zoom", 0.3), ("noise", 0.2)):
        changed = augment(same, {name: strength})
        assert len({tuple(image.flatten().tolist()) for image in changed}) == 5, name


def test_a_flip_swaps_left_and_right_and_nothing_else():
    torch.testing.assert_close(augment(IMAGES, {"flip": 1.0}), IMAGES.flip(3))


def test_noise_has_the_standard_deviation_asked_for():
    noise = augment(torch.zeros(200, 1, 9, 9), {"noise": 0.3})
    assert noise.std().item() == pytest.approx(0.3, rel=0.03) and abs(noise.mean().item()) < 0.01


def test_the_images_stay_as_they_are():
    before = IMAGES.clone()
    augment(IMAGES, {"shift": 2.0, "rotate": 30.0, "zoom": 0.3, "flip": 0.5, "noise": 0.2})
    assert torch.equal(IMAGES, before)


@pytest.fixture
def largest_draws(monkeypatch):
    """Let every random number between 0 and 1 be 1."""
    monkeypatch.setattr(torch, "rand", lambda shape, device=None: torch.ones(shape))


def test_a_shift_moves_by_pixels_and_repeats_the_edge(largest_draws):
    moved = augment(IMAGES, {"shift": 2.0})
    torch.testing.assert_close(moved[:, :, :7, :7], IMAGES[:, :, 2:, 2:], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(moved[:, :, 7, :7], IMAGES[:, :, 8, 2:], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("shape", [(9, 9), (5, 9)])
def test_half_a_turn_is_both_flips(largest_draws, shape):
    images = IMAGES[:, :, : shape[0]]
    torch.testing.assert_close(augment(images, {"rotate": 180.0}), images.flip(2, 3), atol=1e-4, rtol=1e-4)


def test_a_quarter_turn_of_a_tall_image_turns_pixels_and_not_shares_of_its_size(largest_draws):
    images = torch.zeros(1, 1, 5, 9)
    images[0, 0, 2, 5:7] = 1  # a stroke of two pixels, one and two to the right of the center
    turned = augment(images, {"rotate": 90.0})[0, 0]
    assert sorted(map(tuple, (turned > 0.5).nonzero().tolist())) in ([(0, 4), (1, 4)], [(3, 4), (4, 4)])
